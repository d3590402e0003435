"""Mediation: a case through its tiers, sealed parties, refusals, the history that is the case, figures from rows."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import profiles
from geodata.pool import make_pool
from geodata.queries import mediation as queries
from geodata.queries import mediation_board as board
from geodata.queries import mediation_near
from geodata.queries.mediation_board import Asked
from geodata.scope import EVERYTHING, Pool, scoped
from geodata.servers import Stores
from services.access import UnknownArea, Viewer
from services.care.errors import BadCare, NotForThem
from services.care.sealing import Seals, WrongKey
from services.mediation import (
    BadCase,
    KeyReused,
    NotPossible,
    StaleCase,
    UnknownCase,
    fold,
    open_case,
    perform,
    seen,
)
from services.mediation import orders as o
from services.mediation import receive as receive_
from services.mediation.cases import FIELDS, plain
from services.mediation.resealing import reseal
from tests.small_place import grid_no
from tests.viewers import of_town

PROFILE = profiles.load("zoucheng")
SEALS = Seals(bytes(range(32)))
MEDIATOR = of_town(1, "mediator")
NOW = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)  # a Wednesday, 10:00 at the place
TOLD: dict[str, Any] = {
    "area": "370883001001001", "category": "04001", "matter": "Noise at night",
    "parties": [{"side": "applicant", "name": "王建国", "phone": "13900000001"},
                {"side": "respondent", "name": "李明"}],
}  # fmt: skip


@pytest.fixture
def pool_with_account(clone: Stores, pool: Pool) -> Pool:
    with psycopg.connect(clone.database_url) as conn:
        conn.execute(
            "INSERT INTO account (id, login, name, role, created_by) OVERRIDING SYSTEM VALUE"
            " VALUES (%s, %s, 'x', 'mediator', 'tests')",
            (MEDIATOR.id, MEDIATOR.name),
        )
        conn.execute(
            "INSERT INTO key_person (kind, code, name, role, area_no, generated)"
            " VALUES ('post', 'M1', '赵调解', 'mediator', %s, true), ('post', 'M2', '钱调解', 'mediator', %s, true)",
            (grid_no(1, 1, 0), grid_no(2, 1, 0)),
        )
    return pool


@pytest.fixture
def conn(pool_with_account: Pool) -> Any:
    """A transaction of town 1 in the hat that may read cases."""
    with scoped(pool_with_account, MEDIATOR.scope, "care") as opened:
        yield opened


def receive(
    conn: Any, actor: Viewer = MEDIATOR, *, now: datetime = NOW, key: str | None = None, **more: Any
) -> Any:
    return receive_(conn, PROFILE, actor, o.Receive.model_validate(TOLD | more), SEALS, now=now, key=key)


def do(conn: Any, case: Any, name: str, *, now: datetime = NOW, key: str | None = None, **fields: Any) -> Any:
    order = o.ORDERS[name].model_validate({"version": case.version, **fields})
    return perform(conn, PROFILE, MEDIATOR, case.id, order, SEALS, now=now, key=key)


def test_a_case_goes_from_the_village_to_the_county_and_is_performed(conn: Any) -> None:
    case = receive(conn)
    assert (case.number[:5], case.state, case.tier, case.version) == ("2026-", "received", 1, 1)
    case = do(conn, case, "accept")
    assert case.accepted_at == NOW and case.due_at and case.due_at > NOW
    (near,) = mediation_near.mediators(conn, case.area_no, ["mediator"], 9)
    case = do(conn, case, "assign", post=near.id, room="甲社区调解室")
    assert case.mediator == "赵调解"
    case = do(conn, case, "plan_session", planned_at=NOW + timedelta(hours=5))
    with pytest.raises(BadCase):  # one meeting after another
        do(conn, case, "plan_session", planned_at=NOW + timedelta(hours=6))
    later = NOW + timedelta(hours=7)
    case = do(conn, case, "hold_session", session=1, held_at=NOW + timedelta(hours=5), outcome="continued",
              now=later)  # fmt: skip
    case = do(conn, case, "move_up", reason="王建国不同意村级方案", now=later)
    assert (case.tier, case.mediator, case.room) == (2, None, None)
    case = do(conn, case, "move_up", reason="needs the bureau of housing", now=later)
    with pytest.raises(BadCase, match="tier"):
        do(conn, case, "move_up", reason="and again", now=later)
    case = do(
        conn,
        case,
        "settle",
        agreement="李明 closes at ten",
        form="written",
        perform_by="2026-12-01",
        now=later,
    )
    assert (case.state, case.closed_at, case.performed) == ("settled", later, None)
    december = datetime(2026, 12, 2, 2, tzinfo=UTC)
    with pytest.raises(BadCase, match="performed_on"):
        do(conn, case, "perform", performed_on="2026-12-03", now=december)
    case = do(conn, case, "perform", performed_on="2026-12-01", now=december)
    assert case.performed and case.performed_on == date(2026, 12, 1)
    events = queries.events(conn, case.id)
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    told = str([event._asdict() for event in events])
    for secret in ("王建国", "李明", "Noise", "closes at ten", "1390000"):
        assert secret not in told
    assert "王**不同意村级方案" in told
    assert_fold(conn, case.id)


def assert_fold(conn: Any, case_id: int) -> None:
    case = queries.one(conn, case_id)
    assert case is not None
    row = case._asdict()
    assert fold(queries.events(conn, case_id)) == {name: plain(row[name]) for name in (*FIELDS, "version")}


def test_refusals_say_what_and_change_nothing(conn: Any) -> None:
    for field, value in (("category", "01001"), ("ticket", 99)):
        with pytest.raises(BadCase, match=field):
            receive(conn, **{field: value})
    with pytest.raises(UnknownArea):
        receive(conn, area="370883002001001")  # another town's
    with pytest.raises(NotForThem):
        receive(conn, Viewer("client", 1, "c", "client", EVERYTHING))
    case = receive(conn)
    with pytest.raises(NotPossible) as refused:
        do(conn, case, "settle", agreement="x", form="oral")
    assert refused.value.details[0]["expected"] == ["accept", "decline", "assign", "withdraw"]
    case = do(conn, case, "accept")
    with pytest.raises(StaleCase):
        do(conn, case._replace(version=1), "fail", reason="no agreement")
    with pytest.raises(UnknownCase):
        do(conn, case._replace(id=10**9), "fail", reason="no agreement")
    (other,) = [
        one.id
        for one in mediation_near.mediators(conn, case.area_no, ["mediator"], 9)
        if one.name == "赵调解"
    ]
    with pytest.raises(BadCase):
        do(conn, case, "assign", post=other + 1)  # a mediator of the other town
    for words in ("有信仰问题", "多次上访", "political opinion"):
        with pytest.raises(BadCase, match="reason"):
            do(conn, case, "fail", reason=words)
    assert queries.one(conn, case.id) == case


def test_the_same_key_again_changes_nothing(conn: Any) -> None:
    first = receive(conn, key="a")
    assert receive(conn, key="a") == first
    with pytest.raises(KeyReused):
        receive(conn, key="a", category="04002")
    after = do(conn, first, "accept", key="b")
    assert do(conn, first, "accept", key="b") == after


def test_parties_are_sealed_masked_and_opened_for_a_reason(conn: Any) -> None:
    case = receive(conn)
    stored = conn.execute("SELECT string_agg(p::text, '') FROM mediation_party p").fetchone()[0]
    assert "王建国" not in stored and "王**" in stored
    sight = seen(conn, MEDIATOR, case, SEALS)
    assert [one["name"] for one in sight.parties] == ["王**", "李**"] and sight.matter is None
    assert sight.parties[0]["phone"] == "139****0001"
    with pytest.raises(BadCare):
        open_case(conn, MEDIATOR, case.id, "ok", 10)
    open_case(conn, MEDIATOR, case.id, "meeting this afternoon", 10)
    sight = seen(conn, MEDIATOR, case, SEALS)
    assert sight.parties[0] == {"side": "applicant", "name": "王建国", "phone": "13900000001"}
    assert sight.matter == TOLD["matter"] and sight.until is not None


def test_after_a_change_of_the_secret_all_is_sealed_anew(conn: Any) -> None:
    case = do(conn, do(conn, receive(conn), "accept"), "settle", agreement="as said", form="oral")
    fresh = Seals(b"n" * 32, bytes(range(32)))
    assert reseal(conn, fresh) == 3 and reseal(conn, fresh) == 0
    open_case(conn, MEDIATOR, case.id, "after the change", 5)
    sight = seen(conn, MEDIATOR, case, Seals(b"n" * 32))
    assert (sight.parties[0]["name"], sight.matter, sight.agreement) == ("王建国", TOLD["matter"], "as said")
    with pytest.raises(WrongKey):
        seen(conn, MEDIATOR, case, SEALS)


def test_no_facts_role_and_no_other_town_reads_a_case(pool_with_account: Pool) -> None:
    with scoped(pool_with_account, MEDIATOR.scope, "care") as conn:
        case = receive(conn)
    for hat in ("facts", "wall", "audit", "access"):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            scoped(pool_with_account, EVERYTHING, hat) as conn,  # type: ignore[arg-type]
        ):
            conn.execute("SELECT FROM mediation_case")
    with scoped(pool_with_account, of_town(2).scope, "care") as conn:
        assert queries.one(conn, case.id) is None
        assert board.page(conn, Asked(NOW, NOW.date()), 9) == []
    for statement in ("UPDATE mediation_event SET kind = 'x'", "DELETE FROM mediation_event"):
        with pytest.raises(psycopg.Error), scoped(pool_with_account, EVERYTHING, "care") as conn:
            conn.execute(statement)  # type: ignore[arg-type]


def test_no_column_keeps_an_opinion_a_belief_petitions_or_a_score(conn: Any) -> None:
    from geodata.importing.words import refused_heading

    columns = [
        row[0]
        for row in conn.execute(
            "SELECT attname FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attrelid IN"
            " (SELECT oid FROM pg_class WHERE relname LIKE 'mediation%' AND relkind = 'r')"
        )
    ]
    fields = [name for model in (o.Receive, o.PartyIn, *o.ORDERS.values()) for name in model.model_fields]
    assert len(columns) > 40
    assert [name for name in (*columns, *fields) if refused_heading(name)] == []


def test_the_queue_says_what_is_next_and_the_figures_count_rows(conn: Any) -> None:
    asked = Asked(NOW, NOW.date())

    def reason(case: Any, at: datetime = NOW) -> str:
        (row,) = [
            one for one in board.page(conn, asked._replace(now=at, today=at.date()), 50) if one.id == case.id
        ]
        return row.reason

    case = receive(conn)
    assert reason(case) == "accept"
    case = do(conn, case, "accept")
    assert reason(case) == "assign" and reason(case, NOW + timedelta(days=200)) == "late"
    case = do(conn, case, "assign", post=mediation_near.mediators(conn, case.area_no, ["mediator"], 1)[0].id)
    assert reason(case) == "plan"
    case = do(conn, case, "plan_session", planned_at=NOW + timedelta(hours=1))
    assert reason(case) == "meet" and reason(case, NOW + timedelta(hours=2)) == "record"
    case = do(conn, case, "hold_session", session=1, held_at=NOW, outcome="agreed")
    assert reason(case) == "settle"
    case = do(conn, case, "settle", agreement="x", form="oral", perform_by="2026-11-20")
    assert [one.id for one in board.page(conn, asked, 9)] == []
    assert reason(case, NOW + timedelta(days=2)) == "follow"
    failed = do(conn, do(conn, receive(conn), "accept"), "fail", reason="no agreement")
    declined = do(conn, receive(conn), "decline", reason="for the court")
    withdrawn = do(conn, receive(conn), "withdraw", reason="came to terms")
    waiting = receive(conn)
    found = board.figures(conn, NOW - timedelta(days=1), NOW, NOW.date())
    assert found == board.Figures(5, 2, 2, 1, 1, 0, 0, 0, 1, 0)
    assert board.figures(conn, NOW, NOW + timedelta(days=3), date(2026, 11, 21)).due == 1
    assert board.by_tier(conn, NOW)[0] == board.TierFigures(1, 4, 1, 1, 2)
    ended = board.page(conn, asked._replace(view="ended"), 9)
    assert {row.id for row in ended} == {case.id, failed.id, declined.id, withdrawn.id}
    assert board.reasons(conn, asked) == {"accept": 1} and waiting.id


COMMANDS = st.lists(st.sampled_from(list(o.ORDERS)), min_size=5, max_size=25)
CARRIES: dict[str, dict[str, Any]] = {
    "accept": {}, "decline": {"reason": "for the court"}, "assign": {"room": "甲社区"},
    "plan_session": {"planned_at": NOW}, "settle": {"agreement": "x", "form": "oral", "perform_by": "2026-11-20"},
    "hold_session": {"session": 1, "held_at": NOW, "outcome": "continued"}, "move_up": {"reason": "too hard here"},
    "fail": {"reason": "no agreement"}, "withdraw": {"reason": "came to terms"},
    "perform": {"performed_on": "2026-11-18"}, "breach": {"reason": "nothing was paid"},
}  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(commands=COMMANDS)
def test_whatever_is_commanded_the_case_is_what_its_events_left(stores: Stores, commands: list[str]) -> None:
    with make_pool(stores.app_url, 1) as pool, pool.connection() as conn:
        conn.execute("SELECT set_config('role', 'wangge_care', true), set_config('wangge.lo', '0', true),"
                     " set_config('wangge.hi', '9999999999999', true)")  # fmt: skip
        case = receive(conn)
        for name in commands:
            try:
                with conn.transaction():
                    case = do(conn, case, name, **CARRIES[name])
            except (NotPossible, BadCase):
                pass
        assert_fold(conn, case.id)
        conn.rollback()
