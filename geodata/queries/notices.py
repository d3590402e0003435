"""Targets of status call-backs, and the notices that wait for them, were sent or are dead."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from geodata.scope import Db


class TargetRow(NamedTuple):
    """Where another system wants to be told; its secret is sealed."""

    id: int
    kind: str
    name: str
    url: str
    secret_sealed: bytes
    key_id: int
    created_at: datetime
    created_by: str
    waiting: int
    dead: int


class Waiting(NamedTuple):
    """A notice that a worker has taken to send, with the event that it tells of."""

    seq: int
    id: UUID
    tries: int  # this one included
    ticket_id: int
    reported_at: datetime
    source_id: str | None
    channel: str
    kind: str
    status: str
    was: str | None
    version: int
    at: datetime
    data: dict[str, Any] | None
    master_id: int | None
    master_reported_at: datetime | None
    master_status: str | None


class DeadRow(NamedTuple):
    """A notice that was given up."""

    id: UUID
    target_id: int
    kind: str
    name: str
    url: str
    ticket_id: int
    event: str
    status: str
    created_at: datetime
    dead_at: datetime
    tries: int
    answer: int | None
    error: str | None


def is_sender(conn: Db, kind: str, name: str) -> bool:
    """Whether there is a client, or a webhook channel, of that name that is in use."""
    table = {"client": "api_client", "webhook": "webhook_channel"}[kind]
    query = f"SELECT FROM {table} WHERE name = %s AND revoked_at IS NULL"  # nosec B608
    return conn.execute(query, (name,)).fetchone() is not None


def insert_target(conn: Db, kind: str, name: str, url: str, sealed: tuple[bytes, int], by: str) -> int:
    """Register a target in the place of the one before; its number."""
    conn.execute(
        "UPDATE notice_target SET ended_at = now() WHERE kind = %s AND name = %s AND ended_at IS NULL",
        (kind, name),
    )
    row = conn.execute(
        """
        INSERT INTO notice_target (kind, name, url, secret_sealed, key_id, created_by)
        VALUES (%s, %s, %s, %s, %s, %s) RETURNING id
        """,
        (kind, name, url, *sealed, by),
    ).fetchone()
    assert row is not None
    return int(row[0])


def end_target(conn: Db, target_id: int) -> str | None:
    """End a target; its name, or None if there is none or it has ended."""
    row = conn.execute(
        "UPDATE notice_target SET ended_at = now() WHERE id = %s AND ended_at IS NULL RETURNING name",
        (target_id,),
    ).fetchone()
    return None if row is None else str(row[0])


def targets(conn: Db) -> list[TargetRow]:
    """Those in use, by kind and name, with what waits for them and what is dead."""
    return conn.cursor(row_factory=class_row(TargetRow)).execute(_TARGETS).fetchall()


def target(conn: Db, target_id: int) -> TargetRow | None:
    """One in use."""
    query = _TARGETS.replace("ORDER BY", "AND t.id = %s ORDER BY")
    return conn.cursor(row_factory=class_row(TargetRow)).execute(query, (target_id,)).fetchone()


def take(conn: Db, target_id: int, lease_s: int) -> Waiting | None:
    """Take the next due notice of a target, for so many seconds; never one whose ticket has an earlier one unsent."""
    return (
        conn.cursor(row_factory=class_row(Waiting))
        .execute(_TAKE, {"target": target_id, "lease_s": lease_s})
        .fetchone()
    )


def sent(conn: Db, seq: int, answer: int) -> None:
    """It was taken."""
    conn.execute(
        "UPDATE notice SET sent_at = now(), answer = %s, error = NULL, leased_until = NULL WHERE seq = %s",
        (answer, seq),
    )


def failed(conn: Db, seq: int, answer: int | None, error: str, wait_s: float | None) -> None:
    """It was not taken: again after `wait_s` seconds, or never (None)."""
    conn.execute(
        """
        UPDATE notice SET answer = %(answer)s, error = %(error)s, leased_until = NULL,
               next_at = now() + make_interval(secs => coalesce(%(wait_s)s, 0)),
               dead_at = CASE WHEN %(wait_s)s::float8 IS NULL THEN now() END
        WHERE seq = %(seq)s
        """,
        {"seq": seq, "answer": answer, "error": error[:500], "wait_s": wait_s},
    )


def next_due(conn: Db, target_id: int) -> datetime | None:
    """When the next notice of a target can be sent; None when none waits."""
    row = conn.execute(
        """
        SELECT min(greatest(n.next_at, n.leased_until)) FROM notice n
        WHERE n.target_id = %s AND n.sent_at IS NULL AND n.dead_at IS NULL AND NOT EXISTS (
            SELECT FROM notice e WHERE e.target_id = n.target_id AND e.ticket_id = n.ticket_id AND e.seq < n.seq
            AND e.sent_at IS NULL AND e.dead_at IS NULL)
        """,
        (target_id,),
    ).fetchone()
    return None if row is None else row[0]


def drop_waiting(conn: Db, target_id: int) -> int:
    """Give up what waits for a target that has ended; returns how many."""
    return conn.execute(
        """
        UPDATE notice SET dead_at = now(), error = 'the target has ended'
        WHERE target_id = %s AND sent_at IS NULL AND dead_at IS NULL
        """,
        (target_id,),
    ).rowcount


def forget(conn: Db, days: int) -> int:
    """Delete notices that were sent, or given up, more than so many days ago; returns how many."""
    return conn.execute(
        "DELETE FROM notice WHERE coalesce(sent_at, dead_at) < now() - make_interval(days => %s)", (days,)
    ).rowcount


def dead(conn: Db, most: int) -> list[DeadRow]:
    """Those given up for targets in use, newest first."""
    return conn.cursor(row_factory=class_row(DeadRow)).execute(_DEAD, (most,)).fetchall()


def revive(conn: Db, notice_id: UUID) -> int | None:
    """Let a dead notice be sent again; the number of its target, None if it is not there or not dead."""
    row = conn.execute(
        """
        UPDATE notice n SET dead_at = NULL, tries = 0, next_at = now() FROM notice_target t
        WHERE n.id = %s AND n.dead_at IS NOT NULL AND t.id = n.target_id AND t.ended_at IS NULL
        RETURNING n.target_id
        """,
        (notice_id,),
    ).fetchone()
    return None if row is None else int(row[0])


_TARGETS = """
    SELECT t.id, t.kind, t.name, t.url, t.secret_sealed, t.key_id, t.created_at, t.created_by,
           (SELECT count(*) FROM notice n WHERE n.target_id = t.id AND n.sent_at IS NULL AND n.dead_at IS NULL)::int
               AS waiting,
           (SELECT count(*) FROM notice n WHERE n.target_id = t.id AND n.dead_at IS NOT NULL)::int AS dead
    FROM notice_target t WHERE t.ended_at IS NULL ORDER BY t.kind, t.name
