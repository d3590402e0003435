"""Which area a point lies in, for a whole table of points at once."""

from datetime import date

from psycopg import sql

from geodata.scope import Db
from profiles import Level

MOST_CELLS, LEAST_CELLS = 1_000_000, 1_000

# All areas of the level and the boxes around them, in square degrees.
_BOXES = """
    SELECT sum((ST_XMax(b.geom) - ST_XMin(b.geom)) * (ST_YMax(b.geom) - ST_YMin(b.geom)))
    FROM area a JOIN area_boundary b ON b.area_no = a.no WHERE a.level = %(level)s
"""
# Points and areas meet where they share a cell of a lattice, by one hash join: that spares sorting and indexing the
# points, which took as long as all the rest. Areas come one after another (OFFSET 0 keeps the planner from turning it
# round), so PostGIS prepares each polygon once. A point on a shared edge goes to the lower number. A point has the
# same cell as the part of the box that it lies in, as floor() and division keep the order of numbers.
_PLACE = """
    INSERT INTO {found} (id, area_no)
    SELECT p.id, min(c.no)
    FROM (
        SELECT a.no, b.valid, b.valid @> daterange(%(first)s, %(last)s, '[]') AS always, b.geom, x, y
        FROM area a
        JOIN area_boundary b ON b.area_no = a.no
        CROSS JOIN LATERAL generate_series(
            floor(ST_XMin(b.geom) / %(cell)s)::int, floor(ST_XMax(b.geom) / %(cell)s)::int) AS x
        CROSS JOIN LATERAL generate_series(
            floor(ST_YMin(b.geom) / %(cell)s)::int, floor(ST_YMax(b.geom) / %(cell)s)::int) AS y
        WHERE a.level = %(level)s
        OFFSET 0
    ) AS c
    JOIN (
        SELECT id, geom, day, floor(ST_X(geom) / %(cell)s)::int AS x, floor(ST_Y(geom) / %(cell)s)::int AS y
        FROM {points}
        OFFSET 0
    ) AS p USING (x, y)
    WHERE (c.always OR c.valid @> p.day) AND ST_Intersects(c.geom, p.geom)
    GROUP BY p.id
"""
_LEFT = """
    CREATE TEMP TABLE {left} ON COMMIT DROP AS
    SELECT p.* FROM {points} p WHERE NOT EXISTS (SELECT FROM {found} f WHERE f.id = p.id)
"""


def place_points(conn: Db, points: str, found: str, levels: list[Level]) -> dict[Level, int]:
    """Fill the empty table `found` (id bigint, area_no bigint) from the temporary table `points` (id, geom, day).

    A point gets the area of the first of the levels that holds it, by the boundaries in force on its day. Returns how
    many points each level got; a point outside of all gets no row.
    """
    conn.execute("SET LOCAL work_mem = '256MB'")
    conn.execute("SET LOCAL enable_mergejoin = off")  # it would sort both sides
    placed: dict[Level, int] = {}
    total, first, last = _days(conn, points)
    for level in levels:
        names = {name: sql.Identifier(table) for name, table in (("points", points), ("found", found))}
        cell_deg = _cell_deg(conn, level, total - sum(placed.values()))
        values = {"level": level, "cell": cell_deg, "first": first, "last": last}
        placed[level] = conn.execute(sql.SQL(_PLACE).format(**names), values, prepare=False).rowcount
        if sum(placed.values()) == total:
            break
        if placed[level]:
            left = f"{points}_{level}"
            conn.execute(sql.SQL(_LEFT).format(**names, left=sql.Identifier(left)))
            points = left
    conn.execute("SET LOCAL enable_mergejoin = on")
    return placed


def _days(conn: Db, points: str) -> tuple[int, date | None, date | None]:
    """How many points there are, and their first and last day."""
    query = sql.SQL("SELECT count(*), min(day), max(day) FROM {}").format(sql.Identifier(points))
    row = conn.execute(query).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def _cell_deg(conn: Db, level: Level, points: int) -> float:
    """The side of a cell in degrees, so that there are about as many cells as points."""
    row = conn.execute(_BOXES, {"level": level}).fetchone()
    boxes = float(row[0]) if row and row[0] else 1.0
    return float((boxes / min(max(points, LEAST_CELLS), MOST_CELLS)) ** 0.5)
