"""Row 9: the best five of 4,000 workers for a ticket, all rules included, while 800 positions a second come in."""

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
from geodata.pool import make_pool
from geodata.queries.positions import PositionRow, forget_latest, keep_latest
from geodata.scope import EVERYTHING, Db, Pool, Scope, scoped
from services.dispatch import candidates, crew

BAR_MS = 5.0
BATCH_S = 2.0  # as the history writes them
FAR_FUTURE = timedelta(days=3660)


def measure(context: Context) -> list[Result]:
    """p95 over open tickets of all kinds and places: a dispatcher of the whole place, and one of a town."""
    stores, fleet = context.stores, phones(context)
    with psycopg.connect(stores.database_url) as conn:
        tickets, places = _tickets(conn, context.times(300, 60))
        town = _town(conn)
        _take(conn, fleet, {phone.worker_id: 0 for phone in fleet})
        conn.commit()
        conn.execute("ANALYZE worker_position")
        _check(conn, len(fleet))
    try:
        with make_pool(stores.app_url, 2) as pool, _coming_in(stores.database_url, fleet):
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
def _coming_in(url: str, fleet: list[Phone]) -> Iterator[None]:
    """1,600 walking phones every two seconds, written as the history writes them."""
    over = threading.Event()

    def write() -> None:
        turn, walked = 0, {phone.worker_id: 0 for phone in fleet}
        with psycopg.connect(url) as conn:
            while not over.wait(BATCH_S):
                share = int(800 * BATCH_S)
                at = turn * share % len(fleet)
                _take(conn, (fleet + fleet)[at : at + share], walked)
                conn.commit()
                turn += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


def _take(conn: Db, some: list[Phone], walked: dict[int, int]) -> None:
    now = datetime.now(UTC)
    rows = []
    for phone in some:
        walked[phone.worker_id] += 5  # seconds since its last fix
        lon, lat = phone.at(walked[phone.worker_id])
        rows.append(PositionRow(phone.worker_id, now, now, lon, lat, 8, 1.2, 90, 71, 0))
    areas: dict[int, int] = dict(conn.execute("SELECT id, area_no FROM worker").fetchall())
    keep_latest(conn, [row._replace(area_no=areas[row.worker_id]) for row in rows])


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
