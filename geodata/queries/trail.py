"""Where an area stands: itself and the areas above it."""

from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class TrailRow(NamedTuple):
    """An area on the way down from the root, with its bounds in degrees (EPSG:4326); None before it has any."""

    no: int
    hi: int
    level: str
    code: str
    name: str
    west: float | None
    south: float | None
    east: float | None
    north: float | None


def trail(conn: Db, code: str | None) -> list[TrailRow]:
    """The root, …, the area of that code (None: the root alone); empty when there is no such area."""
    query = """
        WITH RECURSIVE up AS (
            (SELECT no, hi, level, code, name, parent_no FROM area
             WHERE valid_to IS NULL AND CASE WHEN %(code)s::text IS NULL THEN parent_no IS NULL ELSE code = %(code)s END
             ORDER BY level LIMIT 1)
            UNION ALL
            SELECT a.no, a.hi, a.level, a.code, a.name, a.parent_no FROM area a JOIN up ON a.no = up.parent_no
        )
        SELECT up.no, up.hi, up.level::text, up.code, up.name, ST_XMin(b.geom) AS west, ST_YMin(b.geom) AS south,
               ST_XMax(b.geom) AS east, ST_YMax(b.geom) AS north
        FROM up LEFT JOIN area_boundary b ON b.area_no = up.no AND upper_inf(b.valid)
        ORDER BY up.level, up.no
    """
    return conn.cursor(row_factory=class_row(TrailRow)).execute(query, {"code": code}).fetchall()


class FactsRow(NamedTuple):
    """What this database holds, and how often its areas were imported."""

    profile: str
    generated: bool
    revision: int


def facts(conn: Db) -> FactsRow | None:
    """The place of this database; None before `./wangge demo` or an import made one."""
    query = """
        SELECT profile, generated OR EXISTS (SELECT FROM area WHERE generated) AS generated,
               (SELECT last_value FROM area_revision) AS revision
        FROM place
    """
    return conn.cursor(row_factory=class_row(FactsRow)).execute(query).fetchone()


class CountRow(NamedTuple):
    """How many areas a level has."""

    level: str
    n: int


def counts(conn: Db, no: int, hi: int) -> list[CountRow]:
    """Areas with numbers no..hi, by level."""
    query = """
        SELECT level::text, count(*)::int AS n FROM area WHERE no BETWEEN %s AND %s AND valid_to IS NULL GROUP BY 1
    """
    return conn.cursor(row_factory=class_row(CountRow)).execute(query, (no, hi)).fetchall()


class PointRow(NamedTuple):
    """Where the label of a grid stands, in degrees (EPSG:4326)."""

    x: float
    y: float


def grid_points(conn: Db, no: int, hi: int) -> list[PointRow]:
    """The label points of the grids with numbers no..hi."""
    query = """
        SELECT ST_X(b.label_at) AS x, ST_Y(b.label_at) AS y
        FROM area a JOIN area_boundary b ON b.area_no = a.no AND upper_inf(b.valid)
        WHERE a.level = 'grid' AND a.no BETWEEN %s AND %s AND a.valid_to IS NULL
    """
    return conn.cursor(row_factory=class_row(PointRow)).execute(query, (no, hi)).fetchall()


class NameRow(NamedTuple):
    """The name of an area above the grids."""

    no: int
    name: str


def names(conn: Db) -> list[NameRow]:
    """Names of all areas in scope above the grids, by number."""
    query = "SELECT no, name FROM area WHERE level <> 'grid' AND valid_to IS NULL ORDER BY no"
    return conn.cursor(row_factory=class_row(NameRow)).execute(query).fetchall()
