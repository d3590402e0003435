"""Queries for areas as maps and search need them: outlines in force, one area's facts, the revision."""

from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class Outline(NamedTuple):
    """An area with its boundary in force: EPSG:4326 degrees, geometry as WKB; x, y is where a label may stand."""

    no: int
    code: str
    name: str
    initials: str
    level: str
    kind: str | None
    parent_no: int | None
    households: int | None
    population: int | None
    generated: bool
    x: float
    y: float
    wkb: bytes


class Found(NamedTuple):
    """An area that a search found; x, y in degrees."""

    no: int
    hi: int
    level: str
    code: str
    name: str
    path: str
    x: float | None
    y: float | None


class Step(NamedTuple):
    """One area on the way from the top to an area."""

    no: int
    level: str
    code: str
    name: str


class Facts(NamedTuple):
    """What is known of one area; numbers cover all grids below it."""

    no: int
    hi: int
    level: str
    code: str
    name: str
    kind: str | None
    households: int | None
    population: int | None
    generated: bool
    grids: int
    west: float | None
    south: float | None
    east: float | None
    north: float | None


def revision(conn: Db) -> int:
    """Number of the last import of areas; caches of map data carry it in their key."""
    row = conn.execute("SELECT last_value FROM area_revision").fetchone()
    assert row is not None
    return int(row[0])


def outlines(conn: Db, level: str) -> list[Outline]:
    """All areas of a level in scope, by number."""
    with conn.cursor(row_factory=class_row(Outline), binary=True) as cursor:
        return cursor.execute(
            """
            SELECT no, code, name, initials, level::text, kind::text, parent_no, households, population, generated,
                   ST_X(label_at) AS x, ST_Y(label_at) AS y, ST_AsBinary(geom) AS wkb
            FROM area_now WHERE level = %s::area_level ORDER BY no
            """,
            (level,),
        ).fetchall()


def find(conn: Db, text: str, limit: int = 12) -> list[Found]:
    """Areas whose name holds the text, or whose code or pinyin initials begin with it; wider areas first.

    A name that begins with the text comes before one that only holds it.
    """
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    with conn.cursor(row_factory=class_row(Found)) as cursor:
        return cursor.execute(
            """
            SELECT a.no, a.hi, a.level::text, a.code, a.name,
                   coalesce((SELECT string_agg(p.name, ' · ' ORDER BY p.level) FROM area p
                             WHERE a.no BETWEEN p.no AND p.hi AND p.no <> a.no AND p.valid_to IS NULL
                               AND p.parent_no IS NOT NULL), '') AS path,
                   ST_X(b.label_at) AS x, ST_Y(b.label_at) AS y
            FROM area a
            LEFT JOIN area_boundary b ON b.area_no = a.no AND upper_inf(b.valid)
            WHERE a.valid_to IS NULL
              AND (a.name ILIKE %(inside)s OR a.code LIKE %(start)s OR a.initials LIKE %(lower)s)
            ORDER BY (a.code = %(text)s) DESC, (a.name = %(text)s) DESC, a.level,
                     (a.name ILIKE %(start)s) DESC, (a.initials = %(exact)s) DESC, a.no
            LIMIT %(limit)s
            """,
            {
                "text": text,
                "exact": text.lower(),
                "inside": f"%{plain}%",
                "start": f"{plain}%",
                "lower": f"{plain.lower()}%",
                "limit": limit,
            },
        ).fetchall()


def facts(conn: Db, no: int) -> Facts | None:
    """One area in scope, or None; its people are summed from its grids where it has no figure of its own."""
    with conn.cursor(row_factory=class_row(Facts)) as cursor:
        return cursor.execute(
            """
            SELECT a.no, a.hi, a.level::text, a.code, a.name, a.kind::text,
                   coalesce(a.households, g.households)::integer AS households,
                   coalesce(a.population, g.population)::integer AS population,
                   a.generated, g.grids::integer,
                   ST_XMin(b.geom) AS west, ST_YMin(b.geom) AS south, ST_XMax(b.geom) AS east, ST_YMax(b.geom) AS north
            FROM area a
            LEFT JOIN area_boundary b ON b.area_no = a.no AND upper_inf(b.valid)
            CROSS JOIN LATERAL (
                SELECT count(*) AS grids, sum(households) AS households, sum(population) AS population
                FROM area WHERE no BETWEEN a.no AND a.hi AND level = 'grid' AND valid_to IS NULL
            ) g
            WHERE a.no = %s AND a.valid_to IS NULL
            """,
            (no,),
        ).fetchone()


def path(conn: Db, no: int) -> list[Step]:
    """The areas that hold that number, from the top, the area itself included."""
    with conn.cursor(row_factory=class_row(Step)) as cursor:
        return cursor.execute(
            """
            SELECT no, level::text, code, name FROM area
            WHERE %s BETWEEN no AND hi AND valid_to IS NULL ORDER BY area.level, no
            """,
            (no,),
        ).fetchall()
