"""Counts over a period, for an area and for each of its children: what the page of an area compares."""

from datetime import datetime
from typing import NamedTuple

from psycopg import sql
from psycopg.rows import class_row

from geodata.scope import Db


class Moments(NamedTuple):
    """A period [start, end) up to now, and the one [before_start, before_end) that it is held against.

    In this order of time: before_start, before_end, start, end; all with a time zone.
    """

    before_start: datetime
    before_end: datetime
    start: datetime
    end: datetime


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


class Earlier(NamedTuple):
    """What an area's figures are held against: what stood open as the period began, and the period before.

    `late` were open and past their deadline as the period before ended.
    """

    open_at_start: int
    overdue_at_start: int
    late: int
    reported: int
    closed: int
    with_deadline: int
    on_time: int
    rated: int
    content: int


WHOLE = 0  # the number of the row that counts everything in scope; no area has it
NOWHERE = (0, -1)  # no area has a number from the first to the second
EVERYWHERE = (0, 2**63 - 1)
TOWN = 1_000_000  # how many numbers a town has; communities and grids have no multiples of it


def children(
    conn: Db, parent_no: int, moments: Moments, own: tuple[int, int] = NOWHERE, *, role: str = ""
) -> tuple[list[ChildRow], Earlier]:
    """The children of an area, most open tickets first, and what the areas numbered `own` are held against.

    The last row, with the number WHOLE, counts all that is in scope. `role` is the database role that `conn` is in.

    Whole days are read from ticket_sum, where they stand counted; what is left of a period at its ends, and days that
    were touched since, are counted from their tickets, and so is everything where the children are grids. What stood
    open at a moment is counted from its tickets always. Children's numbers are whole strides of their level.

    To plan a look at every month of tickets takes longer than to look, so a connection keeps the plan: one for any
    moments, but one for each role, whose policies it holds. Each time of a look has both ends, or PostgreSQL takes
    it for too many tickets to go by the time. The transaction of `conn` keeps to such plans until it ends.
    """
    query = _CHILDREN.format(
        role=sql.Literal(role),
        # few tickets of a long time: found by their area, so no index may find the time
        closed_at=sql.SQL("closed_at" if parent_no % TOWN == 0 else "(closed_at + '0'::interval)"),
    )
    values = moments._asdict() | {
        "parent": parent_no, "whole": WHOLE, "lo": own[0], "hi": own[1], "ever": "infinity",
    }  # fmt: skip
    conn.execute("SELECT set_config('plan_cache_mode', 'force_generic_plan', true)")
    rows = conn.execute(query, values, prepare=True).fetchall()
    width = len(ChildRow._fields)
    return [ChildRow._make(row[:width]) for row in rows], Earlier._make(rows[-1][width:])


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


