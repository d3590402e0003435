"""Days, weeks, months, quarters and years of a place: the period that a local day lies in, and its ends as moments."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from profiles.loop import Every, Round


class Period(NamedTuple):
    """Local days first..last, both included."""

    first: date
    last: date

    def moments(self, time_zone: str) -> tuple[datetime, datetime]:
        """Its begin and its end (not included) with the place's zone."""
        zone = ZoneInfo(time_zone)
        return _midnight(self.first, zone), _midnight(self.last + timedelta(days=1), zone)


def period_of(every: Every, day: date) -> Period:
    """The period that a day lies in; weeks begin on Monday."""
    if every == "day":
        return Period(day, day)
    if every == "week":
        monday = day - timedelta(days=day.weekday())
        return Period(monday, monday + timedelta(days=6))
    months = {"month": 1, "quarter": 3, "year": 12}[every]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    after = first.month - 1 + months
    return Period(first, date(first.year + after // 12, after % 12 + 1, 1) - timedelta(days=1))


def due_of(kind: Round, period: Period, time_zone: str) -> datetime:
    """When a round of that kind is due for that period, with the place's zone."""
    day = _midnight(period.last + timedelta(days=kind.due_days), ZoneInfo(time_zone))
    hour = int(kind.due_hour)
    if hour == 24:
        return _midnight(day.date() + timedelta(days=1), ZoneInfo(time_zone))
    return day.replace(hour=hour, minute=round((kind.due_hour - hour) * 60))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
