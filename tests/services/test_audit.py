"""The audit: only ever added to, in a chain that shows what was altered or taken out."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import structlog

from geodata.pool import make_pool
from geodata.scope import EVERYTHING, Db, Pool, Scope, enter, scoped
from geodata.servers import Stores
from services import audit
from services.access.viewer import SYSTEM, Viewer
from services.audit import Action
from tests.small_place import COUNTY_NO, grid_no

TOWN_1 = Scope(grid_no(1, 0, 0), grid_no(1, 0, 0) + 999_999)
TOWN_2 = Scope(grid_no(2, 0, 0), grid_no(2, 0, 0) + 999_999)
BOTH = Scope.of([(TOWN_1.lo, TOWN_1.lo + 9_999), (TOWN_2.lo, TOWN_2.hi)])
COUNTY = Scope(COUNTY_NO, COUNTY_NO + 999_999_999, county=True)
CLERK = Viewer("account", 7, "clerk", "community_clerk", TOWN_1, ip="10.0.0.7")
CHIEF = Viewer("account", 8, "chief", "supervisor", COUNTY)
HATS = ["facts", "wall", "care", "access", "audit", "jobs"]


@contextmanager
def unguarded(clone: Stores) -> Iterator[Db]:
    """What a superuser can do: no trigger fires."""
    with psycopg.connect(clone.database_url, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica")
        yield conn


def write(pool: Pool, number: int, viewer: Viewer = CLERK) -> None:
    for i in range(number):
        with scoped(pool, viewer.scope) as conn:
            audit.record(
                conn, viewer, Action.care_opened, object_kind="care", object_id=i, reason=f"走访 {i}"
            )


def look(clone: Stores) -> audit.Verified:
    with psycopg.connect(clone.database_url) as conn:
        return audit.verify(conn)


def test_a_row_holds_who_what_where_and_why(conn: Db) -> None:
    enter(conn, TOWN_1)
    with structlog.contextvars.bound_contextvars(request_id="abc123"):
        audit.record(
            conn, CLERK, Action.care_opened, object_kind="care", object_id=12, area_no=grid_no(1, 1, 2),
            reason="雨后走访", detail={"fields": ["name"], "minutes": 10},
        )  # fmt: skip
    enter(conn, TOWN_1, "audit")
    (row,) = audit.search(conn)
    assert (row.actor_kind, row.actor_id, row.actor_name, row.actor_role, row.ip) == (
        "account", 7, "clerk", "community_clerk", "10.0.0.7",
    )  # fmt: skip
    assert (row.action, row.object_kind, row.object_id, row.reason) == (
        "care_opened",
        "care",
        "12",
        "雨后走访",
    )
    assert (row.area_no, row.area_code, row.request_id) == (grid_no(1, 1, 2), "370883001001002", "abc123")
    assert row.detail == {"fields": ["name"], "minutes": 10}
    assert abs(row.at - datetime.now(UTC)) < timedelta(seconds=5)


def test_the_chain_holds_under_eight_writers(clone: Stores) -> None:
    failed: list[BaseException] = []

    def work(number: int) -> None:
        viewer = Viewer(
            "account", number, f"writer{number}", "mediator", (TOWN_1, TOWN_2, COUNTY, BOTH)[number % 4]
        )
        try:
            for i in range(25):
                with scoped(pool, viewer.scope) as conn:
                    audit.record(conn, viewer, Action.export, object_id=i, detail={"rows": i})
                    if i % 5 == 4:
                        conn.execute("SELECT 1 / 0")
        except psycopg.errors.DivisionByZero:
            pass  # rolled back: its row is not there, and no number is missing
        except BaseException as error:
            failed.append(error)

    with make_pool(clone.database_url, size=8) as pool:
        writers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        write(pool, 3)
    assert not failed
    found = look(clone)
    assert (found.rows, found.from_id, found.to_id, found.faults) == (8 * 4 + 3, 1, 35, [])


def test_a_savepoint_taken_back_leaves_the_chain_whole(pool: Pool, clone: Stores) -> None:
    with scoped(pool, TOWN_1) as conn:
        audit.record(conn, CLERK, Action.export)
        with conn.transaction(force_rollback=True):
            audit.record(conn, CLERK, Action.export)
        audit.record(conn, CLERK, Action.export)
    assert look(clone)[:3] == (2, 1, 2)
    assert not look(clone).faults


@pytest.mark.parametrize(
    ("harm", "kind", "rows"),
    [
        ("UPDATE audit SET reason = 'x' WHERE id = 5", "altered", (5, 5)),
        ("UPDATE audit SET at = at - interval '1 day' WHERE id = 5", "altered", (5, 5)),
        ("UPDATE audit SET detail = '{\"a\": 1}' WHERE id = 5", "altered", (5, 5)),
        ("UPDATE audit SET actor_name = NULL || '' WHERE false; DELETE FROM audit WHERE id = 5", "missing", (5, 5)),
        ("DELETE FROM audit WHERE id BETWEEN 3 AND 6", "missing", (3, 6)),
        ("DELETE FROM audit WHERE id = 10", "missing", (10, 10)),
        ("DELETE FROM audit WHERE id = 1", "missing", (1, 1)),
        ("DELETE FROM audit", "missing", (1, 10)),
        ("TRUNCATE audit", "missing", (1, 10)),
        ("DELETE FROM audit WHERE id = 5; UPDATE audit SET id = id - 1 WHERE id > 5", "altered", (5, 5)),
        # A forger who knows how the hash is made still breaks the link of the next row, or differs from the head.
        ("UPDATE audit SET reason = 'x' WHERE id = 5; UPDATE audit SET hash = audit_hash(audit) WHERE id = 5",
         "relinked", (6, 6)),
        ("UPDATE audit SET reason = 'x' WHERE id = 10; UPDATE audit SET hash = audit_hash(audit) WHERE id = 10",
         "head", (10, 10)),
        ("DELETE FROM audit WHERE id = 10; UPDATE audit_head SET last_id = 9", "head", (9, 9)),
        ("DELETE FROM audit_head", "head", (0, 0)),
    ],
)  # fmt: skip
def test_what_a_superuser_does_is_found(
    pool: Pool, clone: Stores, harm: str, kind: str, rows: tuple[int, int]
) -> None:
    write(pool, 10)
    assert not look(clone).faults
    with unguarded(clone) as conn:
        for statement in harm.split(";"):
            conn.execute(statement)  # type: ignore[call-overload]
    found = look(clone).faults
    assert (kind, *rows) in [fault[:3] for fault in found]
    assert str(rows[0]) in found[0].sentence or kind == "head"


def test_a_hash_kept_elsewhere_finds_a_chain_written_anew(pool: Pool, clone: Stores) -> None:
    write(pool, 3)
    kept = look(clone)
    write(pool, 2)
    with psycopg.connect(clone.database_url) as conn:
        assert not audit.verify(conn, (kept.to_id, kept.last_hash)).faults
    with unguarded(clone) as conn:
        conn.execute("DELETE FROM audit")
        conn.execute("UPDATE audit_head SET last_id = 0, last_hash = anchor_hash")
    write(pool, 5)
    assert not look(clone).faults
    with psycopg.connect(clone.database_url) as conn:
        (fault,) = audit.verify(conn, (kept.to_id, kept.last_hash)).faults
    assert fault.first_id == 3 and "anew" in fault.sentence


@pytest.mark.parametrize("hat", HATS)
@pytest.mark.parametrize("scope", [TOWN_1, COUNTY, BOTH], ids=["town", "county", "parts"])
def test_every_role_adds_and_none_changes(conn: Db, scope: Scope, hat: Any) -> None:
    enter(conn, scope, hat)
    audit.record(conn, CLERK, Action.export)
    for statement in (
        "UPDATE audit SET reason = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        *(["SELECT * FROM audit_head"] if hat != "audit" else []),
        "UPDATE audit_head SET last_id = 0",
        "INSERT INTO audit (id, at, actor_kind, actor_name, action) VALUES (1, now(), 'system', 'x', 'x')",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "DROP TRIGGER chain ON audit",
        "SET session_replication_role = replica",
        *(["SELECT id FROM audit"] if hat != "audit" else []),
        *(["SELECT audit_forget(180)"] if hat != "jobs" else []),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
            conn.execute(statement)  # type: ignore[call-overload]


def test_not_even_the_owner_changes_a_row(conn: Db) -> None:
    audit.record(conn, SYSTEM, Action.setting)
    for statement in (
        "UPDATE audit SET reason = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "UPDATE audit_head SET last_id = last_id + 1",
        "UPDATE audit_head SET last_hash = sha256('')",
        "UPDATE audit_head SET anchor_id = last_id, last_id = last_id - 1",
        "DELETE FROM audit_head",
        "TRUNCATE audit_head",
        "UPDATE audit_head SET anchor_id = last_id; DELETE FROM audit",  # younger than 180 days
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
            conn.execute(statement)  # type: ignore[call-overload]


def test_a_row_altered_together_with_the_function_that_hashes_is_found(pool: Pool, clone: Stores) -> None:
    write(pool, 4)
    known = (4, look(clone).last_hash)
    with unguarded(clone) as conn:
        conn.execute(
            "CREATE OR REPLACE FUNCTION audit_hash(a audit) RETURNS bytea LANGUAGE sql STABLE RETURN a.hash"
        )
        conn.execute("UPDATE audit SET actor_name = 'somebody else' WHERE id = 2")
        found = audit.verify(conn, known)
    assert [(fault.kind, fault.first_id, fault.last_id) for fault in found.faults] == [("altered", 2, 2)]


def test_number_time_and_hash_are_the_databases(conn: Db) -> None:
    conn.execute(
        "INSERT INTO audit (id, at, actor_kind, actor_name, action, prev_hash, hash)"
        " VALUES (99, '2020-01-01', 'system', 'x', 'setting', sha256(''), sha256(''))"
    )
    row = conn.execute("SELECT id, at > now() - interval '1 minute' FROM audit").fetchone()
    assert row is not None and row[1]
    assert not audit.verify(conn).faults


def test_a_reader_sees_the_rows_of_its_scope(pool: Pool) -> None:
    town_2 = Viewer("account", 9, "two", "supervisor", TOWN_2)
    write(pool, 1, CLERK)
    write(pool, 1, town_2)
    write(pool, 1, CHIEF)
    with scoped(pool, COUNTY) as conn:
        audit.record(conn, None, Action.sign_in_failed, actor_name="who", ip="10.9.9.9")
        audit.record(conn, CHIEF, Action.care_opened, area_no=grid_no(1, 2, 3))

    def seen(scope: Scope) -> list[str]:
        with scoped(pool, scope, "audit") as conn:
            return [row.actor_name for row in reversed(audit.search(conn))]

    assert seen(TOWN_1) == ["clerk", "chief"]
    assert seen(TOWN_2) == ["two"]
    assert seen(BOTH) == ["clerk", "two", "chief"][:2] or seen(BOTH) == ["clerk", "two", "chief"]
    assert seen(COUNTY) == seen(EVERYTHING) == ["clerk", "two", "chief", "who", "chief"]
    assert seen(Scope(-1, -1)) == []


def test_a_reader_of_the_whole_place_verifies(pool: Pool) -> None:
    write(pool, 3)
    with scoped(pool, COUNTY, "audit") as conn:
        assert audit.verify(conn)[:3] == (3, 1, 3)
        assert not audit.verify(conn).faults
    with scoped(pool, TOWN_1, "audit") as conn:
        assert conn.execute("SELECT count(*) FROM audit_head").fetchone() == (0,)


def test_search(pool: Pool) -> None:
    write(pool, 5)
    with scoped(pool, COUNTY) as conn:
        audit.record(conn, CHIEF, Action.setting, detail={"name": "100%_x"})
    with scoped(pool, COUNTY, "audit") as conn:
        assert [row.id for row in audit.search(conn, limit=2)] == [6, 5]
        assert [row.id for row in audit.search(conn, limit=2, before_id=5)] == [4, 3]
        assert [row.id for row in audit.search(conn, action=Action.setting)] == [6]
        assert len(audit.search(conn, action=["setting", "care_opened"])) == 6
        assert len(audit.search(conn, actor="Clerk")) == 5
        assert [row.id for row in audit.search(conn, text="走访 3")] == [4]
        assert [row.id for row in audit.search(conn, text="%_x")] == [6]
        assert audit.search(conn, text="\x00") == []
        now = datetime.now(UTC)
        assert audit.search(conn, since=now + timedelta(minutes=1)) == []
        assert audit.search(conn, until=now - timedelta(minutes=1)) == []


def test_lines_carry_all_that_the_hash_covers(pool: Pool, clone: Stores) -> None:
    write(pool, 3)
    with scoped(pool, COUNTY) as conn:
        audit.record(conn, CHIEF, Action.setting, detail={"b": [1, '引"\\\n\t'], "aa": None, "a": True})
    with scoped(pool, COUNTY, "audit") as conn:
        rows = [json.loads(line) for batch in audit.lines(conn) for line in batch.splitlines()]
    assert [row["id"] for row in rows] == [1, 2, 3, 4]
    for row in rows:  # docs/reference/audit.md: anybody can check a line without the database
        given, before = row.pop("hash"), bytes.fromhex(row.pop("prev_hash"))
        text = json.dumps(list(row.values()), ensure_ascii=False)
        assert hashlib.sha256(before + text.encode()).hexdigest() == given
    assert given == look(clone).last_hash


@pytest.mark.parametrize(
    "detail",
    [
        {"password": "x"},
        {"phone": "1"},
        {"a": [{"new_token": 1}]},
        {"id_number": 1},
        {"ID_card": 1},
        {"Secret": 1},
    ],
)
def test_a_detail_that_names_a_secret_is_refused(conn: Db, detail: dict[str, Any]) -> None:
    with pytest.raises(audit.NotForTheAudit):
        audit.record(conn, CLERK, Action.setting, detail=detail)
    assert conn.execute("SELECT count(*) FROM audit").fetchone() == (0,)


def test_texts_that_a_database_cannot_hold_are_kept_readable(conn: Db) -> None:
    audit.record(
        conn, CLERK, Action.denied, object_id="/a\x00b", reason="\ud800" + "长" * 5000,
        detail={"p": "\x00", "at": datetime.now(UTC)},
    )  # fmt: skip
    row = conn.execute("SELECT object_id, length(reason), detail ->> 'p' FROM audit").fetchone()
    assert row == ("/a�b", 2001, "�")


def test_long_names_and_odd_numbers_do_not_stop_a_row(pool: Pool) -> None:
    long = "".join(chr(0x20000 + i) for i in range(5000))  # does not compress
    detail = {"n": [float("nan"), 1e-9, 1e300, -0.0, 0.1, 2.0, 10**40, 7], long: 1}
    with scoped(pool, COUNTY) as conn:
        audit.record(
            conn, None, Action.sign_in_failed, actor_name=long, ip=long, object_kind="x", object_id=long
        )
        audit.record(conn, CHIEF, Action.setting, detail=detail)
    with scoped(pool, COUNTY, "audit") as conn:
        assert not audit.verify(conn).faults
        for batch in audit.lines(conn):
            for line in batch.splitlines():
                row = json.loads(line)
                given, before = row.pop("hash"), bytes.fromhex(row.pop("prev_hash"))
                text = json.dumps(list(row.values()), ensure_ascii=False)
                assert hashlib.sha256(before + text.encode()).hexdigest() == given


def test_retention_leaves_a_chain_that_holds(pool: Pool, clone: Stores) -> None:
    write(pool, 10)
    with unguarded(clone) as conn:  # as if they had been written then
        conn.execute("UPDATE audit SET at = at - interval '200 days' WHERE id <= 6")
        previous = conn.execute("SELECT anchor_hash FROM audit_head").fetchone()
        assert previous is not None
        for number in range(1, 11):
            conn.execute("UPDATE audit SET prev_hash = %s WHERE id = %s", (previous[0], number))
            conn.execute("UPDATE audit SET hash = audit_hash(audit) WHERE id = %s", (number,))
            previous = conn.execute("SELECT hash FROM audit WHERE id = %s", (number,)).fetchone()
            assert previous is not None
        conn.execute("UPDATE audit_head SET last_hash = %s", (previous[0],))
    assert not look(clone).faults
    with pytest.raises(psycopg.errors.CheckViolation), scoped(pool, EVERYTHING, "jobs") as conn:
        audit.forget(conn, 179)
    with scoped(pool, EVERYTHING, "jobs") as conn:
        assert audit.forget(conn, 365) == 0
        assert audit.forget(conn, 180) == 6
        assert audit.forget(conn, 180) == 0
    found = look(clone)
    assert (found.rows, found.from_id, found.to_id, found.faults) == (5, 7, 11, [])
    with scoped(pool, EVERYTHING, "audit") as conn:
        newest = audit.search(conn, limit=1)[0]
    assert (newest.action, newest.detail) == (
        "audit_shortened", {"rows": 6, "missing": 0, "up_to": 6, "days": 180},
    )  # fmt: skip
    with unguarded(clone) as conn:
        conn.execute("DELETE FROM audit WHERE id = 7")
    assert [fault[:3] for fault in look(clone).faults] == [("missing", 7, 7)]


def test_a_refusal_is_written_once_a_minute(pool: Pool, clone: Stores) -> None:
    viewer = Viewer("account", 4_711, "curious", "analyst", TOWN_2)
    assert not audit.record_denied(pool, None, "GET", "/api/audit")
    assert audit.record_denied(pool, viewer, "GET", "/api/audit")
    assert not audit.record_denied(pool, viewer, "GET", "/api/audit")
    written = [audit.record_denied(pool, viewer, "GET", f"/api/{i}") for i in range(40)]
    assert written.count(True) == 29
    wall = Viewer("wall", 4_712, "hall", "wall", TOWN_2)
    assert audit.record_denied(pool, wall, "POST", "/api/tickets")
    found = look(clone)
    assert (found.rows, found.faults) == (31, [])


def test_a_refusal_stands_while_the_database_is_away(clone: Stores) -> None:
    closed = make_pool(clone.database_url, size=1)
    assert not audit.record_denied(
        closed, Viewer("account", 4_713, "x", "analyst", TOWN_1), "GET", "/api/audit"
    )
