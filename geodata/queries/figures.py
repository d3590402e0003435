"""The counts behind the panels' figures: one query a function, each in the scope of its connection."""

from datetime import date, datetime, time
from typing import NamedTuple

from psycopg.rows import class_row

from geodata.scope import Db


class AreaRow(NamedTuple):
    """An area with the range of numbers of its descendants."""

    no: int
    hi: int
    level: str
    code: str
    name: str


def root(conn: Db) -> AreaRow | None:
    """The widest area in scope; None before any area is imported."""
    query = """
        SELECT no, hi, level::text, code, name FROM area
        WHERE valid_to IS NULL ORDER BY hi - no DESC, no LIMIT 1
    """
    return conn.cursor(row_factory=class_row(AreaRow)).execute(query).fetchone()


class IntakeRow(NamedTuple):
    """Tickets reported in one local hour (0–23) in one class; `before` counts those before the cut."""

    hour: int
    category: str
    n: int
    before: int


def intake(conn: Db, start: datetime, end: datetime, cut: datetime, time_zone: str) -> list[IntakeRow]:
    """Tickets reported in [start, end) by local hour and class; `before` counts those before `cut`."""
    query = """
        SELECT t.hour, coalesce(parent.code, kind.code) AS category, sum(t.n)::int AS n,
               sum(t.before)::int AS before
        FROM (
            SELECT extract(hour FROM reported_at AT TIME ZONE %(zone)s)::int AS hour, category_id,
                   count(*) AS n, count(*) FILTER (WHERE reported_at < %(cut)s) AS before
            FROM ticket WHERE reported_at >= %(start)s AND reported_at < %(end)s GROUP BY 1, 2
        ) t
        JOIN category kind ON kind.id = t.category_id
        LEFT JOIN category parent ON parent.id = kind.parent_id
        GROUP BY 1, 2 ORDER BY 1, 2
    """
    values = {"start": start, "end": end, "cut": cut, "zone": time_zone}
    return conn.cursor(row_factory=class_row(IntakeRow)).execute(query, values).fetchall()


class OpenRow(NamedTuple):
    """Tickets not closed, those of them past their deadline, and those whose deadline lies just ahead."""

    open: int
    overdue: int
    soon: int


def open_now(conn: Db, now: datetime, soon: datetime) -> OpenRow:
    """Open tickets, overdue ones (deadline before `now`), and those due in [now, soon)."""
    query = """
        SELECT count(*)::int AS open, count(*) FILTER (WHERE due_at < %(now)s)::int AS overdue,
               count(*) FILTER (WHERE due_at >= %(now)s AND due_at < %(soon)s)::int AS soon
        FROM ticket WHERE closed_at IS NULL AND reported_at <= %(now)s
    """
    row = (
        conn.cursor(row_factory=class_row(OpenRow))
        .execute(query, {"now": now, "soon": soon}, prepare=False)
        .fetchone()
    )
    assert row is not None
    return row


class StandingRow(NamedTuple):
    """What stood open, and overdue, at a moment of the past."""

    open: int
    overdue: int


def open_then(conn: Db, then: datetime) -> StandingRow:
    """Tickets that were open at `then`, and those of them that were past their deadline at that moment."""
    query = """
        SELECT count(*)::int AS open, count(*) FILTER (WHERE due_at < %(then)s)::int AS overdue
        FROM (
            SELECT due_at FROM ticket WHERE closed_at IS NULL AND reported_at <= %(then)s
            UNION ALL
            SELECT due_at FROM ticket WHERE closed_at > %(then)s AND reported_at <= %(then)s
        ) standing
    """
    row = (
        conn.cursor(row_factory=class_row(StandingRow))
        .execute(query, {"then": then}, prepare=False)
        .fetchone()
    )
    assert row is not None
    return row


class ClosedRow(NamedTuple):
    """Tickets closed in a span: all, with a deadline, within it, called back, content."""

    closed: int
    with_deadline: int
    on_time: int
    rated: int
    content: int


def closed(conn: Db, start: datetime, end: datetime) -> ClosedRow:
    """Tickets closed (void ones left out) in [start, end); content = satisfied or fairly satisfied."""
    query = """
        SELECT count(*)::int AS closed, count(due_at)::int AS with_deadline,
               count(*) FILTER (WHERE closed_at <= due_at)::int AS on_time,
               count(*) FILTER (WHERE satisfaction IN ('satisfied', 'fairly', 'unsatisfied'))::int AS rated,
               count(*) FILTER (WHERE satisfaction IN ('satisfied', 'fairly'))::int AS content
        FROM ticket WHERE closed_at >= %s AND closed_at < %s AND status IN ('closed', 'archived')
    """
    row = conn.cursor(row_factory=class_row(ClosedRow)).execute(query, (start, end), prepare=False).fetchone()
    assert row is not None
    return row


