"""When a matter has to be handled: a limit of its category on an approximate clock of working hours.

The clock knows weekdays and one span of office hours; the national calendar with its holidays and make-up days, and
pauses with a reason, are not in it.
"""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from profiles import Kind, Profile

OPENS, CLOSES = time(9), time(17)  # eight working hours a day, Monday to Friday
DAY_H = 8.0


def kind_of(profile: Profile, code: str) -> Kind | None:
    """The subclass of category with that code."""
    return next(
        (kind for category in profile.categories for kind in category.kinds if kind.code == code), None
    )


def due_at(kind: Kind, start: datetime, time_zone: str) -> datetime:
    """The end of the kind's limit for a clock that starts at `start` (aware), in the zone of `start`.

    natural_hours and natural_days run through; working_hours and working_days run in office hours only, a working day
    counting as eight of them.
    """
    match kind.limit_unit:
        case "natural_hours":
            return start + timedelta(hours=kind.limit)
        case "natural_days":
            return start + timedelta(days=kind.limit)
        case "working_hours":
            hours = kind.limit
        case "working_days":
            hours = kind.limit * DAY_H
    return _after_working(start.astimezone(ZoneInfo(time_zone)), hours).astimezone(start.tzinfo)


def _after_working(moment: datetime, hours: float) -> datetime:
    left = timedelta(hours=hours)
    while True:
        opens, closes = (datetime.combine(moment.date(), at, moment.tzinfo) for at in (OPENS, CLOSES))
        if moment.weekday() < 5 and moment < closes:
            moment = max(moment, opens)
            if left <= closes - moment:
                return moment + left
            left -= closes - moment
        moment = datetime.combine(moment.date() + timedelta(days=1), OPENS, moment.tzinfo)
