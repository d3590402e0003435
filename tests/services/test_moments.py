"""The moments of a ticket's clock: each is told once, at its time, however often and late its job runs."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import profiles
from geodata.queries import moments as queries
from geodata.queries.moments import Clocked
from geodata.scope import Db
from profiles import Profile
from services.jobs.ticket_moments import plan_unplanned, tell_due
from services.tickets import Report, file_ticket, moments, perform, read
from services.tickets.orders import ORDERS
from tests.small_place import centre, make_month_of
from tests.viewers import DISPATCHER

ZONE = ZoneInfo("Asia/Shanghai")
ZOUCHENG = profiles.load("zoucheng")
SHANGGAO = profiles.load("shanggao")
ARCHIVING = ZOUCHENG.model_copy(update={"loop": ZOUCHENG.loop.model_copy(update={"archive_after_days": 7})})
FAR = timedelta(days=60)
PARKING = "02002"  # five working days


def at(text: str) -> datetime:
    """A moment of 2026 in local time: "11-23 09:00"."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZONE)


def filed(conn: Db, now: datetime, profile: Profile = ZOUCHENG, category: str = PARKING) -> int:
    make_month_of(conn, now)
    lon, lat = centre(1, 1, 1)
    report = Report(channel="grid", category=category, title="事项", lon=lon, lat=lat)
    return file_ticket(conn, profile, DISPATCHER, report, now=now).ticket.id


def give(
    conn: Db, ticket: int, command: str, now: datetime, profile: Profile = ZOUCHENG, **body: Any
) -> None:
    order = ORDERS[command].model_validate({"version": read(conn, ticket).version, **body})
    perform(conn, profile, DISPATCHER, ticket, command, order, now=now)


def job_of(conn: Db, ticket: int) -> datetime | None:
    """When the ticket's job is due."""
    rows = conn.execute(
        "SELECT scheduled_at FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo'",
        (moments.lock_of(ticket),),
    ).fetchall()
    assert len(rows) <= 1
    return rows[0][0] if rows else None


def told(conn: Db, ticket: int) -> list[tuple[str, int, datetime]]:
    """The moments that its history holds."""
    rows = conn.execute(
        "SELECT data FROM ticket_event WHERE ticket_id = %s AND kind = 'tick' ORDER BY version", (ticket,)
    ).fetchall()
    return [
        (data["moment"], data.get("level", 0), datetime.fromisoformat(data["at"]).astimezone(ZONE))
        for (data,) in rows
    ]


def live(conn: Db, ticket: int, until: datetime, profile: Profile = ZOUCHENG) -> None:
    """Let the ticket's job run at its moments."""
    while (due := job_of(conn, ticket)) is not None and due <= until:
        tell_due(conn, profile, ticket, due)


def test_the_moments_of_a_ticket_that_nobody_touches(conn: Db) -> None:
    ticket = filed(conn, at("11-23 09:00"))
    give(conn, ticket, "dispatch", at("11-23 09:00"))
    assert job_of(conn, ticket) == at("11-23 11:00")
    live(conn, ticket, at("11-23 11:00") + FAR)
    assert told(conn, ticket) == [
        ("sign", 0, at("11-23 11:00")),  # two working hours
        ("warn", 0, at("11-27 17:30")),  # four fifths of five working days
        ("due", 0, at("11-30 17:30")),
        ("escalate", 1, at("11-30 17:30")),
        ("escalate", 2, at("12-01 17:30")),
        ("escalate", 3, at("12-03 17:30")),
    ]
    assert job_of(conn, ticket) is None
    assert read(conn, ticket).escalation == 3


def test_what_is_done_in_time_is_not_told(conn: Db) -> None:
    ticket = filed(conn, at("11-23 09:00"))
    give(conn, ticket, "dispatch", at("11-23 09:00"))
    give(conn, ticket, "sign", at("11-23 10:00"))
    assert job_of(conn, ticket) == at("11-27 17:30")
    give(conn, ticket, "handle", at("11-24 10:00"), result="已办")
    assert job_of(conn, ticket) == at("11-25 17:30")  # to be called back within a working day
    give(conn, ticket, "close", at("11-24 11:00"), satisfaction="satisfied")
    assert job_of(conn, ticket) is None
    live(conn, ticket, at("11-24 11:00") + FAR)
    assert told(conn, ticket) == []


