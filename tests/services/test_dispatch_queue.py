"""The dispatch queue: tabs, the order with its reasons, filters with their counts, and what a row tells."""

import itertools
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import profiles
from geodata.clock.worktime import worktime_of
from geodata.queries.dispatch_queue import Asker, Narrowed, Tab, Waiting, mine
from geodata.queries.queue_columns import columns
from geodata.queries.tickets import Ticket
from geodata.scope import EVERYTHING, Db, enter
from services import tickets
from services.access import Viewer
from services.dispatch import claims
from services.dispatch.order import REASONS, STAGES, Place, ordered, reasons
from services.dispatch.queue import Asked, Queue, queue, spots, told
from services.dispatch.sharing import Lately, Shared
from services.ticket_list.asked import BadFilter, WordsHidden
from services.tickets import Report
from tests import queue_by_rows
from tests.small_place import STEP, centre, grid_no, make_month_of
from tests.ticket_steps import bring, give
from tests.viewers import DISPATCHER, county, of_town

PROFILE = profiles.load("zoucheng")
NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)  # a Friday, 10:00 in Zoucheng
MINUTE = timedelta(minutes=1)
WORKTIME = worktime_of(PROFILE, ())


@pytest.fixture
def conn(conn: Db) -> Db:
    """A transaction that sees the whole place, and is rolled back."""
    make_month_of(conn, NOW)
    enter(conn, EVERYTHING)
    return conn


def filed(conn: Db, minutes: float = 0, town: int = 1, grid: int = 1, **more: Any) -> Ticket:
    """A ticket that was reported so many minutes before NOW."""
    lon, lat = centre(town, 1, grid)
    report = {"channel": "12345", "category": "01001", "title": "垃圾未清运", "lon": lon, "lat": lat} | more
    now = NOW - minutes * MINUTE
    return tickets.file_ticket(conn, PROFILE, DISPATCHER, Report.model_validate(report), now=now).ticket


def asked(conn: Db, viewer: Viewer = DISPATCHER, now: datetime = NOW, **what: Any) -> Queue:
    return queue(conn, PROFILE, viewer, Asked(**what), now)


def places(waiting: list[Waiting], now: datetime = NOW) -> list[Place]:
    return ordered(PROFILE, WORKTIME, queue_by_rows.columns_of(waiting), now).places()


def ids(found: Queue) -> list[int]:
    return [place.ticket.id for place in found.places]


WAITING = Waiting(
    1, 1, "accepted", "12345", "01001", None, None, None, NOW - 5 * MINUTE, None, NOW + timedelta(days=1), None, None,
    None, 0, None, 0,
)  # fmt: skip
HANDED = WAITING._replace(
    status="dispatched",
    dispatched_at=NOW - 90 * MINUTE,
    handed_at=NOW - 90 * MINUTE,
    sign_due=NOW + 30 * MINUTE,
)
IN_HAND = HANDED._replace(status="in_progress", sign_due=None, due_at=NOW + 60 * MINUTE)

