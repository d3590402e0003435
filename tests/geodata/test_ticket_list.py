"""The list's queries on a real database: words, scopes, paging without gaps, counts, and what the planner is told."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from geodata.pool import make_pool
from geodata.queries import ticket_list as queries
from geodata.queries.ticket_conditions import Conditions
from geodata.queries.ticket_list import Found, Order, SortBy
from geodata.scope import EVERYTHING, Pool, Scope, scoped
from geodata.servers import Stores
from tests.small_place import centre, grid_no

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
TOWN_1 = Scope(grid_no(1, 0, 0), grid_no(1, 0, 0) + 999_999)
PARTS = Scope.of([(grid_no(1, 1, 0), grid_no(1, 1, 0) + 999), (grid_no(2, 2, 0), grid_no(2, 2, 0) + 999)])
TEXTS = [
    ("北宿社区路灯不亮", "北宿镇北宿社区3号楼2单元：路灯不亮，请核实处理。", "北宿镇北宿社区3号楼2单元"),
    ("井盖破损", None, "唐村镇大东村12号"),
    ("ＷＩＦＩ设备箱门敞开，３号楼", "有 Wi-Fi 字样", None),
    ("灯箱不亮路面黑", None, "中心店镇"),
    ("狗吠扰民", "夜间犬吠；'引号' & | ! ( 也有", None),
]


@pytest.fixture(scope="module")
def pool(module_clone: Stores) -> Iterator[Pool]:
    """120 tickets over all grids and three months; each fifth has the same text, each fourth has ended."""
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute("SELECT ensure_months('ticket', '2026-08-01', '2026-12-31')")
        for n in range(120):
            grid = grid_no(1 + n % 2, 1 + n // 2 % 2, 1 + n % 9)
            title, description, address = TEXTS[n % 5]
            reported = NOW - timedelta(days=n * 0.7, minutes=n % 3)
            ended = n % 4 == 0
            x, y = centre(1 + n % 2, 1 + n // 2 % 2, 1 + n % 9)
            conn.execute(
                "INSERT INTO ticket (reported_at, source_id, channel_id, category_id, title, description, address,"
                " geom, location, area_no, status, closed_at, due_at, severity)"
                " SELECT %s, %s, 1 + %s %% 2, id, %s, %s, %s, ST_SetSRID(ST_MakePoint(%s, %s), 4326), 'exact', %s,"
                " %s::ticket_status, %s, %s, %s FROM category WHERE code = '01001'",
                (
                    reported, f"S{n:04d}", n, title, description, address, x, y, grid,
                    "closed" if ended else ("dispatched", "signed", "suspended")[n % 3] if n % 3 < 2 else "accepted",
                    reported + timedelta(days=1) if ended else None,
                    None if n % 7 == 0 else NOW + timedelta(hours=n - 60), (None, "urgent", "complex")[n % 3],
                ),
            )  # fmt: skip
    with make_pool(module_clone.app_url, 2) as open_pool:
        yield open_pool


def page(
    pool: Pool, wanted: Conditions, by: SortBy = "due", scope: Scope = EVERYTHING, *, down: bool = False,
    limit: int = 200, after: list[str] | None = None,
) -> Found:  # fmt: skip
    with scoped(pool, scope) as conn:
        wanted = wanted._replace(within=scope)
        order = Order(by, down, ("urgent", "complex", "ordinary"))
        return queries.page(conn, wanted, order, now=NOW, limit=limit, after=after)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("路灯", {0}), ("路", {0, 3}), ("灯", {0, 3, 4} - {4}), ("亮", {0, 3}), ("路灯不亮", {0}), ("北宿 路灯", {0}),
        ("北宿镇", {0}), ("井盖", {1}), ("12号", {1}), ("大东村12号", {1}), ("wifi", {2}), ("WiFi设备", {2}),
        ("3号楼", {0, 2}), ("敞开，３号楼", {2}), ("不亮路", {3}), ("狗", {4}), ("犬吠", {4}), ("'引号'", {4}),
        ("灯不路", set()), ("没有的词", set()), ("！？", set()), ("& | !", set()),
    ],
)  # fmt: skip
@pytest.mark.parametrize("only_open", [False, True])
def test_words_are_found_wherever_they_stand(pool: Pool, words: str, text: set[int], only_open: bool) -> None:
    """Of one character and more, in any width, across no gap, and together."""
    found = page(pool, Conditions(terms=tuple(words.split()), only_open=only_open))
    titles = {row.title for row in found.rows}
    assert titles == {TEXTS[n][0] for n in text}
    assert found.total == len(found.rows) and not found.more


def test_a_number_finds_its_ticket_as_well(pool: Pool) -> None:
    one = page(pool, Conditions()).rows[0]
    by_source = page(pool, Conditions(terms=(str(one.source_id),), source=one.source_id))
    assert [row.id for row in by_source.rows] == [one.id]
    by_number = page(pool, Conditions(terms=(str(one.id),), number=one.id))
    assert one.id in {row.id for row in by_number.rows}


@pytest.mark.parametrize("scope", [TOWN_1, PARTS, EVERYTHING], ids=["town", "parts", "county"])
@pytest.mark.parametrize("terms", [(), ("路灯",), ("不", "亮"), ("S0001",)])
def test_nothing_outside_of_the_scope_is_found(pool: Pool, scope: Scope, terms: tuple[str, ...]) -> None:
    found = page(pool, Conditions(terms=terms, source=terms[0] if terms else None), scope=scope)
    everything = page(pool, Conditions(terms=terms, source=terms[0] if terms else None))
    inside = {row.id for row in everything.rows if scope.holds(row.area_no)}
    assert {row.id for row in found.rows} == inside
    assert found.total == len(inside)


def test_the_function_tests_the_scope_by_itself(pool: Pool) -> None:
    """It runs as the owner of the tables: no policy does it."""
    call = "SELECT area_no FROM ticket_found(ARRAY['不亮'], NULL, NULL, NULL, NULL, %s, 1000)"
    for scope in (TOWN_1, PARTS):
        for only_open in (False, True):
            with scoped(pool, scope) as conn:
                seen = {row[0] for row in conn.execute(call, (only_open,))}
            assert seen and all(scope.holds(no) for no in seen)
    with scoped(pool, Scope(-1, -1)) as conn:
        assert conn.execute(call, (False,)).fetchall() == []
    for hat in ("wall", "care", "access", "audit"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), scoped(pool, EVERYTHING, hat) as conn:  # type: ignore[arg-type]
            conn.execute(call, (False,))


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("by", ["due", "reported", "status", "area", "severity"])
@pytest.mark.parametrize("scope", [EVERYTHING, TOWN_1], ids=["county", "town"])
def test_pages_follow_without_gap_or_repetition(pool: Pool, by: SortBy, down: bool, scope: Scope) -> None:
    whole = [row.id for row in page(pool, Conditions(), by, scope, down=down).rows]
    assert len(set(whole)) == len(whole) == (120 if scope.county else 60)
    for size in (7, 59):
        got: list[int] = []
        after = None
        for _ in itertools.count():
            part = page(pool, Conditions(), by, scope, down=down, limit=size, after=after)
            got += [row.id for row in part.rows]
            if len(part.rows) < size:
                break
            after = part.rows[-1].sort_key
        assert got == whole


@pytest.mark.parametrize("by", ["due", "reported", "area", "status", "severity"])
def test_more_than_can_be_counted_are_read_in_the_same_order(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, by: SortBy
) -> None:
    whole = page(pool, Conditions(statuses=None), by)
    monkeypatch.setattr(queries, "MOST", 40)
    dense = page(pool, Conditions(), by, limit=25)
    assert (dense.total, dense.more) == (40, True)
    if by in queries.INDEXED:
        assert [row.id for row in dense.rows] == [
            row.id for row in whole.rows[:25]
        ] and dense.looked_at is None
        second = page(pool, Conditions(), by, limit=25, after=dense.rows[-1].sort_key)
        assert [row.id for row in second.rows] == [row.id for row in whole.rows[25:50]]
    assert dense.late == min(40, whole.late)
    monkeypatch.setattr(queries, "MOST", 10)
    cut = page(pool, Conditions(), "status")
    newest = sorted(whole.rows, key=lambda row: row.reported_at, reverse=True)[:10]
    assert cut.looked_at == 10 and {row.id for row in cut.rows} == {row.id for row in newest}


def test_a_search_that_finds_too_much_says_so(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MOST", 5)
    found = page(pool, Conditions(terms=("不亮",)), "reported", down=True)
    newest = [
        row for row in page(pool, Conditions(), "reported", down=True).rows if "不亮" in (row.title or "")
    ]
    assert (found.more, found.looked_at) == (True, 5)
    assert [row.id for row in found.rows] == [row.id for row in newest[:5]]


@pytest.mark.parametrize(
    ("wanted", "test"),
    [
        (Conditions(flags=frozenset({"overdue"})), lambda row: not row.closed_at and row.due_at and row.due_at < NOW),
        (Conditions(flags=frozenset({"due_soon"})),
         lambda row: not row.closed_at and row.due_at and NOW <= row.due_at < NOW + timedelta(hours=2)),
        (Conditions(flags=frozenset({"unsigned"})), lambda row: row.status == "dispatched" and not row.closed_at),
        (Conditions(only_open=True), lambda row: row.closed_at is None),
        (Conditions(statuses=("signed",)), lambda row: row.status == "signed"),
        (Conditions(severities=("urgent",)), lambda row: row.severity == "urgent"),
        (Conditions(severities=("ordinary",), usual_severity=True), lambda row: row.severity is None),
        (Conditions(since=NOW - timedelta(days=9), until=NOW - timedelta(days=2)),
         lambda row: NOW - timedelta(days=9) <= row.reported_at < NOW - timedelta(days=2)),
        (Conditions(closed_since=NOW - timedelta(days=30)),
         lambda row: row.closed_at and row.closed_at >= NOW - timedelta(days=30)),
        (Conditions(located=("none",)), lambda row: False),
        (Conditions(located=("exact", "none")), lambda row: True),
        (Conditions(flags=frozenset({"picture"})), lambda row: False),
        (Conditions(actor="nobody"), lambda row: False),
        (Conditions(channels=(1,)), lambda row: row.channel == FIRST_CHANNEL),
    ],
)  # fmt: skip
def test_filters_keep_what_they_say(pool: Pool, wanted: Conditions, test: object) -> None:
    assert callable(test)
    rows = page(pool, Conditions()).rows
    assert {row.id for row in page(pool, wanted).rows} == {row.id for row in rows if test(row)}


FIRST_CHANNEL = "grid"


def test_words_are_told_to_who_may_read_them_only(pool: Pool) -> None:
    with scoped(pool, TOWN_1) as conn:
        order = Order("due")
        found = queries.page(conn, Conditions(within=TOWN_1), order, now=NOW, limit=5, words=False)
    assert found.rows and all(
        (row.title, row.address, row.source_id) == (None, None, None) for row in found.rows
    )


def test_a_word_that_stands_nearly_everywhere_is_read_off_the_newest(pool: Pool) -> None:
    """Both ways through ticket_found give the same."""
    for terms in (("亮",), ("不亮",), ("号",)):
        wide = page(pool, Conditions(terms=terms), "reported", down=True)
        titles = [row.id for row in page(pool, Conditions(), "reported", down=True).rows]
        assert [row.id for row in wide.rows] == [
            one for one in titles if one in {row.id for row in wide.rows}
        ]
