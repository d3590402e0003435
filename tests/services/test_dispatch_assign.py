"""Assignment: by every way, to every kind of holder, once by its key; who was quicker; undone, recalled, in bulk."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import profiles
from geodata.queries.ticket_events import events_of
from geodata.queries.tickets import Ticket
from geodata.scope import EVERYTHING, Db, Pool, enter, scoped
from services import tickets
from services.access import SYSTEM, Viewer
from services.dispatch import bulk, candidates, claims
from services.dispatch.assign import Assign, assign, preview
from services.dispatch.errors import Claimed, TooLate, UnknownBulk
from services.dispatch.undo import recall, undo
from services.tickets import BadReport, NotAllowed, NotYours, Report, fold, state_of
from services.tickets.orders import Party
from tests.small_place import centre, grid_no
from tests.ticket_steps import bring, give
from tests.viewers import DISPATCHER, county, of_town

PROFILE = profiles.load("zoucheng")
OTHER = county("community_clerk")
WORKER, NEXT = f"W{grid_no(1, 1, 1)}", f"W{grid_no(1, 1, 2)}"
LEASE = timedelta(minutes=2)


@pytest.fixture
def ticket(conn: Db) -> Ticket:
    enter(conn, EVERYTHING)
    return filed(conn)


def filed(conn: Db, channel: str = "petition", grid: int = 1, *, ago_s: float = 0) -> Ticket:
    """A ticket that came so many seconds ago; petitions wait to be taken up."""
    lon, lat = centre(1, 1, grid)
    report = Report(channel=channel, category="01001", title="路口堆放垃圾", lon=lon, lat=lat)
    return tickets.file_ticket(
        conn, PROFILE, DISPATCHER, report, now=datetime.now(UTC) - timedelta(seconds=ago_s)
    ).ticket


def to(kind: str, code: str, **more: Any) -> dict[str, Any]:
    return {"to": {"kind": kind, "code": code}, **more}


def order(ticket: Ticket, **wanted: Any) -> Assign:
    return Assign.model_validate({"version": ticket.version, **wanted})


def given(
    conn: Db, ticket: Ticket, viewer: Viewer = DISPATCHER, key: str | None = None, **wanted: Any
) -> Ticket:
    return assign(conn, PROFILE, viewer, ticket.id, order(ticket, **wanted), key=key).ticket


def kinds(conn: Db, ticket: Ticket) -> list[str]:
    return [event.kind for event in events_of(conn, ticket.id)]


def post(conn: Db, town: int = 1) -> str:
    conn.execute("RESET ROLE")
    conn.execute(
        "INSERT INTO key_person (kind, code, name, role, area_no, generated)"
        " VALUES ('post', 'M1', '赵调解', 'mediator', %s, true)",
        (grid_no(town, 1, 0),),
    )
    enter(conn, EVERYTHING)
    return "M1"


def audited(conn: Db) -> list[tuple[str, dict[str, Any]]]:
    conn.execute("RESET ROLE")
    rows = conn.execute(
        "SELECT actor_name, detail FROM audit WHERE action = 'assignment' ORDER BY id"
    ).fetchall()
    enter(conn, EVERYTHING)
    return rows


def test_a_new_one_is_taken_up_and_handed_over_in_one_go(conn: Db, ticket: Ticket) -> None:
    claims.take(conn, DISPATCHER, ticket.id, LEASE)
    done = assign(
        conn, PROFILE, DISPATCHER, ticket.id, order(ticket, **to("worker", WORKER), note="请带铁锹"), key="k"
    )
    assert kinds(conn, ticket) == ["report", "accept", "dispatch"]
    assert (done.ticket.status, done.ticket.worker, done.ticket.version) == ("dispatched", WORKER, 3)
    assert done.ticket.sign_due is not None and done.ticket.due_at is not None
    assert done.undo_until - datetime.now(UTC) == pytest.approx(
        timedelta(minutes=1), abs=timedelta(seconds=20)
    )
    assert claims.listed(conn) == []
    assert fold(events_of(conn, ticket.id)) == state_of(done.ticket)
    ((actor, detail),) = audited(conn)
    assert (actor, detail["worker"], detail["command"]) == ("dispatcher", WORKER, "dispatch")


def test_the_same_key_again_does_nothing_also_when_it_is_elsewhere_meanwhile(
    conn: Db, ticket: Ticket
) -> None:
    wanted = order(ticket, **to("worker", WORKER))
    first = assign(conn, PROFILE, DISPATCHER, ticket.id, wanted, key="k")
    moved = give(conn, PROFILE, first.ticket, "transfer", worker=NEXT)
    again = assign(conn, PROFILE, DISPATCHER, ticket.id, wanted, key="k")
    assert again.replayed and again.undo_until == first.undo_until and again.ticket.version == moved.version
    for other in (order(ticket, **to("worker", NEXT)), order(ticket)):
        with pytest.raises(BadReport, match="key"):
            assign(conn, PROFILE, DISPATCHER, ticket.id, other, key="k")
    assert len(audited(conn)) == 1


def test_the_second_is_told_what_happened_by_whom_and_who_has_it(conn: Db, ticket: Ticket) -> None:
    given(conn, ticket, **to("worker", WORKER))
    with pytest.raises(TooLate) as late:
        given(conn, ticket, OTHER, **to("worker", NEXT))
    (told,) = late.value.details
    assert (told["last"], told["by"], told["given"], told["expected"]) == ("dispatch", "dispatcher", 1, 3)
    assert told["holder"] == {"kind": "worker", "code": WORKER, "name": "测试001", "name_en": "测试001"}
    assert told["at"] == pytest.approx(datetime.now(UTC).timestamp() * 1000, abs=60_000)
    other_system = Viewer("client", 1, "c", "client", EVERYTHING)
    with pytest.raises(TooLate) as late:
        given(conn, ticket, other_system, **to("worker", NEXT))
    assert (late.value.details[0]["by_name"], late.value.details[0]["holder"]["name"]) == (None, WORKER)


def test_what_somebody_else_decides_is_refused_and_left_alone(conn: Db, ticket: Ticket) -> None:
    claims.take(conn, OTHER, ticket.id, LEASE)
    with pytest.raises(Claimed) as refused:
        given(conn, ticket, **to("worker", WORKER))
    assert refused.value.details[0]["by"] == "community_clerk"
    assert kinds(conn, ticket) == ["report"] and len(claims.listed(conn)) == 1
    given(conn, ticket, OTHER, **to("worker", WORKER))


@pytest.mark.parametrize(
    ("wanted", "status", "lead", "reason"),
    [
        (to("department", "urban"), "dispatched", ("department", "urban"), None),
        ({}, "dispatched", ("department", "urban"), None),  # the usual one of its category
        (to("worker", WORKER, joint=[{"kind": "department", "code": "police"}]), "dispatched", ("worker", WORKER),
         None),
        (to("department", "housing", via="whistle", note="塌方"), "dispatched", ("department", "housing"), "塌方"),
        ({"via": "onward", "onward": "12345"}, "dispatched", ("department", "hotline"), None),
        ({"via": "onward", "onward": "mediation"}, "dispatched", ("department", "mediation"), None),
    ],
)  # fmt: skip
def test_by_every_way(
    conn: Db, ticket: Ticket, wanted: dict[str, Any], status: str, lead: tuple[str, str], reason: str | None
) -> None:
    after = given(conn, ticket, **wanted)
    first = after.parties[0]
    assert (after.status, (first["kind"], first["code"]), first["part"]) == (status, lead, "lead")
    assert [party["part"] for party in after.parties[1:]] == ["joint"] * len(wanted.get("joint", ()))
    assert (events_of(conn, ticket.id)[-1].data or {}).get("reason") == reason


def test_the_holder_of_a_post_takes_it_and_signs(conn: Db, ticket: Ticket) -> None:
    code = post(conn)
    after = given(conn, ticket, **to("post", code))
    assert (after.worker, after.department) == (None, None)
    assert after.parties == [{"kind": "post", "code": code, "part": "lead"}]
    signed = give(conn, PROFILE, after, "sign", viewer=county("grid_worker"))
    assert signed.status == "signed" and signed.worker is None
    with pytest.raises(BadReport, match="post"):
        given(conn, filed(conn), **to("post", "nobody"))
    with pytest.raises(BadReport, match="to is"):  # the tiers here call departments and professionals
        given(conn, filed(conn), **to("post", code, via="whistle", note="来"))


def test_what_is_held_is_passed_on_with_a_word(conn: Db, ticket: Ticket) -> None:
    held = given(conn, ticket, **to("worker", WORKER))
    with pytest.raises(NotAllowed):
        given(conn, held, **to("worker", NEXT))
    with pytest.raises(BadReport, match="note"):
        given(conn, held, **to("worker", NEXT, via="transfer"))
    after = given(conn, held, **to("worker", NEXT, via="transfer", note="他在医院"))
    assert (after.status, after.worker, after.transfers) == ("transferred", NEXT, 1)
    away = given(conn, after, via="onward", onward="12345", note="不属网格")
    assert (away.status, away.department, away.transfers) == ("transferred", "hotline", 2)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (to("worker", "nobody"), "worker"),
        (to("department", "nobody"), "department"),
        ({"via": "whistle", "note": "n"}, "to"),
        (to("department", "urban", via="whistle"), "note"),
        (to("worker", WORKER, via="whistle", note="n"), "to"),  # no professional
        ({"via": "onward"}, "onward"),
        (to("worker", WORKER, onward="12345"), "onward"),
        (to("department", "urban", via="onward", onward="12345"), "onward"),
    ],
)
def test_what_cannot_be_names_the_field_and_changes_nothing(
    conn: Db, ticket: Ticket, wanted: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadReport) as refused, conn.transaction():
        given(conn, ticket, **wanted)
    assert refused.value.details[0]["field"] == field
    assert kinds(conn, ticket) == ["report"]


def test_a_deadline_may_be_before_the_clocks_and_is_shown_before_it_is_sent(conn: Db, ticket: Ticket) -> None:
    shown = preview(conn, PROFILE, DISPATCHER, ticket.id, order(ticket, **to("worker", WORKER)))
    assert kinds(conn, ticket) == ["report"] and audited(conn) == []
    assert shown.due_at is not None and shown.sign_due is not None
    soon = datetime.now(UTC) + timedelta(minutes=30)
    for wrong in (shown.due_at + timedelta(hours=1), soon - timedelta(days=1)):
        with pytest.raises(BadReport, match="due_at"), conn.transaction():
            given(conn, ticket, **to("worker", WORKER, due_at=wrong))
    assert given(conn, ticket, **to("worker", WORKER, due_at=soon)).due_at == soon


def test_it_is_taken_back_within_a_minute_while_nobody_signed(conn: Db, ticket: Ticket) -> None:
    done = given(conn, ticket, **to("worker", WORKER))
    with pytest.raises(NotAllowed, match="somebody else"):
        undo(conn, PROFILE, OTHER, ticket.id, done.version)
    back = undo(conn, PROFILE, DISPATCHER, ticket.id, done.version, key="u")
    assert (back.status, back.worker, back.sign_due, back.dispatched_at) == ("reported", None, None, None)
    assert state_of(back) == state_of(ticket) == fold(events_of(conn, ticket.id))
    assert undo(conn, PROFILE, DISPATCHER, ticket.id, done.version, key="u").version == back.version
    again = given(conn, back, **to("worker", NEXT))
    signed = give(conn, PROFILE, again, "sign", viewer=county("grid_worker"))
    with pytest.raises(NotAllowed, match="signed for"):
        undo(conn, PROFILE, DISPATCHER, ticket.id, signed.version)
    with pytest.raises(NotAllowed, match="no assignment"):
        undo(conn, PROFILE, DISPATCHER, ticket.id, give(conn, PROFILE, signed, "remark").version)
    assert [detail["command"] for _, detail in audited(conn)] == ["dispatch", "undo", "dispatch"]


def test_what_was_taken_up_before_stays_taken_up(conn: Db) -> None:
    enter(conn, EVERYTHING)
    ticket = filed(conn, ago_s=9)
    taken = give(conn, PROFILE, ticket, "accept", now=datetime.now(UTC) - timedelta(seconds=5))
    done = given(conn, taken, **to("worker", WORKER))
    assert undo(conn, PROFILE, DISPATCHER, ticket.id, done.version).status == "accepted"


def test_a_moment_of_the_clock_keeps_nobody_from_taking_it_back(conn: Db, ticket: Ticket) -> None:
    done = given(conn, ticket, **to("worker", WORKER))
    at = datetime.now(UTC)
    give(conn, PROFILE, done, "tick", viewer=SYSTEM, moment="escalate", at=at, level=1)
    back = undo(conn, PROFILE, DISPATCHER, ticket.id, done.version)
    assert (back.status, back.worker, back.escalation) == ("reported", None, 1)
    assert kinds(conn, ticket)[-4:] == ["dispatch", "tick", "undo", "undo"]
    assert fold(events_of(conn, ticket.id)) == state_of(back)
    again = given(conn, back, **to("worker", WORKER))
    remarked = give(conn, PROFILE, again, "remark")
    with pytest.raises(NotAllowed, match="no assignment"):
        undo(conn, PROFILE, DISPATCHER, ticket.id, remarked.version - 1)


def test_after_a_minute_it_is_recalled_which_is_no_refusal(conn: Db, ticket: Ticket) -> None:
    held = bring(conn, PROFILE, give(conn, PROFILE, ticket, "accept"), "signed")
    with pytest.raises(NotYours):
        recall(conn, PROFILE, county("grid_worker"), ticket.id, held.version, "r")
    claims.take(conn, OTHER, ticket.id, LEASE)
    with pytest.raises(Claimed):
        recall(conn, PROFILE, DISPATCHER, ticket.id, held.version, "改由执法局办理")
    claims.give_up(conn, OTHER, ticket.id)
    back = recall(conn, PROFILE, DISPATCHER, ticket.id, held.version, "改由执法局办理")
    assert (back.status, back.worker, back.department, back.parties) == ("returned", None, None, [])
    assert kinds(conn, ticket)[-1] == "recall"
    assert (back.dispatched_at, back.due_at) == (held.dispatched_at, held.due_at)
    with pytest.raises(TooLate) as late:
        recall(conn, PROFILE, OTHER, ticket.id, held.version, "r")
    assert (late.value.details[0]["last"], late.value.details[0]["holder"]) == ("recall", None)
    assert undo(conn, PROFILE, DISPATCHER, ticket.id, back.version).status == "signed"


def test_a_bulk_is_seen_done_once_and_taken_back(pool: Pool) -> None:
    with scoped(pool, EVERYTHING) as conn:
        rows = [filed(conn, grid=grid) for grid in range(1, 6)]
        claims.take(conn, OTHER, rows[0].id, LEASE)
        given(conn, rows[1], OTHER, **to("worker", NEXT))
    items = [bulk.Item(row.id, row.version) for row in rows]
    worker, wanted = Party(kind="worker", code=WORKER), Assign(version=1, note="一并处理")
    shown = bulk.seen(pool, PROFILE, DISPATCHER, items, wanted, worker)
    assert [type(one.error) for one in shown] == [Claimed, TooLate, type(None), type(None), type(None)]
    with scoped(pool, EVERYTHING) as conn:
        assert tickets.read(conn, rows[2].id).version == 1  # it was only looked at
    key, done = bulk.give(pool, PROFILE, DISPATCHER, items, wanted, worker)
    assert [(one.id, one.error is None, one.to and one.to["code"]) for one in done] == [
        (row.id, at > 1, WORKER if at > 1 else None) for at, row in enumerate(rows)
    ]
    assert [
        one.ticket for one in bulk.give(pool, PROFILE, DISPATCHER, items, wanted, worker, key=key)[1]
    ] == [one.ticket for one in done]
    with scoped(pool, EVERYTHING) as conn:
        give(conn, PROFILE, tickets.read(conn, rows[4].id), "sign", viewer=county("grid_worker"))
    with pytest.raises(UnknownBulk):
        bulk.take_back(pool, PROFILE, OTHER, key)
    for _ in range(2):  # said twice it is the same
        back = bulk.take_back(pool, PROFILE, DISPATCHER, key)
        assert [(one.id, one.ticket and one.ticket.status) for one in back] == [
            (rows[2].id, "reported"), (rows[3].id, "reported"), (rows[4].id, None),
        ]  # fmt: skip


def test_in_a_bulk_each_ticket_may_get_its_best_candidate(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scoped(pool, EVERYTHING) as conn:
        rows = [filed(conn, grid=grid) for grid in (1, 2, 3)]
    loads: list[dict[str, int]] = []

    def best(conn: Db, profile: Any, ticket_id: int, now: Any, *, more: dict[str, int]) -> Party | None:
        loads.append(dict(more))
        return None if ticket_id == rows[2].id else Party(kind="worker", code=WORKER)

    monkeypatch.setattr(candidates, "best", best)
    items = [
        bulk.Item(rows[0].id, 1),
        bulk.Item(rows[1].id, 1, Party(kind="worker", code=NEXT)),
        bulk.Item(rows[2].id, 1),
    ]
    shown = bulk.seen(pool, PROFILE, DISPATCHER, items, Assign(version=1), "best")
    assert [one.to and one.to["code"] for one in shown] == [WORKER, NEXT, None]
    assert loads == [{}, {WORKER: 1, NEXT: 1}]
    assert "left out" in str(shown[2].error)
    key, done = bulk.give(pool, PROFILE, DISPATCHER, items, Assign(version=1), "best", key="b")
    monkeypatch.setattr(candidates, "best", lambda *_, **__: Party(kind="worker", code=NEXT))
    again = bulk.give(pool, PROFILE, DISPATCHER, items[:2], Assign(version=1), "best", key=key)[1]
    assert [one.ticket for one in again] == [one.ticket for one in done[:2]]


def test_a_bulk_of_another_town_meets_nothing(pool: Pool) -> None:
    with scoped(pool, EVERYTHING) as conn:
        row = filed(conn)
    viewer = of_town(2, "dispatcher")
    _, (told,) = bulk.give(pool, PROFILE, viewer, [bulk.Item(row.id, 1)], Assign(version=1), None)
    assert isinstance(told.error, tickets.UnknownTicket)


def test_what_a_preview_of_the_best_shows_is_what_is_done(pool: Pool) -> None:
    """As each gets one, the load of who got it grows: the preview foresees it."""
    with scoped(pool, EVERYTHING) as conn:
        conn.execute(
            "INSERT INTO worker_position (worker_id, at, geom, area_no) SELECT w.id, now(), a.label_at, w.area_no"
            " FROM worker w JOIN area_now a ON a.no = w.area_no WHERE w.area_no BETWEEN %s AND %s",
            (grid_no(1, 1, 1), grid_no(1, 1, 3)),
        )
        items = [bulk.Item(filed(conn, grid=2).id, 1) for _ in range(7)]
    shown = bulk.seen(pool, PROFILE, DISPATCHER, items, Assign(version=1), "best")
    _, done = bulk.give(pool, PROFILE, DISPATCHER, items, Assign(version=1), "best")
    assert [one.to for one in shown] == [one.to for one in done]
    assert done[0].to and done[0].to["code"] == NEXT and len({one.to["code"] for one in done if one.to}) > 1
