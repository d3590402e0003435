"""Office hours of a place as moments: the spans of a day, and a table of them that whole columns are read from."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geodata.clock.calendar import Calendar, Override
from profiles import Profile
from profiles.clock import Clock

Micros = NDArray[np.int64]  # microseconds, of time or since 1970 UTC
MINUTE_US = 60_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Worktime:
    """When a place works."""

    clock: Clock
    calendar: Calendar
    zone: ZoneInfo

    def __hash__(self) -> int:
        return hash((self.clock.spans, self.calendar, self.zone.key))

    @property
    def day_us(self) -> int:
        """Working time of a working day, in microseconds."""
        return sum(end - begin for begin, end in self.clock.spans) * MINUTE_US

    def midnight(self, day: date) -> datetime:
        """The moment (UTC) at which a local day begins."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def spans(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """Office hours of a local day (UTC); none on a day off."""
        if self.calendar.day(day).worked:
            for begin, end in self.clock.spans:
                yield self._at(day, begin), self._at(day, end)

    def local_day(self, moment: datetime) -> date:
        """The local day of a moment."""
        return moment.astimezone(self.zone).date()

    def _at(self, day: date, minute: int) -> datetime:
        on, minute = day + timedelta(days=minute // 1440), minute % 1440
        return datetime.combine(on, time(minute // 60, minute % 60), self.zone).astimezone(UTC)


def worktime_of(profile: Profile, overrides: tuple[Override, ...] = ()) -> Worktime:
    """When the place of a profile works."""
    return Worktime(profile.clock, Calendar(profile.clock.calendar, overrides), ZoneInfo(profile.time_zone))


@dataclass(frozen=True)
class Table:
    """The office hours of a span of days, as arrays."""

    midnights: Micros  # (days + 1,)
    worked: Micros  # (days + 1,) working time before each midnight
    begin: Micros  # (spans,)
    before: Micros  # (spans,) working time before each span
    end: Micros  # (spans,)

    def read(self, at: Micros) -> Micros:
        """Working time from the table's first day until those moments."""
        span = np.searchsorted(self.begin, at, side="right") - 1
        inside: Micros = self.before[span] + np.minimum(at, self.end[span]) - self.begin[span]
        return np.where(span < 0, 0, inside)

    def when(self, reading: Micros) -> Micros:
        """The first moments at which so much was worked (readings above zero): a closing, not the next opening."""
        span = np.searchsorted(self.before, reading, side="left") - 1
        found: Micros = self.begin[span] + reading - self.before[span]
        return found

    def day_of(self, at: Micros) -> NDArray[np.intp]:
        """Index of the local day of each moment."""
        return np.searchsorted(self.midnights, at, side="right") - 1


@lru_cache(maxsize=16)
def table_of(worktime: Worktime, first_year: int, last_year: int) -> Table:
    """The table of whole years."""
    day, last = date(first_year, 1, 1), date(last_year, 12, 31)
    midnights, worked, begin, before, end = [], [], [], [], []
    total = 0
    while day <= last:
        midnights.append(micros(worktime.midnight(day)))
        worked.append(total)
        for opens, closes in worktime.spans(day):
            begin.append(micros(opens))
            end.append(micros(closes))
            before.append(total)
            total += end[-1] - begin[-1]
        day += timedelta(days=1)
    midnights.append(micros(worktime.midnight(day)))
    worked.append(total)
    columns = [np.array(column, dtype=np.int64) for column in (midnights, worked, begin, before, end)]
    return Table(*columns)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC."""
    return (moment - EPOCH) // MICROSECOND
