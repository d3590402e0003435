"""The board of supervision: tickets that somebody watches over or should, who was urged, and the figures."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class Watched(NamedTuple):
    """An open ticket under supervision, late, escalated, or redone or handed on too often; codes instead of ids."""

    id: int
    reported_at: datetime
    version: int
    status: str
    channel: str
    category: str
    department: str | None
    worker: str | None
    area_no: int
    area: str
    town_code: str | None
    town: str | None
    title: str
    due_at: datetime | None
    supervised_at: datetime | None
    supervision: str | None
    escalation: int
    redos: int
    transfers: int
    satisfaction: str | None
    generated: bool


class Urge(NamedTuple):
    """Somebody was urged."""

    at: datetime
    actor: str
    note: str | None
    party: str | None


class Happened(NamedTuple):
    """A line of a ticket's history."""

    at: datetime
    kind: str
    status: str
    actor: str
    actor_role: str | None
    note: str | None
    data: dict[str, Any] | None


class WatchFigures(NamedTuple):
    """Counts of tickets that came under supervision since a moment."""

    supervised: int
    done: int  # of these, ended or handled


class WatchLedgerRow(NamedTuple):
    """A supervised ticket as the ledger has it."""

    ticket_id: int
    reported_at: datetime
    channel: str
    category: str
    department: str | None
    area: str
    town: str | None
    status: str
    supervision: str | None
    supervised_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    redos: int
    transfers: int
    escalation: int
    satisfaction: str | None
    solved: str | None
    urges: int
    last_urge: datetime | None
    generated: bool


_TOWN = (
    "LEFT JOIN area town ON town.level = 'town' AND town.no = t.area_no - t.area_no %% area_stride('town')"
)


def watched(conn: Db, now: datetime, most_redos: int, most_transfers: int, limit: int) -> list[Watched]:
    """Open tickets in scope that somebody has to look at, in no order."""
    with conn.cursor(row_factory=class_row(Watched)) as cursor:
        return cursor.execute(
            f"""
            SELECT t.id, t.reported_at, t.version, t.status::text AS status, c.code AS channel, k.code AS category,
                   d.code AS department, w.name AS worker, t.area_no, a.name AS area, town.code AS town_code,
                   town.name AS town, t.title, t.due_at, t.supervised_at, t.supervision, t.escalation, t.redos,
                   t.transfers, t.satisfaction::text AS satisfaction, t.generated
            FROM ticket t
            JOIN channel c ON c.id = t.channel_id
            JOIN category k ON k.id = t.category_id
            JOIN area a ON a.no = t.area_no
            {_TOWN}
            LEFT JOIN department d ON d.id = t.department_id
            LEFT JOIN worker w ON w.id = t.worker_id
            WHERE t.closed_at IS NULL
              AND (t.supervised_at IS NOT NULL OR (t.due_at < %(now)s AND t.handled_at IS NULL) OR t.escalation > 0
                   OR t.redos > %(redos)s OR t.transfers > %(transfers)s)
            ORDER BY t.supervised_at, t.due_at LIMIT %(limit)s
            """,  # nosec B608 # joined from constants
            {"now": now, "redos": most_redos, "transfers": most_transfers, "limit": limit},
        ).fetchall()


def urges(conn: Db, ids: Sequence[int]) -> dict[int, tuple[int, datetime]]:
    """How often each ticket was urged, and when last."""
    rows = conn.execute(
        "SELECT ticket_id, count(*), max(at) FROM ticket_event WHERE kind = 'urge' AND ticket_id = ANY(%s) GROUP BY 1",
        (list(ids),),
    ).fetchall()
    return {int(row[0]): (int(row[1]), row[2]) for row in rows}


def history(conn: Db, ticket_id: int, limit: int) -> list[Happened]:
    """What happened to a ticket, the latest first."""
    with conn.cursor(row_factory=class_row(Happened)) as cursor:
        return cursor.execute(
            """
            SELECT at, kind, status::text AS status, actor, actor_role, note, data FROM ticket_event
            WHERE ticket_id = %s ORDER BY version DESC, id DESC LIMIT %s
            """,
            (ticket_id, limit),
        ).fetchall()


def figures(conn: Db, since: datetime) -> WatchFigures:
    """Counts of the tickets in scope that came under supervision since a moment."""
    with conn.cursor(row_factory=class_row(WatchFigures)) as cursor:
        found = cursor.execute(
            """
            SELECT count(*)::integer AS supervised,
                   count(*) FILTER (WHERE closed_at IS NOT NULL OR handled_at > supervised_at)::integer AS done
            FROM ticket WHERE supervised_at >= %s AND status NOT IN ('merged', 'rejected', 'cancelled')
            """,
            (since,),
        ).fetchone()
    assert found is not None
    return found


def ledger(conn: Db, since: datetime, until: datetime, limit: int) -> list[WatchLedgerRow]:
    """Tickets in scope that came under supervision between two moments, oldest first."""
    with conn.cursor(row_factory=class_row(WatchLedgerRow)) as cursor:
        return cursor.execute(
            f"""
            SELECT t.id AS ticket_id, t.reported_at, c.code AS channel, k.code AS category, d.code AS department,
                   a.name AS area, town.name AS town, t.status::text AS status, t.supervision, t.supervised_at,
                   t.due_at, t.closed_at, t.redos, t.transfers, t.escalation,
                   t.satisfaction::text AS satisfaction, t.solved,
                   coalesce(u.n, 0)::integer AS urges, u.last AS last_urge, t.generated
            FROM ticket t
            JOIN channel c ON c.id = t.channel_id
            JOIN category k ON k.id = t.category_id
            JOIN area a ON a.no = t.area_no
            {_TOWN}
            LEFT JOIN department d ON d.id = t.department_id
            LEFT JOIN LATERAL (SELECT count(*) AS n, max(at) AS last FROM ticket_event
                               WHERE ticket_id = t.id AND kind = 'urge') u ON true
            WHERE t.supervised_at >= %s AND t.supervised_at < %s ORDER BY t.supervised_at, t.id LIMIT %s
            """,  # nosec B608 # joined from constants
            (since, until, limit),
        ).fetchall()
