"""Handover of shifts: what it tells, notes, two signatures, who sees it, and the log."""

import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

import profiles
from geodata.queries.handover import Handover
from geodata.queries.tickets import Ticket
from geodata.scope import EVERYTHING, Db, Pool, Scope, enter, scoped
from services import tickets
from services.care.errors import NotForThem
from services.handover import log, notes, shift, signing
from services.handover.errors import BadHandover, NotSigned, UnknownHandover
from services.tickets import Report
from tests.small_place import centre, grid_no
from tests.ticket_steps import bring, give
from tests.viewers import DISPATCHER, county, of_town

PROFILE = profiles.load("zoucheng")
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
TAKER = replace(DISPATCHER, id=2, name="taker")
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def conn(conn: Db) -> Db:
    """A transaction that sees the whole place, and is rolled back."""
    enter(conn, EVERYTHING)
    return conn


def filed(conn: Db, status: str = "accepted", town: int = 1) -> Ticket:
    lon, lat = centre(town, 1, 1)
    report = Report.model_validate(
        {"channel": "12345", "category": "01001", "title": "垃圾未清运", "lon": lon, "lat": lat}
    )
    ticket = tickets.file_ticket(conn, PROFILE, TAKER, report, now=NOW - 2 * HOUR).ticket
    return bring(conn, PROFILE, ticket, status)


def given(conn: Db, words: str | None = "夜里注意排水") -> Handover:
    return signing.give(conn, PROFILE, DISPATCHER, words, NOW - HOUR, NOW)


def test_a_shift_begins_with_what_was_taken_over_or_the_first_command(conn: Db) -> None:
    assert shift.shift_of(conn, PROFILE, DISPATCHER, NOW) == (NOW - 8 * HOUR, "usual")
    ticket = give(conn, PROFILE, filed(conn), "dispatch", now=NOW - HOUR)
    assert shift.shift_of(conn, PROFILE, DISPATCHER, NOW) == (NOW - HOUR, "first_command")
    give(conn, PROFILE, ticket, "sign", now=NOW)
    made = given(conn)
    signing.take(conn, TAKER, made.id, made.digest.hex(), None, NOW)
    assert shift.shift_of(conn, PROFILE, TAKER, NOW + HOUR) == (NOW, "taken_over")
    assert shift.shift_of(conn, PROFILE, TAKER, NOW + 17 * HOUR).why == "usual"


def test_what_stands_open_is_promised_or_watched_is_told(conn: Db) -> None:
    undecided, unsigned, mine = filed(conn), filed(conn, "dispatched"), filed(conn, "in_progress")
    paused = give(conn, PROFILE, filed(conn, "signed"), "suspend")
    watched = give(conn, PROFILE, filed(conn, "in_progress"), "supervise")
    ended = filed(conn, "rejected")
    conn.execute(
        "INSERT INTO call_back (ticket_id, area_no, at, outcome, again_at, actor) VALUES (%s, %s, %s, 'busy', %s, %s)",
        (mine.id, mine.area.no, NOW, NOW + HOUR, DISPATCHER.name),
    )
    note = notes.write(conn, DISPATCHER, "promised", "下午三点前答复 13812345678", mine.id, NOW + HOUR, NOW)
    assert note.words == "下午三点前答复 138****5678"
    told = shift.state(conn, PROFILE, DISPATCHER, NOW - HOUR, NOW)
    why = {row["id"]: row["why"] for row in told["open"]}
    assert why == {
        undecided.id: "undecided", unsigned.id: "unsigned", mine.id: "mine", paused.id: "mine", watched.id: "mine",
    }  # fmt: skip
    assert ended.id not in why and told["open"][0]["title"] == "垃圾未清运"
    promised = [(row.get("why") or row["kind"], row["ticket"]["id"] if "ticket" in row else row["id"])
                for row in told["promised"]]  # fmt: skip
    assert promised == [("promised", mine.id), ("call_back", mine.id), ("suspended", paused.id)]
    assert [row["id"] for row in told["watched"]] == [watched.id]
    figures = told["figures"]
    assert (figures["handed_out"], figures["signed"], figures["ended"], figures["closed"]) == (4, 3, 1, 0)
    assert (figures["decide"], figures["open"]) == (1, 5)


def test_a_promise_stays_until_somebody_keeps_it(conn: Db) -> None:
    promise = notes.write(conn, DISPATCHER, "promised", "回电", None, None, NOW - 9 * HOUR)
    notes.write(conn, DISPATCHER, "note", "旧事", None, None, NOW - 9 * HOUR)
    later = shift.state(conn, PROFILE, TAKER, NOW - HOUR, NOW)
    assert [row["id"] for row in later["promised"]] == [promise.id] and later["notes"] == []
    done = notes.finish(conn, TAKER, promise.id, NOW)
    assert done.done_at == NOW and done.done_name == "taker"
    assert notes.finish(conn, DISPATCHER, promise.id, NOW + HOUR).done_name == "taker"
    assert shift.state(conn, PROFILE, TAKER, NOW - HOUR, NOW)["promised"] == []
    with pytest.raises(UnknownHandover):
        notes.finish(conn, TAKER, 99, NOW)
    with pytest.raises(UnknownHandover):
        notes.write(conn, TAKER, "note", "w", 99, None, NOW)