def test_a_pause_ends_by_itself_and_moves_what_follows(conn: Db) -> None:
    ticket = filed(conn, at("11-23 09:00"))
    give(conn, ticket, "dispatch", at("11-23 09:00"))
    give(conn, ticket, "sign", at("11-23 10:00"))
    give(
        conn,
        ticket,
        "suspend",
        at("11-24 08:30"),
        reason="等待备件",
        until=at("11-25 08:30").isoformat(),
    )
    assert job_of(conn, ticket) == at("11-25 08:30")
    tell_due(conn, ZOUCHENG, ticket, at("11-25 08:30") + timedelta(minutes=3))  # the job comes late
    row = read(conn, ticket)
    assert row.status == "signed" and row.due_at == at("12-01 17:30")
    assert job_of(conn, ticket) == at("11-30 17:30")
    events = queries.happened(conn, [ticket])
    assert [(event.kind, event.at) for event in events] == [
        ("suspend", at("11-24 08:30")),
        ("resume", at("11-25 08:30")),
    ]
    live(conn, ticket, at("12-01 17:30"))
    assert told(conn, ticket) == [
        ("warn", 0, at("11-30 17:30")),
        ("due", 0, at("12-01 17:30")),
        ("escalate", 1, at("12-01 17:30")),
    ]


def test_a_worker_that_was_away_tells_what_still_matters(conn: Db) -> None:
    ticket = filed(conn, at("11-23 09:00"))
    give(conn, ticket, "dispatch", at("11-23 09:00"))
    tell_due(conn, ZOUCHENG, ticket, at("12-02 09:00"))
    assert told(conn, ticket) == [
        ("sign", 0, at("11-23 11:00")),
        ("due", 0, at("11-30 17:30")),
        ("escalate", 2, at("12-01 17:30")),
    ]
    assert job_of(conn, ticket) == at("12-03 17:30")


def test_too_many_redos_and_transfers_raise_it_at_once(conn: Db) -> None:
    for command in ("redo", "transfer"):
        ticket = filed(conn, at("11-23 09:00"))
        give(conn, ticket, "dispatch", at("11-23 09:00"))
        give(conn, ticket, "sign", at("11-23 09:30"))
        for number in range(4):
            now = at(f"11-23 10:0{number}")
            if command == "redo":
                give(conn, ticket, "handle", now, result="已办")
                give(conn, ticket, "redo", now, reason="未办好")
            else:
                give(conn, ticket, "transfer", now, reason="不属本单位", department="urban")
            assert (job_of(conn, ticket) == now) == (number == 3)
        live(conn, ticket, at("11-23 10:03"))
        assert told(conn, ticket) == [("escalate", 1, at("11-23 10:03"))]
        assert read(conn, ticket).escalation == 1
        live(conn, ticket, at("11-30 17:30"))
        assert told(conn, ticket)[-1] == ("escalate", 2, at("11-30 17:30"))  # one level more than late alone


def test_progress_and_taking_up_of_13710(conn: Db) -> None:
    ticket = filed(conn, at("11-23 09:00"), SHANGGAO)
    assert job_of(conn, ticket) == at("11-24 00:00")
    live(conn, ticket, at("11-24 00:00"), SHANGGAO)
    give(conn, ticket, "dispatch", at("11-24 09:00"), SHANGGAO)
    give(conn, ticket, "sign", at("11-24 09:30"), SHANGGAO)
    live(conn, ticket, at("11-28 00:00"), SHANGGAO)
    assert told(conn, ticket) == [
        ("take_up", 0, at("11-24 00:00")),
        ("progress", 0, at("11-28 00:00")),
    ]


def test_a_closed_ticket_is_archived_by_itself_where_the_place_says_so(conn: Db) -> None:
    for profile, days in ((ZOUCHENG, None), (ARCHIVING, 7)):
        ticket = filed(conn, at("11-23 09:00"), profile)
        for command, body in (("dispatch", {}), ("sign", {}), ("handle", {"result": "已办"}), ("close", {})):
            give(conn, ticket, command, at("11-23 10:00"), profile, **body)
        assert job_of(conn, ticket) == (at("11-30 10:00") if days else None)
        live(conn, ticket, at("11-30 10:00"), profile)
        assert read(conn, ticket).status == ("archived" if days else "closed")
        assert job_of(conn, ticket) is None


