"""Limits whose end was worked out by hand: the table behind the tests of the clock, and how it is written."""

import re
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from geodata.clock.calendar import Calendar, Override, System
from geodata.clock.worktime import Worktime
from profiles.clock import Amount, Clock
from services.clock.timeline import Pause, Timeline

ZONE = ZoneInfo("Asia/Shanghai")
UNITS = {"wh": "working_hours", "wd": "working_days", "nh": "natural_hours", "nd": "natural_days"}
WAYS = {"next": "next_day", "same": "same_day", "run": "running"}
HOURS = ("08:30-12:00", "13:30-17:30")  # 3 h 30 min + 4 h = 7 h 30 min


class Case(NamedTuple):
    """A limit, a start, pauses, and the moment that was worked out by hand."""

    limit: str
    start: str
    due: str
    pauses: tuple[str, ...] = ()
    hours: tuple[str, ...] = HOURS
    system: System = "china"
    overrides: tuple[Override, ...] = ()
    zone: str = "Asia/Shanghai"
    most_days: float = 30


def amounts(text: str) -> list[Amount]:
    """`4wh+1nd/next`: working or natural hours and days, with a way to count."""
    found = [re.fullmatch(r"([\d.]+)(\w\w)(?:/(\w+))?", part) for part in text.split("+")]
    return [
        Amount.model_validate({"amount": float(m[1]), "unit": UNITS[m[2]], "counting": m[3] and WAYS[m[3]]})
        for m in found
        if m
    ]


def at(text: str, zone: str = "Asia/Shanghai") -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))


def worktime(case: Case) -> Worktime:
    clock = Clock(hours=list(case.hours), pause_most_days=case.most_days)
    return Worktime(clock, Calendar(case.system, case.overrides), ZoneInfo(case.zone))


def timeline(case: Case) -> Timeline:
    pauses = [pause.split(" to ") for pause in case.pauses]
    return Timeline(
        at(case.start, case.zone),
        tuple(Pause(at(a, case.zone), at(b, case.zone), "waits") for a, b in pauses),
    )


