"""The clock on a ticket's card: read from the ticket's own course, for desks and walls alike."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import profiles
from geodata.scope import EVERYTHING, Db, enter
from services import cards, tickets
from services.tickets import Report
from tests.small_place import centre, make_month_of
from tests.ticket_steps import give
from tests.viewers import DISPATCHER

PROFILE = profiles.load("zoucheng")
ZONE = ZoneInfo(PROFILE.time_zone)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.fixture(autouse=True)
def _in_scope(conn: Db) -> None:
    make_month_of(conn, at("2026-11-20 12:00"))
    enter(conn, EVERYTHING)


def filed(conn: Db, reported: str, category: str = "01001") -> int:
    lon, lat = centre(1, 1, 1)
    report = Report.model_validate(
        {"channel": "12345", "category": category, "title": "王某某家门口堆垃圾", "lon": lon, "lat": lat,
         "reported_at": at(reported)}
    )  # fmt: skip
    return tickets.file_ticket(conn, PROFILE, DISPATCHER, report, now=at(reported)).ticket.id


def step(conn: Db, ticket_id: int, command: str, moment: str, **carried: Any) -> None:
    give(
        conn, PROFILE, tickets.read(conn, ticket_id), command, now=at(moment), note="王某某不在家", **carried
    )


def clock(conn: Db, ticket_id: int, now: str) -> dict[str, Any]:
    found = cards.ticket_card(conn, ticket_id, PROFILE, people=False, now=at(now))["clock"]
    assert isinstance(found, dict)
    return found


def ms(text: str) -> int:
    return round(at(text).timestamp() * 1000)


def test_the_card_explains_the_deadline_that_is_stored(conn: Db) -> None:
    ticket = filed(conn, "2026-11-20 15:00")  # a Friday
    told = clock(conn, ticket, "2026-11-20 15:30")
    assert told["provisional"] and told["unsigned_s"] is None and told["due"] == ms("2026-11-23 10:00")
    step(conn, ticket, "dispatch", "2026-11-20 16:00")
    step(conn, ticket, "transfer", "2026-11-20 16:30")
    step(conn, ticket, "sign", "2026-11-20 17:00")
    told = clock(conn, ticket, "2026-11-23 09:00")
    assert (told["provisional"], told["given"], told["unsigned_s"]) == (False, False, 3600)
    assert (told["state"], told["due"], told["start"]) == (
        "running",
        ms("2026-11-23 11:00"),
        ms("2026-11-20 16:00"),
    )
    assert [(line["kind"], line["counted"], line["left"]) for line in told["lines"]] == [
        ("working_day", 1.5, 2.5), ("transferred", 0, 2.5), ("weekend", 0, 2.5), ("working_day", 2.5, 0),
    ]  # fmt: skip
    stored = tickets.read(conn, ticket).due_at
    assert stored is not None and round(stored.timestamp() * 1000) == told["due"] == told["lines"][-1]["to"]
    assert clock(conn, ticket, "2026-11-23 10:45")["state"] == "soon"
    late = clock(conn, ticket, "2026-11-25 09:00")
    assert (late["state"], late["level"]["code"]) == ("overdue", "second")


def test_a_wall_reads_it_too_and_reads_no_person(conn: Db) -> None:
    ticket = filed(conn, "2026-11-20 15:00")
    step(conn, ticket, "dispatch", "2026-11-20 16:00")
    enter(conn, EVERYTHING, "wall")
    card = cards.ticket_card(conn, ticket, PROFILE, people=False, now=at("2026-11-20 16:30"))
    assert card["clock"]["lines"] and "王" not in str(card)


def test_a_deadline_of_its_own_holds(conn: Db) -> None:
    ticket = filed(conn, "2026-11-20 15:00")
    step(conn, ticket, "dispatch", "2026-11-20 16:00")
    conn.execute("UPDATE ticket SET due_at = %s WHERE id = %s", (at("2026-11-20 18:00"), ticket))
    told = clock(conn, ticket, "2026-11-20 17:45")
    assert (told["given"], told["lines"], told["state"]) == (True, [], "soon")
    assert told["due"] == ms("2026-11-20 18:00") and told["share"] == 0.875
    assert clock(conn, ticket, "2026-11-20 18:01")["state"] == "overdue"


def test_pauses_in_the_course_are_counted(conn: Db) -> None:
    ticket = filed(conn, "2026-11-23 09:00")
    step(conn, ticket, "dispatch", "2026-11-23 09:00")
    step(conn, ticket, "sign", "2026-11-23 09:10")
    step(conn, ticket, "suspend", "2026-11-23 10:00", until=at("2026-11-23 17:00"))
    paused = clock(conn, ticket, "2026-11-23 11:00")
    assert (paused["state"], paused["due"]) == ("paused", ms("2026-11-23 15:30"))
    assert tickets.read(conn, ticket).due_at == at(
        "2026-11-24 11:00"
    )  # if the pause lasts as long as planned
    step(conn, ticket, "resume", "2026-11-23 11:00")
    told = clock(conn, ticket, "2026-11-23 12:00")
    assert [line["kind"] for line in told["lines"]] == ["working_day", "pause", "working_day"]
    assert not told["given"] and tickets.read(conn, ticket).due_at == at("2026-11-23 15:30")


def test_what_has_no_clock(conn: Db) -> None:
    ticket = filed(conn, "2026-11-20 15:00")
    step(conn, ticket, "cancel", "2026-11-20 16:00")
    assert cards.ticket_card(conn, ticket, PROFILE, people=False)["clock"] is None