def test_a_whistle_that_nobody_answers(conn: Db) -> None:
    ticket = filed(conn, at("11-23 09:00"))
    parties = [{"kind": "department", "code": code} for code in ("urban", "police")]
    give(
        conn,
        ticket,
        "whistle",
        at("11-23 09:00"),
        reason="需要到场",
        tier=2,
        lead=parties[0],
        joint=parties[1:],
    )
    give(conn, ticket, "respond", at("11-23 09:10"))
    assert job_of(conn, ticket) == at("11-23 09:30")
    live(conn, ticket, at("11-23 09:30"))
    assert told(conn, ticket) == [("respond", 0, at("11-23 09:30"))]


def test_another_deadline_is_another_moment(conn: Db) -> None:
    ticket = filed(conn, at("11-23 09:00"))
    give(conn, ticket, "dispatch", at("11-23 09:00"))
    give(conn, ticket, "sign", at("11-23 10:00"))
    live(conn, ticket, at("11-30 17:30"))
    give(conn, ticket, "regrade", at("12-01 09:00"), category="02003")  # ten working days
    live(conn, ticket, at("12-07 17:30"))
    assert [moment for moment in told(conn, ticket) if moment[0] == "due"] == [
        ("due", 0, at("11-30 17:30")),
        ("due", 0, at("12-07 17:30")),
    ]


def test_a_job_runs_any_number_of_times_with_any_clock(conn: Db) -> None:
    chance = random.Random(7)
    for _ in range(6):
        ticket = filed(conn, at("11-23 09:00"))
        give(conn, ticket, "dispatch", at("11-23 09:00"))
        for _ in range(25):  # also backwards, and also when nothing is due
            now = at("11-23 09:00") + timedelta(minutes=chance.randrange(60 * 24 * 12))
            tell_due(conn, ZOUCHENG, ticket, now)
        live(conn, ticket, at("12-31 09:00"))
        found = told(conn, ticket)
        assert len(found) == len(set(found))
        assert [moment for moment in found if moment[0] == "due"] == [("due", 0, at("11-30 17:30"))]
        assert [moment for moment in found if moment[0] == "sign"] == [("sign", 0, at("11-23 11:00"))]
        levels = [level for kind, level, _ in found if kind == "escalate"]
        assert levels == sorted(levels) and levels[-1] == 3


def test_what_was_imported_gets_its_jobs_with_one_statement(conn: Db) -> None:
    tickets = [filed(conn, datetime.now(UTC)) for _ in range(3)]
    closed = filed(conn, datetime.now(UTC))
    give(conn, closed, "cancel", datetime.now(UTC), reason="误报")
    kept = job_of(conn, tickets[0])
    conn.execute("DELETE FROM procrastinate_jobs WHERE queueing_lock <> %s", (moments.lock_of(tickets[0]),))
    last = plan_unplanned(conn, ZOUCHENG, min(tickets) - 1)
    assert last == tickets[-1] and plan_unplanned(conn, ZOUCHENG, last) is None
    assert [job_of(conn, ticket) for ticket in tickets] == [kept and job_of(conn, t) for t in tickets]
    assert None not in [job_of(conn, ticket) for ticket in tickets] and job_of(conn, closed) is None


def test_a_deadline_that_came_with_the_ticket_warns_by_the_time_to_it(conn: Db) -> None:
    ticket = filed(conn, at("11-23 09:00"))
    conn.execute("UPDATE ticket SET due_at = %s WHERE id = %s", (at("11-23 19:00"), ticket))
    moments.plan(conn, ZOUCHENG, read(conn, ticket), at("11-23 09:00"))
    assert job_of(conn, ticket) == at("11-23 17:00")


def test_a_ticket_holds_all_that_its_clock_asks_for(conn: Db) -> None:
    ticket = read(conn, filed(conn, at("11-23 09:00")))
    held = queries.hold(conn, ticket.id)
    assert held == Clocked._make(getattr(ticket, field) for field in Clocked._fields)
