"""When things are due: a table worked out by hand, explanations that add up to it, states and escalation."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from pydantic import ValidationError

import profiles
from geodata.clock.calendar import Calendar
from geodata.clock.ends import ends, units_us
from geodata.clock.worktime import EPOCH, MICROSECOND, Worktime, micros
from profiles.clock import Clock, Escalation, Level, Rule
from services.clock.due import due_of, reckon
from services.clock.escalation import level_of, levels_at
from services.clock.explain import explain, lines_of
from services.clock.timeline import Event, Pause, Timeline, timeline_of
from tests.services.clock_cases import CASES, ZONE, Case, amounts, at, timeline, worktime


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