"""
_TAKE = """
    WITH due AS (
        SELECT n.seq FROM notice n
        WHERE n.target_id = %(target)s AND n.sent_at IS NULL AND n.dead_at IS NULL AND n.next_at <= now()
          AND (n.leased_until IS NULL OR n.leased_until <= now())
          AND NOT EXISTS (
              SELECT FROM notice e WHERE e.target_id = n.target_id AND e.ticket_id = n.ticket_id AND e.seq < n.seq
              AND e.sent_at IS NULL AND e.dead_at IS NULL)
        ORDER BY n.seq LIMIT 1 FOR UPDATE OF n SKIP LOCKED
    ), taken AS (
        UPDATE notice n SET leased_until = now() + make_interval(secs => %(lease_s)s), tries = n.tries + 1
        FROM due WHERE n.seq = due.seq RETURNING n.*
    )
    SELECT k.seq, k.id, k.tries, k.ticket_id, t.reported_at, t.source_id, c.code AS channel,
           e.kind, e.status::text AS status, e.was::text AS was, e.version, e.at, e.data,
           m.id AS master_id, m.reported_at AS master_reported_at, m.status::text AS master_status
    FROM taken k
    JOIN ticket_event e ON e.id = k.event_id
    JOIN ticket t ON t.id = k.ticket_id
    JOIN channel c ON c.id = t.channel_id
    LEFT JOIN ticket m ON m.id = coalesce((e.data->>'master')::bigint, (e.after->>'merged_into')::bigint)
"""
_DEAD = """
    SELECT n.id, n.target_id, t.kind, t.name, t.url, n.ticket_id, n.event, n.status,
           n.created_at, n.dead_at, n.tries, n.answer, n.error
    FROM notice n JOIN notice_target t ON t.id = n.target_id
    WHERE n.dead_at IS NOT NULL AND t.ended_at IS NULL ORDER BY n.dead_at DESC, n.seq DESC LIMIT %s
"""