class OutcomeRow(NamedTuple):
    """Tickets reported in a span (void ones left out) and how many of them are closed."""

    reported: int
    closed: int


def outcome(conn: Db, start: datetime, end: datetime) -> OutcomeRow:
    """What became of the tickets reported in [start, end).

    Three counts that an index alone answers: all, the open, the void; reading the rows takes thrice the time.
    """
    query = """
        SELECT (reported - void)::int AS reported, (reported - void - open)::int AS closed
        FROM (SELECT count(*) AS reported FROM ticket
              WHERE reported_at >= %(start)s AND reported_at < %(end)s) a,
             (SELECT count(*) AS open FROM ticket
              WHERE reported_at >= %(start)s AND reported_at < %(end)s AND closed_at IS NULL) b,
             (SELECT count(*) AS void FROM ticket
              WHERE reported_at >= %(start)s AND reported_at < %(end)s
                AND status IN ('merged', 'rejected', 'cancelled')) c
    """
    row = (
        conn.cursor(row_factory=class_row(OutcomeRow))
        .execute(query, {"start": start, "end": end}, prepare=False)
        .fetchone()
    )
    assert row is not None
    return row


class ChildRow(NamedTuple):
    """One child area with its open and overdue tickets and today's intake."""

    no: int
    code: str
    name: str
    open: int
    overdue: int
    intake: int


def children(conn: Db, parent_no: int, day: datetime, now: datetime) -> list[ChildRow]:
    """The children of an area, most open tickets first; intake since `day` (start of the local day)."""
    query = """
        WITH child AS MATERIALIZED (
            SELECT no, hi, code, name FROM area WHERE parent_no = %(parent)s AND valid_to IS NULL
        ), standing AS MATERIALIZED (
            SELECT area_no, count(*) AS open, count(*) FILTER (WHERE due_at < %(now)s) AS overdue
            FROM ticket WHERE closed_at IS NULL AND reported_at <= %(now)s GROUP BY 1
        ), today AS MATERIALIZED (
            SELECT area_no, count(*) AS n FROM ticket
            WHERE reported_at >= %(day)s AND reported_at <= %(now)s GROUP BY 1
        )
        SELECT child.no, child.code, child.name, coalesce(s.open, 0)::int AS open,
               coalesce(s.overdue, 0)::int AS overdue, coalesce(i.n, 0)::int AS intake
        FROM child
        LEFT JOIN LATERAL (
            SELECT sum(open) AS open, sum(overdue) AS overdue FROM standing
            WHERE area_no BETWEEN child.no AND child.hi
        ) s ON true
        LEFT JOIN LATERAL (
            SELECT sum(n) AS n FROM today WHERE area_no BETWEEN child.no AND child.hi
        ) i ON true
        ORDER BY 4 DESC, 5 DESC, 1
    """
    values = {"parent": parent_no, "day": day, "now": now}
    return conn.cursor(row_factory=class_row(ChildRow)).execute(query, values).fetchall()


class WorstRow(NamedTuple):
    """A grid in trouble, with the names of the areas above it."""

    no: int
    code: str
    name: str
    community: str
    town: str
    open: int
    overdue: int


def worst_grids(conn: Db, now: datetime, limit: int) -> list[WorstRow]:
    """The grids with most overdue tickets, then most open ones; grids without an open ticket are left out."""
    query = """
        WITH worst AS (
            SELECT t.area_no, count(*)::int AS open,
                   count(*) FILTER (WHERE t.due_at < %(now)s)::int AS overdue
            FROM ticket t JOIN area g ON g.no = t.area_no AND g.level = 'grid'
            WHERE t.closed_at IS NULL AND t.reported_at <= %(now)s
            GROUP BY 1 ORDER BY 3 DESC, 2 DESC, 1 LIMIT %(limit)s
        )
        SELECT grid.no, grid.code, grid.name, coalesce(community.name, '') AS community,
               coalesce(town.name, '') AS town, worst.open, worst.overdue
        FROM worst
        JOIN area grid ON grid.no = worst.area_no
        LEFT JOIN area community ON community.no = grid.parent_no AND community.level = 'community'
        LEFT JOIN area town ON town.no = community.parent_no AND town.level = 'town'
        ORDER BY worst.overdue DESC, worst.open DESC, grid.no
    """
    values = {"now": now, "limit": limit}
    return conn.cursor(row_factory=class_row(WorstRow)).execute(query, values).fetchall()


class ShareRow(NamedTuple):
    """A part and its whole."""

    n: int
    d: int


