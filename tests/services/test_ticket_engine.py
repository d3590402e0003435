"""The table of states and commands, versions, keys, undo, and the history that folds into the row."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

import profiles
from geodata.queries.ticket_events import events_of
from geodata.queries.tickets import Ticket
from geodata.scope import EVERYTHING, Db, Pool, enter, scoped
from services import tickets
from services.access import SYSTEM, Viewer
from services.tickets import (
    ENDED,
    ORDERS,
    STATUSES,
    TRANSITIONS,
    BadReport,
    NotAllowed,
    NotYours,
    Report,
    StaleVersion,
    fold,
    state_of,
)  # fmt: skip
from services.tickets.states import BACK, STAY
from tests.small_place import centre, grid_no
from tests.ticket_steps import TO, bring, give
from tests.viewers import DISPATCHER, county

PROFILE = profiles.load("zoucheng")
BY_HAND = PROFILE.model_copy(
    update={
        "loop": PROFILE.loop.model_copy(update={"accepted_by_hand": ["grid"], "verify": False, "needs": {}})
    }
)
PLAIN = PROFILE.model_copy(update={"loop": PROFILE.loop.model_copy(update={"verify": False, "needs": {}})})


@pytest.fixture(autouse=True)
def _in_scope(request: pytest.FixtureRequest) -> None:
    if "conn" in request.fixturenames:
        enter(request.getfixturevalue("conn"), EVERYTHING)


def file(conn: Db, status: str = "accepted") -> Ticket:
    lon, lat = centre(1, 1, 1)
    report = Report(channel="grid", category="01001", title="路口堆放垃圾", lon=lon, lat=lat)
    if status == "merged":
        into = tickets.file_ticket(conn, PLAIN, DISPATCHER, report).ticket
        return give(conn, PLAIN, file(conn), "merge", into=into.id)
    profile = BY_HAND if status == "reported" else PLAIN
    return bring(conn, PLAIN, tickets.file_ticket(conn, profile, DISPATCHER, report).ticket, status)


def folded(conn: Db, ticket: Ticket) -> bool:
    """Whether the row is what its events tell, from the report on, without a version twice or missing."""
    events = events_of(conn, ticket.id)
    assert [event.version for event in events] == list(range(1, ticket.version + 1))
    return fold(events) == state_of(ticket)


@pytest.mark.parametrize("status", STATUSES)
def test_what_is_allowed_in_a_state_is_what_the_table_says(conn: Db, status: str) -> None:
    assert set(TO) | {"merged"} == set(STATUSES)
    other, ticket = file(conn), file(conn, status)
    for command, row in TRANSITIONS.items():
        if command in (
            "undo",
            "node_done",
            "respond",
            "refuse",
            "attach",
            "tick",
            "closed_with",
            "reopened_with",
        ):
            continue  # they need more than a state; see below
        more = {"into": other.id} if command == "merge" else {}
        if command == "relocate":
            more = dict(zip(("lon", "lat"), centre(2, 1, 1), strict=True))
        if status not in row.before:
            with pytest.raises(NotAllowed) as refused:
                give(conn, PLAIN, ticket, command, **more)
            assert command not in refused.value.details[0]["expected"]
            assert tickets.read(conn, ticket.id) == ticket
            continue
        with conn.transaction(force_rollback=True):  # the next command finds it as this one did
            after = give(conn, PLAIN, ticket, command, **more)
            assert after == tickets.read(conn, ticket.id) and after.version == ticket.version + 1
            assert after.status == {STAY: status, BACK: ticket.resume_status}.get(row.after, row.after)
            assert (after.closed_at is not None) == (after.status in ENDED)
            assert folded(conn, after)


def test_every_command_has_an_order_and_every_order_a_row() -> None:
    assert set(ORDERS) == set(TRANSITIONS)


def test_a_stale_version_is_refused_and_told_who_was_quicker(conn: Db) -> None:
    ticket = file(conn)
    give(conn, PLAIN, ticket, "dispatch")
    with pytest.raises(StaleVersion) as stale:
        give(conn, PLAIN, ticket, "cancel")
    detail = stale.value.details[0]
    assert (detail["given"], detail["expected"]) == (1, 2) and detail["last"].startswith(
        "dispatch by dispatcher"
    )


def test_two_at_once_and_one_wins(pool: Pool) -> None:
    with scoped(pool, EVERYTHING) as conn:
        ticket = file(conn)
    outcomes: list[str] = []

    def assign(worker: str) -> None:
        try:
            with scoped(pool, EVERYTHING) as conn:
                give(conn, PLAIN, ticket, "dispatch", worker=worker)
            outcomes.append(worker)
        except StaleVersion:
            outcomes.append("late")

    threads = [threading.Thread(target=assign, args=(f"W{grid_no(1, 1, n)}",)) for n in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with scoped(pool, EVERYTHING) as conn:
        now = tickets.read(conn, ticket.id)
        assert outcomes.count("late") == 2 and now.worker in outcomes and now.version == 2


def test_a_used_key_does_nothing_again(conn: Db) -> None:
    ticket = file(conn)
    first = give(conn, PLAIN, ticket, "dispatch", key="k")
    order = ORDERS["dispatch"].model_validate({"version": ticket.version})
    again = tickets.perform(conn, PLAIN, DISPATCHER, ticket.id, "dispatch", order, key="k")
    assert again.replayed and again.ticket == first
    newer = ORDERS["dispatch"].model_validate({"version": first.version})  # who read it again meanwhile
    assert tickets.perform(conn, PLAIN, DISPATCHER, ticket.id, "dispatch", newer, key="k").replayed
    with pytest.raises(BadReport, match="key"):
        give(conn, PLAIN, first, "sign", key="k")


def test_returns_and_transfers_do_not_set_the_clock_back(conn: Db) -> None:
    ticket = give(conn, PLAIN, file(conn), "dispatch")
    started, due = ticket.dispatched_at, ticket.due_at
    for command in (
        "transfer",
        "sign",
        "transfer",
        "send_back",
        "dispatch",
        "sign",
        "start",
        "handle",
        "redo",
    ):
        ticket = give(conn, PLAIN, ticket, command)
        assert (ticket.dispatched_at, ticket.due_at) == (started, due)
    assert (ticket.transfers, ticket.redos) == (2, 1)


@pytest.mark.parametrize(
    ("role", "command", "may"),
    [
        ("grid_worker", "dispatch", False), ("grid_worker", "remark", True), ("supervisor", "supervise", True),
        ("supervisor", "dispatch", False), ("town_official", "supervise", True), ("mediator", "close", False),
        ("community_clerk", "dispatch", True), ("operator", "remark", False),
    ],
)  # fmt: skip
def test_who_may_give_which_command(conn: Db, role: str, command: str, may: bool) -> None:
    ticket, viewer = file(conn), county(role)
    assert (command in [row.command for row in tickets.allowed(PLAIN, viewer, ticket)]) == may
    if may:
        assert give(conn, PLAIN, ticket, command, viewer=viewer).version == 2
    else:
        with pytest.raises(NotYours):
            give(conn, PLAIN, ticket, command, viewer=viewer)


def test_the_products_own_command_is_nobody_elses(conn: Db) -> None:
    ticket, at = file(conn), datetime.now(UTC)
    with pytest.raises(NotYours):
        give(conn, PLAIN, ticket, "tick", moment="due", at=at)
    assert give(conn, PLAIN, ticket, "tick", viewer=SYSTEM, moment="escalate", at=at, level=2).escalation == 2


# --- undo


def test_ones_own_last_command_can_be_taken_back(conn: Db) -> None:
    ticket = file(conn)
    sent = give(conn, PLAIN, ticket, "dispatch", worker=f"W{grid_no(1, 1, 1)}")
    assert sent.worker and sent.dispatched_at
    back = give(conn, PLAIN, sent, "undo")
    assert state_of(back) == state_of(ticket) and back.version == 3 and folded(conn, back)
    again = give(conn, PLAIN, back, "dispatch")
    assert again.dispatched_at and folded(conn, again)


@pytest.mark.parametrize("why", ["signed", "somebody else", "too late", "no such command", "twice"])
def test_what_cannot_be_taken_back(conn: Db, why: str) -> None:
    ticket = give(conn, PLAIN, file(conn), "dispatch")
    viewer, now = DISPATCHER, None
    if why == "signed":
        ticket = give(conn, PLAIN, ticket, "sign")
    if why == "somebody else":
        viewer = county("community_clerk")
    if why == "too late":
        now = datetime.now(UTC) + timedelta(seconds=61)
    if why == "no such command":
        ticket = give(conn, PLAIN, ticket, "remark")
    if why == "twice":
        ticket = give(conn, PLAIN, ticket, "undo")
    with pytest.raises(NotAllowed):
        give(conn, PLAIN, ticket, "undo", viewer=viewer, now=now)


# --- whistles


def whistle(conn: Db, viewer: Viewer = DISPATCHER) -> Ticket:
    return give(
        conn, PLAIN, file(conn, "in_progress"), "whistle", viewer=viewer, tier=2,
        lead={"kind": "department", "code": "urban"},
        joint=[{"kind": "department", "code": "environment"}, {"kind": "worker", "code": f"W{grid_no(1, 1, 2)}"}],
    )  # fmt: skip


def test_called_parties_report_at_the_spot(conn: Db) -> None:
    ticket = whistle(conn)
    assert (ticket.status, ticket.department, ticket.tier) == ("dispatched", "urban", 2)
    assert ticket.respond_due == ticket.dispatched_at + timedelta(minutes=30) or ticket.respond_due
    for party in (None, "environment", f"W{grid_no(1, 1, 2)}"):
        assert ticket.respond_due is not None
        ticket = give(conn, PLAIN, ticket, "respond", party=party)
    assert ticket.respond_due is None and all(party["responded_at"] for party in ticket.parties)
    with pytest.raises(BadReport, match="party"):
        give(conn, PLAIN, ticket, "respond", party="urban")
    assert folded(conn, ticket)


def test_a_lead_that_refuses_sends_it_back_and_a_helper_does_not(conn: Db) -> None:
    ticket = give(conn, PLAIN, whistle(conn), "refuse", party="environment", reason="不属本单位职责")
    assert ticket.status == "dispatched" and ticket.parties[1]["reason"] == "不属本单位职责"
    ticket = give(conn, PLAIN, ticket, "refuse", reason="非本单位管辖")
    assert (ticket.status, ticket.department) == ("returned", None) and ticket.parties[0]["refused_at"]


@pytest.mark.parametrize(
    ("command", "status", "carried", "field"),
    [
        ("dispatch", "accepted", {"worker": "nobody"}, "worker"),
        ("dispatch", "accepted", {"department": "nowhere"}, "department"),
        ("whistle", "signed", {"tier": 9}, "tier"),
        ("whistle", "signed", {"lead": {"kind": "department", "code": "nowhere"}}, "party"),
        ("supervise", "signed", {"supervision": "x"}, "supervisions"),
        ("regrade", "signed", {"severity": "x"}, "severities"),
        ("regrade", "signed", {"category": "01"}, "category"),
        ("suspend", "signed", {"until": datetime.now(UTC) + timedelta(days=40)}, "until"),
        ("suspend", "signed", {"until": datetime.now(UTC) - timedelta(days=1)}, "until"),
        ("merge", "signed", {"into": 10**9}, "into"),
        ("relocate", "signed", {"lon": 100.0, "lat": 35.4}, "lon"),
        ("consult", "signed", {"participants": ["x"]}, "participants"),
    ],
)  # fmt: skip
def test_what_a_command_carries_must_exist(
    conn: Db, command: str, status: str, carried: dict[str, object], field: str
) -> None:
    ticket = file(conn, status)
    with pytest.raises(BadReport) as refused:
        give(conn, PLAIN, ticket, command, **carried)
    assert refused.value.details[0]["field"] == field and refused.value.details[0]["expected"]
    assert tickets.read(conn, ticket.id) == ticket


def test_a_place_may_ask_for_more(conn: Db) -> None:
    loop = PROFILE.loop.model_copy(
        update={"verify": True, "needs": {"handle": ["pictures"], "dispatch": ["note"]}}
    )
    strict = PROFILE.model_copy(update={"loop": loop})
    ticket = file(conn)
    assert tickets.needs(strict, "dispatch") == ("note",) and tickets.needs(strict, "handle") == (
        "result",
        "pictures",
    )
    with pytest.raises(BadReport, match="note"):
        give(conn, strict, ticket, "dispatch")
    ticket = file(conn, "handled")
    assert "close" not in [row.command for row in tickets.allowed(strict, DISPATCHER, ticket)]
    with pytest.raises(NotAllowed, match="verified"):
        give(conn, strict, ticket, "close")
    assert give(conn, strict, give(conn, strict, ticket, "verify"), "close").status == "closed"


def test_a_graver_ticket_is_due_sooner(conn: Db) -> None:
    ticket = give(conn, PLAIN, file(conn), "dispatch")
    urgent = give(conn, PLAIN, ticket, "regrade", category="06005", severity="urgent")
    assert urgent.due_at == ticket.dispatched_at + timedelta(hours=4)
    plain = give(conn, PLAIN, urgent, "regrade", severity="ordinary")
    assert plain.due_at > urgent.due_at and folded(conn, plain)


def test_pauses_have_a_ceiling_all_together(conn: Db) -> None:
    ticket, now = file(conn, "signed"), datetime.now(UTC)
    ticket = give(conn, PLAIN, ticket, "suspend", now=now, until=now + timedelta(days=20))
    later = now + timedelta(days=25)
    ticket = give(conn, PLAIN, ticket, "resume", now=later)  # five days after it was to be over
    with pytest.raises(BadReport, match="until"):
        give(conn, PLAIN, ticket, "suspend", now=later, until=later + timedelta(days=11))
    assert (
        give(conn, PLAIN, ticket, "suspend", now=later, until=later + timedelta(days=10)).status
        == "suspended"
    )


def test_an_unsatisfied_call_back_is_supervised_at_once(conn: Db) -> None:
    closed = file(conn, "closed")
    ticket = give(
        conn, PLAIN, closed, "call_back", satisfaction="unsatisfied", solved="unsolved", comment="没解决"
    )
    assert (ticket.status, ticket.satisfaction, ticket.closed_at) == ("reopened", "unsatisfied", None)
    assert ticket.supervised_at is not None and ticket.supervision == PROFILE.loop.codes("supervisions")[0]
    assert folded(conn, ticket)
