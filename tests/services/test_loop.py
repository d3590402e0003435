"""The loops as data: what profiles may name, how steps follow from events and rows, periods, tiers and sorting."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

import profiles
from geodata.queries.ticket_events import TicketEvent
from geodata.queries.tickets import Area, Ticket
from geodata.scope import EVERYTHING, Db, enter
from profiles import Profile
from profiles.loop import LEAVES, Loop, Round
from profiles.periods import due_of, period_of
from profiles.stages import Given, When
from services import loop, tickets
from services.access import RIGHTS
from services.tickets import ORDERS, STATUSES, Report
from tests.small_place import centre
from tests.ticket_steps import give
from tests.viewers import DISPATCHER

PLACES = profiles.built_in()
NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
BESIDE = {"report", "found", "patrol"}  # what the report tells of, besides commands
TICKET = Ticket(
    **dict.fromkeys(Ticket._fields),  # type: ignore[arg-type]
)._replace(
    id=1, version=1, reported_at=NOW, status="accepted", channel="grid", category="01001", title="t",
    area=Area(1, "1", "a", "grid"), location="none", parties=[], redos=0, transfers=0, escalation=0, nodes=[],
)  # fmt: skip


def event(number: int, kind: str, was: str | None, status: str, **data: Any) -> TicketEvent:
    """An event of an account, `number` minutes after the report."""
    known: dict[str, Any] = dict.fromkeys(TicketEvent._fields)
    known |= {
        "id": number, "at": NOW + timedelta(minutes=number), "kind": kind, "was": was, "status": status,
        "version": number, "actor": "a", "data": data or None, "undoes": None,
    }  # fmt: skip
    return TicketEvent(**known)


def standings(profile: Profile, ticket: Ticket, *events: TicketEvent) -> dict[str, str]:
    """How each step stands."""
    return {row.stage.code: row.standing for row in loop.stages(profile, ticket, events).passages}


@pytest.mark.parametrize("place", PLACES)
def test_a_profile_names_only_what_there_is(place: str) -> None:
    profile = profiles.load(place)
    own = profile.loop
    commands = set(ORDERS)
    assert set(profile.statuses) == set(STATUSES)
    for words in (profile.statuses.values(), own.words.values()):
        assert all(label.name and label.name_en for label in words)
    names = [label.name for label in profile.statuses.values()]
    assert len(set(names)) == len(names), "an import could not tell two states apart"
    assert set(own.words) | set(own.needs) | set(own.roles) | set(own.first) <= commands
    for command, fields in own.needs.items():
        assert set(fields) <= set(ORDERS[command].model_fields), command
    assert set(own.accepted_by_hand) <= {channel.code for channel in profile.channels}
    departments = {department.code for department in profile.departments} | {"*"}
    for tier in own.tiers:
        assert set(tier.departments) <= departments and set(tier.callers) <= set(RIGHTS)
        assert set(tier.workers) <= {"full_time", "part_time", "professional", "*"}
    for track in own.tracks:
        assert set(track.words) | set(track.roles) <= commands
        assert {role for roles in track.roles.values() for role in roles} <= set(RIGHTS)
        codes = [stage.code for stage in track.stages]
        assert len(set(codes)) == len(codes)
        for stage in track.stages:
            assert set(stage.states) <= set(STATUSES) and stage.done
            assert {when.event for when in (*stage.done, *stage.begun)} <= commands | BESIDE
            for when in (*stage.done, *stage.begun):
                known = ORDERS[when.event].model_fields if when.event in commands else {}
                assert set(when.carried) <= set(known), stage.code
    kinds = [kind.code for category in profile.categories for kind in category.kinds]
    named = [code for risk in own.risks if risk.only for code in risk.only.categories]
    named += [code for row in own.sorting for code in row.only.categories]
    assert all(any(kind.startswith(code) for kind in kinds) for code in named)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("status", STATUSES)
def test_a_row_without_events_still_stands_somewhere(place: str, status: str) -> None:
    """As one that was imported or generated."""
    profile = profiles.load(place)
    ended = status in tickets.ENDED
    ticket = TICKET._replace(
        status=status, closed_at=NOW if ended else None,
        resume_status="accepted" if status in ("suspended", "consulted", "merged") else None,
    )  # fmt: skip
    course = loop.stages(profile, ticket, [])
    assert (course.ended == status) if status in tickets.VOID else course.ended is None
    if not ended:
        assert course.current, "an open ticket stands in a step"
    if status in tickets.VOID:
        assert not course.current


def test_an_imported_ticket_has_the_steps_that_its_row_tells() -> None:
    times: dict[str, Any] = {
        name: NOW + timedelta(hours=at)
        for at, name in enumerate(("dispatched_at", "signed_at", "handled_at"), 1)
    }
    ticket = TICKET._replace(
        status="closed", closed_at=NOW + timedelta(hours=5), satisfaction="satisfied", **times
    )
    course = loop.stages(profiles.load("zoucheng"), ticket, [])
    told = {row.stage.code: (row.standing, row.done and row.done.at) for row in course.passages}
    assert told == {
        "accept": ("done", NOW), "dispatch": ("done", times["dispatched_at"]), "handle": ("done", times["handled_at"]),
        "answer": ("done", times["handled_at"]), "call_back": ("done", ticket.closed_at),
        "supervise": ("unneeded", None), "close": ("done", ticket.closed_at),
    }  # fmt: skip


def test_what_was_taken_back_has_not_been() -> None:
    profile = profiles.load("zoucheng")
    taken_back = event(3, "undo", "dispatched", "accepted")._replace(undoes=2)
    events = [
        event(1, "report", None, "accepted"),
        event(2, "dispatch", "accepted", "dispatched"),
        taken_back,
    ]
    assert standings(profile, TICKET, *events)["dispatch"] == "current"


def test_a_step_done_on_the_way_is_not_lost_when_the_ticket_goes_forward() -> None:
    """Progress that is told before the work is begun counts; after a redo it has to be told again."""
    profile = profiles.load("shanggao")
    events = [
        event(1, "report", None, "accepted"), event(2, "dispatch", "accepted", "dispatched"),
        event(3, "sign", "dispatched", "signed"), event(4, "progress", "signed", "signed"),
        event(5, "start", "signed", "in_progress"),
    ]  # fmt: skip
    ticket = TICKET._replace(status="in_progress")
    assert standings(profile, ticket, *events)["progress"] == "done"
    events += [event(6, "handle", "in_progress", "handled"), event(7, "redo", "handled", "in_progress")]
    told = standings(profile, ticket, *events)
    assert (told["progress"], told["ordinary"], told["register"]) == ("current", "waiting", "skipped")


def test_waiting_tickets_stand_where_they_will_go_on() -> None:
    profile = profiles.load("zoucheng")
    events = [
        event(1, "report", None, "accepted"), event(2, "dispatch", "accepted", "dispatched"),
        event(3, "sign", "dispatched", "signed"), event(4, "suspend", "signed", "suspended"),
    ]  # fmt: skip
    ticket = TICKET._replace(status="suspended", resume_status="signed")
    assert standings(profile, ticket, *events)["handle"] == "current"


def test_a_place_without_a_loop_has_the_usual_steps() -> None:
    plain = profiles.load("zoucheng").model_copy(update={"loop": Loop()})
    assert standings(plain, TICKET) == {
        "accept": "done", "dispatch": "current", "handle": "waiting", "close": "waiting"
    }  # fmt: skip
    assert Loop().class_of(TICKET) is None and Loop().risk_of(TICKET) is None


def test_a_channel_has_the_track_that_is_meant_for_it() -> None:
    own = profiles.load("minle").loop
    assert own.track_of(TICKET._replace(channel="order")).code == "order"
    assert own.track_of(TICKET).code == "citizen"
    word, usual = own.word("dispatch", TICKET._replace(channel="order")), own.word("dispatch", TICKET)
    assert word and usual and (word.name, usual.name) == ("下单", "派单")


@pytest.mark.parametrize(
    ("given", "ticket", "fits"),
    [
        ({}, {}, True),
        ({"categories": ["01"]}, {}, True),
        ({"categories": ["01001", "02"]}, {}, True),
        ({"categories": ["02"]}, {}, False),
        ({"severities": ["", "ordinary"]}, {"severity": None}, True),
        ({"severities": ["complex"]}, {"severity": None}, False),
        ({"channels": ["grid"], "severities": ["complex"]}, {"severity": "complex"}, True),
        ({"channels": ["12345"], "severities": ["complex"]}, {"severity": "complex"}, False),
    ],
)
def test_which_tickets_are_meant(given: dict[str, Any], ticket: dict[str, Any], fits: bool) -> None:
    assert Given.model_validate(given).fits(TICKET._replace(**ticket)) is fits


def test_a_happening_may_have_to_carry_something() -> None:
    heard = When.model_validate({"event": "call_back", "carried": {"satisfaction": ["satisfied", "fairly"]}})
    assert heard.fits("call_back", {"satisfaction": "fairly"})
    assert not heard.fits("call_back", {"satisfaction": "unsatisfied"}) and not heard.fits("close", {})
    assert When.model_validate("close") == When(event="close")


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"sorting": [{"supervision": "x"}]}, "supervisions has not"),
        ({"first": {"close": ["remark"]}}, "cannot wait for"),
        ({"tracks": []}, "at least 1"),
        ({"stages": []}, "Extra inputs"),
    ],
)
def test_a_loop_that_cannot_be_is_refused(bad: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Loop.model_validate(bad)


def test_every_command_that_may_come_first_leaves_a_field() -> None:
    assert set(LEAVES.values()) <= set(Ticket._fields) and set(LEAVES) <= set(ORDERS)


def test_a_tier_calls_whom_it_names() -> None:
    community, town, city = profiles.load("zoucheng").loop.tiers
    assert community.calls("worker", "professional") and not community.calls("worker", "full_time")
    assert not community.calls("department", "urban") and town.calls("department", "urban")
    assert city.calls("department", "hotline") and not city.calls("department", "urban") and city.whole
    anybody = profiles.load("minle").loop.tiers[0]
    assert anybody.calls("worker", "full_time") and anybody.calls("department", "urban")


@pytest.mark.parametrize(
    ("every", "day", "first", "last"),
    [
        ("day", date(2026, 11, 22), date(2026, 11, 22), date(2026, 11, 22)),
        ("week", date(2026, 11, 22), date(2026, 11, 16), date(2026, 11, 22)),  # a Sunday ends its week
        ("week", date(2026, 11, 23), date(2026, 11, 23), date(2026, 11, 29)),
        ("month", date(2026, 2, 14), date(2026, 2, 1), date(2026, 2, 28)),
        ("month", date(2028, 2, 29), date(2028, 2, 1), date(2028, 2, 29)),
        ("quarter", date(2026, 12, 31), date(2026, 10, 1), date(2026, 12, 31)),
        ("year", date(2026, 6, 1), date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_periods(every: Any, day: date, first: date, last: date) -> None:
    assert period_of(every, day) == (first, last)


@pytest.mark.parametrize(
    ("hour", "days", "due"),
    [(20, 0, "2026-11-30T20:00:00+08:00"), (24, 0, "2026-12-01T00:00:00+08:00"),
     (9.5, 5, "2026-12-05T09:30:00+08:00")],
)  # fmt: skip
def test_when_a_round_is_due(hour: float, days: int, due: str) -> None:
    kind = Round(code="m", name="m", name_en="m", every="month", level="town", due_hour=hour, due_days=days)
    found = due_of(kind, period_of("month", date(2026, 11, 3)), "Asia/Shanghai")
    assert found == datetime.fromisoformat(due)


def test_the_card_shows_who_did_what_only_to_who_may_see_people(conn: Db) -> None:
    enter(conn, EVERYTHING)
    profile = profiles.load("zoucheng")
    lon, lat = centre(1, 1, 1)
    report = Report(channel="grid", category="01001", title="路口堆放垃圾", lon=lon, lat=lat)
    ticket = give(conn, profile, tickets.file_ticket(conn, profile, DISPATCHER, report).ticket, "dispatch")
    told = loop.shown(conn, profile, ticket, people=True)
    assert (told["current"], told["status"]["name"]) == (["handle"], "转办")
    assert [step["by"] for step in told["stages"][:2]] == ["dispatcher", "dispatcher"]
    assert told["stages"][2]["due"] == ticket.due_at
    assert all("by" not in step for step in loop.shown(conn, profile, ticket, people=False)["stages"])
    words = loop.words(profile, ticket, ["dispatch", "remark"])
    assert words == {"dispatch": {"name": "转办", "name_en": "Dispatch"}}
