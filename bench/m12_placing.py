"""Row 12: the grid of every one of 1.14 million points in the database, against geopandas' sjoin and naive SQL."""

import time

import geopandas
import numpy as np
import psycopg
import shapely
from psycopg import sql

from bench.context import Context
from bench.m01_first_bytes import grid_table
from bench.result import Result, median
from geodata.importing.placing import place_points

BAR_S = 4.0


def measure(context: Context) -> list[Result]:
    """Seconds of the import's own placing step, index and all; the answers are compared point by point."""
    repeats = context.times(3, 1)
    with psycopg.connect(context.stores.database_url, autocommit=True) as conn:
        grid_table(conn)
        point_table(conn)
        ours_s = [_ours(conn) for _ in range(repeats)]
        naive_s = _naive(conn)
        ids, lon, lat = _columns(conn, "SELECT id, ST_X(geom), ST_Y(geom) FROM bench.point ORDER BY id")
        placed = dict(conn.execute("SELECT id, area_no FROM bench.found").fetchall())
        numbers, shapes = zip(
            *conn.execute("SELECT id, ST_AsBinary(geom) FROM bench.grid ORDER BY id"), strict=True
        )
        conn.execute("DROP TABLE bench.found")
    points = geopandas.GeoDataFrame(
        {"id": ids.astype(np.int64)}, geometry=geopandas.points_from_xy(lon, lat), crs=4326
    )
    grids = geopandas.GeoDataFrame({"no": numbers}, geometry=shapely.from_wkb(shapes), crs=4326)
    theirs_s = []
    for _ in range(repeats):
        start = time.perf_counter()
        joined = geopandas.sjoin(points, grids, predicate="intersects")
        joined = joined.groupby("id")["no"].min()
        theirs_s.append(time.perf_counter() - start)
    expected = dict(zip(joined.index.tolist(), joined.tolist(), strict=True))
    same = placed == expected
    note = f"{len(placed):,} of {len(ids):,} points on a grid; naive SQL {naive_s:.1f} s; " + (
        "every answer equals sjoin's"
        if same
        else f"ANSWERS DIFFER on {differences(placed, expected):,} points"
    )
    return [
        Result(
            "12 grid of 1.14 million points", median(ours_s), median(theirs_s), "s",
            f"≤ {BAR_S:.0f} s, answers as sjoin", same and median(ours_s) <= BAR_S, "geopandas sjoin",
            n=repeats, note=note,
        )
    ]  # fmt: skip


def differences(ours: dict[int, int], theirs: dict[int, int]) -> int:
    """How many points have another answer."""
    return sum(ours.get(key) != theirs.get(key) for key in ours.keys() | theirs.keys())


def point_table(conn: psycopg.Connection) -> None:
    """`bench.point` (id, geom, day): the points of all tickets that have one."""
    if conn.execute("SELECT to_regclass('bench.point')").fetchone() == (None,):
        conn.execute(
            "CREATE UNLOGGED TABLE bench.point AS SELECT row_number() OVER () AS id, geom, current_date AS day"
            " FROM ticket WHERE geom IS NOT NULL"
        )
        conn.execute("ANALYZE bench.point")


def _ours(conn: psycopg.Connection) -> float:
    """As the import does it: an unindexed copy of the points in, the table of answers out."""
    conn.execute("DROP TABLE IF EXISTS bench.found")
    conn.execute("CREATE UNLOGGED TABLE bench.found (id bigint, area_no bigint)")
    conn.execute("SET search_path = bench, public")
    with conn.transaction():
        conn.execute("CREATE TEMP TABLE waiting ON COMMIT DROP AS SELECT * FROM bench.point")
        start = time.perf_counter()
        place_points(conn, "waiting", "found", ["grid"])
        seconds = time.perf_counter() - start
    conn.execute("RESET search_path")
    return seconds


def _naive(conn: psycopg.Connection) -> float:
    """The join as one would first write it."""
    conn.execute("DROP TABLE IF EXISTS bench.naive")
    start = time.perf_counter()
    conn.execute(
        sql.SQL(
            "CREATE UNLOGGED TABLE bench.naive AS SELECT t.id, g.id AS area_no"
            " FROM bench.point t JOIN bench.grid g ON ST_Contains(g.geom, t.geom)"
        )
    )
    seconds = time.perf_counter() - start
    conn.execute("DROP TABLE bench.naive")
    return seconds


def _columns(conn: psycopg.Connection, query: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = np.array(conn.execute(query).fetchall(), dtype=np.float64)
    return rows[:, 0], rows[:, 1], rows[:, 2]
