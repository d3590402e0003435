"""Plans of the queue: made, read, accepted line by line, dropped; until a line is accepted nothing is assigned."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from geodata.outbox import add_event
from geodata.queries import claims as claim_queries
from geodata.queries import plans as queries
from geodata.queries.plans import Line, NewLine, Plan
from geodata.scope import Db, Pool, Scope
from profiles import Profile
from services import tickets
from services.access import Right, Viewer, opened
from services.cards import UnknownThing
from services.dispatch.assign import Assign, Assigned, assign
from services.dispatch.crew import crew, refusals
from services.dispatch.errors import Claimed
from services.dispatch.proposal import UNPLACED, Figures, Proposal, Reason, proposal
from services.dispatch.telling import is_mine, ms
from services.tickets.orders import Party
from services.tickets.states import UNASSIGNED

LASTS = timedelta(minutes=15)  # then workers have moved on
REFUSED = (
    tickets.UnknownTicket, tickets.StaleVersion, tickets.NotAllowed, tickets.NotYours, tickets.BadReport, Claimed,
)  # fmt: skip


class UnknownPlan(UnknownThing):
    """There is no plan with that id, or somebody else made it: the same answer for both."""


class PlanOver(Exception):
    """The plan has expired or was dropped; make a new one."""

    def __init__(self, plan: Plan, state: str) -> None:
        super().__init__(f"the plan {plan.id} is {state}: workers and tickets have moved on; make a new one")
        self.details = [
            {"field": "plan", "given": plan.id, "expected": "a plan that is open", "state": state}
        ]


class BadPlan(ValueError):
    """A line was asked for that the plan does not have."""

    def __init__(self, given: Sequence[int]) -> None:
        super().__init__(f"the plan has no line with a worker for {', '.join(map(str, given))}")
        self.details = [
            {"field": "lines", "given": list(given), "expected": "tickets of the plan with a worker"}
        ]


class Accepted(NamedTuple):
    """What became of an accepted line: the ticket as it was left, or why it was refused."""

    ticket_id: int
    to: str
    done: Assigned | None
    error: Exception | None


def make(
    conn: Db, profile: Profile, viewer: Viewer, scope: Scope, ids: Sequence[int] | None, now: datetime
) -> int:
    """Plan the open tickets in scope that nobody has, or those of these ids; returns the plan's id.

    Tickets that somebody else is deciding are left to them. At most `plan_most`, the most urgent.
    """
    queries.forget_old(conn)
    severities = [one.code for one in profile.loop.severities]
    most = profile.dispatch.plan_most
    waiting = queries.waiting(conn, sorted(UNASSIGNED), severities, ids, most)
    total = queries.count_waiting(conn, sorted(UNASSIGNED)) if ids is None else len(waiting)
    numbers = [one.id for one in waiting]
    held = {
        claim.ticket_id: Reason(f"{UNPLACED}claimed", {"by": claim.holder_name, "until": ms(claim.until)})
        for claim in claim_queries.live(conn, numbers)
        if not is_mine(claim, viewer)
    }
    found = proposal(profile, waiting, crew(conn, profile, now), refusals(conn, profile, numbers, now), held)
    area_no = 0 if scope.county else scope.lo
    plan_id = queries.add(
        conn, (viewer.kind, viewer.name), area_no, now, now + LASTS,
        _figures(found, max(total - len(waiting), 0)), [_kept(line) for line in found.lines],
    )  # fmt: skip
    add_event(conn, "desk", area_no, {"desk": "plan", "id": plan_id})
    return plan_id


def read(conn: Db, viewer: Viewer, plan_id: int) -> tuple[Plan, list[Line]]:
    """One's own plan and its lines. Raises UnknownPlan."""
    plan = queries.read(conn, plan_id, (viewer.kind, viewer.name))
    if plan is None:
        raise UnknownPlan(f"There is no plan with the id {plan_id} of yours.")
    return plan, queries.lines(conn, plan_id)


def state_of(plan: Plan, now: datetime) -> str:
    """Whether a plan is open, dropped or expired."""
    if plan.dropped_at is not None:
        return "dropped"
    return "open" if now < plan.expires_at else "expired"


def drop(conn: Db, viewer: Viewer, plan_id: int, now: datetime) -> None:
    """Let a plan of one's own go. Raises UnknownPlan."""
    plan, _ = read(conn, viewer, plan_id)
    if plan.dropped_at is None:
        queries.drop(conn, plan_id, now)
        add_event(conn, "desk", plan.area_no, {"desk": "plan", "id": plan_id})


