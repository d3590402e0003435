"""What the lists of a loop are made of: tickets near or past their deadline, and the ledgers of risk."""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class Condition(NamedTuple):
    """A level of the warning lists; None where it does not ask for that."""

    left_share: float | None
    late_hours: float | None
    escalation: int | None


class WarnedRow(NamedTuple):
    """A ticket on a warning list; `level` counts from 1."""

    level: int
    id: int
    reported_at: datetime
    status: str
    category: str
    channel: str
    title: str
    area_no: int
    area: str
    due_at: datetime
    department: str | None
    escalation: int


_WARNED = """
    WITH level AS (
        SELECT * FROM unnest(%(shares)s::float8[], %(hours)s::float8[], %(escalations)s::int[])
            WITH ORDINALITY AS l (left_share, late_hours, escalation, level)
    ), warned AS (
        SELECT t.*, (
            SELECT max(l.level) FROM level l
            WHERE (l.left_share IS NOT NULL AND t.due_at - %(now)s <=
                       l.left_share * greatest(t.due_at - coalesce(t.dispatched_at, t.reported_at), interval '0'))
               OR (l.late_hours IS NOT NULL AND %(now)s - t.due_at >= l.late_hours * interval '1 hour')
               OR t.escalation >= l.escalation
        ) AS level
        FROM ticket t
        WHERE t.closed_at IS NULL AND t.status <> 'suspended' AND t.due_at IS NOT NULL
    )
"""


def warning_counts(
    conn: Db, levels: list[Condition], now: datetime, stride_level: str
) -> dict[tuple[int, int], int]:
    """(Area of a level, warning level from 1) → tickets on it; the highest level that a ticket reaches counts."""
    rows = conn.execute(
        _WARNED
        + """
        SELECT area_no - area_no %% area_stride(%(stride)s::area_level), level, count(*) FROM warned
        WHERE level IS NOT NULL GROUP BY 1, 2
        """,  # nosec B608 # joined from constants
        _levels(levels, now) | {"stride": stride_level},
    )
    return {(int(no), int(level)): int(count) for no, level, count in rows}


def warned(
    conn: Db, levels: list[Condition], now: datetime, level: int | None, limit: int
) -> list[WarnedRow]:
    """Tickets on the warning lists, of one level if it is given: the highest first, then the one due first."""
    with conn.cursor(row_factory=class_row(WarnedRow)) as cursor:
        return cursor.execute(
            _WARNED
            + """
            SELECT w.level::int, w.id, w.reported_at, w.status::text, k.code AS category, c.code AS channel, w.title,
                   w.area_no, a.name AS area, w.due_at, d.code AS department, w.escalation::int
            FROM warned w
            JOIN category k ON k.id = w.category_id
            JOIN channel c ON c.id = w.channel_id
            JOIN area a ON a.no = w.area_no
            LEFT JOIN department d ON d.id = w.department_id
            WHERE w.level IS NOT NULL AND (%(level)s::int IS NULL OR w.level = %(level)s)
            ORDER BY w.level DESC, w.due_at, w.id LIMIT %(limit)s
            """,  # nosec B608 # joined from constants
            _levels(levels, now) | {"level": level, "limit": limit},
        ).fetchall()


def _levels(levels: list[Condition], now: datetime) -> dict[str, object]:
    return {
        "shares": [level.left_share for level in levels],
        "hours": [level.late_hours for level in levels],
        "escalations": [level.escalation for level in levels],
        "now": now,
    }


class Sortable(NamedTuple):
    """What decides in which ledger tickets stand, and how many are so; `closed` are those of the last days."""

    category: str
    channel: str
    severity: str | None
    nature: str | None
    risk: str | None
    open: int
    overdue: int
    closed: int


