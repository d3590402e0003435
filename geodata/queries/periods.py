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


def children(
    conn: Db, parent_no: int, moments: Moments, own: tuple[int, int] = NOWHERE, *, role: str = ""
) -> tuple[list[ChildRow], Earlier]:
    """The children of an area, most open tickets first, and what the areas numbered `own` are held against.

    The last row, with the number WHOLE, counts all that is in scope. `role` is the database role that `conn` is in.

    To plan a look at every month of tickets takes longer than to look, so closed ones and open ones are looked at
    once each, and a connection keeps the plan: made for the first moments of both periods, which change once a day
    (for any moments PostgreSQL would choose one that takes ten times as long), and for the role, whose policies it
    holds. The transaction of `conn` keeps to such plans until it ends.

    What was closed is counted by each combination of its properties, which takes half the time of a filter for each
    figure; all is counted by the child's number, as children's numbers are whole strides of their level.
    """
    values = moments._asdict() | {"parent": parent_no, "whole": WHOLE, "lo": own[0], "hi": own[1]}
    query = _CHILDREN.format(
        role=sql.Literal(role),
        start=sql.Literal(moments.start),
        before_start=sql.Literal(moments.before_start),
    )
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


# What was closed is told apart by four marks, packed into one number to group by:
#   outcome   0 void, 1 closed without a deadline, 2 closed within it, 3 after it
#   era       closed 0 in the period before, 1 between it and this one, 2 as this one began, 3 in it,
#             4 after now (a clock was ahead), so open all the time
#   standing  of eras 2 to 4: 0 reported since this period began, 1 as it began, 3 before; one more with a deadline
#             that had passed as it began
#   late      open and past its deadline as the period before ended
# A tile counts what is reported as the period begins to what stood open then, a row of the table does not.
_CHILDREN = sql.SQL(
    """
    /* {role} */
    WITH child AS MATERIALIZED (
        SELECT no, hi, code, name, initials, level::text AS level, area_stride(level) AS stride
        FROM area WHERE parent_no = %(parent)s AND valid_to IS NULL
    ), step AS MATERIALIZED (
        SELECT coalesce(min(stride), 9223372036854775807) AS stride FROM child
    ), packed AS MATERIALIZED (
        SELECT area_no - area_no %% (SELECT stride FROM step) AS no, satisfaction,
               CASE WHEN status NOT IN ('closed', 'archived') THEN 0 WHEN due_at IS NULL THEN 1
                    WHEN closed_at <= due_at THEN 2 ELSE 3 END
               | CASE WHEN closed_at < %(before_end)s THEN 0
                      WHEN closed_at < {start} THEN 4
                      ELSE CASE WHEN closed_at = {start} THEN 8 WHEN closed_at < %(end)s THEN 12 ELSE 16 END
                           + CASE WHEN reported_at > {start} THEN 0
                                  ELSE CASE WHEN reported_at = {start} THEN 32 ELSE 96 END
                                       + CASE WHEN due_at < {start} THEN 32 ELSE 0 END END END
               | CASE WHEN closed_at > %(before_end)s AND reported_at <= %(before_end)s
                           AND due_at < %(before_end)s THEN 256 ELSE 0 END AS marks,
               count(*) AS n
        FROM ticket
        WHERE closed_at >= {before_start} AND (closed_at >= {start} OR area_no + 0 BETWEEN %(lo)s AND %(hi)s)
        GROUP BY 1, 2, 3
    ), done AS MATERIALIZED (
        SELECT no, n, marks & 3 AS outcome, (marks >> 2) & 7 AS era, (marks >> 5) & 7 AS standing,
               marks >= 256 AS late, satisfaction IN ('satisfied', 'fairly', 'unsatisfied') AS rated,
               satisfaction IN ('satisfied', 'fairly') AS content
        FROM packed
    ), fact AS MATERIALIZED (
        SELECT no, 0 AS grids, 0 AS open, sum(n) FILTER (WHERE era IN (2, 3) AND standing >= 3) AS open_at_start,
               0 AS overdue, 0 AS reported,
               sum(n) FILTER (WHERE era IN (2, 3) AND outcome > 0) AS closed,
               sum(n) FILTER (WHERE era IN (2, 3) AND outcome > 1) AS with_deadline,
               sum(n) FILTER (WHERE era IN (2, 3) AND outcome = 2) AS on_time,
               sum(n) FILTER (WHERE era IN (2, 3) AND outcome > 0 AND rated) AS rated,
               sum(n) FILTER (WHERE era IN (2, 3) AND outcome > 0 AND content) AS content,
               sum(n) FILTER (WHERE era > 2 AND standing > 0) AS stood,
               sum(n) FILTER (WHERE era > 2 AND standing IN (2, 4)) AS stood_late,
               sum(n) FILTER (WHERE late) AS late,
               sum(n) FILTER (WHERE era = 0 AND outcome > 0) AS closed_before,
               sum(n) FILTER (WHERE era = 0 AND outcome > 1) AS with_deadline_before,
               sum(n) FILTER (WHERE era = 0 AND outcome = 2) AS on_time_before,
               sum(n) FILTER (WHERE era = 0 AND outcome > 0 AND rated) AS rated_before,
               sum(n) FILTER (WHERE era = 0 AND outcome > 0 AND content) AS content_before
        FROM done GROUP BY 1
        UNION ALL
        SELECT area_no - area_no %% (SELECT stride FROM step), 0, count(*),
               count(*) FILTER (WHERE reported_at < {start}), count(*) FILTER (WHERE due_at < %(end)s),
               0, 0, 0, 0, 0, 0, count(*) FILTER (WHERE reported_at <= {start}),
               count(*) FILTER (WHERE reported_at <= {start} AND due_at < {start}),
               count(*) FILTER (WHERE reported_at <= %(before_end)s AND due_at < %(before_end)s), 0, 0, 0, 0, 0
        FROM ticket WHERE closed_at IS NULL AND reported_at <= %(end)s GROUP BY 1
        UNION ALL
        SELECT area_no - area_no %% (SELECT stride FROM step),
               0, 0, 0, 0, count(*), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        FROM ticket WHERE reported_at >= {start} AND reported_at < %(end)s GROUP BY 1
        UNION ALL
        SELECT no - no %% (SELECT stride FROM step), count(*), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        FROM area WHERE level = 'grid' AND valid_to IS NULL GROUP BY 1
    ), shown AS (
        SELECT no, hi, code, name, initials, level FROM child
        UNION ALL SELECT %(whole)s, 9223372036854775807, '', '', '', 'whole'
    ), held AS (
        SELECT coalesce(sum(stood), 0)::int AS stood, coalesce(sum(stood_late), 0)::int AS stood_late,
               coalesce(sum(late), 0)::int AS late,
               (SELECT count(*)::int FROM ticket WHERE reported_at >= {before_start} AND reported_at < %(before_end)s
                                                   AND area_no + 0 BETWEEN %(lo)s AND %(hi)s) AS reported_before,
               coalesce(sum(closed_before), 0)::int AS closed_before,
               coalesce(sum(with_deadline_before), 0)::int AS with_deadline_before,
               coalesce(sum(on_time_before), 0)::int AS on_time_before,
               coalesce(sum(rated_before), 0)::int AS rated_before,
               coalesce(sum(content_before), 0)::int AS content_before
        FROM fact WHERE no BETWEEN %(lo)s AND %(hi)s
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
