"""Queries of the audit: append a row, search it, read it in order, and look for breaks of its chain."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from geodata.scope import Db


class AuditRow(NamedTuple):
    """One row; `area_name` is None where the area is gone or lies outside of the reader's scope."""

    id: int
    at: datetime
    actor_kind: str
    actor_id: int | None
    actor_name: str
    actor_role: str | None
    ip: str | None
    action: str
    object_kind: str | None
    object_id: str | None
    area_no: int | None
    area_code: str | None
    area_name: str | None
    reason: str | None
    detail: dict[str, Any]
    request_id: str | None


class AuditLine(NamedTuple):
    """One row with all that its hash covers; hashes in hexadecimal."""

    id: int
    at: str
    actor_kind: str
    actor_id: int | None
    actor_name: str
    actor_role: str | None
    ip: str | None
    action: str
    object_kind: str | None
    object_id: str | None
    area_no: int | None
    reason: str | None
    detail: dict[str, Any]
    request_id: str | None
    prev_hash: str
    hash: str


class Break(NamedTuple):
    """A place where the chain does not hold: `kind` is altered, relinked, missing or head; rows first..last."""

    kind: str
    first_id: int
    last_id: int


class Extent(NamedTuple):
    """How many rows there are, where the chain begins (after `anchor_id`) and ends, and the last hash as hex."""

    rows: int
    anchor_id: int
    last_id: int
    last_hash: str


def add(
    conn: Db,
    *,
    actor_kind: str,
    actor_id: int | None,
    actor_name: str,
    actor_role: str | None,
    ip: str | None,
    action: str,
    object_kind: str | None,
    object_id: str | None,
    area_no: int | None,
    reason: str | None,
    detail: dict[str, Any],
    request_id: str | None,
) -> None:
    """Append one row; the database gives number, time and hashes."""
    conn.execute(
        """
        INSERT INTO audit (actor_kind, actor_id, actor_name, actor_role, ip, action, object_kind, object_id, area_no,
                           reason, detail, request_id)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            actor_kind, actor_id, actor_name, actor_role, ip, action, object_kind, object_id, area_no, reason,
            Jsonb(detail), request_id,
        ),
    )  # fmt: skip


def find(
    conn: Db,
    *,
    since: datetime | None,
    until: datetime | None,
    actions: list[str] | None,
    actor: str | None,
    text: str | None,
    limit: int,
    before_id: int | None,
) -> list[AuditRow]:
    """Rows in scope that meet all conditions, newest first; `text` is looked for in words, object and detail."""
    with conn.cursor(row_factory=class_row(AuditRow)) as cursor:
        return cursor.execute(
            """
            SELECT a.id, a.at, a.actor_kind, a.actor_id, a.actor_name, a.actor_role, a.ip, a.action, a.object_kind,
                   a.object_id, a.area_no, area.code AS area_code, area.name AS area_name, a.reason, a.detail,
                   a.request_id
            FROM audit a LEFT JOIN area ON area.no = a.area_no
            WHERE (%(since)s::timestamptz IS NULL OR a.at >= %(since)s)
              AND (%(until)s::timestamptz IS NULL OR a.at < %(until)s)
              AND (%(actions)s::text[] IS NULL OR a.action = ANY (%(actions)s))
              AND (%(actor)s::text IS NULL OR lower(a.actor_name) = lower(%(actor)s))
              AND (%(before)s::bigint IS NULL OR a.id < %(before)s)
              AND (%(like)s::text IS NULL OR a.reason ILIKE %(like)s OR a.object_id ILIKE %(like)s
                   OR a.actor_name ILIKE %(like)s OR a.detail::text ILIKE %(like)s OR a.ip ILIKE %(like)s
                   OR a.request_id ILIKE %(like)s OR area.name ILIKE %(like)s)
            ORDER BY a.id DESC LIMIT %(limit)s
            """,
            {
                "since": since,
                "until": until,
                "actions": actions,
                "actor": actor,
                "before": before_id,
                "like": None if text is None else f"%{_literal(text)}%",
                "limit": limit,
            },
        ).fetchall()


def lines(
    conn: Db, since: datetime | None, until: datetime | None, after_id: int, up_to: int, limit: int
) -> list[AuditLine]:
    """Rows in scope with numbers above `after_id` and not above `up_to`, oldest first."""
    with conn.cursor(row_factory=class_row(AuditLine)) as cursor:
        return cursor.execute(
            """
            SELECT id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, actor_kind, actor_id,
                   actor_name, actor_role, ip, action, object_kind, object_id, area_no, reason, detail, request_id,
                   encode(prev_hash, 'hex') AS prev_hash, encode(hash, 'hex') AS hash
            FROM audit
            WHERE (%(since)s::timestamptz IS NULL OR at >= %(since)s)
              AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
              AND id > %(after)s AND id <= %(up_to)s
            ORDER BY id LIMIT %(limit)s
            """,
            {"since": since, "until": until, "after": after_id, "up_to": up_to, "limit": limit},
        ).fetchall()


def newest(conn: Db) -> int:
    """Number of the newest row in scope; 0 without one."""
    row = conn.execute("SELECT coalesce(max(id), 0) FROM audit").fetchone()
    assert row is not None
    return int(row[0])


# What audit_hash of migration 0009 computes, written out: whoever edits a row can replace the database's function too.
_COMPUTED = """
    pg_catalog.sha256(a.prev_hash || pg_catalog.convert_to(pg_catalog.jsonb_build_array(
        a.id, pg_catalog.to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), a.actor_kind, a.actor_id,
        a.actor_name, a.actor_role, a.ip, a.action, a.object_kind, a.object_id, a.area_no, a.reason, a.detail,
        a.request_id
    )::text, 'UTF8'))
