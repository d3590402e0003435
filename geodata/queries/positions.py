"""The history of worker positions and the patrols that follow from it."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from geodata.queries.packed import bigints, floats, moments
from geodata.scope import Db


class PositionRow(NamedTuple):
    """One fix of a worker: degrees (EPSG:4326), metres, metres a second, degrees from north, per cent."""

    worker_id: int
    at: datetime
    received_at: datetime
    lon: float
    lat: float
    accuracy_m: float | None
    speed_mps: float | None
    course_deg: float | None
    battery_pct: float | None
    area_no: int


def drained_to(conn: Db) -> str:
    """Id of the last stream entry that is in the history; '0-0' when none is."""
    row = conn.execute("SELECT stream_id FROM position_drain").fetchone()
    return str(row[0]) if row else "0-0"


def set_drained_to(conn: Db, stream_id: str) -> None:
    """Remember it, in the transaction that writes the rows."""
    conn.execute(
        """
        INSERT INTO position_drain (stream_id) VALUES (%s)
        ON CONFLICT (singleton) DO UPDATE SET stream_id = excluded.stream_id
        """,
        (stream_id,),
    )


def ensure_days(conn: Db, first: date, last: date) -> None:
    """Make the daily partitions of [first, last] (UTC days)."""
    conn.execute("SELECT ensure_position_days(%s, %s)", (first, last))


def add_positions(conn: Db, rows: Sequence[PositionRow]) -> None:
    """Add fixes to the history; their days must exist. PostgreSQL takes no COPY under row-level security."""
    conn.execute(
        """
        INSERT INTO position (worker_id, at, received_at, geom, accuracy_m, speed_mps, course_deg, battery_pct, area_no)
        SELECT worker_id, at, received_at, ST_SetSRID(ST_MakePoint(lon, lat), 4326), accuracy_m, speed_mps, course_deg,
               battery_pct, area_no
        FROM unnest(%(worker)s::bigint[], %(at)s::timestamptz[], %(received)s::timestamptz[], %(lon)s::float8[],
                    %(lat)s::float8[], %(accuracy_m)s::float8[], %(speed_mps)s::float8[], %(course_deg)s::float8[],
                    %(battery_pct)s::float8[], %(area)s::bigint[])
             AS f (worker_id, at, received_at, lon, lat, accuracy_m, speed_mps, course_deg, battery_pct, area_no)
        """,
        _where_and_when(rows) | {
            "received": moments([row.received_at for row in rows]),
            "accuracy_m": floats([row.accuracy_m for row in rows]),
            "speed_mps": floats([row.speed_mps for row in rows]),
            "course_deg": floats([row.course_deg for row in rows]),
            "battery_pct": floats([row.battery_pct for row in rows]),
        },
    )  # fmt: skip


def _where_and_when(rows: Sequence[PositionRow]) -> dict[str, Any]:
    """What is told of fixes everywhere, as arrays."""
    return {
        "worker": bigints([row.worker_id for row in rows]), "at": moments([row.at for row in rows]),
        "area": bigints([row.area_no for row in rows]), "lon": floats([row.lon for row in rows]),
        "lat": floats([row.lat for row in rows]),
    }  # fmt: skip


def keep_latest(conn: Db, rows: Iterable[PositionRow]) -> None:
    """Keep each worker's newest fix at hand for who looks for somebody near; a place moves when it is 25 m off."""
    newest: dict[int, PositionRow] = {}
    for row in rows:
        known = newest.get(row.worker_id)
        if known is None or row.at > known.at:
            newest[row.worker_id] = row
    latest = sorted(newest.values())  # in the same order always
    conn.execute(
        """
        INSERT INTO worker_position (worker_id, at, geom, area_no)
        SELECT worker_id, at, ST_SetSRID(ST_MakePoint(lon, lat), 4326), area_no
        FROM unnest(%(worker)s::bigint[], %(at)s::timestamptz[], %(lon)s::float8[], %(lat)s::float8[],
                    %(area)s::bigint[])
             AS f (worker_id, at, lon, lat, area_no)
        ON CONFLICT (worker_id) DO UPDATE
        SET at = excluded.at, area_no = excluded.area_no,
            geom = CASE WHEN ST_DistanceSphere(worker_position.geom, excluded.geom) < 25 THEN worker_position.geom
                        ELSE excluded.geom END
        WHERE worker_position.at < excluded.at
        """,
        _where_and_when(latest),
    )


def mark_left(conn: Db) -> None:
    """Have the index of places pass over where workers no longer are: the search for the nearest does not mark those.

    In a transaction of its own, after the one that moved them. A vacuum takes them out, but comes once a minute.
    """
    with conn.transaction():
        conn.execute(
            "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)"
        )
        conn.execute("SELECT count(*) FROM worker_position WHERE area_no >= 0::bigint")


def forget_latest(conn: Db, before: datetime) -> int:
    """Forget the latest fixes that are older; returns how many."""
    return conn.execute("DELETE FROM worker_position WHERE at < %s", (before,)).rowcount


def upsert_patrols(conn: Db, rows: Sequence[PositionRow], time_zone: str) -> list[int]:
    """Extend the patrol of each worker's grid and local day by the fixes that fall inside the grid.

    The end of a patrol follows in steps of a minute, which spares most writes. Returns the numbers of grids that
    had no patrol on that day before.
    """
    fresh = conn.execute(
        """
        WITH fix AS (
            SELECT * FROM unnest(%(worker)s::bigint[], %(at)s::timestamptz[], %(area)s::bigint[],
                                 %(lon)s::float8[], %(lat)s::float8[]) AS f (worker_id, at, area_no, lon, lat)
        ), inside AS (
            SELECT f.area_no, (f.at AT TIME ZONE %(zone)s)::date AS day, f.worker_id,
                   min(f.at) AS first_at, max(f.at) AS last_at
            FROM fix f
            JOIN area_now a ON a.no = f.area_no AND a.level = 'grid'
            JOIN worker w ON w.id = f.worker_id
            WHERE ST_Covers(a.geom, ST_SetSRID(ST_MakePoint(f.lon, f.lat), 4326))
            GROUP BY 1, 2, 3
        ), known AS (
            SELECT DISTINCT p.area_no, p.day FROM patrol p JOIN inside i USING (area_no, day)
        ), written AS (
            INSERT INTO patrol (area_no, day, worker_id, first_at, last_at)
            SELECT area_no, day, worker_id, first_at, last_at FROM inside
            ON CONFLICT (area_no, day, worker_id) DO UPDATE
            SET first_at = least(patrol.first_at, excluded.first_at),
                last_at = greatest(patrol.last_at, excluded.last_at)
            WHERE patrol.first_at > excluded.first_at OR patrol.last_at < excluded.last_at - interval '1 minute'
            RETURNING area_no, day
        )
        SELECT DISTINCT area_no FROM written WHERE (area_no, day) NOT IN (SELECT area_no, day FROM known)
        """,
        _where_and_when(rows) | {"zone": time_zone},
    ).fetchall()
    return [row[0] for row in fresh]


def drop_before(conn: Db, first_kept: date) -> int:
    """Drop the days of history before that one; returns how many."""
    row = conn.execute("SELECT drop_positions_before(%s)", (first_kept,)).fetchone()
    return int(row[0]) if row else 0
