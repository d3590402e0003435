"""Which area a point lies in, for a whole table of points at once."""

from psycopg import sql

from geodata.scope import Db
from profiles import Level

# A polygon at a time against an index of the points: PostGIS prepares each polygon once. OFFSET 0 keeps the planner
# from turning it round (a point at a time is six times slower). A point on a shared edge goes to the lower number.
_PLACE = """
    INSERT INTO {found} (id, area_no)
    SELECT hit.id, min(a.no)
    FROM area a
    JOIN area_boundary b ON b.area_no = a.no
    CROSS JOIN LATERAL (
        SELECT p.id FROM {points} p
        WHERE ST_Intersects(b.geom, p.geom) AND b.valid @> p.day
        OFFSET 0
    ) AS hit
    WHERE a.level = %(level)s
    GROUP BY hit.id
"""
# In the order of a Hilbert curve: a polygon's points lie on few pages then, which halves the time of index and join.
_SORTED = """
    CREATE TEMP TABLE {sorted} ON COMMIT DROP AS SELECT * FROM {points} ORDER BY geom
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
    ordered = f"{points}_sorted"
    names = {"points": sql.Identifier(points), "sorted": sql.Identifier(ordered)}
    conn.execute(sql.SQL(_SORTED).format(**names))
    points = ordered
    placed: dict[Level, int] = {}
    total = None
    for level in levels:
        names = {name: sql.Identifier(table) for name, table in (("points", points), ("found", found))}
        conn.execute(sql.SQL("CREATE INDEX ON {points} USING gist (geom)").format(**names))
        conn.execute(sql.SQL("ANALYZE {points} (geom)").format(**names))
        if total is None:
            row = conn.execute(sql.SQL("SELECT count(*) FROM {points}").format(**names)).fetchone()
            total = int(row[0]) if row else 0
        placed[level] = conn.execute(sql.SQL(_PLACE).format(**names), {"level": level}).rowcount
        if sum(placed.values()) == total:
            break
        if placed[level]:
            left = f"{points}_{level}"
            conn.execute(sql.SQL(_LEFT).format(**names, left=sql.Identifier(left)))
            points = left
    return placed
