"""What the database itself keeps apart, also when the application forgets to ask."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import sql

from geodata.pool import make_pool
from geodata.scope import EVERYTHING, Db, Hat, Pool, Scope, scoped
from geodata.servers import Stores
from tests.small_place import centre, grid_no

TOWN_1 = Scope(grid_no(1, 0, 0), grid_no(1, 0, 0) + 999_999)
TOWN_2 = Scope(grid_no(2, 0, 0), grid_no(2, 0, 0) + 999_999)
TWO_PARTS = Scope.of([(grid_no(1, 1, 0), grid_no(1, 1, 0) + 999), (grid_no(2, 2, 0), grid_no(2, 2, 0) + 999)])
HATS: tuple[Hat, ...] = ("facts", "wall", "care", "access", "audit")
# Tables that tell nothing of an area: the words of the place, and who may come in (read by the role "access" alone).
PLACELESS = {
    "place",
    "channel",
    "category",
    "department",
    "calendar_override",
    "dispatch_weights",
    "road_net",
    "road_edge",
    "spatial_ref_sys",
    "geometry_columns",
    "geography_columns",
}
ACCOUNTS = {
    "account",
    "account_area",
    "ticket_filter",
    "wall_screen",
    "wall_token",
    "api_client",
    "webhook_channel",
    "device",
    "area",
    "worker",
    "place",
    "notice_target",
    "notice",
}


@pytest.fixture(scope="module")
def seeded(module_clone: Stores) -> Iterator[Stores]:
    """Tickets, events, positions, patrols, posts, stations, audit rows in every grid of both towns."""
    with psycopg.connect(module_clone.database_url) as conn:
        for town in (1, 2):
            for community in (1, 2):
                for grid in range(1, 10):
                    _seed(conn, grid_no(town, community, grid), *centre(town, community, grid))
        conn.execute("SELECT count_days(now() + interval '2 days')")
    yield module_clone


def _seed(conn: Db, no: int, x: float, y: float) -> None:
    point = sql.SQL("ST_SetSRID(ST_MakePoint({}, {}), 4326)").format(x, y)
    run = lambda text: conn.execute(sql.SQL(text).format(no=sql.Literal(no), point=point))  # noqa: E731
    run(
        "INSERT INTO ticket (reported_at, channel_id, category_id, title, geom, location, area_no, status)"
        " SELECT now(), 1, id, 't', {point}, 'exact', {no}, 'in_progress' FROM category WHERE code = '01001'"
    )
    run(
        "INSERT INTO ticket_event (ticket_id, kind, status, version, actor, area_no)"
        " VALUES (1, 'accepted', 'accepted', 1, 'test', {no})"
    )
    run(
        "INSERT INTO position (worker_id, at, received_at, geom, area_no)"
        " SELECT id, now(), now(), {point}, {no} FROM worker WHERE area_no = {no}"
    )
    run(
        "INSERT INTO worker_hand SELECT nextval('ticket_id'), id, {no}, true, now() FROM worker WHERE area_no = {no}"
    )
    run("INSERT INTO worker_position SELECT id, now(), {point}, {no} FROM worker WHERE area_no = {no}")
    run(
        "INSERT INTO worker_leave (worker_id, area_no, during, entered_by)"
        " SELECT id, {no}, tstzrange(now(), now() + interval '1 day'), 'test' FROM worker WHERE area_no = {no}"
    )
    run("INSERT INTO patrol SELECT {no}, current_date, id, now(), now() FROM worker WHERE area_no = {no}")
    run(
        "INSERT INTO key_person (kind, code, name, role, area_no, geom, generated)"
        " VALUES ('post', 'P' || {no}, 'n', 'grid_head', {no}, {point}, true)"
    )
    run(
        "INSERT INTO video_station (id, name, site_kind, area_no, geom, generated)"
        " VALUES (lpad({no}::text, 20, '0'), 'v', 'hall', {no}, {point}, true)"
    )
    run(
        "INSERT INTO picture (area_no, sha256, width, height, bytes, sender_kind, sender_id, sent_by)"
        " VALUES ({no}, sha256('x'), 1, 1, 1, 'account', 1, 'test')"
    )
    run(
        "INSERT INTO round (area_no, kind, first_day, last_day, due, done_at, done_by, figures)"
        " VALUES ({no}, 'daily', current_date, current_date, now(), now(), 'test', '{{}}')"
    )
    run(
        "INSERT INTO duty_item (area_no, kind, words, every, since, created_by)"
        " VALUES ({no}, 'task', 'w', 'week', current_date, 'test')"
    )
    run(
        "INSERT INTO duty_done (area_no, item, first_day, done_at, done_by)"
        " VALUES ({no}, '#1', current_date, now(), 'test')"
    )
    run("INSERT INTO outbox (kind, area_no, body) VALUES ('ticket', {no}, '{{}}')")
    run(
        "INSERT INTO ticket_reporter (ticket_id, area_no, name_masked, sealed, key_id)"
        " VALUES ({no}, {no}, '王**', 'x', 1)"
    )
    run("INSERT INTO call_back (ticket_id, area_no, outcome, actor) VALUES (1, {no}, 'busy', 'test')")
    run(
        "INSERT INTO consultation (ticket_id, area_no, question, asked_at, asked_by)"
        " VALUES (1, {no}, 'q', now(), 'test')"
    )
    run(
        "INSERT INTO handover (area_no, ranges, since, until, given_by, given_name, snapshot, digest)"
        " VALUES ({no}, int8multirange(int8range({no}, {no}, '[]')), now(), now(), 'test ' || {no}, 't', '{{}}', '')"
    )
    run(
        "INSERT INTO handover_note (area_no, ranges, kind, words, at, actor, actor_name)"
        " VALUES ({no}, int8multirange(int8range({no}, {no}, '[]')), 'note', 'w', now(), 'test', 't')"
    )
    run("INSERT INTO alarm (area_no, kind, key, raised_at) VALUES ({no}, 'burst', 'burst:' || {no}, now())")
    run(
        "WITH made AS (INSERT INTO mediation_case (number, area_no, category, tier, key_id, received_at)"
        " VALUES ('M' || {no}, {no}, '04001', 1, 1, now()) RETURNING id), event AS ("
        " INSERT INTO mediation_event (case_id, area_no, kind, state, version, actor)"
        " SELECT id, {no}, 'receive', 'received', 1, 'test' FROM made), session AS ("
        " INSERT INTO mediation_session (case_id, area_no, seq, tier, planned_at)"
        " SELECT id, {no}, 1, 1, now() FROM made)"
        " INSERT INTO mediation_party (case_id, area_no, side, name_masked, name_sealed, key_id)"
        " SELECT id, {no}, 'applicant', 'x**', '', 1 FROM made"
    )
    run(
        "WITH made AS (INSERT INTO dispatch_plan (area_no, made_kind, made_by, made_at, expires_at, figures)"
        " VALUES ({no}, 'account', 'test', now(), now() + interval '1 hour', '{{}}') RETURNING id)"
        " INSERT INTO dispatch_plan_line (plan_id, rank, area_no, ticket_id, version, rough, why)"
        " SELECT id, 0, {no}, {no}, 1, false, '{{}}' FROM made"
    )
    run(
        "WITH made AS (INSERT INTO incident (area_no, title, opened_at, opened_by)"
        " VALUES ({no}, 't', now(), 'test') RETURNING id), gathered AS ("
        " INSERT INTO incident_ticket (incident_id, ticket_id, area_no, added_at, added_by)"
        " SELECT id, {no}, {no}, now(), 'test' FROM made)"
        " INSERT INTO incident_event (incident_id, area_no, at, kind, actor, data)"
        " SELECT id, {no}, now(), 'open', 'test', '{{}}' FROM made"
    )
    run(
        "INSERT INTO incident_burst (area_no, at, last_at, category, tickets)"
        " VALUES ({no}, now(), now(), '01001', ARRAY[1, 2])"
    )
    run(
        "INSERT INTO ticket_claim (ticket_id, area_no, holder_kind, holder, holder_name, since, until)"
        " VALUES ({no}, {no}, 'account', 'test', 'n', now(), now() + interval '1 hour')"
    )
    run(
        "INSERT INTO claim_word (ticket_id, area_no, to_kind, told, by_kind, said_by, by_name, word, at)"
        " VALUES ({no}, {no}, 'account', 'test', 'account', 't', 'n', 'w', now())"
    )
    run(
        "INSERT INTO audit (actor_kind, actor_name, action, area_no)"
        " VALUES ('system', 'test', 'export', {no})"
    )


def relations(conn: Db) -> list[str]:
    """Every table, partition and view of the schema."""
    rows = conn.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY 1"
    ).fetchall()
    return [row[0] for row in rows]


def numbers_in(conn: Db, name: str) -> set[int] | None:
    """Numbers of areas that a role sees in a relation; None when it may not read it at all."""
    found: set[int] = set()
    columns = [
        row[0]
        for row in conn.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attname IN ('area_no', 'no')",
            (name,),
        )
    ]
    if not columns:
        columns = ["1"]
    for column in columns:
        target = sql.Identifier(column) if column != "1" else sql.SQL("1")
        try:
            with conn.transaction():
                query = sql.SQL("SELECT {} FROM {}").format(target, sql.Identifier(name))
                found |= {row[0] for row in conn.execute(query) if row[0] is not None}
        except psycopg.errors.InsufficientPrivilege:
            return None
    return found


@pytest.mark.parametrize("scope", [TOWN_1, TWO_PARTS], ids=["town", "two parts"])
@pytest.mark.parametrize("hat", HATS)
def test_no_table_view_or_partition_yields_what_is_outside(seeded: Stores, scope: Scope, hat: Hat) -> None:
    with make_pool(seeded.app_url, 1) as pool, scoped(pool, scope, hat) as conn:
        for name in relations(conn):
            if name in PLACELESS or (hat == "access" and name in ACCOUNTS):
                continue
            seen = numbers_in(conn, name)
            outside = {no for no in seen or () if not scope.holds(no)}
            assert not outside, f"{hat} sees {sorted(outside)[:3]} in {name}"
            if seen and name.startswith(("ticket_2", "position_2")):
                pytest.fail(f"{hat} may read the partition {name}, which has no policy")


@pytest.mark.parametrize(
    "table",
    [
        "ticket",
        "ticket_event",
        "picture",
        "patrol",
        "worker",
        "key_person",
        "video_station",
        "area",
        "call_back",
        "consultation",
        "alarm",
        "handover",
        "handover_note",
        "round",
        "duty_item",
        "duty_done",
        "worker_position",
        "worker_leave",
        "worker_hand",
        "open_ticket",
        "ticket_sum",
        "dispatch_plan",
        "dispatch_plan_line",
        "incident",
        "incident_ticket",
        "incident_event",
        "incident_burst",
        "ticket_claim",
        "claim_word",
    ],
)
def test_what_is_inside_is_there(seeded: Stores, table: str) -> None:
    """So that the test above cannot pass on empty tables."""
    with make_pool(seeded.app_url, 1) as pool:
        for scope in (TOWN_1, TOWN_2, TWO_PARTS, EVERYTHING):
            with scoped(pool, scope) as conn:
                assert numbers_in(conn, table), (table, scope)


def test_without_a_scope_the_process_may_read_nothing(seeded: Stores) -> None:
    """The application forgot everything: neither scope nor role."""
    with make_pool(seeded.app_url, 1) as pool, pool.connection() as conn:
        readable = [name for name in relations(conn) if numbers_in(conn, name)]
        assert set(readable) <= {
            "_yoyo_migration",
            "spatial_ref_sys",
            "geometry_columns",
            "geography_columns",
        } | {name for name in readable if name.startswith("_yoyo")}


def test_the_role_can_neither_bypass_nor_change_a_policy(seeded: Stores) -> None:
    with make_pool(seeded.app_url, 1) as pool, pool.connection() as conn:
        roles = conn.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'wangge%' AND (rolsuper OR rolbypassrls OR rolcreaterole)"
        ).fetchall()
        assert roles == []
        owned = conn.execute(
            "SELECT relname FROM pg_class WHERE relowner::regrole::text LIKE 'wangge%'"
        ).fetchall()
        assert owned == []
        for statement in (
            "ALTER TABLE ticket DISABLE ROW LEVEL SECURITY",
            "DROP POLICY scoped ON ticket",
            "SET ROLE postgres",
            "SET row_security = off; SET ROLE wangge_scoped; SELECT * FROM ticket",
        ):
            with pytest.raises(psycopg.Error), conn.transaction():
                conn.execute(statement)  # type: ignore[arg-type]


def test_every_table_has_row_security_or_is_named_here(seeded: Stores) -> None:
    with psycopg.connect(seeded.database_url) as conn:
        open_tables = {
            row[0]
            for row in conn.execute(
                """
                SELECT c.relname FROM pg_class c
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                  AND NOT c.relrowsecurity AND EXISTS (
                      SELECT FROM information_schema.column_privileges p
                      WHERE p.table_name = c.relname AND p.grantee IN
                          ('wangge_scoped', 'wangge_county', 'wangge_parts', 'wangge_wall', 'PUBLIC'))
                """
            )
        }
    assert open_tables <= PLACELESS | {"device"}, "device is read by the county's role alone, for the intake"


def test_a_thousand_interleaved_requests_leak_nothing(seeded: Stores) -> None:
    chance = random.Random(7)
    work = [chance.choice((TOWN_1, TOWN_2, TWO_PARTS)) for _ in range(1000)]
    with make_pool(seeded.app_url, 4) as pool, ThreadPoolExecutor(8) as threads:
        leaks = [leak for leak in threads.map(lambda scope: _ask(pool, scope), work) if leak]
    assert leaks == []


def _ask(pool: Pool, scope: Scope) -> str | None:
    try:
        with scoped(pool, scope) as conn:
            rows = conn.execute("SELECT area_no FROM ticket UNION ALL SELECT area_no FROM worker").fetchall()
            if scope is TOWN_2:
                raise InterruptedError  # a request that fails must not leave its scope behind either
    except InterruptedError:
        pass
    with pool.connection() as conn:
        left = conn.execute("SELECT current_user, nullif(current_setting('wangge.lo', true), '')").fetchone()
        conn.rollback()
    if left != ("wangge_app", None):
        return f"left behind: {left}"
    outside = [row for row in rows if not scope.holds(row[0])]
    return f"{scope} sees {outside[:3]}" if outside or not rows else None