def patrolled(conn: Db, day: date) -> ShareRow:
    """Grids that somebody patrolled on that local day, of all grids."""
    query = """
        SELECT (SELECT count(DISTINCT area_no) FROM patrol WHERE day = %s)::int AS n, count(*)::int AS d
        FROM area WHERE level = 'grid' AND valid_to IS NULL
    """
    row = conn.cursor(row_factory=class_row(ShareRow)).execute(query, (day,)).fetchone()
    assert row is not None
    return row


class ShiftRow(NamedTuple):
    """Active workers, those on shift, and those of them whose position is fresh."""

    active: int
    on_shift: int
    positioned: int


def on_shift(conn: Db, local: datetime, fresh_since: datetime) -> ShiftRow:
    """Workers on shift at a local time of the place (a shift may pass midnight; equal ends mean all day)."""
    query = """
        WITH duty AS (
            SELECT id, CASE
                WHEN shift_from < shift_to THEN %(at)s >= shift_from AND %(at)s < shift_to AND today
                WHEN shift_from = shift_to THEN today
                ELSE %(at)s >= shift_from AND today OR %(at)s < shift_to AND yesterday END AS on_shift
            FROM (
                SELECT id, shift_from, shift_to, shift_days >> %(today)s & 1 = 1 AS today,
                       shift_days >> %(yesterday)s & 1 = 1 AS yesterday
                FROM worker WHERE active
            ) w
        )
        SELECT count(*)::int AS active, count(*) FILTER (WHERE on_shift)::int AS on_shift,
               count(*) FILTER (WHERE on_shift AND EXISTS (
                   SELECT FROM position p WHERE p.worker_id = duty.id AND p.at >= %(fresh)s
               ))::int AS positioned
        FROM duty
    """
    at: time = local.time()
    values = {
        "at": at,
        "today": local.weekday(),
        "yesterday": (local.weekday() - 1) % 7,
        "fresh": fresh_since,
    }
    row = conn.cursor(row_factory=class_row(ShiftRow)).execute(query, values).fetchone()
    assert row is not None
    return row


def stations(conn: Db) -> ShareRow:
    """Video stations with a live stream, of all."""
    query = "SELECT count(*) FILTER (WHERE state = 'live')::int AS n, count(*)::int AS d FROM video_station"
    row = conn.cursor(row_factory=class_row(ShareRow)).execute(query).fetchone()
    assert row is not None
    return row


class HappenedRow(NamedTuple):
    """One thing that happened to a ticket: an event's kind, or 'overdue' when its deadline passed."""

    at: datetime
    kind: str
    ticket_id: int
    area_no: int
    category: str
    channel: str


def events(conn: Db, since: datetime, limit: int) -> list[HappenedRow]:
    """The newest news of tickets since a moment: reports, changes of state (its name), supervision; newest first."""
    query = """
        SELECT e.at, e.kind, e.ticket_id, e.area_no, category.code AS category, channel.code AS channel
        FROM (
            SELECT at, CASE WHEN kind IN ('report', 'supervise') THEN kind ELSE status::text END AS kind,
                   ticket_id, area_no
            FROM ticket_event
            WHERE at >= %(since)s AND kind <> 'imported' AND (kind = 'supervise' OR was IS DISTINCT FROM status)
            ORDER BY at DESC, id DESC LIMIT %(limit)s
        ) e
        -- The key of a ticket is (id, month): without LIMIT the planner hashes every partition.
        CROSS JOIN LATERAL (SELECT category_id, channel_id FROM ticket WHERE id = e.ticket_id LIMIT 1) ticket
        JOIN category ON category.id = ticket.category_id
        JOIN channel ON channel.id = ticket.channel_id
        ORDER BY e.at DESC, e.ticket_id DESC
    """
    values = {"since": since, "limit": limit}
    return conn.cursor(row_factory=class_row(HappenedRow)).execute(query, values).fetchall()


def fell_due(conn: Db, since: datetime, now: datetime, limit: int) -> list[HappenedRow]:
    """Open tickets whose deadline passed in [since, now), newest first."""
    query = """
        SELECT t.due_at AS at, 'overdue' AS kind, t.id AS ticket_id, t.area_no,
               category.code AS category, channel.code AS channel
        FROM (
            SELECT due_at, id, area_no, category_id, channel_id FROM ticket
            WHERE closed_at IS NULL AND due_at >= %(since)s AND due_at < %(now)s
            ORDER BY due_at DESC LIMIT %(limit)s
        ) t
        JOIN category ON category.id = t.category_id
        JOIN channel ON channel.id = t.channel_id
        ORDER BY t.due_at DESC, t.id DESC
    """
    values = {"since": since, "now": now, "limit": limit}
    return conn.cursor(row_factory=class_row(HappenedRow)).execute(query, values).fetchall()
