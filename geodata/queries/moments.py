"""What the moments of a ticket's clock are worked out from, for one ticket or for many that have no job yet."""

from datetime import datetime
from typing import Any, NamedTuple

from geodata.scope import Db


class Clocked(NamedTuple):
    """A ticket as far as its clock is concerned; times are aware."""

    id: int
    version: int
    status: str
    category: str
    channel: str
    severity: str | None
    nature: str | None
    reported_at: datetime
    dispatched_at: datetime | None
    handled_at: datetime | None
    closed_at: datetime | None
    due_at: datetime | None
    sign_due: datetime | None
    respond_due: datetime | None
    suspended_until: datetime | None
    satisfaction: str | None
    escalation: int


class Happened(NamedTuple):
    """An event of a ticket that its clock knows of; those that were taken back are left out."""

    ticket_id: int
    kind: str
    at: datetime
    data: dict[str, Any] | None


_TOLD = ("suspend", "resume", "redo", "reopen", "transfer", "progress", "tick")
_COLUMNS = """
    t.id, t.version, t.status::text, k.code, c.code, t.severity, t.nature, t.reported_at, t.dispatched_at, t.handled_at,
    t.closed_at, t.due_at, t.sign_due, t.respond_due, t.suspended_until, t.satisfaction::text, t.escalation
    FROM ticket t JOIN channel c ON c.id = t.channel_id JOIN category k ON k.id = t.category_id
"""


def hold(conn: Db, ticket_id: int) -> Clocked | None:
    """The ticket, which nobody else can change until the end of the transaction."""
    row = conn.execute(
        f"SELECT {_COLUMNS} WHERE t.id = %s FOR UPDATE OF t",  # nosec B608 # our own words
        (ticket_id,),
    ).fetchone()
    return None if row is None else Clocked._make(row)


def unplanned(conn: Db, after: int, limit: int) -> list[Clocked]:
    """Open tickets above that id for which no job waits or runs. Runs as wangge_jobs."""
    rows = conn.execute(
        f"""
        SELECT {_COLUMNS}
        WHERE t.closed_at IS NULL AND t.id > %s AND NOT EXISTS (
            SELECT FROM procrastinate_jobs j
            WHERE j.queueing_lock = 'ticket:' || t.id AND j.status = 'todo'
        )
        ORDER BY t.id LIMIT %s
        """,  # nosec B608 # our own words
        (after, limit),
    ).fetchall()
    return [Clocked._make(row) for row in rows]


def happened(conn: Db, ticket_ids: list[int]) -> list[Happened]:
    """What happened to those tickets, in order."""
    rows = conn.execute(
        """
        SELECT e.ticket_id, e.kind, e.at, e.data FROM ticket_event e
        WHERE e.ticket_id = ANY (%s) AND e.kind = ANY (%s)
          AND NOT EXISTS (SELECT FROM ticket_event u WHERE u.undoes = e.id)
        ORDER BY e.ticket_id, e.version, e.id
        """,
        (ticket_ids, list(_TOLD)),
    ).fetchall()
    return [Happened._make(row) for row in rows]


def database_time(conn: Db) -> datetime:
    """The moment now, by the clock that jobs are due by."""
    row = conn.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment
