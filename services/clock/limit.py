"""The time that a part of a limit is counted in: natural time or office hours, as stretches from its beginning on."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from geodata.clock.worktime import MICROSECOND, Worktime
from profiles.clock import Amount

DAY = timedelta(days=1)


class Stretch(NamedTuple):
    """A time that counts; `worth` of the part's own time passes in it (its length, unless the clocks change)."""

    start: datetime
    end: datetime
    worth: timedelta
    day: date

    def until(self, amount: timedelta) -> datetime:
        """The moment in it at which so much of its worth has passed."""
        length = self.end - self.start
        if length == self.worth:
            return self.start + amount
        return self.start - (
            -(amount // MICROSECOND) * (length // MICROSECOND) // (self.worth // MICROSECOND)
        ) * (MICROSECOND)


def begins(part: Amount, start: datetime, worktime: Worktime) -> datetime:
    """Where the part is counted from.

    Civil Code of China, articles 201 and 203: a period of days does not count the day on which it begins, and ends
    with the business hours of its last day (at 24:00 in natural days); a period of hours begins at once. A profile may
    say otherwise (`same_day`, `running`).
    """
    counting = worktime.clock.counting(part)
    if part.unit.endswith("hours") or counting == "running":
        return start
    today = worktime.local_day(start)
    if counting == "next_day":
        return worktime.midnight(today + DAY)
    if part.unit == "natural_days":
        return worktime.midnight(today)
    day = today
    while not any(end > start for _, end in worktime.spans(day)):
        day += DAY
    return next(worktime.spans(day))[0]


def stretches(part: Amount, start: datetime, worktime: Worktime) -> Iterator[Stretch]:
    """The time in which the part is counted, from `start` (see begins) on without end, cut at local midnights."""
    running = part.unit == "natural_hours" or worktime.clock.counting(part) == "running"
    day, start = worktime.local_day(start), start.astimezone(UTC)
    while True:
        if part.unit.startswith("working"):
            for opens, closes in worktime.spans(day):
                if closes > start:
                    begin = max(opens, start)
                    yield Stretch(begin, closes, closes - begin, day)
        else:
            opens, closes = worktime.midnight(day), worktime.midnight(day + DAY)
            worth = closes - opens if running else DAY
            begin = max(opens, start)
            yield Stretch(begin, closes, worth if begin == opens else closes - begin, day)
        day += DAY
