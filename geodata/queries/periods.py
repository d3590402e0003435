"""Counts over a period, for an area and for each of its children: what the page of an area compares."""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


def reported(conn: Db, start: datetime, end: datetime) -> int:
    """Tickets reported in [start, end)."""
    query = "SELECT count(*)::int FROM ticket WHERE reported_at >= %s AND reported_at < %s"
    row = conn.execute(query, (start, end)).fetchone()
    assert row is not None
    return int(row[0])


class ChildRow(NamedTuple):
    """A child area: what stands open now, and what came in and was closed in the period."""

    no: int
    code: str
    name: str
    initials: str
    level: str
    grids: int
    open: int
    open_at_start: int
    overdue: int
    reported: int
    closed: int
    with_deadline: int
    on_time: int
    rated: int
    content: int


def children(conn: Db, parent_no: int, start: datetime, end: datetime) -> list[ChildRow]:
    """The children of an area over [start, end), where `end` is now; most open tickets first.

    Each fact is counted by the number of its area first (a few thousand groups), then summed over each child's range.
    """
    query = """
        WITH child AS MATERIALIZED (
            SELECT no, hi, code, name, initials, level FROM area WHERE parent_no = %(parent)s AND valid_to IS NULL
        ), standing AS MATERIALIZED (
            SELECT area_no, count(*) AS open, count(*) FILTER (WHERE reported_at < %(start)s) AS open_at_start,
                   count(*) FILTER (WHERE due_at < %(end)s) AS overdue
            FROM ticket WHERE closed_at IS NULL AND reported_at < %(end)s GROUP BY 1
        ), done AS MATERIALIZED (
            SELECT area_no, count(*) FILTER (WHERE reported_at < %(start)s) AS open_at_start,
                   count(*) FILTER (WHERE status = 'closed') AS closed,
                   count(due_at) FILTER (WHERE status = 'closed') AS with_deadline,
                   count(*) FILTER (WHERE status = 'closed' AND closed_at <= due_at) AS on_time,
                   count(*) FILTER (WHERE status = 'closed'
                                      AND satisfaction IN ('satisfied', 'fairly', 'unsatisfied')) AS rated,
                   count(*) FILTER (WHERE status = 'closed' AND satisfaction IN ('satisfied', 'fairly')) AS content
            FROM ticket WHERE closed_at >= %(start)s AND closed_at < %(end)s GROUP BY 1
        ), come AS MATERIALIZED (
            SELECT area_no, count(*) AS reported
            FROM ticket WHERE reported_at >= %(start)s AND reported_at < %(end)s GROUP BY 1
        ), total AS MATERIALIZED (
            SELECT area_no, grids, s.open, coalesce(s.open_at_start, 0) + coalesce(d.open_at_start, 0) AS open_at_start,
                   s.overdue, c.reported, d.closed, d.with_deadline, d.on_time, d.rated, d.content
            FROM standing s FULL JOIN done d USING (area_no) FULL JOIN come c USING (area_no)
            FULL JOIN (
                SELECT no AS area_no, 1 AS grids FROM area WHERE level = 'grid' AND valid_to IS NULL
            ) g USING (area_no)
        )
        SELECT child.no, child.code, child.name, child.initials, child.level::text,
               coalesce(sum(grids), 0)::int AS grids, coalesce(sum(open), 0)::int AS open,
               coalesce(sum(open_at_start), 0)::int AS open_at_start, coalesce(sum(overdue), 0)::int AS overdue,
               coalesce(sum(reported), 0)::int AS reported, coalesce(sum(closed), 0)::int AS closed,
               coalesce(sum(with_deadline), 0)::int AS with_deadline, coalesce(sum(on_time), 0)::int AS on_time,
               coalesce(sum(rated), 0)::int AS rated, coalesce(sum(content), 0)::int AS content
        FROM child LEFT JOIN total ON total.area_no BETWEEN child.no AND child.hi
        GROUP BY child.no, child.code, child.name, child.initials, child.level
        ORDER BY 7 DESC, 9 DESC, 1
    """
    values = {"parent": parent_no, "start": start, "end": end}
    return conn.cursor(row_factory=class_row(ChildRow)).execute(query, values).fetchall()


class OpenTicketRow(NamedTuple):
    """An open ticket without anything that names a person or an address."""

    id: int
    reported_at: datetime
    due_at: datetime | None
    status: str
    category: str
    channel: str


def open_tickets(conn: Db, limit: int) -> list[OpenTicketRow]:
    """Open tickets in scope, the earliest deadline first."""
    query = """
        SELECT t.id, t.reported_at, t.due_at, t.status::text, category.code AS category, channel.code AS channel
        FROM ticket t JOIN category ON category.id = t.category_id JOIN channel ON channel.id = t.channel_id
        WHERE t.closed_at IS NULL ORDER BY t.due_at NULLS LAST, t.id LIMIT %s
    """
    return conn.cursor(row_factory=class_row(OpenTicketRow)).execute(query, (limit,)).fetchall()
