"""The latest positions: what the index of places keeps of where workers no longer are."""

from datetime import UTC, datetime, timedelta

import psycopg

from geodata.leader import job_session
from geodata.queries.positions import PositionRow, forget_latest, keep_latest, mark_left
from geodata.scope import Db
from geodata.servers import Stores
from tests.small_place import centre
from tests.waiting import until

WALKS = 20


def entries_asked(conn: Db) -> int:
    """Entries of the index that the search for somebody has to ask the table about."""
    with conn.transaction():
        conn.execute("SET LOCAL enable_seqscan = off")
        conn.execute("SET LOCAL enable_bitmapscan = off")
        told = conn.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON) SELECT count(*) FROM worker_position WHERE area_no >= 0::bigint"
        ).fetchone()
    assert told is not None
    scan = told[0][0]["Plan"]["Plans"][0]
    assert scan["Index Name"] == "worker_position_scope"
    return int(scan["Heap Fetches"])


def test_places_that_were_left_are_passed_over(clone: Stores) -> None:
    with (
        psycopg.connect(clone.database_url, autocommit=True) as conn,
        job_session(clone.app_url, "test") as job,
    ):
        workers = conn.execute("SELECT id, area_no FROM worker ORDER BY id LIMIT 20").fetchall()
        lon, lat = centre(1, 1, 5)
        start = datetime.now(UTC)
        forget_latest(conn, start + timedelta(days=1))
        conn.execute("VACUUM worker_position")

        def walk(steps: int) -> None:
            at = start + timedelta(seconds=steps)
            fixes = [
                PositionRow(no, at, at, lon + 0.001 * steps, lat, 5, 1, 0, 80, area) for no, area in workers
            ]
            keep_latest(conn, fixes)

        def passed_over() -> bool:
            walk(WALKS)  # with every transaction that ends, PostgreSQL looks anew at who may still see what
            mark_left(job)
            return entries_asked(conn) < 3 * len(workers)

        with psycopg.connect(clone.database_url) as reader:
            reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            reader.execute("SELECT count(*) FROM worker_position")
            for steps in range(WALKS):
                walk(steps)
            assert not passed_over()  # somebody could still see where they were
        until(passed_over)  # an autovacuum that looks at the table just now is such a reader too
