"""The desks: who is called back and when, what is supervised and why, consultations, ledgers."""

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

import profiles
from geodata.queries import desks as queries
from geodata.queries import supervision as watch_queries
from geodata.queries.tickets import Ticket
from geodata.scope import Db, Pool, scoped
from geodata.servers import Stores
from profiles.desks import CallBacks, Sample
from services import audit, tickets
from services.access import Viewer
from services.care.errors import BadCare, NotForThem
from services.desks import BadDesk, StaleDesk, UnknownDesk, call_backs, consultations, ledgers, supervision
from services.desks.supervision import Filters
from services.tickets import Report
from tests.small_place import centre
from tests.ticket_steps import bring, give
from tests.viewers import DISPATCHER, of_town

ZOUCHENG = profiles.load("zoucheng")
PROFILE = ZOUCHENG.model_copy(  # without what its own loop asks of a command
    update={"loop": ZOUCHENG.loop.model_copy(update={"verify": False, "needs": {}})}
)
NOW = datetime.now(UTC).replace(microsecond=0)


def with_rate(rate: float, **more: Any) -> profiles.Profile:
    """Zoucheng, where that share is called back."""
    desks = PROFILE.desks.model_copy(update={"call_back": CallBacks(rate=rate, **more)})
    return PROFILE.model_copy(update={"desks": desks})


ALL, NONE = with_rate(1), with_rate(0)


@pytest.fixture
def conn(pool: Pool) -> Iterator[Db]:
    """A transaction that sees the whole place."""
    with scoped(pool, DISPATCHER.scope) as opened:
        yield opened


def filed(conn: Db, status: str = "accepted", town: int = 1, category: str = "01001") -> Ticket:
    """A ticket of the hotline in that state."""
    lon, lat = centre(town, 1, 1)
    report = Report.model_validate(
        {"channel": "12345", "category": category, "title": "垃圾未清运", "lon": lon, "lat": lat}
    )
    ticket = tickets.file_ticket(conn, PROFILE, DISPATCHER, report).ticket
    return bring(conn, PROFILE, ticket, status)


def waiting(conn: Db, profile: profiles.Profile, now: datetime = NOW) -> dict[int, tuple[str, str]]:
    """Ticket → (reason, state) of what is on the desk."""
    found = call_backs.desk(conn, profile, now).calls
    return {call.ticket.id: (call.ticket.reason, call.state) for call in found}


def test_the_sample_follows_from_the_number_alone(conn: Db) -> None:
    ids = [1, 2, 7, 12345, 2**62]
    rows = conn.execute("SELECT call_back_draw(n) FROM unnest(%s::bigint[]) n", (ids,)).fetchall()
    assert [row[0] for row in rows] == [call_backs.draw(n) for n in ids]
    draws = sorted(call_backs.draw(n) for n in range(2000))
    assert all(abs(value - at / 2000) < 0.04 for at, value in enumerate(draws))  # evenly spread
    rules = CallBacks(
        rate=0.1,
        samples=[Sample(channel="12345", rate=0.5), Sample(category="01", rate=0.2),
                 Sample(channel="12345", category="01001", rate=1)],
    )  # fmt: skip
    told = [
        rules.rate_of(*pair)
        for pair in (("12345", "01001"), ("12345", "01002"), ("grid", "01002"), ("grid", "02"))
    ]
    assert told == [1, 0.5, 0.2, 0.1]


def test_who_is_handled_is_called_within_the_limit(conn: Db) -> None:
    handled, closed = filed(conn, "handled"), filed(conn, "closed")
    for status in ("accepted", "in_progress", "cancelled", "archived"):
        filed(conn, status)
    assert waiting(conn, ALL) == {handled.id: ("sample", "now"), closed.id: ("sample", "now")}
    assert waiting(conn, NONE) == {}
    later = NOW + timedelta(days=5)
    assert waiting(conn, ALL, later)[handled.id] == ("sample", "late")  # one working day
    call = call_backs.one_call(conn, ALL, handled.id, NOW)
    assert call is not None and call.due is not None and call.due > NOW
    assert waiting(conn, ALL, NOW + timedelta(days=9)) == {}  # too long ago
    half = with_rate(call_backs.draw(handled.id) + 1e-9)
    assert handled.id in waiting(conn, half)
    assert handled.id not in waiting(conn, with_rate(call_backs.draw(handled.id)))


def test_supervised_and_unsatisfied_ones_are_always_called(conn: Db) -> None:
    ticket = give(conn, PROFILE, filed(conn, "in_progress"), "supervise")
    ticket = give(conn, PROFILE, ticket, "handle")
    assert waiting(conn, NONE) == {ticket.id: ("supervised", "now")}
    ticket = give(
        conn, PROFILE, ticket, "call_back", satisfaction="unsatisfied", solved="unsolved", comment="还在漏"
    )
    assert waiting(conn, ALL) == {}  # answered
    ticket = give(conn, PROFILE, ticket, "redo")
    ticket = give(conn, PROFILE, ticket, "handle")
    assert waiting(conn, NONE, datetime.now(UTC))[ticket.id][0] == "unsatisfied"
    (row,) = queries.attempts(conn, ticket.id)
    assert (row.outcome, row.satisfaction, row.solved, row.comment, row.actor) == (
        "answered", "unsatisfied", "unsolved", "还在漏", DISPATCHER.name,
    )  # fmt: skip