# Weekdays of 2026: 1 Jan Thu, 2 Feb Mon, 2 Mar Mon, 1 Apr Wed, 1 May Fri, 1 Jun Mon, 1 Sep Tue, 1 Oct Thu, 31 Dec Thu.
# State Council notice for 2026: off 1–3 Jan, 15–23 Feb, 4–6 Apr, 1–5 May, 19–21 Jun, 25–27 Sep, 1–7 Oct;
# worked 4 Jan (Sun), 14 and 28 Feb (Sat), 9 May (Sat), 20 Sep (Sun), 10 Oct (Sat).
CASES = {
    # working hours: morning 08:30–12:00 (3.5 h), afternoon 13:30–17:30 (4 h)
    "from opening, over lunch": Case("4wh", "2026-03-02 08:30", "2026-03-02 14:00"),
    "3 h before lunch, 1 h after": Case("4wh", "2026-03-02 09:00", "2026-03-02 14:30"),
    "ends with the morning, not after lunch": Case("3.5wh", "2026-03-02 08:30", "2026-03-02 12:00"),
    "ends with the day, not next morning": Case("4wh", "2026-03-02 13:30", "2026-03-02 17:30"),
    "3.5 h today, 0.5 h tomorrow": Case("4wh", "2026-03-02 14:00", "2026-03-03 09:00"),
    "dispatched at lunch": Case("4wh", "2026-03-02 12:10", "2026-03-02 17:30"),
    "dispatched at closing": Case("4wh", "2026-03-02 17:30", "2026-03-03 14:00"),
    "dispatched in the evening": Case("4wh", "2026-03-02 20:00", "2026-03-03 14:00"),
    "dispatched before opening": Case("4wh", "2026-03-02 05:00", "2026-03-02 14:00"),
    "1.5 h on Friday, 2.5 h on Monday": Case("4wh", "2026-03-06 16:00", "2026-03-09 11:00"),
    "dispatched on a Saturday": Case("4wh", "2026-03-07 10:00", "2026-03-09 14:00"),
    "more than a day": Case("8wh", "2026-03-02 08:30", "2026-03-03 09:00"),
    "minutes around lunch": Case("0.5wh", "2026-03-02 11:45", "2026-03-02 13:45"),
    "Friday, then make-up Saturday 14 Feb": Case("4wh", "2026-02-13 16:00", "2026-02-14 11:00"),
    "make-up Saturday, then Spring Festival": Case("4wh", "2026-02-14 16:00", "2026-02-24 11:00"),
    "dispatched on New Year's Day of the moon": Case("4wh", "2026-02-17 10:00", "2026-02-24 14:00"),
    "Friday, then make-up Saturday 28 Feb": Case("4wh", "2026-02-27 17:00", "2026-02-28 12:00"),
    "make-up Saturday, Sunday off, month end": Case("4wh", "2026-02-28 17:00", "2026-03-02 12:00"),
    "holiday Saturday, make-up Sunday": Case("4wh", "2026-01-03 10:00", "2026-01-04 14:00"),
    "over Tomb-sweeping Day": Case("4wh", "2026-04-03 17:00", "2026-04-07 12:00"),
    # working days: the day of dispatch does not count, due at closing
    "one day": Case("1wd", "2026-03-02 10:00", "2026-03-03 17:30"),
    "one day from Friday": Case("1wd", "2026-03-06 16:00", "2026-03-09 17:30"),
    "one day from Saturday": Case("1wd", "2026-03-07 10:00", "2026-03-09 17:30"),
    "five days: 6, 9, 10, 11, 12": Case("5wd", "2026-03-05 20:00", "2026-03-12 17:30"),
    "five days: 13, 14 | 24, 25, 26 Feb": Case("5wd", "2026-02-12 15:00", "2026-02-26 17:30"),
    "ten days: 14, 24–28 Feb, 2–5 Mar": Case("10wd", "2026-02-13 09:00", "2026-03-05 17:30"),
    "one day from a make-up day": Case("1wd", "2026-02-14 10:00", "2026-02-24 17:30"),
    "two days from within a holiday": Case("2wd", "2026-02-16 12:00", "2026-02-25 17:30"),
    "May: 6, 7, 8, 9 (make-up), 11": Case("5wd", "2026-04-30 11:00", "2026-05-11 17:30"),
    "over the Dragon Boat Festival": Case("1wd", "2026-06-18 08:00", "2026-06-22 17:30"),
    "make-up Sunday: 20, 21, 22 Sep": Case("3wd", "2026-09-18 10:00", "2026-09-22 17:30"),
    "over Mid-autumn: 28, 29 Sep": Case("2wd", "2026-09-24 17:00", "2026-09-29 17:30"),
    "National Day: 8, 9, 10, 12, 13 Oct": Case("5wd", "2026-09-30 18:00", "2026-10-13 17:30"),
    "month end: 31 Mar, 1 Apr": Case("2wd", "2026-03-30 09:00", "2026-04-01 17:30"),
    "year end: 4 (make-up), 5, 6 Jan": Case("3wd", "2025-12-31 10:00", "2026-01-06 17:30"),
    "into a year nobody knows yet": Case("2wd", "2026-12-31 10:00", "2027-01-04 17:30"),
    "29 February": Case("1wd", "2024-02-28 10:00", "2024-02-29 17:30"),
    "half a day: 3.75 h": Case("0.5wd", "2026-03-02 10:00", "2026-03-03 13:45"),
    "the day of dispatch counts": Case("1wd/same", "2026-03-02 10:00", "2026-03-02 17:30"),
    "… but not once it is over": Case("1wd/same", "2026-03-02 17:30", "2026-03-03 17:30"),
    "… nor a day off": Case("1wd/same", "2026-03-07 10:00", "2026-03-09 17:30"),
    "12, 13, 14, 24, 25 Feb": Case("5wd/same", "2026-02-12 15:00", "2026-02-25 17:30"),
    "a day's length: 1.5 h + 6 h": Case("1wd/run", "2026-03-06 16:00", "2026-03-09 16:00"),
    "five days' length from an evening": Case("5wd/run", "2026-03-05 20:00", "2026-03-12 17:30"),
    # natural time
    "whistle: 30 minutes over midnight": Case("0.5nh", "2026-03-02 23:50", "2026-03-03 00:20"),
    "24 hours in a holiday": Case("24nh", "2026-02-16 09:00", "2026-02-17 09:00"),
    "seven times 24 hours": Case("7nd", "2026-02-14 16:00", "2026-02-21 16:00"),
    "13710: seven days, until 24:00 of the 9th": Case("7nd/next", "2026-03-02 10:00", "2026-03-10 00:00"),
    "13710: the same day, a minute before 24:00": Case("1nd/same", "2026-03-02 23:59", "2026-03-03 00:00"),
    "13710: thirty days: 28 of February, 2 of March": Case("30nd/next", "2026-01-31 08:00", "2026-03-03 00:00"),
    "natural days over the year end": Case("3nd/next", "2026-12-30 12:00", "2027-01-03 00:00"),
    "natural day of a leap year": Case("1nd/next", "2024-02-28 12:00", "2024-03-01 00:00"),
    # mixed units, one after another
    "4 working hours to 16:30, then 24 hours": Case("4wh+1nd", "2026-02-14 11:00", "2026-02-15 16:30"),
    "a working day, then 4 working hours": Case("1wd+4wh", "2026-03-02 10:00", "2026-03-04 14:00"),
    "2 hours to Saturday 01:00, then a working day": Case("2nh+1wd", "2026-03-06 23:00", "2026-03-09 17:30"),
    "4 working hours to Monday 11:00, then Tuesday": Case("4wh+1wd", "2026-03-06 16:00", "2026-03-10 17:30"),
    "to 24:00 of 14 Feb, then 2 working hours": Case("1nd/next+2wh", "2026-02-13 10:00", "2026-02-24 10:30"),
    "to closing, then an hour": Case("1wd/same+1nh", "2026-03-02 10:00", "2026-03-02 18:30"),
    # pauses
    "an hour": Case("4wh", "2026-03-02 09:00", "2026-03-02 15:30", ("2026-03-02 10:00 to 2026-03-02 11:00",)),
    "over a night: 5.5 h, 2 h, 0.5 h": Case(
        "8wh", "2026-03-02 09:00", "2026-03-03 14:00", ("2026-03-02 16:00 to 2026-03-03 10:00",)
    ),
    "in a night: changes nothing": Case(
        "4wh", "2026-03-02 14:00", "2026-03-03 09:00", ("2026-03-02 20:00 to 2026-03-03 06:00",)
    ),
    "in the lunch break: changes nothing": Case(
        "4wh", "2026-03-02 09:00", "2026-03-02 14:30", ("2026-03-02 12:00 to 2026-03-02 13:30",)
    ),
    "over a weekend: changes nothing": Case(
        "5wd", "2026-03-05 09:00", "2026-03-12 17:30", ("2026-03-07 00:00 to 2026-03-09 00:00",)
    ),
    "a whole working day": Case(
        "2wd", "2026-03-02 10:00", "2026-03-05 17:30", ("2026-03-03 00:00 to 2026-03-04 00:00",)
    ),
    "parts of working days: 4 h, 6.5 h, 4.5 h": Case(
        "2wd", "2026-03-02 10:00", "2026-03-05 14:30", ("2026-03-03 14:00 to 2026-03-04 09:30",)
    ),
    "on the day of dispatch, which does not count": Case(
        "1wd", "2026-03-02 10:00", "2026-03-03 17:30", ("2026-03-02 11:00 to 2026-03-02 17:00",)
    ),
    "of natural hours": Case("24nh", "2026-03-02 10:00", "2026-03-03 16:00", ("2026-03-02 12:00 to 2026-03-02 18:00",)),
    "of a natural day": Case(
        "1nd/next", "2026-03-02 10:00", "2026-03-04 06:00", ("2026-03-03 06:00 to 2026-03-03 12:00",)
    ),
    "split in two": Case(
        "4wh", "2026-03-02 09:00", "2026-03-02 15:30",
        ("2026-03-02 10:00 to 2026-03-02 10:30", "2026-03-02 10:30 to 2026-03-02 11:00"),
    ),
    "overlapping: 1.5 h": Case(
        "4wh", "2026-03-02 09:00", "2026-03-02 16:00",
        ("2026-03-02 10:00 to 2026-03-02 11:00", "2026-03-02 10:30 to 2026-03-02 11:30"),
    ),
    "over Spring Festival: 1.5 h, 0.5 h, 2 h": Case(
        "4wh", "2026-02-13 16:00", "2026-02-24 12:00", ("2026-02-14 09:00 to 2026-02-24 10:00",)
    ),
    "a day at most, of three": Case(
        "24nh", "2026-03-02 10:00", "2026-03-04 10:00", ("2026-03-02 12:00 to 2026-03-05 12:00",), most_days=1
    ),
    "a day and a half at most, of two pauses": Case(
        "24nh", "2026-03-02 10:00", "2026-03-04 22:00",
        ("2026-03-02 12:00 to 2026-03-03 12:00", "2026-03-03 14:00 to 2026-03-04 14:00"), most_days=1.5,
    ),
    "after it was due": Case("4wh", "2026-03-02 09:00", "2026-03-02 14:30", ("2026-03-02 16:00 to 2026-03-02 17:00",)),
    "at the moment when it is due": Case(
        "4wh", "2026-03-02 09:00", "2026-03-02 14:30", ("2026-03-02 14:30 to 2026-03-02 17:00",)
    ),
    "before a part that counts its whole first day": Case(
        "2wh+1wd/same", "2026-03-02 09:00", "2026-03-02 17:30", ("2026-03-02 09:30 to 2026-03-02 10:00",)
    ),
    # other places
    "one span, no lunch": Case("4wh", "2026-03-06 16:00", "2026-03-09 12:00", hours=("09:00-17:00",)),
    "three spans: 1 h, 1 h, 2 h": Case(
        "4wh", "2026-03-02 09:00", "2026-03-02 16:00", hours=("08:00-10:00", "11:00-12:00", "14:00-18:00")
    ),
    "round the clock on weekdays, no holidays": Case(
        "4wh", "2026-02-13 22:00", "2026-02-16 02:00", hours=("00:00-24:00",), system="weekdays"
    ),
    "a local day off": Case(
        "1wd", "2026-03-02 10:00", "2026-03-04 17:30", overrides=(Override(date(2026, 3, 3), False, "庙会"),)
    ),
    "a Saturday set as worked": Case(
        "1wd", "2026-03-06 10:00", "2026-03-07 17:30", overrides=(Override(date(2026, 3, 7), True, "调班"),)
    ),
    "a holiday set as worked": Case(
        "1wd", "2026-02-14 10:00", "2026-02-16 17:30", overrides=(Override(date(2026, 2, 16), True, "值守"),)
    ),
    "a make-up day set as off": Case(
        "4wh", "2026-02-27 17:00", "2026-03-02 12:00", overrides=(Override(date(2026, 2, 28), False, "停班"),)
    ),
    # edges of the zone
    "given in UTC: 09:00 local": Case("4wh", "2026-03-02T01:00+00:00", "2026-03-02 14:30"),
    "16:30 UTC is tomorrow, 00:30": Case("1wd", "2026-03-02T16:30+00:00", "2026-03-04 17:30"),
    "15:59 UTC is still today, 23:59": Case("1wd", "2026-03-02T15:59+00:00", "2026-03-03 17:30"),
    "24 hours over a change to summer time": Case(
        "24nh", "2026-03-28 10:00", "2026-03-29 11:00", system="weekdays", zone="Europe/Berlin"
    ),
    "a natural day of 23 hours": Case(
        "1nd/next", "2026-03-28 10:00", "2026-03-30 00:00", system="weekdays", zone="Europe/Berlin"
    ),
    "working hours over a change to summer time": Case(
        "4wh", "2026-03-27 16:00", "2026-03-30 11:00", system="weekdays", zone="Europe/Berlin"
    ),
}  # fmt: skip