# What a ticket is → its step, whether it is to be decided now, its first reason, and minutes until it presses.
SITUATIONS: list[tuple[str, Waiting, str, bool, str, float | None]] = [
    ("new", WAITING, "decide", True, "due", 5),
    ("new and nearly over", WAITING._replace(reported_at=NOW - 8 * MINUTE), "decide", True, "decide_soon", 2),
    ("not decided in time", WAITING._replace(reported_at=NOW - 12 * MINUTE), "decide", True, "decide_late", -2),
    ("complex", WAITING._replace(severity="complex"), "decide", True, "severe", -25),
    ("urgent", WAITING._replace(severity="urgent"), "decide", True, "severe", -55),
    ("urgent and late", WAITING._replace(severity="urgent", reported_at=NOW - 12 * MINUTE), "decide", True,
     "decide_late", -62),
    ("sent back once", WAITING._replace(status="returned", handed_at=NOW - MINUTE, refused=1), "decide", True,
     "refused", -6),
    ("sent back thrice", WAITING._replace(status="returned", handed_at=NOW - MINUTE, refused=3), "decide", True,
     "refused", -36),
    ("escalated", WAITING._replace(escalation=1), "decide", True, "escalated", -25),
    ("handed out", HANDED, "sign", False, "due", 30),
    ("not signed in time", HANDED._replace(sign_due=NOW - 3 * MINUTE), "sign", True, "sign_late", -3),
    # 2 working hours from 08:30 (the day begins then, with the ticket handed out at 07:00) to 10:30
    ("limit of signing from the clock", HANDED._replace(sign_due=None, handed_at=NOW - 180 * MINUTE), "sign", False,
     "due", 30),
    ("whistled, nobody came", IN_HAND._replace(respond_due=NOW - MINUTE), "respond", True, "respond_late", -1),
    ("in hand", IN_HAND, "handle", False, "due", 60),
    ("in hand, nearly due", IN_HAND._replace(due_at=NOW + 10 * MINUTE), "handle", False, "handle_soon", 10),
    ("in hand, overdue", IN_HAND._replace(due_at=NOW - MINUTE), "handle", False, "handle_late", -1),
    ("in hand, without a deadline", IN_HAND._replace(due_at=None), "handle", False, "waiting", None),
    ("paused", IN_HAND._replace(status="suspended", suspended_until=NOW + 60 * MINUTE), "pause", False, "paused", 60),
    ("decided together", IN_HAND._replace(status="consulted"), "consult", False, "consulted", 60),
    ("to be verified", IN_HAND._replace(status="handled"), "check", False, "check", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ticket", "stage", "decide", "reason", "minutes"),
    [row[1:] for row in SITUATIONS], ids=[row[0] for row in SITUATIONS],
)  # fmt: skip
def test_a_ticket_has_a_step_a_moment_and_a_reason(
    ticket: Waiting, stage: str, decide: bool, reason: str, minutes: float | None
) -> None:
    (place,) = places([ticket])
    assert (place.stage, place.decide, reasons(PROFILE, place, NOW)[0].key) == (stage, decide, reason)
    if minutes is None:
        assert place.due is None
    else:
        assert place.presses_at == NOW + minutes * MINUTE
    assert {one.key for one in reasons(PROFILE, place, NOW)} <= set(REASONS) and place.stage in STAGES


def test_the_order_is_what_presses_most() -> None:
    """Decisions first; among them severity, refusals and escalation move forward what is otherwise due later."""
    named = [row[1]._replace(id=number) for number, row in enumerate(SITUATIONS)]
    order = [SITUATIONS[place.ticket.id][0] for place in places(named)]
    assert order == [
        "urgent and late", "urgent", "sent back thrice", "complex", "escalated", "sent back once", "not signed in time",
        "not decided in time", "whistled, nobody came", "new and nearly over", "new",
        "in hand, overdue", "in hand, nearly due", "handed out", "limit of signing from the clock", "in hand", "paused",
        "decided together", "in hand, without a deadline", "to be verified",
    ]  # fmt: skip


def at_random(chance: random.Random, number: int) -> Waiting:
    """An open ticket as it may come, also as it hardly ever does."""

    def near(share: float = 0.7) -> datetime | None:
        if chance.random() > share:
            return None
        # whole minutes, so that some press at the same moment
        return NOW + chance.choice([1, 60]) * MINUTE * chance.randint(-90, 90)

    return Waiting(
        number, chance.randint(1, 9),
        chance.choice(["reported", "accepted", "returned", "reopened", "dispatched", "transferred", "signed",
                       "in_progress", "suspended", "consulted", "handled", "verified"]),
        chance.choice([one.code for one in PROFILE.channels]),
        chance.choice([kind.code for group in PROFILE.categories for kind in group.kinds]),
        chance.choice([None, None, "unheard", *(one.code for one in PROFILE.loop.severities)]),
        chance.choice([None, "consultation", "complaint"]), chance.choice([None, "370883001"]),
        NOW - timedelta(microseconds=chance.choice([0, 1, 10**9, chance.randint(0, 10**12)])), near(), near(),
        near(0.5), near(0.2), near(), chance.choice([0, 0, 1, 3]), near(0.3), chance.choice([0, 0, 0, 1, 2]),
        *((117.1, 35.3) if chance.random() < 0.9 else (None, None)),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_by_columns_the_order_is_that_of_the_rule_row_by_row(seed: int) -> None:
    chance = random.Random(seed)
    numbers = chance.sample(range(1, 10**6), chance.choice([0, 1, 300]))
    waiting = [at_random(chance, number) for number in numbers]
    now = NOW + timedelta(microseconds=chance.randint(-(10**10), 10**10))
    found = places(waiting, now)
    assert found == queue_by_rows.places(PROFILE, WORKTIME, waiting, now)
    middle = ordered(PROFILE, WORKTIME, queue_by_rows.columns_of(waiting), now).places(7, 19)
    assert middle == found[7:19]


@pytest.mark.parametrize("tab", ["decide", "unsigned", "mine", "all"])
def test_columns_hold_what_the_rows_hold(conn: Db, tab: Tab) -> None:
    """Of new, handed out, refused and come back tickets, some without a place or graded."""
    filed(conn, 20, severity="urgent")
    filed(conn, 5, town=2, lon=None, lat=None)
    for status in ("accepted", "returned", "dispatched", "signed", "suspended", "consulted", "handled"):
        bring(conn, PROFILE, filed(conn, 1), status)
    again = give(conn, PROFILE, bring(conn, PROFILE, filed(conn), "returned"), "dispatch")
    give(conn, PROFILE, again, "send_back")
    asker, now = Asker(DISPATCHER.kind, DISPATCHER.name), datetime.now(UTC)
    for narrowed in (Narrowed(), Narrowed(terms=("没有这样的词",))):
        rows = queue_by_rows.waiting(conn, tab, asker, narrowed, now)
        found = columns(conn, tab, asker, narrowed, now)
        assert sorted(found.ticket(at) for at in range(len(found.id))) == sorted(rows)
        assert narrowed.terms or rows
        by_columns = ordered(PROFILE, WORKTIME, found, now).places()
        assert by_columns == queue_by_rows.places(PROFILE, WORKTIME, rows, now)


def test_an_unsigned_ticket_rises_once_its_limit_is_over(conn: Db) -> None:
    ticket = bring(conn, PROFILE, filed(conn, 30), "accepted")
    given = give(conn, PROFILE, ticket, "dispatch", now=NOW, worker=f"W{grid_no(1, 1, 1)}")
    fresh = filed(conn, 1)
    early, late = asked(conn), asked(conn, now=NOW + timedelta(hours=6))
    assert ids(early) == [fresh.id] and early.counts.unsigned == 1
    assert ids(asked(conn, tab="unsigned")) == [given.id] == ids(asked(conn, tab="mine", limit=1))
    assert set(ids(late)) == {given.id, fresh.id} and late.counts.decide == 2
    row = next(
        told(PROFILE, DISPATCHER, late, place, NOW + timedelta(hours=6))
        for place in late.places
        if place.ticket.id == given.id
    )
    assert row and row["reason"]["key"] == "sign_late" and row["worker"] == f"W{grid_no(1, 1, 1)}"
    assert row["needs_decision"] and row["unsigned_s"] == 6 * 3600


def test_what_was_refused_says_how_often(conn: Db) -> None:
    ticket = bring(conn, PROFILE, filed(conn), "returned")
    again = give(conn, PROFILE, ticket, "dispatch")
    give(conn, PROFILE, again, "send_back")
    found = asked(conn, now=datetime.now(UTC))
    assert reasons(PROFILE, found.places[0], NOW)[0] == ("refused", {"times": 2})
    assert found.places[0].since > NOW  # its time begins anew when it comes back


def test_filters_narrow_and_facets_count_under_the_others(conn: Db) -> None:
    here = filed(conn)
    there = filed(conn, town=2, channel="grid")
    drains = filed(conn, category="02001", severity="urgent")
    assert asked(conn).facets["town"] == {"370883001": 2, "370883002": 1}
    found = asked(conn, town=("370883001",))
    assert set(ids(found)) == {here.id, drains.id} and found.total == 2
    assert found.facets["town"] == {"370883001": 2, "370883002": 1}
    assert found.facets["channel"] == {"12345": 2} and found.facets["severity"] == {
        "ordinary": 1,
        "urgent": 1,
    }
    assert ids(asked(conn, category=("02",), channel=("12345", "grid"))) == [drains.id]
    assert ids(asked(conn, severity=("ordinary",), status=("accepted",), channel=("grid",))) == [there.id]
    assert found.counts.decide == 3 and ("370883002", "千泉街道") in [
        (town.code, town.name) for town in found.towns
    ]
    first = asked(conn, limit=2)
    assert ids(first)[0] == drains.id and ids(first) + ids(asked(conn, limit=2, offset=2)) == ids(asked(conn))


def test_the_map_and_a_lasso_filter(conn: Db) -> None:
    one, other = filed(conn, grid=1), filed(conn, grid=9)
    lon, lat = centre(1, 1, 1)
    half = STEP / 2
    assert ids(asked(conn, bbox=f"{lon - half},{lat - half},{lon + half},{lat + half}")) == [one.id]
    lon, lat = centre(1, 1, 9)
    lasso = f"{lon - half},{lat - half};{lon + half},{lat + half};{lon + half},{lat - half};{lon - half},{lat + half}"
    around = f"{lon - half},{lat - half};{lon + half},{lat - half};{lon + half},{lat + half};{lon - half},{lat + half}"
    assert ids(asked(conn, polygon=around)) == [other.id]
    assert asked(conn, polygon=lasso).total in (
        0,
        1,
    )  # it crosses itself: two triangles that meet at the ticket


@pytest.mark.parametrize(
    "what",
    [
        {"bbox": "1,2,3"}, {"bbox": "nan,0,1,1"}, {"bbox": "117,35,116,36"}, {"bbox": "0,0,1e308,1"},
        {"polygon": "117,35;118,36"}, {"polygon": "x"}, {"polygon": ";".join(["117,35"] * 501)},
        {"bbox": "0,0,1,1", "polygon": "1,1;2,2;1,2"},
    ],
)  # fmt: skip
def test_a_bad_outline_is_named(conn: Db, what: dict[str, Any]) -> None:
    with pytest.raises(BadFilter) as refused:
        asked(conn, **what)
    assert refused.value.details[0]["field"] in what


def test_words_numbers_categories_and_places_are_found(conn: Db) -> None:
    drains = filed(conn, title="井盖破损", category="02001")
    rubbish = filed(conn, town=2)
    number = told(PROFILE, DISPATCHER, found := asked(conn), found.places[0], NOW)
    assert number and ids(asked(conn, q=number["number"])) == [found.places[0].ticket.id]
    assert ids(asked(conn, q="井盖")) == [drains.id]
    assert ids(asked(conn, q="千泉")) == [rubbish.id]
    name = PROFILE.kind("01001")
    assert name and ids(asked(conn, q=name.name)) == [rubbish.id]
    assert ids(asked(conn, q="没有这样的词")) == []
    with pytest.raises(WordsHidden):
        asked(conn, county("client"), q="井盖")


def test_a_row_shows_words_and_names_only_to_who_may_read_them(conn: Db) -> None:
    ticket = filed(conn)
    claim = "INSERT INTO ticket_claim VALUES (%s, %s, 'account', 'dispatcher', '赵明', now(), now() + interval '2 min')"
    conn.execute(claim, (ticket.id, ticket.area.no))
    own = asked(conn)
    row = told(PROFILE, DISPATCHER, own, own.places[0], NOW)
    assert row and row["title"] == "垃圾未清运" and row["claim"]["mine"] and row["claim"]["by_name"] == "赵明"
    assert ids(asked(conn, tab="mine")) == [ticket.id] and mine(conn, Asker("account", "dispatcher")) == 1
    client = county("client")
    theirs = asked(conn, client)
    row = told(PROFILE, client, theirs, theirs.places[0], NOW)
    assert row and row["title"] is None and row["claim"]["by_name"] is None and not row["claim"]["mine"]
    enter(conn, of_town(2).scope)
    assert asked(conn, of_town(2, "dispatcher")).counts.open == 0


def test_who_asks_at_the_same_moment_shares_an_answer_that_is_never_older_than_the_question() -> None:
    shared, turn = Shared[int](), threading.Event()
    made: list[int] = []

    def make() -> int:
        own = len(made)
        made.append(own)
        turn.wait(10)
        return own

    def asking() -> tuple[int, int]:
        """How many had been begun before this question, and which one answered it."""
        before = len(made)
        return before, shared.get("key", make)

    with ThreadPoolExecutor(20) as threads:
        first = threads.submit(asking)
        while not made:
            pass
        rest = [threads.submit(asking) for _ in range(19)]
        while "key" not in shared._next:
            pass
        turn.set()
        assert first.result() == (0, 0)
        answers = [one.result() for one in rest]
    assert all(answered >= before for before, answered in answers)
    assert len(made) < 20 and shared._running == shared._next == {}


def test_an_error_is_everybodys_and_the_next_question_is_asked_anew() -> None:
    shared = Shared[int]()
    with pytest.raises(ZeroDivisionError):
        shared.get("key", lambda: 1 // 0)
    assert shared.get("key", lambda: 1) == 1


def test_what_may_be_seconds_old_is_worked_out_once_in_that_time() -> None:
    now, made = [0.0], itertools.count()
    lately = Lately[int](3, clock=lambda: now[0])
    assert [lately.get("a", lambda: next(made)) for _ in range(3)] == [0, 0, 0]
    assert lately.get("b", lambda: next(made)) == 1
    now[0] = 3.0
    assert lately.get("a", lambda: next(made)) == 2
    for key in range(2 * Lately.MOST):
        lately.get(key, lambda: next(made))
    assert len(lately._kept) == Lately.MOST
    with pytest.raises(ZeroDivisionError):
        lately.get("c", lambda: 1 // 0)


def test_the_map_knows_of_all_tickets_that_the_filters_let_through(conn: Db) -> None:
    made = [filed(conn, minutes=n, grid=1 + n % 3) for n in range(1, 6)]
    claims.take(conn, DISPATCHER, made[0].id, timedelta(minutes=2))
    found = spots(conn, PROFILE, DISPATCHER, Asked(town=("370883001",), limit=1), NOW)
    listed = asked(conn, town=("370883001",))
    assert [row.id for row in found.rows] == ids(listed) and found.total == listed.total == 5
    assert (found.nowhere, found.cut) == (0, False)
    told = {row.id: row for row in found.rows}
    assert [one.id for one in made if told[one.id].taken] == [made[0].id]
    assert (told[made[1].id].lon, told[made[1].id].category) == (
        pytest.approx(made[1].lon, abs=1e-6),
        "01001",
    )
    assert spots(conn, PROFILE, DISPATCHER, Asked(town=("370883002",)), NOW).rows == []
