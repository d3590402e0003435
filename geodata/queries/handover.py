"""Handovers of shifts: notes, what was given and taken, when a shift began, and how much was done in it."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from geodata.scope import Db, Scope


class Note(NamedTuple):
    """Something that whoever comes next should know; done = no more."""

    id: int
    area_no: int
    kind: str  # promised, watched, note
    words: str
    ticket_id: int | None
    reported_at: datetime | None  # of its ticket
    title: str | None
    due_at: datetime | None
    at: datetime
    actor: str
    actor_name: str
    done_at: datetime | None
    done_name: str | None


class Handover(NamedTuple):
    """A shift as it was given, and by whom it was taken."""

    id: int
    area_no: int
    since: datetime
    until: datetime
    state: str
    given_by: str
    given_name: str
    words: str | None
    snapshot: dict[str, Any]
    digest: bytes
    taken_by: str | None
    taken_name: str | None
    taken_at: datetime | None
    taken_words: str | None


class Done(NamedTuple):
    """What was done in a shift, by the commands of tickets."""

    handed_out: int
    signed: int  # of what was handed out
    accepted: int
    closed: int
    ended: int  # closed, rejected, cancelled, merged
    commands: int


class Watched(NamedTuple):
    """A ticket that somebody supervises, or that waits for a call to be made again."""

    id: int
    until: datetime | None


def ranges_of(scope: Scope) -> str:
    """A scope as PostgreSQL writes several ranges."""
    return "{" + ",".join(f"[{lo},{hi}]" for lo, hi in scope.ranges) + "}"


_NOTE = """
    SELECT n.id, n.area_no, n.kind, n.words, n.ticket_id, t.reported_at, t.title, n.due_at, n.at, n.actor,
           n.actor_name, n.done_at, n.done_name
    FROM handover_note n LEFT JOIN ticket t ON t.id = n.ticket_id
