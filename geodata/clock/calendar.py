"""Which days are worked: the national calendar with its make-up days, and what a place sets above it."""

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Literal, NamedTuple

import chinese_calendar

System = Literal["china", "weekdays"]
DayKind = Literal["working_day", "make_up_day", "weekend", "holiday", "set_working", "set_off"]
WORKED: frozenset[str] = frozenset({"working_day", "make_up_day", "set_working"})


class Day(NamedTuple):
    """What a day is; the name is the key of a public holiday, or the words of whoever set the day."""

    kind: DayKind
    name: str | None = None

    @property
    def worked(self) -> bool:
        """Whether office hours are kept."""
        return self.kind in WORKED


class Override(NamedTuple):
    """A day that the place set by itself."""

    day: date
    working: bool
    name: str


class Calendar:
    """The days of a place; hashable by its system and overrides, so that tables can be kept."""

    def __init__(self, system: System = "china", overrides: Iterable[Override] = ()) -> None:
        self.system = system
        self.overrides = tuple(sorted(overrides))
        self._set = {override.day: override for override in self.overrides}
        self._known: dict[date, Day] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Calendar) and (self.system, self.overrides) == (
            other.system,
            other.overrides,
        )

    def __hash__(self) -> int:
        return hash((self.system, self.overrides))

    def day(self, on: date) -> Day:
        """What that local day is; in a year that the national calendar does not cover Monday to Friday are worked."""
        day = self._known.get(on)
        if day is None:
            day = self._known[on] = self._find(on)
        return day

    def unsure(self, first: date, last: date) -> list[int]:
        """Years of the span that the national calendar does not cover, so that its holidays are not in the count."""
        if self.system != "china":
            return []
        from_year, to_year = covered_years()
        return [year for year in range(first.year, last.year + 1) if not from_year <= year <= to_year]

    def _find(self, on: date) -> Day:
        override = self._set.get(on)
        if override is not None:
            return Day("set_working" if override.working else "set_off", override.name)
        if self.system == "china":
            if on in chinese_calendar.holidays:
                return Day("holiday", _key(chinese_calendar.holidays[on]))
            if on in chinese_calendar.workdays:
                return Day("make_up_day", _key(chinese_calendar.workdays[on]))
        return Day("working_day" if on.weekday() < 5 else "weekend")


@cache
def covered_years() -> tuple[int, int]:
    """First and last year of the national calendar (State Council notices, library chinesecalendar)."""
    return min(chinese_calendar.holidays).year, max(chinese_calendar.holidays).year


def _key(name: str) -> str:
    return str(chinese_calendar.Holiday(name).name)
