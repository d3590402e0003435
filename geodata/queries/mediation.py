"""Cases of mediation: rows, sessions, events; read and written in the hat "care" alone."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from geodata.scope import Db


class Case(NamedTuple):
    """A case as the services see it; what is sealed comes from mediation_seals."""

    id: int
    number: str
    version: int
    area_no: int
    category: str
    ticket_id: int | None
    state: str
    tier: int
    room: str | None
    post_id: int | None
    worker_id: int | None
    mediator: str | None
    agreement_form: str | None
    received_at: datetime
    accepted_at: datetime | None
    due_at: datetime | None
    closed_at: datetime | None
    perform_by: date | None
    performed: bool | None
    performed_on: date | None
    generated: bool


class Session(NamedTuple):
    """A meeting: planned, and what came of it."""

    seq: int
    tier: int
    planned_at: datetime
    room: str | None
    held_at: datetime | None
    ended_at: datetime | None
    outcome: str | None


class CaseEvent(NamedTuple):
    """One command in the life of a case."""

    id: int
    at: datetime
    kind: str
    was: str | None
    state: str
    version: int
    actor: str
    actor_role: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    data: dict[str, Any] | None


_CASE = sql.SQL(", ").join(
    sql.SQL("state::text") if name == "state" else sql.Identifier(name) for name in Case._fields
)
_TYPES = {"state": "mediation_state"}


def one(conn: Db, case_id: int, *, lock: bool = False) -> Case | None:
    """A case in scope; with `lock` nobody else changes it until the transaction ends."""
    query = sql.SQL("SELECT {} FROM mediation_case WHERE id = %s {}").format(
        _CASE, sql.SQL("FOR UPDATE" if lock else "")
    )
    with conn.cursor(row_factory=class_row(Case)) as cursor:
        return cursor.execute(query, (case_id,)).fetchone()


def add(conn: Db, columns: Mapping[str, Any], year: int) -> Case:
    """Insert a case; its number is the year and its id."""
    names = list(columns)
    query = sql.SQL(
        """
        WITH made AS (SELECT nextval(pg_get_serial_sequence('mediation_case', 'id')) AS id)
        INSERT INTO mediation_case (id, number, {})
        SELECT id, %(year)s::text || '-' || lpad(id::text, 6, '0'), {} FROM made RETURNING {}
        """
    ).format(sql.SQL(", ").join(map(sql.Identifier, names)), sql.SQL(", ").join(map(_value, names)), _CASE)
    with conn.cursor(row_factory=class_row(Case)) as cursor:
        found = cursor.execute(query, {**columns, "year": year}).fetchone()
    assert found is not None
    return found


def change(conn: Db, case_id: int, columns: Mapping[str, Any]) -> Case:
    """Set columns of a case and count its version on."""
    sets = [sql.SQL("{} = {}").format(sql.Identifier(name), _value(name)) for name in columns]
    query = sql.SQL("UPDATE mediation_case SET {} WHERE id = %(id)s RETURNING {}").format(
        sql.SQL(", ").join([sql.SQL("version = version + 1"), *sets]), _CASE
    )
    with conn.cursor(row_factory=class_row(Case)) as cursor:
        found = cursor.execute(query, {**columns, "id": case_id}).fetchone()
    assert found is not None
    return found


def _value(name: str) -> sql.Composable:
    cast = sql.SQL("::{}").format(sql.SQL(_TYPES[name])) if name in _TYPES else sql.SQL("")
    return sql.SQL("{}{}").format(sql.Placeholder(name), cast)


def add_session(conn: Db, case: Case, planned_at: datetime, room: str | None) -> int:
    """Plan a meeting; returns its number."""
    row = conn.execute(
        """
        INSERT INTO mediation_session (case_id, area_no, seq, tier, planned_at, room)
        SELECT %(id)s, %(area_no)s, coalesce(max(seq), 0) + 1, %(tier)s, %(at)s, %(room)s
        FROM mediation_session WHERE case_id = %(id)s RETURNING seq
        """,
        {"id": case.id, "area_no": case.area_no, "tier": case.tier, "at": planned_at, "room": room},
    ).fetchone()
    assert row is not None
    return int(row[0])


def end_session(
    conn: Db, case_id: int, seq: int, held_at: datetime, ended_at: datetime | None, outcome: str
) -> bool:
    """Write what came of a meeting; False when there is none of that number that waits for it."""
    return (
        conn.execute(
            """
            UPDATE mediation_session SET held_at = %s, ended_at = %s, outcome = %s
            WHERE case_id = %s AND seq = %s AND outcome IS NULL
            """,
            (held_at, ended_at, outcome, case_id, seq),
        ).rowcount
        == 1
    )


def sessions(conn: Db, case_id: int) -> list[Session]:
    """The meetings of a case, in order."""
    query = sql.SQL("SELECT {} FROM mediation_session WHERE case_id = %s ORDER BY seq").format(
        sql.SQL(", ").join(map(sql.Identifier, Session._fields))
    )
    with conn.cursor(row_factory=class_row(Session)) as cursor:
        return cursor.execute(query, (case_id,)).fetchall()


def add_event(
    conn: Db, case: Case, *, kind: str, was: str | None, at: datetime, actor: str, role: str,
    before: dict[str, Any], after: dict[str, Any], data: dict[str, Any], key: str | None, digest: bytes | None,
) -> None:  # fmt: skip
    """Append what was done to a case."""
    conn.execute(
        """
        INSERT INTO mediation_event (case_id, area_no, at, kind, was, state, version, actor, actor_role, before, after,
                                     data, key, digest)
        VALUES (%s, %s, %s, %s, %s::mediation_state, %s::mediation_state, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (case.id, case.area_no, at, kind, was, case.state, case.version, actor, role, Jsonb(before), Jsonb(after),
         Jsonb(data), key, digest),
    )  # fmt: skip


def event_of_key(conn: Db, actor: str, key: str) -> tuple[int, bytes] | None:
    """(case, digest) of what this actor sent with that idempotency key before."""
    row = conn.execute(
        "SELECT case_id, digest FROM mediation_event WHERE actor = %s AND key = %s", (actor, key)
    ).fetchone()
    return None if row is None else (int(row[0]), bytes(row[1]))


def hold_key(conn: Db, actor: str, key: str) -> None:
    """Let only one transaction at a time go on with that key."""
    conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 22))", (f"{actor} {key}",))


def events(conn: Db, case_id: int) -> list[CaseEvent]:
    """The whole history of a case, oldest first."""
    query = sql.SQL("SELECT {} FROM mediation_event WHERE case_id = %s ORDER BY version").format(
        sql.SQL(", ").join(
            sql.SQL("{}::text").format(sql.Identifier(name))
            if name in ("was", "state")
            else sql.Identifier(name)
            for name in CaseEvent._fields
        )
    )
    with conn.cursor(row_factory=class_row(CaseEvent)) as cursor:
        return cursor.execute(query, (case_id,)).fetchall()