"""


def check(conn: Db) -> tuple[Extent, list[Break]]:
    """Recompute the whole chain in one statement, so that rows added meanwhile disturb nothing."""
    row = conn.execute(
        f"""
        WITH head AS (SELECT * FROM audit_head),
        linked AS (
            SELECT a.id, a.hash, a.prev_hash, {_COMPUTED} AS computed,
                   coalesce(lag(a.id) OVER w, (SELECT anchor_id FROM head)) AS before_id,
                   coalesce(lag(a.hash) OVER w, (SELECT anchor_hash FROM head)) AS before_hash
            FROM audit a WINDOW w AS (ORDER BY a.id)
        ),
        breaks AS (
            SELECT 'missing' AS kind, before_id + 1 AS first_id, id - 1 AS last_id FROM linked WHERE id > before_id + 1
            UNION ALL
            SELECT 'altered', id, id FROM linked WHERE hash <> computed
            UNION ALL
            SELECT 'relinked', id, id FROM linked
            WHERE prev_hash <> before_hash AND id = before_id + 1
            UNION ALL
            SELECT 'stray', id, id FROM linked WHERE id <= (SELECT anchor_id FROM head)
            UNION ALL
            SELECT 'missing', greatest(end_id, anchor_id) + 1, last_id
            FROM head, (SELECT coalesce(max(id), 0) AS end_id FROM audit) e WHERE greatest(end_id, anchor_id) < last_id
            UNION ALL
            SELECT 'head', l.id, l.id FROM linked l, head WHERE l.id = head.last_id AND l.hash <> head.last_hash
            UNION ALL
            SELECT 'head', id, id FROM linked WHERE id > (SELECT last_id FROM head)
            UNION ALL
            SELECT 'head', 0, 0 WHERE NOT EXISTS (SELECT FROM head)
        )
        SELECT (SELECT count(*) FROM linked), (SELECT anchor_id FROM head), (SELECT last_id FROM head),
               (SELECT encode(last_hash, 'hex') FROM head),
               (SELECT coalesce(jsonb_agg(jsonb_build_array(kind, first_id, last_id) ORDER BY first_id, kind), '[]')
                FROM breaks)
        """  # nosec B608 # a constant of this file
    ).fetchone()
    assert row is not None
    rows, anchor_id, last_id, last_hash, breaks = row
    return Extent(rows, anchor_id or 0, last_id or 0, last_hash or ""), [Break(*found) for found in breaks]


def hash_of(conn: Db, row_id: int) -> str | None:
    """The hash of a row in hexadecimal; None when it is not there."""
    row = conn.execute("SELECT encode(hash, 'hex') FROM audit WHERE id = %s", (row_id,)).fetchone()
    return None if row is None else str(row[0])


def last_settings(conn: Db) -> dict[str, str] | None:
    """The settings that the newest row about them names; None before the first."""
    row = conn.execute(
        "SELECT detail -> 'all' FROM audit WHERE action = 'setting' AND object_kind = 'settings'"
        " ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else {str(name): str(value) for name, value in row[0]}


def forget(conn: Db, days: int) -> int:
    """Take away rows older than that many days, 180 at least, and write a row about it; returns how many went."""
    row = conn.execute("SELECT audit_forget(%s)", (days,)).fetchone()
    assert row is not None
    return int(row[0])


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
