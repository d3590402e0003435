"""Where a ticket stands on its place's own way: which named steps are done, by whom, which is current, which wait."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from geodata.queries.ticket_events import TicketEvent
from geodata.queries.tickets import Ticket
from profiles import Profile
from profiles.stages import Stage, Track, When

Standing = Literal["done", "current", "waiting", "skipped", "unneeded"]
ASIDE = frozenset({"suspended", "consulted", "merged"})  # they go on where they were
OFF = frozenset({"merged", "rejected", "cancelled"})  # ended on no place's way
# What the row of an imported ticket tells where no event does: the command, when it was given, the state after it.
_OF_ROW: tuple[tuple[str, str, str | None], ...] = (
    ("dispatch", "dispatched_at", "dispatched"), ("sign", "signed_at", "signed"), ("handle", "handled_at", "handled"),
    ("supervise", "supervised_at", None), ("close", "closed_at", "closed"),
)  # fmt: skip


class Happening(NamedTuple):
    """What a step looks at: an event, or what a row or patrol tells in its place; without a status it moves nothing."""

    kind: str
    at: datetime
    status: str | None = None
    actor: str | None = None
    role: str | None = None
    data: Mapping[str, Any] = MappingProxyType({})


@dataclass(slots=True)
class Passage:
    """A step of one ticket; `times` counts how often it was completed, redone ones included."""

    stage: Stage
    standing: Standing = "waiting"
    since: datetime | None = None  # of a step beside the way: when it was opened
    done: Happening | None = None
    times: int = 0
    due: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether a step beside the way has been opened and not been completed since."""
        return self.since is not None and self.done is None


@dataclass(slots=True)
class Course:
    """A ticket's way: the track, its steps in order, and the state that ended it off the way, if one did."""

    track: Track
    passages: list[Passage] = field(default_factory=list)
    ended: str | None = None

    @property
    def current(self) -> list[str]:
        """Codes of the steps that it stands in; several while one beside the way is open."""
        return [passage.stage.code for passage in self.passages if passage.standing == "current"]


def stages(
    profile: Profile, ticket: Ticket, events: Sequence[TicketEvent], patrolled: datetime | None = None
) -> Course:
    """The steps of the ticket's track as its events, oldest first, have left them.

    What was taken back counts as if it had never been. A ticket that goes back (a return, a redo, a reopening) has the
    steps from there on before it again. `patrolled`: when the patrol began that found it, if one did.
    """
    track = profile.loop.track_of(ticket)
    course = Course(track, [Passage(stage) for stage in track.stages if stage.only.fits(ticket)])
    way = [passage for passage in course.passages if not passage.stage.begun]
    stood = 0
    for happening in happenings(ticket, events, patrolled):
        for passage in course.passages:
            _mark(passage, happening)
        stood = _moved(way, stood, happening.status)
    now = ticket.resume_status or ticket.status
    _moved(way, stood, now)
    course.ended = ticket.status if ticket.status in OFF else None
    _stand(course, way, now)
    return course


def happenings(
    ticket: Ticket, events: Sequence[TicketEvent], patrolled: datetime | None = None
) -> list[Happening]:
    """What happened to a ticket in order: its events but for those taken back, and what its row tells beyond them."""
    undone = {event.undoes for event in events if event.undoes is not None}
    found = [
        Happening(event.kind, event.at, event.status, event.actor, event.actor_role, event.data or {})
        for event in events
        if event.undoes is None and event.id not in undone
    ]
    report = next((row for row in found if row.kind == "report"), None)
    if report is None:
        taken = "reported" if ticket.status == "reported" else "accepted"
        report = Happening("report", ticket.reported_at, taken)
        found.append(report)
    if report.status == "accepted":  # taken up as it came in
        found.append(report._replace(kind="accept"))
    told = {row.kind for row in found}
    told |= {"dispatch"} if "whistle" in told else set()
    for kind, column, status in _OF_ROW:
        at = getattr(ticket, column)
        if at is not None and kind not in told and (kind != "close" or ticket.status not in OFF):
            found.append(Happening(kind, at, status))
    if ticket.satisfaction not in (None, "unrated") and "call_back" not in told:
        rated = {"satisfaction": ticket.satisfaction, "solved": ticket.solved}
        heard = ticket.closed_at or ticket.handled_at or ticket.reported_at
        found.append(Happening("call_back", heard, data=rated))
    first = [report._replace(kind="found", at=ticket.reported_at, status=None)]
    if patrolled is not None:
        first.insert(0, first[0]._replace(kind="patrol", at=min(patrolled, ticket.reported_at)))
    return first + sorted(found, key=lambda row: row.at)


def _mark(passage: Passage, happening: Happening) -> None:
    """Open or complete a step, if this is what does it."""
    stage = passage.stage
    if _any(stage.begun, happening):
        passage.since, passage.done = happening.at, None
    if _any(stage.done, happening) and (not stage.begun or passage.is_open):
        passage.done = happening
        passage.times += 1


def _moved(way: Sequence[Passage], stood: int, status: str | None) -> int:
    """Index of the step where a ticket stands in that state; having gone back, it has the ones from there before it."""
    if status is None or status in ASIDE:
        return stood
    stands = _home(way, status)
    for passage in way[stands:] if stands < stood else ():
        passage.done = passage.done if passage.stage.stays else None
    return stands


def _home(way: Sequence[Passage], status: str) -> int:
    """Index of the first step that a ticket in that state may stand in; past the last when there is none."""
    return next((at for at, row in enumerate(way) if status in row.stage.states), len(way))


def _stand(course: Course, way: Sequence[Passage], status: str) -> None:
    """Say of each step how it stands now."""
    last = max((at for at, row in enumerate(way) if row.done is not None), default=-1)
    current = len(way)
    if course.ended is None:
        open_steps = (at for at, row in enumerate(way) if row.done is None and status in row.stage.states)
        current = next(open_steps, len(way))
    reached = current if current < len(way) else last + 1
    blocked = False  # by an open step beside the way that comes before the next one on it
    for passage in course.passages:
        if passage.stage.begun:
            blocked = blocked or (passage.stage.blocks and passage.is_open and course.ended is None)
            opened: Standing = "skipped" if course.ended else "current"
            passage.standing = "done" if passage.done else opened if passage.since else "unneeded"
            continue
        at = way.index(passage)
        if passage.done is not None:
            passage.standing = "done"
        elif at == current:
            passage.standing = "waiting" if blocked else "current"
        else:
            passage.standing = "skipped" if at < reached or course.ended else "waiting"


def _any(conditions: Iterable[When], happening: Happening) -> bool:
    return any(condition.fits(happening.kind, happening.data) for condition in conditions)
