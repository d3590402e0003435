"""The scope that the database enforces."""

import psycopg
import pytest

from geodata.scope import EVERYTHING, Db, Pool, Scope, enter, scoped
from tests.small_place import grid_no

TOWN_1 = Scope(grid_no(1, 0, 0), grid_no(1, 0, 0) + 999_999)


def test_a_town_sees_its_own_areas_only(conn: Db) -> None:
    enter(conn, TOWN_1)
    rows = conn.execute("SELECT count(*), min(no), max(hi) FROM area").fetchone()
    assert rows == (21, TOWN_1.lo, TOWN_1.hi)


def test_the_county_sees_all(conn: Db) -> None:
    enter(conn, EVERYTHING)
    assert conn.execute("SELECT count(*) FROM area").fetchone() == (43,)


def test_without_a_range_nothing_is_seen(conn: Db) -> None:
    conn.execute("SET LOCAL ROLE wangge_scoped")
    assert conn.execute("SELECT count(*) FROM area").fetchone() == (0,)


def test_a_scope_ends_with_its_transaction(pool: Pool) -> None:
    with scoped(pool, TOWN_1) as conn:
        assert conn.execute("SELECT current_user").fetchone() == ("wangge_scoped",)
    with pool.connection() as conn:
        assert conn.execute("SELECT current_user = session_user, scope_lo()").fetchone() == (True, None)


def test_a_partition_asked_directly_is_refused(conn: Db) -> None:
    enter(conn, TOWN_1)
    name = "ticket_" + str(conn.execute("SELECT to_char(now(), 'YYYYMM')").fetchone()[0])  # type: ignore[index]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(f"SELECT * FROM {name}")  # type: ignore[arg-type]


def test_events_are_append_only_even_for_the_owner(conn: Db) -> None:
    conn.execute(
        "INSERT INTO ticket_event (ticket_id, kind, status, version, actor, area_no)"
        " VALUES (1, 'accepted', 'accepted', 1, 'test', %s)",
        (grid_no(1, 1, 1),),
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("DELETE FROM ticket_event")
