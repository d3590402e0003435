"""What happened to a ticket as far as its clock is concerned: start, pauses, transfers, returns, redos, end."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

Happening = Literal["dispatched", "paused", "resumed", "transferred", "returned", "redone", "closed"]


class Event(NamedTuple):
    """One thing that happened, at an aware moment."""

    kind: Happening
    at: datetime
    reason: str | None = None


class Pause(NamedTuple):
    """A time in which the clock stands still; without an end it lasts."""

    start: datetime
    end: datetime | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The course of a clock: it starts once, at the first dispatch; nothing that follows sets it back."""

    start: datetime
    pauses: tuple[Pause, ...] = ()
    marks: tuple[Event, ...] = ()  # transfers, returns and redos, which change nothing but are told
    end: datetime | None = None

    def count(self, kind: Happening) -> int:
        """How often it was transferred, returned or redone."""
        return sum(mark.kind == kind for mark in self.marks)


def timeline_of(events: Iterable[Event]) -> Timeline | None:
    """The course of those events, in any order; None while nothing was dispatched.

    A second dispatch is a transfer; a second pause in a pause, and a resumption without one, change nothing.
    """
    line: Timeline | None = None
    for event in sorted(events, key=lambda event: event.at):
        if line is None:
            line = Timeline(event.at) if event.kind == "dispatched" else None
            continue
        waiting = bool(line.pauses) and line.pauses[-1].end is None
        match event.kind:
            case "paused" if not waiting:
                line = replace(line, pauses=(*line.pauses, Pause(event.at, None, event.reason)))
            case "resumed" if waiting:
                line = replace(line, pauses=(*line.pauses[:-1], line.pauses[-1]._replace(end=event.at)))
            case "closed":
                line = replace(line, end=event.at)
            case "dispatched":
                line = replace(line, marks=(*line.marks, event._replace(kind="transferred")), end=None)
            case "transferred" | "returned":
                line = replace(line, marks=(*line.marks, event))
            case "redone":
                line = replace(line, marks=(*line.marks, event), end=None)
            case _:
                pass
    return line


def effective(pauses: Iterable[Pause], most: timedelta, now: datetime) -> tuple[Pause, ...]:
    """Pauses that count: ended, apart, in order, and no longer than `most` together; one that lasts is cut at `now`."""
    kept: list[Pause] = []
    left = most
    for pause in sorted(pauses, key=lambda pause: pause.start):
        start = max(pause.start, kept[-1].end or pause.start) if kept else pause.start
        end = max(start, now) if pause.end is None else pause.end
        end = min(end, start + left)
        if end > start:
            kept.append(Pause(start, end, pause.reason))
            left -= end - start
    return tuple(kept)
