"""Row 9: the best five of 4,000 workers for a ticket, all rules included, while 800 positions a second come in.

They are written in this process, as in the product, by what its history does with a batch: the fixes themselves, the
latest of each worker, and patrols. The phones have walked beforehand: that is no work of the product's.
"""

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg

import profiles
from bench.context import PLACE, Context
from bench.phones import Phone, phones
from bench.result import Result, Wrong, percentile
from geodata.leader import job_session
from geodata.pool import make_pool
from geodata.queries.positions import (
    PositionRow,
    add_positions,
    ensure_days,
    forget_latest,
    keep_latest,
    mark_left,
    upsert_patrols,
)
from geodata.scope import EVERYTHING, Db, Pool, Scope, scoped
from geodata.servers import Stores
from services.dispatch import candidates, crew
from services.positions.history import MARK_EVERY

BAR_MS = 5.0
BATCH_S = 2.0  # as the history writes them
BATCHES = 60  # for two minutes at the most
FAR_FUTURE = timedelta(days=3660)


def measure(context: Context) -> list[Result]:
    """p95 over open tickets of all kinds and places: a dispatcher of the whole place, and one of a town."""
    stores, fleet = context.stores, phones(context)
    with psycopg.connect(stores.database_url) as conn:
        tickets, places = _tickets(conn, context.times(300, 60))
        town = _town(conn)
        now, areas = datetime.now(UTC), _areas(conn)
        keep_latest(conn, [_fix(phone, 0, areas, now) for phone in fleet])
        ensure_days(conn, now.date(), now.date() + timedelta(days=1))
        conn.commit()
        conn.execute("ANALYZE worker_position")
        _check(conn, len(fleet))
    try:
        with make_pool(stores.app_url, 2) as pool, _coming_in(stores, fleet, areas):
            peer = _nearest_alone(pool, places)
            rows = [
                _row("the whole place", _found(pool, EVERYTHING, tickets), peer),
                _row("a town", _found(pool, town, _inside(pool, town, len(tickets))), peer),
            ]
    finally:
        with psycopg.connect(stores.database_url) as conn:
            forget_latest(conn, datetime.now(UTC) + FAR_FUTURE)
    return rows


def _row(name: str, ours: list[float], peer: list[float]) -> Result:
    p95 = percentile(ours, 0.95)
    return Result(
        f"9 five candidates of 4,000, {name}: p95", p95, percentile(peer, 0.95), "ms", f"≤ {BAR_MS:g} ms",
        p95 <= BAR_MS, "PostGIS <-> alone", n=len(ours), note=f"p50 {percentile(ours, 0.5):.1f} ms; 800 positions/s",
    )  # fmt: skip


def _found(pool: Pool, scope: Scope, tickets: list[int]) -> list[float]:
    """Milliseconds of each: the ticket, weights, refusals, ground, distance, shift, leave, load, day, reasons."""
    profile = profiles.load(PLACE)
    times: list[float] = []
    gc.collect()
    gc.freeze()  # as ./wangge run does: no look through all that the process holds
    for warm in (True, False):  # plans are kept after some turns, as in a product that runs
        for ticket in tickets[: 20 if warm else None]:
            with scoped(pool, scope) as conn:
                started = time.perf_counter()
                found = candidates.find(conn, profile, ticket, datetime.now(UTC))
                took_ms = (time.perf_counter() - started) * 1000
            if len(found.rows) < 5:
                raise Wrong(f"only {len(found.rows)} candidates for the ticket {ticket}")
            if not warm:
                times.append(took_ms)
    return times


def _nearest_alone(pool: Pool, places: list[tuple[float, float]]) -> list[float]:
    """Milliseconds of the five nearest positions, nothing else asked."""
    times = []
    for lon, lat in places:
        with scoped(pool, EVERYTHING) as conn:
            started = time.perf_counter()
            conn.execute(
                "SELECT worker_id FROM worker_position"
                " ORDER BY geom::geography <-> ST_SetSRID(ST_MakePoint(%s, %s), 4326)::geography LIMIT 5",
                (lon, lat),
            ).fetchall()
            times.append((time.perf_counter() - started) * 1000)
    return times[20:] or times


@contextmanager
def _coming_in(stores: Stores, fleet: list[Phone], areas: dict[int, int]) -> Iterator[None]:
    """1,600 walking phones every two seconds, in the transaction that the history writes them in."""
    over, zone = threading.Event(), profiles.load(PLACE).time_zone
    batches = _walked(fleet, areas, int(800 * BATCH_S))

    def write() -> None:
        with job_session(stores.app_url, "bench") as conn:
            for turn, batch in enumerate(batches, 1):
                if over.wait(BATCH_S):
                    return
                now = datetime.now(UTC)
                rows = [row._replace(at=now, received_at=now) for row in batch]
                with conn.transaction():
                    add_positions(conn, rows)
                    keep_latest(conn, rows)
                    upsert_patrols(conn, rows, zone)
                if turn % MARK_EVERY == 0:
                    mark_left(conn)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


def _walked(fleet: list[Phone], areas: dict[int, int], share: int) -> list[list[PositionRow]]:
    """Batches of so many phones, as many as a measurement may last; each has walked 5 s since its last fix."""
    now = datetime.now(UTC)
    batches = []
    for turn in range(BATCHES):
        fixes = range(turn * share, (turn + 1) * share)
        batches.append([_fix(fleet[at % len(fleet)], 5 * (at // len(fleet) + 1), areas, now) for at in fixes])
    return batches


def _areas(conn: Db) -> dict[int, int]:
    """The area of duty of each worker."""
    return dict(conn.execute("SELECT id, area_no FROM worker").fetchall())


def _fix(phone: Phone, at_s: int, areas: dict[int, int], now: datetime) -> PositionRow:
    lon, lat = phone.at(at_s)
    return PositionRow(phone.worker_id, now, now, lon, lat, 8, 1.2, 90, 71, areas[phone.worker_id])


def _tickets(conn: Db, most: int) -> tuple[list[int], list[tuple[float, float]]]:
    """Open tickets whose place is known, and the places."""
    rows = conn.execute(
        """
        SELECT id, ST_X(geom), ST_Y(geom) FROM ticket WHERE closed_at IS NULL AND location = 'exact'
        ORDER BY md5(id::text) LIMIT %s
        """,
        (most,),
    ).fetchall()
    return [row[0] for row in rows], [(row[1], row[2]) for row in rows]


def _inside(pool: Pool, scope: Scope, most: int) -> list[int]:
    with scoped(pool, scope) as conn:
        return _tickets(conn, most)[0]


def _town(conn: Db) -> Scope:
    """The town with the most open tickets."""
    row = conn.execute(
        "SELECT a.no, a.hi FROM area a JOIN ticket t ON t.area_no BETWEEN a.no AND a.hi AND t.closed_at IS NULL"
        " WHERE a.level = 'town' AND a.valid_to IS NULL GROUP BY 1, 2 ORDER BY count(*) DESC LIMIT 1"
    ).fetchone()
    assert row is not None
    return Scope(row[0], row[1])


def _check(conn: Db, workers: int) -> None:
    """All are there and on shift, so that it is 4,000 that the five are chosen from."""
    found = len(crew.crew(conn, profiles.load(PLACE), datetime.now(UTC)))
    if found < workers * 0.99:
        raise Wrong(f"of {workers} workers only {found} are on shift with a position")
