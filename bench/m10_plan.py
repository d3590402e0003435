"""Row 10: a plan of 200 tickets against 4,000 workers on shift, beside VROOM on the same question."""

import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg

import profiles
from bench.context import PLACE, Context
from bench.phones import Phone, phones
from bench.result import Missing, Result, Wrong, median, percentile
from geodata.queries import plans as queries
from geodata.queries.plans import Waiting
from geodata.queries.positions import PositionRow, keep_latest
from geodata.scope import EVERYTHING, Db, enter
from profiles import Profile
from services.access.viewer import SYSTEM
from services.dispatch import plan
from services.dispatch.crew import CrewMember
from services.dispatch.optimum import distances
from services.dispatch.patrol_order import best_order
from services.dispatch.proposal import Proposal, proposal
from services.tickets.states import UNASSIGNED

BAR_MS = 50.0
TICKETS = 200
TENTHS = 10  # VROOM counts in whole numbers: tenths of a metre


def measure(context: Context) -> list[Result]:
    """From tickets and workers in memory to the proposal with its reasons and figures; one ticket a worker for both.

    VROOM is given the matrix of distances for nothing, four threads, and its quickest level (others take minutes and
    find the same). The notes tell what the rules of a fair share cost, how far all walk when a worker takes several,
    and what the whole request costs with reading and keeping.
    """
    try:
        import vroom  # noqa: F401
    except ImportError:
        raise Missing("pyvroom (in the extra `dev`)") from None
    place, fleet = profiles.load(PLACE), phones(context)
    with psycopg.connect(context.stores.database_url) as conn:
        waiting, crew = _waiting(conn), _crew(conn, place, fleet)
        request_ms = _requests(conn, place, fleet, [one.id for one in waiting], context.times(20, 3))
        conn.rollback()
    alone = [one._replace(capacity=1, load=0, assigned_today=0) for one in crew]
    plain = _with_fairness(place, 0)
    proposal(plain, waiting, alone, {})  # scipy is imported
    ours_ms, told = _timed(plain, waiting, alone, context.times(50, 5))
    theirs_ms, theirs_m = _vroom(waiting, alone, context.times(2, 1))
    if told.after.placed != TICKETS or told.after.mean_distance_m is None:
        raise Wrong(f"{told.after.placed} of {TICKETS} tickets were placed")
    fair_ms, fair = _timed(place, waiting, crew, context.times(50, 5))
    ours_m = told.after.mean_distance_m
    p95 = percentile(ours_ms, 0.95)
    return [
        Result(
            "10 plan 200 tickets × 4,000 workers", median(ours_ms), median(theirs_ms), "ms", f"≤ {BAR_MS:g} ms",
            median(ours_ms) <= BAR_MS, "VROOM", n=len(ours_ms),
            note=f"p95 {p95:.0f} ms; with loads and a fair share {median(fair_ms):.0f} ms;"
                 f" the whole request with reading and keeping {median(request_ms):.0f} ms",
        ),
        Result(
            "10 mean distance of that plan", ours_m, theirs_m, "m", "no worse than VROOM",
            ours_m <= theirs_m * 1.0005, "VROOM", n=TICKETS,
            note=f"one by one to the nearest {told.before.mean_distance_m:.0f} m; with loads and a fair share"
                 f" {fair.after.mean_distance_m:.0f} m, walked {_walked(fair):.0f} m a ticket in the best orders",
        ),
    ]  # fmt: skip


def _timed(
    profile: Profile, waiting: list[Waiting], crew: list[CrewMember], repeats: int
) -> tuple[list[float], Proposal]:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        told = proposal(profile, waiting, crew, {})
        times.append((time.perf_counter() - started) * 1000)
    return times, told