def test_both_sign_what_stood_open(conn: Db) -> None:
    ticket = filed(conn, "dispatched")
    made = given(conn)
    assert made.state == "given" and [row["id"] for row in made.snapshot["open"]] == [ticket.id]
    with pytest.raises(NotSigned, match="You gave"):
        signing.take(conn, DISPATCHER, made.id, made.digest.hex(), None, NOW)
    with pytest.raises(NotSigned, match="not what you were shown"):
        signing.take(conn, TAKER, made.id, "0" * 64, None, NOW)
    taken = signing.take(conn, TAKER, made.id, made.digest.hex(), "已知悉", NOW + HOUR)
    told = signing.told(DISPATCHER, taken)
    assert (told["state"], told["given_by"], told["taken_by"], told["mine"]) == (
        "taken",
        "dispatcher",
        "taker",
        True,
    )
    assert told["intact"] and told["snapshot"] == made.snapshot and told["taken_words"] == "已知悉"
    with pytest.raises(NotSigned) as late:
        signing.take(conn, replace(TAKER, name="third"), made.id, made.digest.hex(), None, NOW)
    assert late.value.details[0]["by"] == "taker"
    with pytest.raises(NotSigned):
        signing.withdraw(conn, DISPATCHER, made.id)


def test_what_was_signed_cannot_be_changed(conn: Db) -> None:
    made = given(conn)
    for change in ("snapshot = '{}'", "given_by = 'x'"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
            conn.execute(f"UPDATE handover SET {change}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
        conn.execute("DELETE FROM handover")
    signing.take(conn, TAKER, made.id, made.digest.hex(), None, NOW)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
        conn.execute("UPDATE handover SET state = 'given', taken_by = NULL, taken_at = NULL")
    assert not signing.is_intact(made._replace(snapshot={}))


def test_one_waits_at_a_time_and_can_be_withdrawn(conn: Db) -> None:
    made = given(conn)
    with pytest.raises(NotSigned, match="earlier handover"):
        given(conn)
    with pytest.raises(NotSigned, match="Only who gave"):
        signing.withdraw(conn, TAKER, made.id)
    signing.withdraw(conn, DISPATCHER, made.id)
    assert given(conn).id != made.id
    assert {one.state for one in signing.latest(conn, TAKER, 10)} == {"withdrawn", "given"}
    with pytest.raises(BadHandover):
        signing.give(conn, PROFILE, TAKER, None, NOW, NOW)


def test_it_is_read_by_who_sees_all_of_its_areas(pool: Pool) -> None:
    """Somebody who sees one of two parts sees neither the handover of both nor a note about both."""
    first, second = ((grid_no(town, 1, 0), grid_no(town, 1, 999)) for town in (1, 2))
    both = replace(DISPATCHER, scope=Scope.of([first, second]))
    one = replace(TAKER, scope=Scope.of([first]))
    with scoped(pool, both.scope) as conn:
        made = signing.give(conn, PROFILE, both, None, NOW - HOUR, NOW)
        notes.write(conn, both, "watched", "两处", None, None, NOW)
        assert signing.read(conn, both, made.id)
    for scope in (one.scope, of_town(1).scope):
        with scoped(pool, scope) as conn:
            with pytest.raises(UnknownHandover):
                signing.read(conn, one, made.id)
            assert shift.state(conn, PROFILE, one, NOW - HOUR, NOW)["notes"] == []
    with scoped(pool, EVERYTHING) as conn:
        assert signing.read(conn, DISPATCHER, made.id).state == "given"


def test_another_system_hands_nothing_over(conn: Db) -> None:
    client = replace(county("client"), kind="client")
    made = given(conn)
    for refused in (
        lambda: shift.state(conn, PROFILE, client, NOW - HOUR, NOW),
        lambda: signing.read(conn, client, made.id),
        lambda: signing.take(conn, client, made.id, made.digest.hex(), None, NOW),
        lambda: notes.write(conn, client, "note", "w", None, None, NOW),
    ):
        with pytest.raises(NotForThem):
            refused()


def test_the_log_holds_commands_notes_and_signatures(conn: Db) -> None:
    ticket = give(
        conn, PROFILE, filed(conn), "dispatch", now=NOW - HOUR, worker=f"W{grid_no(1, 1, 1)}", note="=1+1"
    )
    give(conn, PROFILE, ticket, "sign", viewer=TAKER, now=NOW - HOUR / 2)
    notes.write(conn, DISPATCHER, "watched", "盯住排水", ticket.id, None, NOW - HOUR / 3)
    given(conn)

    def book(whose: log.Whose) -> str:
        found = log.export(
            conn, DISPATCHER, NOW - 2 * HOUR, NOW + HOUR, whose, zone=ZONE, now=NOW,
            say=lambda vocabulary, code: f"{vocabulary}:{code}" if code else "",
        )  # fmt: skip
        with zipfile.ZipFile(io.BytesIO(found)) as pages:
            return pages.read("xl/sharedStrings.xml").decode()

    own, all_of_it = book("mine"), book("desk")
    for told in ("command:dispatch", "note:watched", "盯住排水", "handover:given", "W1001001001", "'=1+1"):
        assert told in own
    assert "command:sign" not in own and "command:sign" in all_of_it
    audited = conn.execute(
        "SELECT count(*) FROM outbox WHERE kind = 'desk' AND body->>'desk' = 'handover'"
    ).fetchone()
    assert audited == (2,)
    with pytest.raises(BadHandover):
        log.export(conn, DISPATCHER, NOW - 200 * HOUR, NOW, "mine", say=lambda a, b: "", zone=ZONE, now=NOW)