"""


def add_note(
    conn: Db, scope: Scope, area_no: int | None, kind: str, words: str, ticket_id: int | None,
    due_at: datetime | None, actor: str, at: datetime,
) -> int:  # fmt: skip
    """Write a note about a ticket in that area, or, without one, for the whole scope; its id."""
    own = Scope(area_no, area_no) if area_no is not None else scope
    row = conn.execute(
        """
        INSERT INTO handover_note (area_no, ranges, kind, words, ticket_id, due_at, at, actor, actor_name)
        VALUES (%(area)s, %(ranges)s::int8multirange, %(kind)s, %(words)s, %(ticket)s, %(due)s, %(at)s, %(actor)s,
                coalesce(account_name(%(actor)s), %(actor)s))
        RETURNING id
        """,
        {
            "area": own.lo, "ranges": ranges_of(own), "kind": kind, "words": words, "ticket": ticket_id,
            "due": due_at, "at": at, "actor": actor,
        },
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


def note(conn: Db, note_id: int) -> Note | None:
    """The note of that id."""
    with conn.cursor(row_factory=class_row(Note)) as cursor:
        return cursor.execute(f"{_NOTE} WHERE n.id = %s", (note_id,)).fetchone()


def notes(conn: Db, actor: str, since: datetime, limit: int) -> list[Note]:
    """Promises and what is watched, by whomever, until it is done; notes of the shift by this account; oldest first."""
    with conn.cursor(row_factory=class_row(Note)) as cursor:
        return cursor.execute(
            f"""
            {_NOTE}
            WHERE n.done_at IS NULL AND (n.kind <> 'note' OR (n.actor = %s AND n.at >= %s))
            ORDER BY n.due_at NULLS LAST, n.at, n.id LIMIT %s
            """,
            (actor, since, limit),
        ).fetchall()


def finish_note(conn: Db, note_id: int, actor: str, at: datetime) -> bool:
    """Note that it is done; False when it was before."""
    return (
        conn.execute(
            "UPDATE handover_note SET done_at = greatest(%(at)s, at), done_by = %(actor)s,"
            " done_name = coalesce(account_name(%(actor)s), %(actor)s) WHERE id = %(id)s AND done_at IS NULL",
            {"id": note_id, "actor": actor, "at": at},
        ).rowcount
        == 1
    )


_HANDOVER = f"SELECT {', '.join(Handover._fields)} FROM handover"  # nosec B608 # names of fields


def give(
    conn: Db, scope: Scope, since: datetime, until: datetime, actor: str, words: str | None,
    snapshot: dict[str, Any], digest: bytes,
) -> int | None:  # fmt: skip
    """Insert a handover; its id. None while another of the same giver waits."""
    row = conn.execute(
        """
        INSERT INTO handover (area_no, ranges, since, until, given_by, given_name, words, snapshot, digest)
        VALUES (%(area)s, %(ranges)s::int8multirange, %(since)s, %(until)s, %(actor)s,
                coalesce(account_name(%(actor)s), %(actor)s), %(words)s, %(snapshot)s, %(digest)s)
        ON CONFLICT (given_by) WHERE state = 'given' DO NOTHING
        RETURNING id
        """,
        {
            "area": scope.lo, "ranges": ranges_of(scope), "since": since, "until": until, "actor": actor,
            "words": words, "snapshot": Jsonb(snapshot), "digest": digest,
        },
    ).fetchone()  # fmt: skip
    return None if row is None else int(row[0])


def handover(conn: Db, handover_id: int, *, lock: bool = False) -> Handover | None:
    """The handover of that id; with `lock` nobody else signs it until the transaction ends."""
    with conn.cursor(row_factory=class_row(Handover)) as cursor:
        return cursor.execute(
            f"{_HANDOVER} WHERE id = %s {'FOR UPDATE' if lock else ''}", (handover_id,)
        ).fetchone()


def take(conn: Db, handover_id: int, actor: str, words: str | None, at: datetime) -> None:
    """Sign it as the taker."""
    conn.execute(
        "UPDATE handover SET state = 'taken', taken_by = %(actor)s, taken_at = greatest(%(at)s, until),"
        " taken_name = coalesce(account_name(%(actor)s), %(actor)s), taken_words = %(words)s WHERE id = %(id)s",
        {"id": handover_id, "actor": actor, "words": words, "at": at},
    )


def withdraw(conn: Db, handover_id: int) -> None:
    """Take it back."""
    conn.execute("UPDATE handover SET state = 'withdrawn' WHERE id = %s", (handover_id,))


def waiting(conn: Db) -> list[Handover]:
    """Those in scope that wait for a taker, the oldest first."""
    with conn.cursor(row_factory=class_row(Handover)) as cursor:
        return cursor.execute(f"{_HANDOVER} WHERE state = 'given' ORDER BY until, id LIMIT 50").fetchall()


def latest(conn: Db, limit: int) -> list[Handover]:
    """Handovers in scope, the newest first."""
    with conn.cursor(row_factory=class_row(Handover)) as cursor:
        return cursor.execute(f"{_HANDOVER} ORDER BY until DESC, id DESC LIMIT %s", (limit,)).fetchall()


def taken_at(conn: Db, actor: str, after: datetime) -> datetime | None:
    """When this account took a shift over last."""
    row = conn.execute(
        "SELECT max(taken_at) FROM handover WHERE taken_by = %s AND taken_at > %s", (actor, after)
    ).fetchone()
    return None if row is None else row[0]


def first_command(conn: Db, actor: str, after: datetime) -> datetime | None:
    """When this account gave its first command since then."""
    row = conn.execute(
        "SELECT min(at) FROM ticket_event WHERE at > %s AND kind <> 'imported' AND actor = %s", (after, actor)
    ).fetchone()
    return None if row is None else row[0]


def done(conn: Db, actor: str, since: datetime) -> Done:
    """What this account did since then."""
    with conn.cursor(row_factory=class_row(Done)) as cursor:
        row = cursor.execute(
            """
            SELECT count(*) FILTER (WHERE kind IN ('dispatch', 'whistle', 'transfer'))::int AS handed_out,
                   count(*) FILTER (WHERE kind IN ('dispatch', 'whistle', 'transfer') AND EXISTS (
                       SELECT FROM ticket_event s WHERE s.ticket_id = e.ticket_id AND s.kind = 'sign' AND s.at >= e.at
                   ))::int AS signed,
                   count(*) FILTER (WHERE kind = 'accept')::int AS accepted,
                   count(*) FILTER (WHERE kind = 'close')::int AS closed,
                   count(*) FILTER (WHERE kind IN ('close', 'reject', 'cancel', 'merge'))::int AS ended,
                   count(*)::int AS commands
            FROM ticket_event e
            WHERE at >= %s AND kind <> 'imported' AND actor = %s
              AND kind <> 'undo' AND NOT EXISTS (SELECT FROM ticket_event u WHERE u.undoes = e.id)
            """,
            (since, actor),
        ).fetchone()
    assert row is not None
    return row


def supervised(conn: Db, limit: int) -> list[Watched]:
    """Open tickets under supervision, the latest first."""
    rows = conn.execute(
        "SELECT id, due_at FROM ticket WHERE supervised_at IS NOT NULL AND closed_at IS NULL"
        " ORDER BY supervised_at DESC LIMIT %s",
        (limit,),
    ).fetchall()
    return [Watched._make(row) for row in rows]


def to_ring(conn: Db, actor: str, since: datetime, limit: int) -> list[Watched]:
    """Tickets whose reporter this account tried in vain since then, and when to try again."""
    rows = conn.execute(
        """
        SELECT DISTINCT ON (ticket_id) ticket_id, again_at FROM call_back c
        WHERE at >= %(since)s AND actor = %(actor)s AND again_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM call_back l WHERE l.ticket_id = c.ticket_id AND l.at > c.at)
        ORDER BY ticket_id, at DESC LIMIT %(limit)s
        """,
        {"since": since, "actor": actor, "limit": limit},
    ).fetchall()
    return [Watched._make(row) for row in rows]


def incidents(conn: Db, limit: int) -> list[tuple[int, str, datetime]]:
    """Id, title and beginning of the open incidents, the newest first."""
    return conn.execute(
        "SELECT id, title, opened_at FROM incident WHERE closed_at IS NULL ORDER BY opened_at DESC LIMIT %s",
        (limit,),
    ).fetchall()
