"""Appending the events of a ticket and reading them back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from geodata.scope import Db


class TicketEvent(NamedTuple):
    """One thing that happened to a ticket: who, when, from where, and what it changed (codes, ISO times)."""

    id: int
    at: datetime
    kind: str
    was: str | None
    status: str
    version: int
    actor: str
    actor_role: str | None
    source: str | None
    note: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    data: dict[str, Any] | None
    undoes: int | None


class NewEvent(NamedTuple):
    """An event to append; `version` and `status` are the ticket's after it."""

    ticket_id: int
    at: datetime
    kind: str
    was: str | None
    status: str
    version: int
    actor: str
    actor_role: str
    source: str
    ip: str | None
    note: str | None
    area_no: int
    before: dict[str, Any] | None
    after: dict[str, Any]
    data: dict[str, Any] | None = None
    key: str | None = None
    digest: bytes | None = None
    undoes: int | None = None


class Keyed(NamedTuple):
    """The event that an idempotency key led to."""

    ticket_id: int
    digest: bytes | None


_COLUMNS = (
    "id, at, kind, was::text, status::text, version, actor, actor_role, source, note, before, after, data,"
    " undoes"
)


def append(conn: Db, event: NewEvent) -> int:
    """Append one event and return its id."""
    row = conn.execute(
        """
        INSERT INTO ticket_event (ticket_id, at, kind, was, status, version, actor, actor_role, source, ip, note,
                                  area_no, before, after, data, key, digest, undoes)
        VALUES (%(ticket_id)s, %(at)s, %(kind)s, %(was)s, %(status)s, %(version)s, %(actor)s, %(actor_role)s,
                %(source)s, %(ip)s, %(note)s, %(area_no)s, %(before)s, %(after)s, %(data)s, %(key)s, %(digest)s,
                %(undoes)s)
        RETURNING id
        """,
        event._asdict()
        | {
            name: None if value is None else Jsonb(value)
            for name, value in (("before", event.before), ("after", event.after), ("data", event.data))
        },
    ).fetchone()
    assert row is not None
    return int(row[0])


def events_of(conn: Db, ticket_id: int) -> list[TicketEvent]:
    """All that happened to a ticket in scope, oldest first."""
    return (
        conn.cursor(row_factory=class_row(TicketEvent))
        .execute(
            f"SELECT {_COLUMNS} FROM ticket_event WHERE ticket_id = %s ORDER BY version, id",  # nosec B608
            (ticket_id,),
        )
        .fetchall()
    )


def last_event(conn: Db, ticket_id: int) -> TicketEvent | None:
    """What happened to it last."""
    return (
        conn.cursor(row_factory=class_row(TicketEvent))
        .execute(
            f"SELECT {_COLUMNS} FROM ticket_event WHERE ticket_id = %s ORDER BY version DESC, id DESC LIMIT 1",  # nosec B608
            (ticket_id,),
        )
        .fetchone()
    )


def standing_event(conn: Db, ticket_id: int) -> TicketEvent | None:
    """What somebody did to it last that still holds: no moment of its clock, nothing that was taken back."""
    return (
        conn.cursor(row_factory=class_row(TicketEvent))
        .execute(
            f"""
            SELECT {_COLUMNS} FROM ticket_event e
            WHERE ticket_id = %s AND kind NOT IN ('tick', 'undo')
              AND NOT EXISTS (SELECT FROM ticket_event u WHERE u.undoes = e.id)
            ORDER BY version DESC, id DESC LIMIT 1
            """,  # nosec B608 # names of our own columns
            (ticket_id,),
        )
        .fetchone()
    )


def hold_key(conn: Db, actor: str, key: str) -> Keyed | None:
    """Let only one transaction at a time use this key of this actor; what it led to before, if anything."""
    conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", (f"{actor}\n{key}",))
    row = conn.execute(
        "SELECT ticket_id, digest FROM ticket_event WHERE actor = %s AND key = %s", (actor, key)
    ).fetchone()
    return None if row is None else Keyed(int(row[0]), None if row[1] is None else bytes(row[1]))


def event_of_key(conn: Db, actor: str, key: str) -> TicketEvent | None:
    """The event that this key of this actor led to."""
    return (
        conn.cursor(row_factory=class_row(TicketEvent))
        .execute(
            f"SELECT {_COLUMNS} FROM ticket_event WHERE actor = %s AND key = %s",  # nosec B608
            (actor, key),
        )
        .fetchone()
    )


def events_of_bulk(
    conn: Db, actor: str, prefix: str, since: datetime, kinds: Sequence[str]
) -> list[tuple[int, int]]:
    """Ticket and version of the actor's events of those kinds since then whose keys begin so, in their order."""
    rows = conn.execute(
        "SELECT ticket_id, version FROM ticket_event WHERE at >= %s AND kind <> 'imported' AND actor = %s"
        " AND starts_with(key, %s) AND kind = ANY(%s) ORDER BY id",
        (since, actor, prefix, list(kinds)),
    ).fetchall()
    return [(int(row[0]), int(row[1])) for row in rows]


def clock_events(conn: Db, ticket_id: int) -> list[tuple[str, datetime]]:
    """Kind and moment of all that happened to it, in order; what was taken back is left out."""
    return conn.execute(
        """
        SELECT e.kind, e.at FROM ticket_event e
        WHERE e.ticket_id = %s AND e.kind <> 'undo'
          AND NOT EXISTS (SELECT FROM ticket_event u WHERE u.undoes = e.id)
        ORDER BY e.version, e.id
        """,
        (ticket_id,),
    ).fetchall()


def commanded_tickets(conn: Db) -> list[int]:
    """Ids of the tickets in scope that have more in their history than having come with a file."""
    rows = conn.execute(
        "SELECT DISTINCT ticket_id FROM ticket_event WHERE after IS NOT NULL ORDER BY 1"
    ).fetchall()
    return [int(row[0]) for row in rows]