def accept(
    pool: Pool, profile: Profile, viewer: Viewer, plan_id: int, ids: Collection[int], now: datetime,
    *, key: str | None = None,
) -> list[Accepted]:  # fmt: skip
    """Carry out the lines of these tickets, each as an assignment in a transaction of its own, in the plan's order.

    The version that was planned is the one that counts: whoever was quicker keeps the ticket, and the line says so.
    Asked again with the same key, what was done is not done again. Raises UnknownPlan, PlanOver, BadPlan.
    """
    with opened(pool, viewer) as (conn, _):
        plan, lines = read(conn, viewer, plan_id)
    wanted = [line for line in lines if line.ticket_id in ids and line.worker is not None]
    if len(wanted) < len(set(ids)):
        raise BadPlan(sorted(set(ids) - {line.ticket_id for line in wanted}))
    if (state := state_of(plan, now)) != "open":
        raise PlanOver(plan, state)
    key = key or f"plan {plan_id}"
    answers = [_accept(pool, profile, viewer, plan_id, line, key) for line in wanted]
    with opened(pool, viewer) as (conn, _):
        add_event(conn, "desk", plan.area_no, {"desk": "plan", "id": plan_id})
    return answers


def _accept(pool: Pool, profile: Profile, viewer: Viewer, plan_id: int, line: Line, key: str) -> Accepted:
    assert line.worker is not None
    order = Assign(version=line.version, to=Party(kind="worker", code=line.worker))
    try:
        with opened(pool, viewer) as (conn, _):
            queries.answer(conn, plan_id, line.ticket_id, {"ok": True})
            done = assign(conn, profile, viewer, line.ticket_id, order, key=f"{key}:{line.ticket_id}")
    except REFUSED as error:
        with opened(pool, viewer) as (conn, _):
            queries.answer(conn, plan_id, line.ticket_id, {"ok": False, "message": str(error)})
        return Accepted(line.ticket_id, line.worker, None, error)
    return Accepted(line.ticket_id, line.worker, done, None)


def told(
    profile: Profile, viewer: Viewer, plan: Plan, lines: Sequence[Line], now: datetime
) -> dict[str, Any]:
    """A plan as screens get it; names and words for who may read them. Times in ms since 1970."""
    people = viewer.may(Right.PEOPLE)
    figures = dict(plan.figures)
    return {
        "id": plan.id,
        "as_of": ms(plan.made_at),
        "expires_at": ms(plan.expires_at),
        "state": state_of(plan, now),
        "method": "straight",
        "factor": profile.dispatch.detour,
        "lines": [_line(profile, line, people) for line in lines if line.worker is not None],
        "unplaced": [_unplaced(profile, line, people) for line in lines if line.worker is None],
        **figures,
    }


def _line(profile: Profile, line: Line, people: bool) -> dict[str, Any]:
    assert line.distance_m is not None and line.travel_s is not None
    return {
        "ticket": _ticket(profile, line, people),
        "worker": {
            "code": line.worker,
            "name": line.worker_name if people else None,
            "lon": line.worker_lon,
            "lat": line.worker_lat,
            "load": line.load,
            "position_age_s": line.position_age_s,
        },
        "distance_m": round(line.distance_m),
        "minutes": round(line.travel_s / 60, 1),
        "why": line.why,
        "changed": line.version_now != line.version and line.answer is None,
        "answer": line.answer,
    }


def _unplaced(profile: Profile, line: Line, people: bool) -> dict[str, Any]:
    why = (
        line.why if people else {**line.why, "args": {k: v for k, v in line.why["args"].items() if k != "by"}}
    )
    return _ticket(profile, line, people) | {"why": why}


def _ticket(profile: Profile, line: Line, people: bool) -> dict[str, Any]:
    return {
        "id": line.ticket_id,
        "version": line.version,
        "number": tickets.number(line.ticket_id, line.reported_at, profile.time_zone),
        "title": line.title if people else None,
        "category": line.category,
        "severity": line.severity,
        "due_at": ms(line.due_at),
        "lon": line.lon,
        "lat": line.lat,
        "rough": line.rough,
    }


def _kept(line: Any) -> NewLine:
    member = line.member
    return NewLine(
        ticket=line.ticket,
        worker_id=member and member.id,
        worker_lon=member and member.lon,
        worker_lat=member and member.lat,
        position_age_s=member and member.position_age_s,
        load=member and member.load,
        distance_m=line.distance_m,
        travel_s=line.travel_s,
        why=line.why._asdict(),
    )


def _figures(found: Proposal, left_over: int) -> dict[str, Any]:
    def plain(figures: Figures) -> dict[str, Any]:
        return figures._asdict()

    return {
        "crew": {"on_shift": found.on_shift, "free": found.free},
        "left_over": left_over,
        "before": plain(found.before),
        "after": plain(found.after),
    }