def test_a_call_in_vain_is_tried_again_and_then_given_up(conn: Db) -> None:
    ticket = filed(conn, "handled")
    profile = with_rate(1, most_attempts=2)
    at = datetime.now(UTC)
    again = call_backs.in_vain(conn, profile, DISPATCHER, ticket.id, "no_answer", now=at)
    assert again is not None and again > at
    assert waiting(conn, profile, at)[ticket.id] == ("sample", "later")
    assert waiting(conn, profile, again + timedelta(seconds=1))[ticket.id][1] in ("now", "late")
    with pytest.raises(BadDesk):
        call_backs.in_vain(
            conn, profile, DISPATCHER, ticket.id, "busy", again_at=at - timedelta(days=1), now=at
        )
    assert call_backs.in_vain(conn, profile, DISPATCHER, ticket.id, "busy", now=again) is None
    assert waiting(conn, profile, again)[ticket.id] == ("sample", "given_up")
    other = filed(conn, "handled")
    assert call_backs.in_vain(conn, ALL, DISPATCHER, other.id, "wrong_number") is None
    with pytest.raises(UnknownDesk):
        call_backs.in_vain(conn, ALL, DISPATCHER, filed(conn).id, "busy")
    figures = queries.figures(conn, NOW - timedelta(hours=1))
    assert (figures.calls, figures.answered, figures.tickets) == (3, 0, 2)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
        conn.execute("UPDATE call_back SET outcome = 'busy'")


def test_numbers_of_people_do_not_come_into_the_history(conn: Db) -> None:
    ticket = give(
        conn,
        PROFILE,
        filed(conn, "handled"),
        "call_back",
        comment="请回电13912345678",
        note="张某 13912345678",
    )
    (row,) = queries.attempts(conn, ticket.id)
    assert row.comment == "请回电139****5678"
    kept = conn.execute("SELECT note, data::text FROM ticket_event WHERE kind = 'call_back'").fetchone()
    assert kept is not None and "13912345678" not in "".join(kept)


def test_figures_are_counted_from_the_rows(conn: Db) -> None:
    for satisfaction, solved in (
        ("satisfied", "solved"), ("fairly", "partly"), ("unsatisfied", "unsolved"), ("unrated", None),
    ):  # fmt: skip
        give(conn, PROFILE, filed(conn, "handled"), "call_back", satisfaction=satisfaction, solved=solved)
    found = queries.figures(conn, NOW - timedelta(hours=1))
    assert found == queries.CallFigures(4, 4, 3, 2, 3, 1, 1, 4)


def test_the_board_says_why_and_sorts_by_it(conn: Db) -> None:
    unsatisfied = give(conn, PROFILE, filed(conn, "closed"), "call_back", satisfaction="unsatisfied")
    assert unsatisfied.status == "reopened" and unsatisfied.supervised_at
    watched = give(conn, PROFILE, filed(conn, "in_progress", town=2), "supervise", supervision="complex")
    late, passed_on, redone = filed(conn, "signed"), filed(conn, "signed"), filed(conn, "handled")
    for _ in range(4):
        passed_on = give(conn, PROFILE, passed_on, "transfer")
        redone = give(conn, PROFILE, give(conn, PROFILE, redone, "redo"), "handle")
    redone = give(conn, PROFILE, redone, "redo")
    filed(conn)  # nothing is the matter with it
    soon = NOW + timedelta(minutes=1)

    def reasons(**filters: Any) -> dict[int, str]:
        found = supervision.board(conn, PROFILE, Filters(**filters), soon)
        return {case.ticket.id: case.reason for case in found.cases}

    assert reasons() == {
        unsatisfied.id: "unsatisfied", redone.id: "redone", passed_on.id: "passed_on", watched.id: "watched",
    }  # fmt: skip
    assert list(reasons()) == [unsatisfied.id, redone.id, passed_on.id, watched.id]
    assert late.due_at is not None
    after = supervision.board(conn, PROFILE, now=late.due_at + timedelta(minutes=1))
    found = {case.ticket.id: (case.reason, case.is_late) for case in after.cases}
    assert found[late.id] == ("late", True)
    assert reasons(supervision="complex") == {watched.id: "watched"}
    assert reasons(town="370883002") == {watched.id: "watched"}
    assert set(reasons(town="370883001")) == {unsatisfied.id, redone.id, passed_on.id}
    board = supervision.board(conn, PROFILE, Filters(town="370883002"), soon)
    assert board.total == 4 and board.facets["town"] == {"370883001": 3, "370883002": 1}
    assert board.facets["supervision"] == {"complex": 1} and board.facets["age"] == {"day": 1}
    assert (board.supervised, board.late) == (2, 0)
    assert watch_queries.figures(conn, NOW - timedelta(hours=1)) == watch_queries.WatchFigures(2, 0)


