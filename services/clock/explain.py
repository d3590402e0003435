"""How a due moment came about, line by line, as data: times, amounts, and keys of words with what to put into them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from geodata.clock.calendar import Day
from geodata.clock.ends import DAY_US, HOUR_US
from geodata.clock.worktime import MICROSECOND, Worktime
from profiles.clock import Amount
from services.clock.due import ZERO, Begun, Counted, Reckoning
from services.clock.limit import DAY

# Kinds of line: those of geodata.clock.calendar.Day for what is counted or lies idle in between, and
DAY_OF_START, PAUSE = "day_of_start", "pause"  # transferred, returned and redone besides


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what the time from `start` to `end` added to a part of the limit, and what is left of the part."""

    part: int
    kind: str
    start: datetime
    end: datetime
    counted: timedelta = ZERO  # in the part's own time: a working day is as long as the office hours of a day
    left: timedelta = ZERO
    name: str | None = None  # key of a public holiday, name of a day that was set, or reason


def lines_of(reckoning: Reckoning, worktime: Worktime) -> list[Line]:
    """All lines in order: the counted ones add up to the limit, and the last of them ends when it is due."""
    lines: list[Line] = []
    for begun in reckoning.begun:
        counted = [line for line in reckoning.counted if line.part == begun.part]
        idle = list(_idle(begun, counted[-1].end, reckoning, worktime))
        lines += _filled(sorted([*_counted(counted, reckoning, worktime), *idle], key=_order), begun.whole)
    return lines


def explain(reckoning: Reckoning, worktime: Worktime) -> dict[str, Any]:
    """The reckoning as a card carries it: moments in milliseconds since 1970, amounts in the units of the limit.

    Each line has `key` and `params` for its words (clock.line.…, clock.holiday.…); reasons of pauses are free words of
    people and are not in it.
    """
    limit, zone = reckoning.limit, worktime.zone
    first, last = (moment.astimezone(zone).date() for moment in (reckoning.timeline.start, reckoning.due))
    unsure = worktime.calendar.unsure(first, last) if any(p.unit.startswith("working") for p in limit) else []
    return {
        "start": _ms(reckoning.timeline.start),
        "due": _ms(reckoning.due),
        "warn": _ms(reckoning.warn),
        "state": reckoning.state,
        "share": round(min(reckoning.share, 1.0), 4),
        "limit": [
            {"amount": part.amount, "unit": part.unit, "counting": worktime.clock.counting(part)}
            for part in limit
        ],
        "hours": worktime.clock.hours,
        "lines": [_told(line, limit, worktime) for line in lines_of(reckoning, worktime)],
        "warnings": [{"key": "clock.warn.calendar", "params": {"year": year}} for year in unsure],
    }


def _counted(counted: list[Counted], reckoning: Reckoning, worktime: Worktime) -> Iterator[Line]:
    """One line a day, unless a pause lies in it."""
    line: Line | None = None
    for one in counted:
        day = worktime.local_day(one.start)
        if line is not None and _joined(line, one, reckoning, worktime):
            line = replace(line, end=one.end, counted=line.counted + one.worth, left=one.left)
            continue
        if line is not None:
            yield line
        kind, name = worktime.calendar.day(day)
        line = Line(one.part, kind, one.start, one.end, one.worth, one.left, name)
    if line is not None:
        yield line


def _joined(line: Line, one: Counted, reckoning: Reckoning, worktime: Worktime) -> bool:
    same_day = worktime.local_day(line.start) == worktime.local_day(one.start)
    apart = any(
        pause.start <= one.start and (pause.end or one.start) >= line.end for pause in reckoning.pauses
    )
    return same_day and not apart


def _idle(begun: Begun, end: datetime, reckoning: Reckoning, worktime: Worktime) -> Iterator[Line]:
    """What lies between: the day of the start, days off, pauses, and what happened without stopping the clock."""
    part, number = reckoning.limit[begun.part], begun.part
    first = worktime.local_day(begun.start)
    if begun.counted_from > begun.start and worktime.calendar.day(first).worked:
        yield Line(number, DAY_OF_START, begun.start, worktime.midnight(first + DAY))
    elif begun.counted_from > begun.start and part.unit == "natural_days":
        yield Line(number, DAY_OF_START, begun.start, begun.counted_from)
    if part.unit.startswith("working"):
        yield from _days_off(number, begun.start, end, reckoning, worktime)
    for pause in reckoning.pauses:
        start, until = max(pause.start, begun.start), min(pause.end or end, end)
        if start < until:
            yield Line(number, PAUSE, start, until, name=pause.reason)
    for mark in reckoning.timeline.marks:
        if begun.start <= mark.at < end:
            yield Line(number, mark.kind, mark.at, mark.at)


def _days_off(
    part: int, start: datetime, end: datetime, reckoning: Reckoning, worktime: Worktime
) -> Iterator[Line]:
    """Days without office hours, one line for a run of the same kind; none that a pause covers."""
    line: Line | None = None
    for day, what in _days(worktime.local_day(start), worktime.local_day(end), worktime):
        begin, until = max(worktime.midnight(day), start), min(worktime.midnight(day + DAY), end)
        paused = any(pause.start <= begin and (pause.end or end) >= until for pause in reckoning.pauses)
        if what.worked or paused or begin >= until:
            continue
        if line is not None and (line.end, line.kind, line.name) == (begin, what.kind, what.name):
            line = replace(line, end=until)
            continue
        if line is not None:
            yield line
        line = Line(part, what.kind, begin, until, name=what.name)
    if line is not None:
        yield line


def _days(first: date, last: date, worktime: Worktime) -> Iterator[tuple[date, Day]]:
    while first <= last:
        yield first, worktime.calendar.day(first)
        first += DAY


def _order(line: Line) -> tuple[datetime, bool, datetime]:
    return line.start, line.counted > ZERO, line.end


def _filled(lines: list[Line], whole: timedelta) -> Iterator[Line]:
    """Each line with what is left of the part after it."""
    left = whole
    for line in lines:
        left = line.left if line.counted else left
        yield replace(line, left=left)


def _told(line: Line, limit: tuple[Amount, ...], worktime: Worktime) -> dict[str, Any]:
    unit = limit[line.part].unit
    unit_us = {"working_days": worktime.day_us, "natural_days": DAY_US}.get(unit, HOUR_US)
    counted, left = (round(span / MICROSECOND / unit_us, 4) for span in (line.counted, line.left))
    holiday = line.kind in ("holiday", "make_up_day") and line.name
    return {
        "part": line.part,
        "kind": line.kind,
        "from": _ms(line.start),
        "to": _ms(line.end),
        "counted": counted,
        "left": left,
        "unit": unit,
        "key": f"clock.line.{line.kind}",
        "params": {
            "name_key": f"clock.holiday.{line.name}" if holiday else None,
            "name": line.name if line.kind in ("set_off", "set_working") else None,
        },
    }


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
