"""The moments of a ticket's clock: what comes next for it, kept as a job that waits (docs/reference/jobs.md)."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from geodata import jobs
from geodata.clock.worktime import Worktime, worktime_of
from geodata.queries import calendar
from geodata.queries import moments as queries
from geodata.queries.moments import Clocked, Happened
from geodata.queries.tickets import Ticket
from geodata.scope import Db
from profiles import Profile
from profiles.clock import Step
from services.clock.due import due_of, reckon
from services.clock.escalation import levels_at
from services.clock.timeline import Pause, Timeline
from services.tickets.states import ENDED, HELD, UNASSIGNED

JOB, QUEUE = "ticket_moment", "moments"
ROUNDED = timedelta(seconds=1)  # what a deadline may be off and still be the one worked out here

# Those of services.tickets.orders.Moment are told by `tick`; at the others the product gives the command of that name.
Moment = Literal[
    "take_up", "sign", "respond", "progress", "warn", "due", "escalate", "call_back", "resume", "archive"
]


class Coming(NamedTuple):
    """A moment (aware) of a ticket's clock that has not been told; an escalation has its level."""

    at: datetime
    moment: Moment
    level: int = 0

    @property
    def key(self) -> str:
        """What makes telling it a second time do nothing."""
        return f"{self.moment}:{self.level or ''}:{self.at.astimezone(UTC).isoformat()}"


def lock_of(ticket_id: int) -> str:
    """The lock of a ticket's job: one of them waits at most."""
    return f"ticket:{ticket_id}"


def plan(conn: Db, profile: Profile, ticket: Ticket | Clocked, now: datetime | None = None) -> None:
    """Let the ticket's job wait for its next moment, in the transaction that changed it; without one it has no job."""
    clocked = Clocked._make(getattr(ticket, field) for field in Clocked._fields)
    past = queries.happened(conn, [clocked.id]) if clocked.version > 1 else []
    worktime = worktime_of(profile, calendar.overrides(conn))
    coming = moments_of(profile, worktime, clocked, past, now or datetime.now(UTC))
    if coming:
        jobs.plan(conn, QUEUE, JOB, lock_of(clocked.id), {"ticket": clocked.id}, coming[0].at)
    else:
        jobs.drop(conn, lock_of(clocked.id))


def moments_of(
    profile: Profile, worktime: Worktime, ticket: Clocked, past: Sequence[Happened], now: datetime
) -> list[Coming]:
    """All moments of a ticket as it is that have not been told, the next first; those before `now` are late.

    What `now` has overtaken is not told any more: a warning and a want of progress once the deadline has come, a level
    below the one reached.
    """
    told = {
        (event.data["moment"], event.data.get("level", 0), datetime.fromisoformat(event.data["at"]))
        for event in past
        if event.kind == "tick" and event.data is not None
    }
    return sorted(
        coming
        for coming in _all(profile, worktime, ticket, past, now)
        if (coming.moment, coming.level, coming.at) not in told
    )


def _all(
    profile: Profile, worktime: Worktime, ticket: Clocked, past: Sequence[Happened], now: datetime
) -> Iterator[Coming]:
    days = profile.loop.archive_after_days
    if ticket.status == "closed" and ticket.closed_at is not None and days is not None:
        yield Coming(ticket.closed_at + timedelta(days=days), "archive")
    if ticket.status in ENDED:
        return
    if ticket.suspended_until is not None:  # its clock stands still
        yield Coming(ticket.suspended_until, "resume")
        return

    def after(start: datetime, step: Step) -> Iterator[Coming]:
        if limit := profile.limit(step, **_what(ticket)):
            yield Coming(due_of(limit, start, worktime), step)  # type: ignore[arg-type] # not asked for `handle`

    if ticket.dispatched_at is None and ticket.status in UNASSIGNED:
        yield from after(ticket.reported_at, "take_up")
    if ticket.sign_due is not None and ticket.status in ("dispatched", "transferred"):
        yield Coming(ticket.sign_due, "sign")
    if ticket.respond_due is not None and ticket.status in HELD:
        yield Coming(ticket.respond_due, "respond")
    over = ticket.due_at is not None and now >= ticket.due_at
    told = over or any(event.kind == "progress" for event in past)
    if ticket.dispatched_at is not None and ticket.status in HELD and not told:
        yield from after(ticket.dispatched_at, "progress")
    if (
        ticket.handled_at is not None
        and ticket.satisfaction is None
        and ticket.status in ("handled", "verified")
    ):
        yield from after(ticket.handled_at, "call_back")
    if ticket.due_at is not None:
        yield Coming(ticket.due_at, "due")
        if not over:
            yield Coming(_warning(profile, worktime, ticket, ticket.due_at, past), "warn")
        yield from _escalations(worktime, ticket.escalation, ticket.due_at, past, now)


def _warning(
    profile: Profile, worktime: Worktime, ticket: Clocked, due: datetime, past: Sequence[Happened]
) -> datetime:
    """When so much of the limit is used that it warns; of a deadline that came with the ticket, of the time to it."""
    start = ticket.dispatched_at or ticket.reported_at
    if limit := profile.limit("handle", **_what(ticket)):
        reckoning = reckon(limit, Timeline(start, _pauses(past)), worktime, due)
        if abs(reckoning.due - due) <= ROUNDED:
            return reckoning.warn
    return start + max(due - start, timedelta()) * profile.clock.warn_share


def _escalations(
    worktime: Worktime, reached: int, due: datetime, past: Sequence[Happened], now: datetime
) -> Iterator[Coming]:
    """When each level above the one reached comes; of those that are past only the highest."""
    rules = worktime.clock.escalation
    redone = [event.at for event in past if event.kind in ("redo", "reopen")][rules.most_redos :]
    passed_on = [event.at for event in past if event.kind == "transfer"][rules.most_transfers :]
    often = min([*redone[:1], *passed_on[:1]], default=None)
    late: Coming | None = None
    below: datetime | None = None
    for level, at in enumerate(levels_at(due, worktime), 1):
        sooner = often if often is None or below is None else max(often, below)  # one level up
        coming = Coming(at if sooner is None else min(at, sooner), "escalate", level)
        below = at
        if level <= reached:
            continue
        if coming.at <= now:
            late = coming
        else:
            yield coming
    if late is not None:
        yield late


def _pauses(past: Sequence[Happened]) -> tuple[Pause, ...]:
    found: list[Pause] = []
    begun: datetime | None = None
    for event in past:
        if event.kind == "suspend":
            begun = event.at
        elif event.kind == "resume" and begun is not None:
            found.append(Pause(begun, event.at))
            begun = None
    return tuple(found)


def _what(ticket: Clocked) -> dict[str, Any]:
    return {
        "category": ticket.category, "channel": ticket.channel, "severity": ticket.severity, "nature": ticket.nature
    }  # fmt: skip
