"""The order of the queue: until when something must be decided about each ticket, what moves it forward, and why."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.clock.ends import ends
from geodata.clock.worktime import MICROSECOND, Micros, Worktime, micros
from geodata.queries.dispatch_queue import Waiting
from geodata.queries.queue_columns import NEVER, Columns, Numbers, moment
from profiles import Profile
from profiles.clock import Amount, Step
from services.tickets.states import UNASSIGNED

Stage = Literal["decide", "respond", "sign", "handle", "pause", "consult", "check"]
STAGES: tuple[Stage, ...] = ("decide", "respond", "sign", "handle", "pause", "consult", "check")
DECIDE, RESPOND, SIGN, HANDLE, PAUSE, CONSULT, CHECK = range(len(STAGES))
_STAGE_OF: dict[str, int] = {
    **dict.fromkeys(UNASSIGNED, DECIDE), "dispatched": SIGN, "transferred": SIGN, "suspended": PAUSE,
    "consulted": CONSULT, "handled": CHECK, "verified": CHECK,
}  # fmt: skip
FAR = datetime.max.replace(tzinfo=UTC)
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


class Order(NamedTuple):
    """Tickets in the order of what must be decided next, as columns; of what is asked for a Place is made."""

    tickets: Columns
    stage: Numbers  # number of STAGES
    since: Micros
    due: Micros
    decide: NDArray[np.bool_]
    presses_at: Micros

    def places(self, first: int = 0, end: int | None = None) -> list[Place]:
        """The places from `first` until before `end`."""
        return [self._place(at) for at in range(len(self.stage))[first:end]]

    def _place(self, at: int) -> Place:
        since = moment(self.since[at])
        assert since is not None  # every ticket was reported
        return Place(
            self.tickets.ticket(at), STAGES[self.stage[at]], since, moment(self.due[at]), bool(self.decide[at]),
            moment(self.presses_at[at]) or FAR,
        )  # fmt: skip


def ordered(profile: Profile, worktime: Worktime, tickets: Columns, now: datetime) -> Order:
    """All of them in the order of what must be decided next.

    A step's limit is the ticket's own where it has one, else the place's for that step, worked out in its working
    time; where the place sets none for taking up, `queue.decide_minutes`.
    """
    stage, since, due = _begun(tickets)
    _fill_limits(profile, worktime, tickets, stage, since, due)
    waits = (stage == SIGN) | (stage == RESPOND)
    decide = (stage == DECIDE) | (waits & (due < micros(now)))
    presses_at = np.where(due == NEVER, NEVER, due - _sooner(profile, tickets))
    # decisions first, then what presses; ids make it one order
    order = np.lexsort((tickets.id, presses_at, ~decide))
    return Order(
        tickets.take(order), stage[order], since[order], due[order], decide[order], presses_at[order]
    )


def _begun(tickets: Columns) -> tuple[Numbers, Micros, Micros]:
    """The step that each ticket is in, since when, and until when as far as the ticket itself says."""
    stage = tickets.status.each(lambda status: _STAGE_OF.get(status, HANDLE), np.int64)
    stage[((stage == SIGN) | (stage == HANDLE)) & (tickets.respond_due != NEVER)] = RESPOND
    never = np.full(len(stage), NEVER)
    since = _first(
        tickets.handed_at, np.where(stage == DECIDE, NEVER, tickets.dispatched_at), tickets.reported_at
    )
    due_of = {
        RESPOND: tickets.respond_due, SIGN: tickets.sign_due, HANDLE: tickets.due_at, PAUSE: tickets.suspended_until,
        CONSULT: tickets.due_at,
    }  # fmt: skip
    due = np.select([stage == step for step in due_of], list(due_of.values()), never)
    return stage, since, due


def _first(*columns: Micros) -> Micros:
    """Of each ticket the first moment that there is."""
    found = columns[-1]
    for column in reversed(columns[:-1]):
        found = np.where(column == NEVER, found, column)
    return found


def _fill_limits(
    profile: Profile, worktime: Worktime, tickets: Columns, stage: Numbers, since: Micros, due: Micros
) -> None:
    """Until when the place wants it taken up or signed, where the ticket itself does not say."""
    missing = np.flatnonzero((due == NEVER) & ((stage == DECIDE) | (stage == SIGN)))
    words = (tickets.category, tickets.channel, tickets.severity, tickets.nature)
    # what a ticket is as one number, so that each kind of them is looked up once
    what = stage[missing]
    for column in words:
        what = what * len(column.known) + column.at[missing]
    _, first, kind_of = np.unique(what, return_index=True, return_inverse=True)
    rows = missing[first]
    kinds = zip(stage[rows].tolist(), *(column[rows].words() for column in words), strict=True)
    limits = _limits_of(profile)
    numbers = [limits.number_of.get(kind) or limits.learn(*kind) for kind in kinds]
    number_of = np.array(numbers, dtype=np.int64)[kind_of]
    for number in set(numbers):
        if limit := limits.limits[number]:
            alike = missing[number_of == number]
            due[alike] = ends(limit, since[alike], worktime)


class _Limits:
    """The limits of taking up and signing in a place by what a ticket is, each worked out once."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.limits: list[tuple[Amount, ...]] = [()]
        self.number_of: dict[tuple[Any, ...], int] = {}  # of `limits`; 0 stands for none that is known

    def learn(self, stage: int, category: str, channel: str, severity: str, nature: str) -> int:
        """The number of the limit of that step for such a ticket."""
        step: Step = "take_up" if stage == DECIDE else "sign"
        found = self.profile.limit(
            step, category=category, channel=channel, severity=severity or None, nature=nature or None
        )
        if not found and step == "take_up":
            found = (Amount(amount=self.profile.queue.decide_minutes / 60, unit="natural_hours"),)
        if found not in self.limits[1:]:
            self.limits.append(found)
        number = self.number_of[stage, category, channel, severity, nature] = self.limits.index(found, 1)
        return number


_limits: _Limits | None = None


def _limits_of(profile: Profile) -> _Limits:
    """The limits of a place; a process serves one."""
    global _limits  # noqa: PLW0603
    kept = _limits
    if kept is None or kept.profile is not profile:
        kept = _limits = _Limits(profile)
    return kept


def _sooner(profile: Profile, tickets: Columns) -> Micros:
    """By how much severity, refusals and escalation move each ticket forward."""
    queue = profile.queue

    def of(minutes: float) -> int:
        return timedelta(minutes=minutes) // MICROSECOND

    grades = {one.code: of(rank * queue.grade_minutes) for rank, one in enumerate(profile.loop.severities)}
    own = tickets.severity.each(lambda severity: grades.get(severity, 0), np.int64)
    return (
        own + tickets.refused * of(queue.refused_minutes) + tickets.escalation * of(queue.escalated_minutes)
    )


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