def ledger_counts(conn: Db, now: datetime, since: datetime) -> list[Sortable]:
    """Tickets of the scope by what decides their ledger: open, overdue and open, and ended since a moment."""
    with conn.cursor(row_factory=class_row(Sortable)) as cursor:
        return cursor.execute(
            """
            WITH fact AS (
                SELECT category_id, channel_id, severity, nature, risk, 1 AS open, (due_at < %(now)s)::int AS overdue,
                       0 AS closed
                FROM ticket WHERE closed_at IS NULL
                UNION ALL
                SELECT category_id, channel_id, severity, nature, risk, 0, 0, 1 FROM ticket
                WHERE closed_at >= %(since)s AND status NOT IN ('merged', 'rejected', 'cancelled')
            )
            SELECT k.code AS category, c.code AS channel, f.severity, f.nature, f.risk, sum(f.open)::int AS open,
                   coalesce(sum(f.overdue), 0)::int AS overdue, sum(f.closed)::int AS closed
            FROM fact f JOIN category k ON k.id = f.category_id JOIN channel c ON c.id = f.channel_id
            GROUP BY 1, 2, 3, 4, 5
            """,
            {"now": now, "since": since},
        ).fetchall()


class LedgerRow(NamedTuple):
    """An open ticket of a ledger."""

    id: int
    reported_at: datetime
    status: str
    category: str
    channel: str
    title: str
    area_no: int
    area: str
    due_at: datetime | None
    risk: str | None
    supervision: str | None


def ledger(conn: Db, sorts: list[Sortable], limit: int) -> list[LedgerRow]:
    """Open tickets that are one of those sorts, the one due first."""
    with conn.cursor(row_factory=class_row(LedgerRow)) as cursor:
        return cursor.execute(
            """
            WITH sort AS (
                SELECT * FROM unnest(%(categories)s::text[], %(channels)s::text[], %(severities)s::text[],
                                     %(natures)s::text[], %(risks)s::text[])
                    AS s (category, channel, severity, nature, risk)
            )
            SELECT t.id, t.reported_at, t.status::text, k.code AS category, c.code AS channel, t.title, t.area_no,
                   a.name AS area, t.due_at, t.risk, t.supervision
            FROM ticket t
            JOIN category k ON k.id = t.category_id
            JOIN channel c ON c.id = t.channel_id
            JOIN area a ON a.no = t.area_no
            JOIN sort s ON s.category = k.code AND s.channel = c.code AND s.severity IS NOT DISTINCT FROM t.severity
                AND s.nature IS NOT DISTINCT FROM t.nature AND s.risk IS NOT DISTINCT FROM t.risk
            WHERE t.closed_at IS NULL
            ORDER BY t.due_at NULLS LAST, t.id LIMIT %(limit)s
            """,
            {
                "categories": [sort.category for sort in sorts], "channels": [sort.channel for sort in sorts],
                "severities": [sort.severity for sort in sorts], "natures": [sort.nature for sort in sorts],
                "risks": [sort.risk for sort in sorts], "limit": limit,
            },
        ).fetchall()  # fmt: skip


def patrol_before(conn: Db, area_no: int, day: datetime, time_zone: str) -> datetime | None:
    """When the last patrol of that area began that was under way on the local day, not after the moment."""
    row = conn.execute(
        """
        SELECT max(first_at) FROM patrol
        WHERE area_no = %(no)s AND day = (%(at)s AT TIME ZONE %(zone)s)::date AND first_at <= %(at)s
        """,
        {"no": area_no, "at": day, "zone": time_zone},
    ).fetchone()
    return None if row is None else row[0]


def areas_of(conn: Db, level: str) -> list[tuple[int, str, str]]:
    """Number, code and name of the areas of a level in scope, by number."""
    return conn.execute(
        "SELECT no, code, name FROM area WHERE level = %s::area_level AND valid_to IS NULL ORDER BY no",
        (level,),
    ).fetchall()


def worker_kind(conn: Db, code: str) -> str | None:
    """The kind of the active worker with that code; None when there is none in scope."""
    row = conn.execute("SELECT kind::text FROM worker WHERE code = %s AND active", (code,)).fetchone()
    return None if row is None else str(row[0])
