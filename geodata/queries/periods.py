"""Counts over a period, for an area and for each of its children: what the page of an area compares."""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


def reported(conn: Db, start: datetime, end: datetime) -> int:
    """Tickets reported in [start, end)."""
    query = "SELECT count(*)::int FROM ticket WHERE reported_at >= %s AND reported_at < %s"
    row = conn.execute(query, (start, end), prepare=False).fetchone()
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


WHOLE = 0  # the number of the row that counts everything in scope; no area has it


def children(conn: Db, parent_no: int, start: datetime, end: datetime) -> list[ChildRow]:
    """The children of an area over [start, end), where `end` is now; most open tickets first.

    The last row, with the number WHOLE, counts all that is in scope.

    What was closed is counted by each combination of its properties, which takes half the time of a filter for each
    figure; all is counted by the child's number, as children's numbers are whole strides of their level. Each plan is
    made for its dates: after a few calls PostgreSQL would take one for any dates, which takes three times as long.
    """
    query = """
        WITH child AS MATERIALIZED (
            SELECT no, hi, code, name, initials, level::text AS level, area_stride(level) AS stride
            FROM area WHERE parent_no = %(parent)s AND valid_to IS NULL
        ), step AS MATERIALIZED (
            SELECT coalesce(min(stride), 9223372036854775807) AS stride FROM child
        ), done AS MATERIALIZED (
            SELECT area_no - area_no %% (SELECT stride FROM step) AS no, status, satisfaction,
                   due_at IS NOT NULL AS with_deadline, closed_at <= due_at AS on_time,
                   reported_at < %(start)s AS old, count(*) AS n
            FROM ticket WHERE closed_at >= %(start)s AND closed_at < %(end)s GROUP BY 1, 2, 3, 4, 5, 6
        ), fact AS MATERIALIZED (
            SELECT no, 0 AS grids, 0 AS open, sum(n) FILTER (WHERE old) AS open_at_start, 0 AS overdue, 0 AS reported,
                   sum(n) FILTER (WHERE status IN ('closed', 'archived')) AS closed,
                   sum(n) FILTER (WHERE status IN ('closed', 'archived') AND with_deadline) AS with_deadline,
                   sum(n) FILTER (WHERE status IN ('closed', 'archived') AND on_time) AS on_time,
                   sum(n) FILTER (WHERE status IN ('closed', 'archived')
                                    AND satisfaction IN ('satisfied', 'fairly', 'unsatisfied')) AS rated,
                   sum(n) FILTER (WHERE status IN ('closed', 'archived')
                                    AND satisfaction IN ('satisfied', 'fairly')) AS content
            FROM done GROUP BY 1
            UNION ALL
            SELECT area_no - area_no %% (SELECT stride FROM step), 0, count(*),
                   count(*) FILTER (WHERE reported_at < %(start)s), count(*) FILTER (WHERE due_at < %(end)s),
                   0, 0, 0, 0, 0, 0
            FROM ticket WHERE closed_at IS NULL AND reported_at <= %(end)s GROUP BY 1
            UNION ALL
            SELECT area_no - area_no %% (SELECT stride FROM step), 0, 0, 0, 0, count(*), 0, 0, 0, 0, 0
            FROM ticket WHERE reported_at >= %(start)s AND reported_at < %(end)s GROUP BY 1
            UNION ALL
            SELECT no - no %% (SELECT stride FROM step), count(*), 0, 0, 0, 0, 0, 0, 0, 0, 0
            FROM area WHERE level = 'grid' AND valid_to IS NULL GROUP BY 1
        ), shown AS (
            SELECT no, hi, code, name, initials, level FROM child
            UNION ALL SELECT %(whole)s, 9223372036854775807, '', '', '', 'whole'
        )
        SELECT shown.no, code, name, initials, level,
               coalesce(sum(grids), 0)::int AS grids, coalesce(sum(open), 0)::int AS open,
               coalesce(sum(open_at_start), 0)::int AS open_at_start, coalesce(sum(overdue), 0)::int AS overdue,
               coalesce(sum(reported), 0)::int AS reported, coalesce(sum(closed), 0)::int AS closed,
               coalesce(sum(with_deadline), 0)::int AS with_deadline, coalesce(sum(on_time), 0)::int AS on_time,
               coalesce(sum(rated), 0)::int AS rated, coalesce(sum(content), 0)::int AS content
        FROM shown LEFT JOIN fact ON fact.no BETWEEN shown.no AND shown.hi
        GROUP BY shown.no, code, name, initials, level
        ORDER BY shown.no = %(whole)s, 7 DESC, 9 DESC, 1
    """
    values = {"parent": parent_no, "start": start, "end": end, "whole": WHOLE}
    return conn.cursor(row_factory=class_row(ChildRow)).execute(query, values, prepare=False).fetchall()


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