_CHILDREN = sql.SQL(
    """
    /* {role} */
    WITH child AS MATERIALIZED (
        SELECT no, hi, code, name, initials, level::text AS level, area_stride(level) AS stride
        FROM area WHERE parent_no = %(parent)s AND valid_to IS NULL
    ), step AS MATERIALIZED (
        SELECT coalesce(min(stride), 9223372036854775807) AS stride FROM child
    ), span AS MATERIALIZED (
        SELECT * FROM (VALUES (false, %(start)s::timestamptz, %(end)s::timestamptz, 0, 9223372036854775807),
                              (true, %(before_start)s, %(before_end)s, %(lo)s, %(hi)s)) s (before, start, until, lo, hi)
    ), day AS MATERIALIZED (
        SELECT before, lo, hi, d.no, d.start, d.until
        FROM span CROSS JOIN LATERAL counted_days(span.start, span.until) d
        WHERE (SELECT stride FROM step) BETWEEN 2 AND 1000000000000
    ), gap AS MATERIALIZED (
        SELECT before, lo, hi, lower(part) AS start, upper(part) AS until
        FROM span CROSS JOIN LATERAL unnest(
            tstzmultirange(tstzrange(start, until)) - coalesce((
                SELECT range_agg(tstzrange(day.start, day.until)) FROM day WHERE day.before = span.before
            ), '{{}}')) part
    ), counted AS MATERIALIZED (
        SELECT before, area_no AS no, reported, closed, with_deadline, on_time, rated, content
        FROM day JOIN ticket_sum s ON s.day = day.no
        WHERE stride = (SELECT stride FROM step) AND area_no BETWEEN lo AND hi
        UNION ALL
        SELECT before, t.* FROM gap CROSS JOIN LATERAL (
            SELECT area_no - area_no %% (SELECT stride FROM step), 0 AS reported, count(*), count(due_at),
                   count(*) FILTER (WHERE closed_at <= due_at),
                   count(*) FILTER (WHERE satisfaction IN ('satisfied', 'fairly', 'unsatisfied')),
                   count(*) FILTER (WHERE satisfaction IN ('satisfied', 'fairly'))
            FROM ticket
            WHERE {closed_at} >= gap.start AND {closed_at} < gap.until
              AND status IN ('closed', 'archived') AND area_no + 0 BETWEEN gap.lo AND gap.hi GROUP BY 1
        ) t
        UNION ALL
        SELECT before, t.no, t.reported, 0, 0, 0, 0, 0 FROM gap CROSS JOIN LATERAL (
            SELECT area_no - area_no %% (SELECT stride FROM step) AS no, count(*) AS reported FROM ticket
            WHERE reported_at >= gap.start AND reported_at < gap.until AND area_no + 0 BETWEEN gap.lo AND gap.hi
            GROUP BY 1
        ) t
    ), standing AS MATERIALIZED (
        SELECT area_no - area_no %% (SELECT stride FROM step) AS no, 0 AS open, 0 AS overdue,
               count(*) FILTER (WHERE closed_at >= %(start)s AND closed_at <= %(end)s AND reported_at < %(start)s)
                   AS open_at_start,
               count(*) FILTER (WHERE closed_at > %(start)s) AS stood,
               count(*) FILTER (WHERE closed_at > %(start)s AND due_at < %(start)s) AS stood_late,
               count(*) FILTER (WHERE closed_at > %(before_end)s AND reported_at <= %(before_end)s
                                      AND due_at < %(before_end)s) AS late
        FROM ticket
        WHERE {closed_at} >= %(before_end)s AND {closed_at} < %(ever)s AND reported_at <= %(start)s
          AND (closed_at >= %(start)s OR due_at < %(before_end)s AND area_no + 0 BETWEEN %(lo)s AND %(hi)s)
        GROUP BY 1
        UNION ALL
        SELECT area_no - area_no %% (SELECT stride FROM step), count(*), count(*) FILTER (WHERE due_at < %(end)s),
               count(*) FILTER (WHERE reported_at < %(start)s), count(*) FILTER (WHERE reported_at <= %(start)s),
               count(*) FILTER (WHERE reported_at <= %(start)s AND due_at < %(start)s),
               count(*) FILTER (WHERE reported_at <= %(before_end)s AND due_at < %(before_end)s)
        FROM open_ticket WHERE reported_at <= %(end)s GROUP BY 1
    ), fact AS MATERIALIZED (
        SELECT no, 0 AS grids, 0 AS open, 0 AS open_at_start, 0 AS overdue,
               reported, closed, with_deadline, on_time, rated, content
        FROM counted WHERE NOT before
        UNION ALL
        SELECT no, 0, open, open_at_start, overdue, 0, 0, 0, 0, 0, 0 FROM standing
        UNION ALL
        SELECT no - no %% (SELECT stride FROM step), count(*), 0, 0, 0, 0, 0, 0, 0, 0, 0
        FROM area WHERE level = 'grid' AND valid_to IS NULL GROUP BY 1
    ), shown AS (
        SELECT no, hi, code, name, initials, level FROM child
        UNION ALL SELECT %(whole)s, 9223372036854775807, '', '', '', 'whole'
    ), held AS (
        SELECT * FROM (
            SELECT coalesce(sum(stood), 0)::int AS stood, coalesce(sum(stood_late), 0)::int AS stood_late,
                   coalesce(sum(late), 0)::int AS late
            FROM standing WHERE no BETWEEN %(lo)s AND %(hi)s
        ) stood CROSS JOIN (
            SELECT coalesce(sum(reported), 0)::int AS reported_before, coalesce(sum(closed), 0)::int AS closed_before,
                   coalesce(sum(with_deadline), 0)::int AS with_deadline_before,
                   coalesce(sum(on_time), 0)::int AS on_time_before, coalesce(sum(rated), 0)::int AS rated_before,
                   coalesce(sum(content), 0)::int AS content_before
            FROM counted WHERE before
        ) earlier
    )
    SELECT child.*, held.* FROM (
        SELECT shown.no, code, name, initials, level,
               coalesce(sum(grids), 0)::int AS grids, coalesce(sum(open), 0)::int AS open,
               coalesce(sum(open_at_start), 0)::int AS open_at_start, coalesce(sum(overdue), 0)::int AS overdue,
               coalesce(sum(reported), 0)::int AS reported, coalesce(sum(closed), 0)::int AS closed,
               coalesce(sum(with_deadline), 0)::int AS with_deadline, coalesce(sum(on_time), 0)::int AS on_time,
               coalesce(sum(rated), 0)::int AS rated, coalesce(sum(content), 0)::int AS content
        FROM shown LEFT JOIN fact ON fact.no BETWEEN shown.no AND shown.hi
        GROUP BY shown.no, code, name, initials, level
    ) child CROSS JOIN held
    ORDER BY child.no = %(whole)s, open DESC, overdue DESC, child.no
    """
)
