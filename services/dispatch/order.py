"""The order of the queue: until when something must be decided about each ticket, what moves it forward, and why."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Literal, NamedTuple

from geodata.clock.worktime import Worktime
from geodata.queries.dispatch_queue import Waiting
from profiles import Profile
from profiles.clock import Amount, Step
from services.desks.limits import Started, ends_of
from services.tickets.states import UNASSIGNED

Stage = Literal["decide", "respond", "sign", "handle", "pause", "consult", "check"]
STAGES: tuple[Stage, ...] = ("decide", "respond", "sign", "handle", "pause", "consult", "check")
HANDED = ("dispatched", "transferred")
FAR = datetime.max.replace(tzinfo=UTC)
ZERO = timedelta()
# Why a ticket stands where it does, the weightiest first; words: queue.reason.<key>.
REASONS = (
    "refused", "sign_late", "respond_late", "decide_late", "escalated", "severe", "decide_soon", "handle_late",
    "handle_soon", "paused", "consulted", "check", "due", "waiting",
)  # fmt: skip


class Reason(NamedTuple):
    """Why, and the figures that say how much: seconds where the name ends in _s."""

    key: str
    args: dict[str, Any]


class Place(NamedTuple):
    """A ticket's place: its step and until when (aware), and whether a dispatcher has to decide now."""

    ticket: Waiting
    stage: Stage
    since: datetime
    due: datetime | None
    decide: bool
    presses_at: datetime  # due, moved forward by severity, refusals and escalation: the order


def places(profile: Profile, worktime: Worktime, tickets: Sequence[Waiting], now: datetime) -> list[Place]:
    """All of them in the order of what must be decided next.

    A step's limit is the ticket's own where it has one, else the place's for that step, worked out in its working
    time; where the place sets none for taking up, `queue.decide_minutes`.
    """
    begun = [_begun(ticket) for ticket in tickets]
    limit_of = _limits(profile)
    missing = [
        number for number, (stage, _, due) in enumerate(begun) if due is None and stage in ("decide", "sign")
    ]
    started = [Started(limit_of(begun[number][0], tickets[number]), begun[number][1]) for number in missing]
    dues = dict(zip(missing, ends_of(started, worktime), strict=True))
    sooner = _sooner(profile)
    found: list[
        tuple[bool, datetime, int, Place]
    ] = []  # decisions first, then what presses; ids make it one order
    for number, ticket in enumerate(tickets):
        stage, since, due = begun[number]
        if due is None:
            due = dues.get(number)
        decide = stage == "decide" or (stage in ("sign", "respond") and due is not None and due < now)
        presses_at = FAR if due is None else due - ahead if (ahead := sooner(ticket)) else due
        found.append(
            (not decide, presses_at, ticket.id, Place(ticket, stage, since, due, decide, presses_at))
        )
    found.sort()
    return [place for *_, place in found]


_BESIDE: dict[str, Stage] = {
    "suspended": "pause", "consulted": "consult", "handled": "check", "verified": "check",
}  # fmt: skip


def _begun(ticket: Waiting) -> tuple[Stage, datetime, datetime | None]:
    """The step that a ticket is in, since when, and until when as far as the ticket itself says."""
    status = ticket.status
    if status in UNASSIGNED:
        return "decide", ticket.handed_at or ticket.reported_at, None
    since = ticket.handed_at or ticket.dispatched_at or ticket.reported_at
    stage = _BESIDE.get(status)
    due: datetime | None
    if stage is not None:
        due = {"pause": ticket.suspended_until, "consult": ticket.due_at}.get(stage)
    elif ticket.respond_due is not None:
        stage, due = "respond", ticket.respond_due
    elif status in HANDED:
        stage, due = "sign", ticket.sign_due
    else:
        stage, due = "handle", ticket.due_at
    return stage, since, due


def _limits(profile: Profile) -> Callable[[Stage, Waiting], tuple[Amount, ...]]:
    usual = (Amount(amount=profile.queue.decide_minutes / 60, unit="natural_hours"),)

    @cache
    def limit(
        step: Step, category: str, channel: str, severity: str | None, nature: str | None
    ) -> tuple[Amount, ...]:
        return profile.limit(step, category=category, channel=channel, severity=severity, nature=nature)

    def of(stage: Stage, ticket: Waiting) -> tuple[Amount, ...]:
        step: Step = "take_up" if stage == "decide" else "sign"
        found = limit(step, ticket.category, ticket.channel, ticket.severity, ticket.nature)
        return found or (usual if stage == "decide" else ())

    return of


def _sooner(profile: Profile) -> Callable[[Waiting], timedelta]:
    """By how much severity, refusals and escalation move a ticket forward."""
    queue = profile.queue
    grades = {
        one.code: timedelta(minutes=rank * queue.grade_minutes)
        for rank, one in enumerate(profile.loop.severities)
    }
    refused, escalated = timedelta(minutes=queue.refused_minutes), timedelta(minutes=queue.escalated_minutes)

    def of(ticket: Waiting) -> timedelta:
        if not (ticket.severity or ticket.refused or ticket.escalation):
            return ZERO
        own = grades.get(ticket.severity, ZERO) if ticket.severity else ZERO
        return own + ticket.refused * refused + ticket.escalation * escalated

    return of


def reasons(profile: Profile, place: Place, now: datetime) -> tuple[Reason, ...]:
    """All that holds of a ticket's place, the weightiest first; never empty."""
    ticket, stage, since, due = place.ticket, place.stage, place.since, place.due
    graded = [one.code for one in profile.loop.severities[1:]]
    found: dict[str, dict[str, Any]] = {}
    waited_s = max(round((now - since).total_seconds()), 0)
    if stage in ("pause", "consult", "check"):
        key = {"pause": "paused", "consult": "consulted", "check": "check"}[stage]
        found[key] = {} if due is None or stage != "pause" else {"left_s": round((due - now).total_seconds())}
    elif due is None:
        found["waiting"] = {"waited_s": waited_s}
    else:
        left_s = round((due - now).total_seconds())
        step = "handle" if stage == "handle" else "decide"
        if left_s < 0:
            key = stage if stage in ("sign", "respond") else step
            found[f"{key}_late"] = {"late_s": -left_s, "waited_s": waited_s}
        elif left_s < profile.queue.soon_share * (due - since).total_seconds() and stage in (
            "decide",
            "handle",
        ):
            found[f"{step}_soon"] = {"left_s": left_s, "waited_s": waited_s}
        else:
            found["due"] = {"left_s": left_s, "waited_s": waited_s}
    if ticket.refused and stage == "decide":
        found["refused"] = {"times": ticket.refused}
    if ticket.escalation:
        found["escalated"] = {"level": ticket.escalation}
    if ticket.severity in graded:
        found["severe"] = {"severity": ticket.severity}
    return tuple(Reason(key, found[key]) for key in sorted(found, key=REASONS.index))
