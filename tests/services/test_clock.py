"""When things are due: a table worked out by hand, explanations that add up to it, and what holds for any ticket."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import profiles
from geodata.clock.calendar import Calendar, Override, System
from geodata.clock.ends import ends, units_us
from geodata.clock.worktime import EPOCH, MICROSECOND, Worktime, micros, worktime_of
from profiles.clock import Amount, Clock, Escalation, Level, Rule
from services.clock.due import due_of, reckon
from services.clock.escalation import level_of, levels_at
from services.clock.explain import explain, lines_of
from services.clock.timeline import Event, Pause, Timeline, timeline_of

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


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_due(case: Case) -> None:
    limit, work, line = amounts(case.limit), worktime(case), timeline(case)
    due = at(case.due, case.zone)
    found = reckon(limit, line, work, line.start + timedelta(days=100))
    assert found.due.astimezone(ZoneInfo(case.zone)) == due
    assert line.start <= found.warn <= found.due
    if not case.pauses:
        assert due_of(limit, line.start, work) == due
        column = ends(limit, np.array([micros(line.start)] * 3, dtype=np.int64), work)
        assert [EPOCH + int(one) * MICROSECOND for one in column] == [due] * 3


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_explanation_adds_up(case: Case) -> None:
    limit, work, line = amounts(case.limit), worktime(case), timeline(case)
    lines = lines_of(reckon(limit, line, work, line.start + timedelta(days=100)), work)
    for number, part in enumerate(limit):
        own = [one for one in lines if one.part == number]
        left = whole = units_us(part, work.day_us) * MICROSECOND
        for one in own:
            left -= one.counted
            assert one.left == left
        assert left == timedelta() and sum((one.counted for one in own), timedelta()) == whole
    counted = [one for one in lines if one.counted]
    assert counted[-1].end == at(case.due, case.zone)
    assert all(before.end <= after.start for before, after in pairwise(counted)) or "same" in case.limit
    for one in counted:
        assert (one.end - one.start >= one.counted) or case.zone != "Asia/Shanghai"
        assert work.local_day(one.start) == work.local_day(one.end - MICROSECOND)
        assert one.kind == work.calendar.day(work.local_day(one.start)).kind


def test_an_explanation_reads_like_the_arithmetic() -> None:
    case = CASES["five days: 13, 14 | 24, 25, 26 Feb"]
    work = worktime(case)
    told = explain(reckon(amounts(case.limit), timeline(case), work, at("2026-02-25 12:00")), work)
    assert [(one["kind"], one["counted"], one["left"]) for one in told["lines"]] == [
        ("day_of_start", 0, 5), ("working_day", 1, 4), ("make_up_day", 1, 3), ("holiday", 0, 3), ("working_day", 1, 2),
        ("working_day", 1, 1), ("working_day", 1, 0),
    ]  # fmt: skip
    holiday = told["lines"][3]
    assert holiday["params"]["name_key"] == "clock.holiday.spring_festival"
    assert datetime.fromtimestamp(holiday["from"] / 1000, ZONE) == at("2026-02-15 00:00")
    assert datetime.fromtimestamp(holiday["to"] / 1000, ZONE) == at("2026-02-24 00:00")
    assert told["lines"][-1]["to"] == told["due"] and told["state"] == "running" and told["warnings"] == []
    assert told["share"] == pytest.approx((3 + 3.5 / 7.5) / 5, abs=1e-4)
    assert told["limit"] == [{"amount": 5, "unit": "working_days", "counting": "next_day"}]


def test_pauses_transfers_and_days_off_are_told_but_not_the_reasons() -> None:
    events = [
        Event("dispatched", at("2026-03-05 16:00")), Event("transferred", at("2026-03-05 16:30")),
        Event("paused", at("2026-03-06 10:00"), "王某某不在家"), Event("resumed", at("2026-03-06 14:30")),
        Event("returned", at("2026-03-06 15:00")), Event("dispatched", at("2026-03-06 15:10")),
    ]  # fmt: skip
    line = timeline_of(reversed(events))
    assert line is not None and line.start == at("2026-03-05 16:00")
    work = worktime(Case("", "", ""))
    found = reckon(amounts("8wh"), line, work, at("2026-03-06 16:00"))
    assert found.due == at("2026-03-09 10:30")  # 1.5 h, 1.5 h, pause, 3 h, weekend, 2 h
    told = explain(found, work)
    assert [one["kind"] for one in told["lines"]] == [
        "working_day", "transferred", "working_day", "pause", "working_day", "returned", "transferred", "weekend",
        "working_day",
    ]  # fmt: skip
    assert "王" not in str(told)


def test_a_year_that_the_calendar_does_not_cover_is_said() -> None:
    case = CASES["into a year nobody knows yet"]
    work = worktime(case)
    told = explain(reckon(amounts(case.limit), timeline(case), work, at(case.start)), work)
    assert told["warnings"] == [{"key": "clock.warn.calendar", "params": {"year": 2027}}]
    natural = CASES["natural days over the year end"]
    assert (
        explain(reckon(amounts(natural.limit), timeline(natural), work, at(case.start)), work)["warnings"]
        == []
    )


def test_what_does_not_reset_the_clock() -> None:
    start = Event("dispatched", at("2026-03-02 09:00"))
    plain = timeline_of([start])
    moved = timeline_of(
        [
            start,
            Event("transferred", at("2026-03-02 10:00")),
            Event("returned", at("2026-03-02 10:10")),
            Event("dispatched", at("2026-03-02 10:20")),
            Event("redone", at("2026-03-02 10:30")),
        ]
    )
    assert plain is not None and moved is not None
    assert (moved.count("transferred"), moved.count("returned"), moved.count("redone")) == (2, 1, 1)
    work, limit = worktime(Case("", "", "")), amounts("4wh")
    assert reckon(limit, plain, work, start.at).due == reckon(limit, moved, work, start.at).due
    assert timeline_of([Event("paused", start.at), Event("returned", start.at)]) is None


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2026-03-02 09:00", "running"),
        ("2026-03-02 13:41", "running"),
        ("2026-03-02 13:42", "soon"),  # 80 % of 4 h = 3 h 12 min: 3 h by noon, 12 min after 13:30
        ("2026-03-02 14:29", "soon"),
        ("2026-03-02 14:30", "due"),
        ("2026-03-02 14:31", "overdue"),
    ],
)
def test_states(now: str, state: str) -> None:
    case = Case("4wh", "2026-03-02 09:00", "")
    assert reckon(amounts("4wh"), timeline(case), worktime(case), at(now)).state == state


def test_paused_met_missed_and_grace() -> None:
    work, start = worktime(Case("", "", "")), at("2026-03-02 09:00")
    waiting = Timeline(start, (Pause(at("2026-03-02 10:00"), None, "waits"),))
    found = reckon(amounts("4wh"), waiting, work, at("2026-03-02 11:00"))
    assert (found.state, found.due, found.worked) == ("paused", at("2026-03-02 15:30"), timedelta(hours=1))
    assert found.share == 0.25
    later = reckon(amounts("4wh"), waiting, work, at("2026-03-02 11:30"))
    assert later.due == at("2026-03-02 16:00"), "the moment moves on while the clock stands still"
    beyond = reckon(amounts("4wh"), waiting, work, at("2026-05-20 09:00"))
    assert beyond.state == "overdue", "30 days of pause at most: it runs again from 1 April 10:00"
    assert beyond.due == at("2026-04-01 14:30")
    for end, state in (("2026-03-02 14:30", "met"), ("2026-03-02 14:31", "missed")):
        line = Timeline(start, end=at(end))
        assert reckon(amounts("4wh"), line, work, at("2026-03-05 09:00")).state == state
    lenient = replace(work, clock=work.clock.model_copy(update={"grace_minutes": 30}))
    assert reckon(amounts("4wh"), Timeline(start), lenient, at("2026-03-02 15:00")).state == "due"
    assert reckon(amounts("4wh"), Timeline(start), lenient, at("2026-03-02 15:01")).state == "overdue"
    with pytest.raises(ValueError, match="at least one"):
        reckon([], Timeline(start), work, start)


def test_escalation() -> None:
    def level(code: str, after: str = "") -> Level:
        return Level(code=code, name=code, name_en=code, after=amounts(after) if after else [])

    clock = Clock(
        escalation=Escalation(levels=[level("town"), level("centre", "1wd"), level("county", "3wd")])
    )
    work = Worktime(clock, Calendar(), ZONE)
    due = at("2026-03-05 14:30")  # Thursday
    assert levels_at(due, work) == [due, at("2026-03-06 17:30"), at("2026-03-10 17:30")]
    line = Timeline(at("2026-03-05 09:00"))

    def reached(now: str, line: Timeline = line) -> str | None:
        found = level_of(reckon(amounts("4wh"), line, work, at(now)), work)
        return found and found.code

    assert [reached(f"2026-03-{day}") for day in ("05 14:30", "05 14:31", "06 17:31", "11 09:00")] == [
        None, "town", "centre", "county",
    ]  # fmt: skip
    passed = [Event("transferred", at("2026-03-05 09:10"))]
    assert reached("2026-03-05 10:00", replace(line, marks=tuple(passed * 3))) is None
    assert reached("2026-03-05 10:00", replace(line, marks=tuple(passed * 4))) == "town"
    redone = tuple([Event("redone", at("2026-03-05 09:10"))] * 4)
    assert reached("2026-03-05 14:31", replace(line, marks=redone)) == "centre"
    assert reached("2026-03-11 09:00", replace(line, marks=redone)) == "county", "there is no level above"
    assert reached("2026-03-20 09:00", replace(line, end=at("2026-03-05 10:00"))) is None


def test_limits_of_the_five_places() -> None:
    def limit(place: str, step: str, **given: str) -> list[tuple[float, str, str]]:
        profile = profiles.load(place)
        parts = profile.limit(step, **({"category": "01001"} | given))  # type: ignore[arg-type]
        return [(part.amount, part.unit, profile.clock.counting(part)) for part in parts]

    assert limit("zoucheng", "respond") == [(0.5, "natural_hours", "running")]
    assert limit("zoucheng", "handle")[0][:2] == (4, "working_hours")
    assert limit("zoucheng", "handle", category="01007")[0][:2] == (5, "working_days")
    for nature, days in (("consultation", 2), ("help", 5), ("complaint", 10)):
        assert limit("zoucheng", "handle", channel="12345", nature=nature) == [
            (days, "working_days", "next_day")
        ]
    assert limit("liaoyang", "handle", channel="12345", nature="complaint", severity="complex")[0][0] == 12
    assert limit("shanggao", "take_up") == [(1, "natural_days", "same_day")]
    assert limit("shanggao", "progress") == [(3, "natural_days", "next_day")]
    assert limit("shanggao", "handle", severity="ordinary") == [(7, "natural_days", "next_day")]
    assert limit("shanggao", "handle", severity="complex") == [(30, "natural_days", "next_day")]
    assert limit("minle", "respond") == [] and limit("horinger", "handle", category="none") == []
    for name in profiles.built_in():
        clock = profiles.load(name).clock
        assert len(clock.escalation.levels) == 3 and clock.spans
        channels = {channel.code for channel in profiles.load(name).channels}
        assert {rule.channel for rule in clock.limits if rule.channel} <= channels


def test_the_rule_that_names_most_wins() -> None:
    profile = profiles.load("zoucheng")

    def rule(amount: float, **named: str) -> Rule:
        return Rule.model_validate({"step": "handle", "limit": amounts(f"{amount}nh"), **named})

    def found(*rules: Rule, **given: str) -> float:
        own = profile.model_copy(update={"clock": Clock(limits=list(rules))})
        return own.limit("handle", **({"category": "01001"} | given))[0].amount

    assert found() == 4
    assert found(rule(1)) == 4, "the category's own limit names its category"
    assert found(rule(1, category="01")) == 4, "a class is less than a subclass"
    assert found(rule(1, category="01001"), rule(2, category="01001")) == 1
    assert found(rule(1, severity="urgent"), severity="urgent") == 1
    assert found(rule(1, severity="urgent"), severity="ordinary") == 4
    assert found(rule(1, channel="12345"), rule(2, category="01", channel="12345"), channel="12345") == 2


@pytest.mark.parametrize(
    "hours", [[], ["8:30-12:00"], ["09:00-08:00"], ["08:00-12:00", "11:00-13:00"], ["20:00-25:00"]]
)
def test_hours_are_checked(hours: list[str]) -> None:
    with pytest.raises(ValidationError):
        Clock(hours=hours)


# --- what holds for any ticket

PLACES = [worktime_of(profiles.load(name)) for name in ("zoucheng", "shanggao", "liaoyang")]
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 1)).map(lambda one: one.replace(tzinfo=ZONE))
LIMITS = st.lists(
    st.builds(
        lambda amount, unit, way: Amount(amount=amount / 4, unit=unit, counting=way),
        st.integers(1, 60),
        st.sampled_from(list(UNITS.values())),
        st.sampled_from([None, *WAYS.values()]),
    ),
    min_size=1,
    max_size=3,
)
SPANS = st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 6_000)), max_size=4)


def pauses_of(start: datetime, spans: list[tuple[int, int]]) -> tuple[Pause, ...]:
    begin = [start + timedelta(minutes=after) for after, _ in spans]
    return tuple(
        Pause(at, at + timedelta(minutes=length)) for at, (_, length) in zip(begin, spans, strict=True)
    )


@settings(max_examples=150, deadline=None)
@given(LIMITS, MOMENTS, st.integers(0, 20_000), st.sampled_from(PLACES))
def test_a_later_start_is_never_due_earlier(
    limit: list[Amount], start: datetime, later: int, work: Worktime
) -> None:
    assert due_of(limit, start, work) <= due_of(limit, start + timedelta(minutes=later), work)


def test_a_part_of_a_day_that_was_over_before_it_began_ends_at_once() -> None:
    """A quarter of a day that counts from its morning, begun at 08:45: never due before the part that went before."""
    limit = [
        Amount(amount=0.25, unit="working_hours"),
        Amount(amount=0.25, unit="natural_days", counting="same_day"),
    ]
    for work in PLACES:
        start = datetime(2025, 1, 2, 4, 30, tzinfo=UTC)
        first = due_of(limit[:1], start, work)
        assert due_of(limit, start, work) >= first
        found = reckon(limit, Timeline(start), work, start + timedelta(days=9))
        assert max(line.end for line in lines_of(found, work) if line.counted) == found.due


@settings(max_examples=150, deadline=None)
@given(LIMITS, MOMENTS, SPANS, st.sampled_from(PLACES))
def test_explanations_add_up_and_pauses_never_shorten(
    limit: list[Amount], start: datetime, spans: list[tuple[int, int]], work: Worktime
) -> None:
    now = start + timedelta(days=400)
    found = reckon(limit, Timeline(start, pauses_of(start, spans)), work, now)
    assert due_of(limit, start, work) <= found.due
    lines = lines_of(found, work)
    for number, part in enumerate(limit):
        own = [line for line in lines if line.part == number]
        assert sum((line.counted for line in own), timedelta()) == units_us(part, work.day_us) * MICROSECOND
        assert [line for line in own if line.counted][-1].left == timedelta()
    assert max(line.end for line in lines if line.counted) == found.due == found.counted[-1].end


@settings(max_examples=150, deadline=None)
@given(
    LIMITS,
    MOMENTS,
    st.integers(0, 9_000),
    st.integers(2, 9_000),
    st.floats(0.01, 0.99),
    st.sampled_from(PLACES),
)
def test_splitting_a_pause_changes_nothing(
    limit: list[Amount], start: datetime, after: int, length: int, part: float, work: Worktime
) -> None:
    begin, end = start + timedelta(minutes=after), start + timedelta(minutes=after + length)
    middle = begin + timedelta(minutes=round(length * part))
    now = start + timedelta(days=400)
    one = reckon(limit, Timeline(start, (Pause(begin, end),)), work, now)
    two = reckon(limit, Timeline(start, (Pause(begin, middle), Pause(middle, end))), work, now)
    assert (one.due, one.total) == (two.due, two.total)


@settings(max_examples=150, deadline=None)
@given(MOMENTS, SPANS, st.sampled_from(PLACES))
def test_natural_hours_are_late_by_the_pauses_alone(
    start: datetime, spans: list[tuple[int, int]], work: Worktime
) -> None:
    limit = amounts("1000nh")
    pauses = pauses_of(start, spans)
    most = timedelta(days=work.clock.pause_most_days)
    minutes = {minute for after, length in spans for minute in range(after, after + length)}
    found = reckon(limit, Timeline(start, pauses), work, start + timedelta(days=400))
    assert found.due == start + timedelta(hours=1000) + min(most, timedelta(minutes=len(minutes)))


@settings(max_examples=100, deadline=None)
@given(LIMITS, st.lists(MOMENTS, min_size=1, max_size=8), st.sampled_from(PLACES))
def test_columns_agree_with_the_single_clock(
    limit: list[Amount], starts: list[datetime], work: Worktime
) -> None:
    column = ends(limit, np.array([micros(start) for start in starts], dtype=np.int64), work)
    assert [EPOCH + int(one) * MICROSECOND for one in column] == [
        due_of(limit, start, work) for start in starts
    ]


@settings(max_examples=100, deadline=None)
@given(
    LIMITS, MOMENTS, SPANS, st.lists(st.integers(0, 90_000), min_size=2, max_size=6), st.sampled_from(PLACES)
)
def test_what_is_worked_off_only_grows(
    limit: list[Amount], start: datetime, spans: list[tuple[int, int]], minutes: list[int], work: Worktime
) -> None:
    line = Timeline(start, pauses_of(start, spans))
    worked = [reckon(limit, line, work, start + timedelta(minutes=after)).worked for after in sorted(minutes)]
    assert worked == sorted(worked)
    if all(part.counting != "same_day" for part in limit):  # which counts the whole day of the start
        assert reckon(limit, line, work, start).worked == timedelta()


def test_the_calendar_of_2026() -> None:
    calendar = Calendar()
    off = [date(2026, 2, day) for day in range(15, 24)]
    assert {calendar.day(day) for day in off} == {("holiday", "spring_festival")}
    assert (
        calendar.day(date(2026, 2, 14))
        == calendar.day(date(2026, 2, 28))
        == ("make_up_day", "spring_festival")
    )
    assert calendar.day(date(2026, 3, 1)) == ("weekend", None) and calendar.day(date(2026, 3, 2)).worked
    assert calendar.unsure(date(2026, 1, 1), date(2027, 1, 1)) == [2027]
    assert Calendar("weekdays").unsure(date(1999, 1, 1), date(2099, 1, 1)) == []
    assert Calendar("weekdays").day(date(2026, 2, 16)).worked