def _vroom(waiting: list[Waiting], crew: list[CrewMember], repeats: int) -> tuple[list[float], float]:
    """Milliseconds of its solving, and its mean metres from a worker to the ticket."""
    import vroom

    lon = np.array([*(one.lon for one in crew), *(one.lon for one in waiting)], dtype=np.float64)
    lat = np.array([*(one.lat for one in crew), *(one.lat for one in waiting)], dtype=np.float64)
    metres = distances(lon, lat, lon, lat)
    matrix = np.rint(metres * TENTHS).astype(np.uint32)
    times, mean_m = [], 0.0
    for _ in range(repeats):
        problem: Any = vroom.Input()
        problem.set_durations_matrix(profile="car", matrix_input=matrix)
        problem.add_vehicle([vroom.Vehicle(at, start=at, capacity=[1]) for at in range(len(crew))])
        problem.add_job([vroom.Job(at, location=len(crew) + at, delivery=[1]) for at in range(len(waiting))])
        started = time.perf_counter()
        found = problem.solve(exploration_level=0, nb_threads=4)  # its quickest, and as good here
        times.append((time.perf_counter() - started) * 1000)
        jobs = found.routes[found.routes.type == "job"]
        if len(jobs) != len(waiting):
            raise Wrong(f"VROOM placed {len(jobs)} of {len(waiting)} tickets")
        mean_m = float(
            metres[jobs.vehicle_id.to_numpy(dtype=int), len(crew) + jobs.id.to_numpy(dtype=int)].mean()
        )
    return times, mean_m


def _walked(told: Proposal) -> float:
    """Metres a ticket, each worker walking to theirs in the best order."""
    rounds: dict[int, list[tuple[float, float]]] = {}
    stand: dict[int, CrewMember] = {}
    for line in told.lines:
        if line.member is not None:
            stand[line.member.id] = line.member
            rounds.setdefault(line.member.id, []).append(
                (float(line.ticket.lon or 0), float(line.ticket.lat or 0))
            )
    walked = [
        best_order((float(stand[of].lon or 0), float(stand[of].lat or 0)), places).distance_m
        for of, places in rounds.items()
    ]
    return sum(walked) / max(told.after.placed, 1)


def _requests(conn: Db, place: Profile, fleet: list[Phone], ids: list[int], repeats: int) -> list[float]:
    """Milliseconds of a plan read from the database and kept in it, with everybody on shift; nothing of it stays."""
    now = datetime.now(UTC)
    conn.execute("UPDATE worker SET shift_from = '00:00', shift_to = '24:00', shift_days = 127")
    areas = dict(conn.execute("SELECT id, area_no FROM worker").fetchall())
    rows = [
        PositionRow(phone.worker_id, now, now, *phone.at(0), 8, 1.2, 90, 71, areas[phone.worker_id])
        for phone in fleet
    ]
    keep_latest(conn, rows)
    times = []
    enter(conn, EVERYTHING)
    for _ in range(repeats):
        started = time.perf_counter()
        plan.make(conn, place, SYSTEM, EVERYTHING, ids, now)
        times.append((time.perf_counter() - started) * 1000)
    return times


def _waiting(conn: Db) -> list[Waiting]:
    """Open tickets with a point, from all over the place; until the end of the transaction nobody has them."""
    rows = conn.execute(
        """
        UPDATE ticket SET status = 'accepted', resume_status = NULL, suspended_until = NULL, worker_id = NULL,
            department_id = NULL, parties = '[]'
        WHERE id IN (SELECT id FROM ticket WHERE closed_at IS NULL AND location = 'exact'
                     ORDER BY md5(id::text) LIMIT %s)
        RETURNING id
        """,
        (TICKETS,),
    ).fetchall()
    found = queries.waiting(conn, sorted(UNASSIGNED), [], [row[0] for row in rows], TICKETS)
    if len(found) < TICKETS:
        raise Wrong(f"the reference data has {len(found)} open tickets with a point")
    return found


def _crew(conn: Db, place: Profile, fleet: list[Phone]) -> list[CrewMember]:
    """Everybody, where their phone is, with what they have in hand; all of them take anything, as for VROOM."""
    hands = dict(
        conn.execute(
            "SELECT worker_id, count(*) FROM ticket WHERE closed_at IS NULL AND worker_id IS NOT NULL"
            " AND status IN ('dispatched', 'transferred', 'signed', 'in_progress') GROUP BY 1"
        ).fetchall()
    )
    where = {phone.worker_id: phone.at(0) for phone in fleet}
    rows = conn.execute(
        "SELECT id, code, name, kind::text, area_no FROM worker WHERE active ORDER BY id"
    ).fetchall()
    return [
        CrewMember(
            number, code, name, kind, area_no, "", *where[number], 5, True, 3600, "00:00", None,
            hands.get(number, 0), place.dispatch.capacity_of(kind), (), 0,
        )
        for number, code, name, kind, area_no in rows
        if number in where
    ]  # fmt: skip


def _with_fairness(place: Profile, metres: float) -> Profile:
    rules = place.dispatch.model_copy(update={"plan_fairness_m": metres})
    return place.model_copy(update={"dispatch": rules})
