"""When a limit is over: counted stretch by stretch around the pauses, with every line of the arithmetic kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from geodata.clock.ends import units_us
from geodata.clock.worktime import MICROSECOND, Worktime
from profiles.clock import Amount
from services.clock.limit import begins, stretches
from services.clock.timeline import Pause, Timeline, effective

State = Literal["running", "paused", "soon", "due", "overdue", "met", "missed"]
ZERO = timedelta()


class Counted(NamedTuple):
    """A time that was counted to a part of the limit: its worth, and what was left of the part after it."""

    part: int
    start: datetime
    end: datetime
    worth: timedelta
    left: timedelta


class Begun(NamedTuple):
    """Where a part of the limit began and from where it is counted."""

    part: int
    start: datetime
    counted_from: datetime
    whole: timedelta


@dataclass(frozen=True, slots=True)
class Reckoning:
    """A limit worked out: the moments, and all that was counted on the way."""

    limit: tuple[Amount, ...]
    timeline: Timeline
    now: datetime
    due: datetime
    warn: datetime
    state: State
    worked: timedelta  # counted until now, or until the end
    total: timedelta  # counted until due
    begun: tuple[Begun, ...]
    counted: tuple[Counted, ...]
    pauses: tuple[Pause, ...]  # that counted, ended, until due
    lasting: bool  # the last pause has not ended: due moves on with it

    @property
    def share(self) -> float:
        """Share of the limit that is used up, 0 to 1."""
        return self.worked / self.total if self.total else 1.0


def reckon(limit: Sequence[Amount], timeline: Timeline, worktime: Worktime, now: datetime) -> Reckoning:
    """Work the limit out as things stand at `now` (aware). A pause that lasts is taken to end now.

    The clock starts at the first dispatch and is not set back by transfers, returns or redos; pauses stop it, all
    together no longer than the profile allows. ValueError for a limit without parts.
    """
    if not limit:
        raise ValueError("a limit has at least one part")
    clock = worktime.clock
    until = now if timeline.end is None else min(now, timeline.end)
    most = timedelta(days=clock.pause_most_days)
    pauses = effective(timeline.pauses, most, until)
    begun, counted = _count(limit, timeline.start.astimezone(UTC), pauses, worktime)
    due = counted[-1].end
    pauses = tuple(pause._replace(end=min(pause.end or due, due)) for pause in pauses if pause.start < due)
    total = sum((_length(line) for line in counted), ZERO)
    worked = sum((_length(line, until) for line in counted), ZERO)
    paused = sum(((pause.end or due) - pause.start for pause in pauses), ZERO)
    lasting = (
        timeline.end is None
        and any(pause.end is None for pause in timeline.pauses)
        and paused < most
        and until < due
    )
    warn = max(_moment(counted, total * clock.warn_share), begun[0].start)
    state = state_at(until, warn, due, due + timedelta(minutes=clock.grace_minutes), lasting, timeline.end)
    return Reckoning(
        tuple(limit),
        timeline,
        now,
        due,
        warn,
        state,
        worked,
        total,
        tuple(begun),
        tuple(counted),
        pauses,
        lasting,
    )


def due_of(limit: Sequence[Amount], start: datetime, worktime: Worktime) -> datetime:
    """The end (UTC) of a limit whose clock starts at `start` (aware) and runs without a pause."""
    return _count(limit, start.astimezone(UTC), (), worktime)[1][-1].end


def _count(
    limit: Sequence[Amount], start: datetime, pauses: Sequence[Pause], worktime: Worktime
) -> tuple[list[Begun], list[Counted]]:
    begun: list[Begun] = []
    counted: list[Counted] = []
    for number, part in enumerate(limit):
        left = units_us(part, worktime.day_us) * MICROSECOND
        counted_from = begins(part, start, worktime)
        begun.append(Begun(number, start, counted_from, left))
        for stretch in stretches(part, counted_from, worktime):
            length = stretch.end - stretch.start
            for begin, end in _around(stretch.start, stretch.end, pauses, start):
                worth = end - begin if stretch.worth == length else stretch.worth * ((end - begin) / length)
                if worth >= left:
                    done = stretch._replace(start=begin, end=end, worth=worth).until(left)
                    done = max(
                        done, start
                    )  # a part of a day that counts from its morning may be over already
                    counted.append(Counted(number, begin, done, left, ZERO))
                    left = ZERO
                    break
                left -= worth
                counted.append(Counted(number, begin, end, worth, left))
            if not left:
                break
        start = counted[-1].end
    return begun, counted


def _around(
    start: datetime, end: datetime, pauses: Sequence[Pause], since: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """What is left of start..end without the pauses; what lies before `since` counts whatever happened in it."""
    for pause in pauses:
        stop, go = max(pause.start, since), pause.end
        if go is None or go <= start or go <= stop or stop >= end:
            continue
        if stop > start:
            yield start, stop
        start = max(start, go)
    if start < end:
        yield start, end


def _length(line: Counted, until: datetime | None = None) -> timedelta:
    end = line.end if until is None else min(line.end, until)
    return max(end - line.start, ZERO)


def _moment(counted: Sequence[Counted], run: timedelta) -> datetime:
    """The moment at which the clock has run for so long."""
    for line in counted:
        length = line.end - line.start
        if run <= length:
            return line.start + run
        run -= length
    return counted[-1].end


def state_at(
    now: datetime, warn: datetime, due: datetime, overdue: datetime, lasting: bool, end: datetime | None
) -> State:
    """The state at a moment; `overdue` is due with the grace, `lasting` that a pause has not ended."""
    if end is not None and now >= end:
        return "met" if end <= due else "missed"
    if lasting:
        return "paused"
    if now > overdue:
        return "overdue"
    if now >= due:
        return "due"
    return "soon" if now >= warn else "running"
