"""Alarms: what raises them, who is told, who acknowledges them, and where they go when nobody does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from pydantic import ValidationError

import profiles
from geodata.queries.tickets import Ticket
from geodata.scope import EVERYTHING, Db, Pool, enter, scoped
from geodata.servers import Stores
from profiles.alarms import Alarms, Notice
from services import tickets
from services.access import Viewer
from services.alarms import listing, raise_alarm
from services.alarms.hearing import SETTLES
from services.alarms.jobs import escalate
from services.care.errors import NotForThem
from services.jobs import JOBS, Work
from services.jobs.registry import known_jobs
from services.tickets import TRANSITIONS, Report
from services.tickets.orders import ORDERS
from settings import Settings
from tests.small_place import centre, grid_no
from tests.ticket_steps import give
from tests.viewers import DISPATCHER, county, of_town

PROFILE = profiles.load("zoucheng")
NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)
HERE = grid_no(1, 1, 1)


@pytest.fixture
def conn(conn: Db) -> Db:
    """A transaction that sees the whole place, and is rolled back."""
    enter(conn, EVERYTHING)
    return conn


def filed(conn: Db, severity: str | None = "urgent", viewer: Viewer = DISPATCHER) -> Ticket:
    """A ticket in the first grid, just reported."""
    lon, lat = centre(1, 1, 1)
    report = {
        "channel": "12345",
        "category": "01001",
        "title": "垃圾",
        "lon": lon,
        "lat": lat,
        "severity": severity,
    }
    return tickets.file_ticket(conn, PROFILE, viewer, Report.model_validate(report), now=NOW).ticket


def rows(conn: Db, state: Any = "open", viewer: Viewer = DISPATCHER) -> list[dict[str, Any]]:
    found = listing.alarms(conn, viewer, state, datetime.now(UTC))
    return [listing.told(PROFILE, viewer, alarm) for alarm in found.rows]


def tick(conn: Db, ticket: Ticket, moment: str) -> Ticket:
    """The product tells a moment of its clock."""
    order = ORDERS["tick"].model_validate({"version": ticket.version, "moment": moment, "at": NOW})
    from services.access.viewer import SYSTEM

    return tickets.perform(conn, PROFILE, SYSTEM, ticket.id, "tick", order, now=NOW).ticket


def jobs(stores: Stores, lock: str) -> list[datetime]:
    with psycopg.connect(stores.database_url) as owner:
        query = "SELECT scheduled_at FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo'"
        return [row[0] for row in owner.execute(query, (lock,))]


def test_an_urgent_ticket_is_heard_at_once_and_an_ordinary_one_is_not(conn: Db) -> None:
    filed(conn, None)
    assert rows(conn) == []
    ticket = filed(conn)
    (row,) = rows(conn)
    assert (row["kind"], row["sound"], row["level"], row["ticket"]["id"]) == (
        "arrived",
        "urgent",
        0,
        ticket.id,
    )
    assert row["ticket"]["title"] == "垃圾" and row["escalates_at"] - row["raised_at"] == 3 * 60_000
    assert rows(conn, viewer=county("client"))[0]["ticket"]["title"] is None
    told = conn.execute("SELECT body FROM outbox WHERE kind = 'desk' AND area_no = %s", (HERE,)).fetchall()
    assert told == [({"desk": "alarm", "id": row["id"]},)]


def test_a_ticket_that_is_graded_urgent_is_heard_too(conn: Db) -> None:
    ticket = filed(conn, "ordinary")
    give(conn, PROFILE, ticket, "regrade", severity="urgent")
    assert [row["kind"] for row in rows(conn)] == ["arrived"]


@pytest.mark.parametrize(
    ("severity", "moment", "kind"),
    [
        ("ordinary", "sign", "unsigned"), (None, "respond", "unsigned"), (None, "take_up", "undecided"),
        ("complex", "warn", "near"), ("complex", "due", "late"), ("ordinary", "warn", None), (None, "due", None),
        ("urgent", "progress", None),
    ],
)  # fmt: skip
def test_moments_of_the_clock_raise_what_the_place_asks_for(
    conn: Db, severity: str | None, moment: str, kind: str | None
) -> None:
    ticket = give(conn, PROFILE, filed(conn, severity), "dispatch")
    tick(conn, ticket, moment)
    assert [row["kind"] for row in rows(conn)] == ([] if kind is None else [kind])


def test_dealing_with_the_ticket_acknowledges_by_name(conn: Db) -> None:
    ticket = filed(conn)
    handed = give(conn, PROFILE, ticket, "dispatch", viewer=county("dispatcher"))
    assert rows(conn) == []
    (row,) = rows(conn, "all")
    assert (row["how"], row["by"], row["mine"]) == ("dispatch", "dispatcher", True) and row[
        "escalates_at"
    ] is None
    ticked = tick(conn, handed, "sign")
    assert [row["kind"] for row in rows(conn)] == ["unsigned"]
    give(conn, PROFILE, ticked, "sign")
    assert rows(conn) == [] and [row["how"] for row in rows(conn, "all")] == ["sign", "dispatch"]


def test_every_settling_command_is_one() -> None:
    assert set(SETTLES) <= set(TRANSITIONS)


def test_of_one_matter_one_alarm_is_open(conn: Db) -> None:
    first = raise_alarm(
        conn, PROFILE, HERE, "burst", incident_id=None, key="burst:7", data={"tickets": 6}, now=NOW
    )
    assert first and raise_alarm(conn, PROFILE, HERE, "burst", key="burst:7", now=NOW) is None
    listing.acknowledge(conn, DISPATCHER, first, "已知", NOW)
    assert raise_alarm(conn, PROFILE, HERE, "burst", key="burst:7", now=NOW)
    (row,) = [row for row in rows(conn, "all") if row["id"] == first]
    assert row["data"] == {"tickets": 6} and row["note"] == "已知" and row["ticket"] is None


def test_what_lies_in_no_area_is_told_too(conn: Db) -> None:
    assert raise_alarm(conn, PROFILE, 0, "burst", key="b", now=NOW)
    assert [row["area"] for row in rows(conn)] == [None]


def test_the_second_is_told_who_was_quicker(pool: Pool) -> None:
    with scoped(pool, EVERYTHING) as conn:
        alarm = raise_alarm(conn, PROFILE, HERE, "burst", key="b", now=NOW)
        assert alarm
        listing.acknowledge(conn, replace(DISPATCHER, name="zhao"), alarm, None, NOW)
    with scoped(pool, of_town(1).scope) as conn:
        found = listing.acknowledge(conn, of_town(1, "dispatcher"), alarm, "also me", NOW + MINUTE)
    assert (found.acknowledged_by, found.acknowledged_at, found.note) == ("zhao", NOW, None)


def test_it_goes_up_until_somebody_acknowledges(clone: Stores, pool: Pool) -> None:
    with scoped(pool, EVERYTHING) as conn:
        filed(conn)
        (row,) = rows(conn)
    alarm, lock = row["id"], f"alarm:{row['id']}"
    assert jobs(clone, lock) == [NOW + 3 * MINUTE]
    with scoped(pool, EVERYTHING) as conn:
        assert escalate(conn, PROFILE, alarm, NOW + 2 * MINUTE) == 0  # too early: it waits on
        with pytest.raises(listing.UnknownAlarm):
            listing.acknowledge(conn, county("supervisor"), alarm, None, NOW)
        assert rows(conn, viewer=county("supervisor")) == []
        assert escalate(conn, PROFILE, alarm, NOW + 3 * MINUTE) == 1
        assert escalate(conn, PROFILE, alarm, NOW + 3 * MINUTE) == 1  # done twice it went up once
        assert rows(conn, viewer=county("supervisor"))[0]["level"] == 1
    assert jobs(clone, lock) == [NOW + 6 * MINUTE]
    with scoped(pool, EVERYTHING) as conn:
        assert escalate(conn, PROFILE, alarm, NOW + 7 * MINUTE) == 2
        (top,) = rows(conn)
        assert top["level"] == 2 and top["escalates_at"] is None
        assert listing.alarms(conn, DISPATCHER, "open", NOW)[1:] == (1, 1)
        listing.acknowledge(conn, county("supervisor"), alarm, None, datetime.now(UTC))
        assert escalate(conn, PROFILE, alarm, NOW + 9 * MINUTE) is None
    assert jobs(clone, lock) == [] or jobs(clone, lock) == [NOW + 6 * MINUTE]


def test_the_job_is_known_and_drops_with_the_acknowledgement(clone: Stores, pool: Pool) -> None:
    with scoped(pool, EVERYTHING) as conn:
        alarm = raise_alarm(conn, PROFILE, HERE, "burst", key="b", now=NOW - 11 * MINUTE)
        assert alarm
    known_jobs()
    JOBS["alarm_escalation"].do(Work(Settings(), PROFILE, clone, pool), alarm=alarm)
    with scoped(pool, EVERYTHING) as conn:
        assert rows(conn)[0]["level"] == 1 and rows(conn)[0]["sound"] == "urgent"
        listing.acknowledge(conn, DISPATCHER, alarm, None, datetime.now(UTC))
    assert jobs(clone, f"alarm:{alarm}") == []


def test_it_stays_within_its_area_and_follows_its_ticket(pool: Pool) -> None:
    with scoped(pool, EVERYTHING) as conn:
        ticket = filed(conn)
    with scoped(pool, of_town(2).scope) as conn:
        assert rows(conn, viewer=of_town(2, "dispatcher")) == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            raise_alarm(conn, PROFILE, HERE, "burst", key="b", now=NOW)
    with scoped(pool, EVERYTHING) as conn:
        lon, lat = centre(2, 1, 1)
        give(conn, PROFILE, ticket, "relocate", lon=lon, lat=lat)
    with scoped(pool, of_town(2).scope) as conn:
        assert len(rows(conn, viewer=of_town(2, "dispatcher"))) == 1


def test_who_neither_dispatches_nor_supervises_has_none(conn: Db) -> None:
    with pytest.raises(NotForThem):
        rows(conn, viewer=county("operator"))


def test_a_notice_that_can_never_count_is_refused() -> None:
    with pytest.raises(ValidationError, match="can never count"):
        Alarms(notices=[Notice(kinds=["near"]), Notice(kinds=["near"], severities=["urgent"])])
    for name in profiles.built_in():
        codes = {one.code for one in profiles.load(name).loop.severities}
        assert codes, name