def test_urging_is_kept(conn: Db) -> None:
    supervisor = Viewer("account", 1, "sup", "supervisor", DISPATCHER.scope)
    ticket = give(conn, PROFILE, filed(conn, "signed"), "urge", viewer=supervisor, note="今日内答复")
    assert ticket.version == 4
    assert watch_queries.urges(conn, [ticket.id])[ticket.id][0] == 1
    newest = watch_queries.history(conn, ticket.id, 9)[0]
    assert (newest.kind, newest.note, newest.actor) == ("urge", "今日内答复", "sup")
    with pytest.raises(tickets.BadReport):
        give(conn, PROFILE, ticket, "urge", party="nobody")
    with pytest.raises(tickets.NotYours):
        give(conn, PROFILE, ticket, "urge", viewer=Viewer("account", 2, "w", "grid_worker", DISPATCHER.scope))


def test_a_consultation_follows_the_tickets_commands(conn: Db) -> None:
    ticket = give(conn, PROFILE, filed(conn), "consult", question="归谁管", participants=["urban"])
    (asked,) = queries.consultations(conn, ticket_id=ticket.id)
    assert (asked.question, asked.participants, asked.decision) == ("归谁管", ["urban"], None)
    meets = NOW + timedelta(hours=3)
    after = consultations.change(
        conn, asked.id, asked.version, people=["张局长", " "], meets_at=meets, minutes="联系13912345678核实"
    )
    assert (after.people, after.meets_at, after.version) == (["张局长"], meets, 2)
    assert after.minutes is not None and "13912345678" not in after.minutes
    with pytest.raises(StaleDesk):
        consultations.change(conn, asked.id, 1, people=[], meets_at=None, minutes=None)
    with pytest.raises(UnknownDesk):
        consultations.change(conn, 10**9, 1, people=[], meets_at=None, minutes=None)
    give(conn, PROFILE, ticket, "conclude", decision="由城管办理")
    (decided,) = queries.consultations(conn, ticket_id=ticket.id)
    assert decided.decision == "由城管办理" and decided.decided_at and decided.decided_by == DISPATCHER.name


def test_a_ledger_is_watermarked_audited_and_holds_no_formula(pool: Pool, clone: Stores) -> None:
    with scoped(pool, DISPATCHER.scope) as conn:
        give(conn, PROFILE, filed(conn, "handled"), "call_back", satisfaction="satisfied", comment="=1+1")
        other = filed(conn, "handled", town=2)
        give(conn, PROFILE, other, "call_back", satisfaction="fairly", comment="另一镇")
    usual = {
        "ledger": "call_backs", "since": NOW - timedelta(days=1), "until": NOW + timedelta(days=1),
        "reason": "月度例会使用",
    }  # fmt: skip

    def say(vocabulary: str, code: str | None) -> str:
        return "{account} {time} {reason} {number} {rows}" if vocabulary == "watermark" else code or ""

    def book(viewer: Viewer = DISPATCHER, **more: Any) -> str:
        with scoped(pool, viewer.scope) as conn:
            made = ledgers.export(
                conn,
                viewer,
                ledgers.Asked(**(usual | more)),
                say=say,
                zone=ZoneInfo("Asia/Shanghai"),
                now=NOW,
            )
        with zipfile.ZipFile(io.BytesIO(made)) as parts:
            return (
                parts.read("xl/sharedStrings.xml").decode() + parts.read("xl/worksheets/sheet1.xml").decode()
            )

    told = book()
    assert (
        "'=1+1" in told
        and "<f>" not in told
        and "dispatcher" in told
        and "月度例会使用" in told
        and "另一镇" in told
    )
    assert "另一镇" not in book(of_town(1, "supervisor"))
    for name in ("supervision", "consultations"):
        assert "dispatcher" in book(ledger=name)
    with pytest.raises(BadCare):
        book(reason="x")
    with pytest.raises(BadDesk):
        book(until=usual["since"])
    with pytest.raises(NotForThem):
        book(Viewer("client", 1, "c", "client", DISPATCHER.scope))
    with psycopg.connect(clone.database_url) as owner:
        rows = owner.execute(
            "SELECT action, reason, detail->>'ledger' FROM audit WHERE object_kind = 'ledger' ORDER BY id"
        ).fetchall()
    assert rows[0] == (str(audit.Action.export), "月度例会使用", "call_backs") and len(rows) == 4


def test_a_town_sees_its_own_desk(pool: Pool) -> None:
    with scoped(pool, DISPATCHER.scope) as conn:
        own, other = filed(conn, "handled"), filed(conn, "handled", town=2)
        watched = give(conn, PROFILE, filed(conn, "signed", town=2), "supervise")
    with scoped(pool, of_town(1).scope) as conn:
        assert set(waiting(conn, ALL)) == {own.id}
        assert supervision.board(conn, PROFILE).total == 0 and watched.id
        with pytest.raises(UnknownDesk):
            call_backs.in_vain(conn, ALL, of_town(1), other.id, "busy")
