"""The board of mediation: which case is to be gone on with next and why, and the figures above it."""

from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import sql
from psycopg.rows import class_row

from geodata.scope import Db

# Why somebody has to do something, what presses most first; of an ended case "done".
REASONS = ("late", "record", "settle", "accept", "follow", "assign", "plan", "meet", "wait", "done")


class QueueRow(NamedTuple):
    """A case in a list: nothing that names a party but masks."""

    id: int
    number: str
    version: int
    area_no: int
    category: str
    ticket_id: int | None
    state: str
    tier: int
    room: str | None
    mediator: str | None
    received_at: datetime
    accepted_at: datetime | None
    due_at: datetime | None
    closed_at: datetime | None
    perform_by: date | None
    performed: bool | None
    agreement_form: str | None
    generated: bool
    parties: list[str]
    sessions: int
    next_session: datetime | None
    reason: str
    next_at: datetime | None


class Asked(NamedTuple):
    """Which cases: `view` queue (something is to be done), open, ended or all; None = any."""

    now: datetime
    today: date
    view: str = "queue"
    tier: int | None = None
    category: str | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Figures(NamedTuple):
    """Counts over the cases that were brought since a moment, and over those that are open now."""

    received: int
    accepted: int
    closed: int  # of the accepted ones
    settled: int
    failed: int
    withdrawn: int
    due: int  # agreements whose day has come, and those that were performed before it
    performed: int
    open: int
    late: int


class TierFigures(NamedTuple):
    """Of the cases brought since a moment, those that stand or ended at a tier."""

    tier: int
    cases: int
    open: int
    settled: int
    ended: int  # settled and failed


_CASES = sql.SQL(
    """
    SELECT c.id, c.number, c.version, c.area_no, c.category, c.ticket_id, c.state::text AS state, c.tier, c.room,
           c.mediator, c.received_at, c.accepted_at, c.due_at, c.closed_at, c.perform_by, c.performed,
           c.agreement_form, c.generated, s.n AS sessions, s.planned_at AS next_session,
           CASE
               WHEN c.state = 'settled' AND c.performed IS NULL AND c.perform_by <= %(today)s THEN 'follow'
               WHEN c.closed_at IS NOT NULL THEN 'done'
               WHEN c.due_at < %(now)s THEN 'late'
               WHEN s.planned_at < %(now)s THEN 'record'
               WHEN s.last = 'agreed' AND s.planned_at IS NULL THEN 'settle'
               WHEN c.state = 'received' THEN 'accept'
               WHEN c.mediator IS NULL THEN 'assign'
               WHEN s.planned_at IS NULL THEN 'plan'
               ELSE 'meet'
           END AS reason,
           CASE
               WHEN c.state = 'settled' THEN c.perform_by::timestamptz
               WHEN c.closed_at IS NOT NULL THEN NULL
               WHEN c.due_at < %(now)s THEN c.due_at
               ELSE coalesce(s.planned_at, c.due_at, c.received_at)
           END AS next_at
    FROM mediation_case c
    CROSS JOIN LATERAL (
        SELECT count(*)::integer AS n, min(planned_at) FILTER (WHERE outcome IS NULL) AS planned_at,
               (array_agg(outcome ORDER BY seq DESC) FILTER (WHERE outcome IS NOT NULL))[1] AS last
        FROM mediation_session WHERE case_id = c.id
    ) s
    WHERE (%(tier)s::integer IS NULL OR c.tier = %(tier)s)
      AND (%(category)s::text IS NULL OR c.category = %(category)s)
      AND (%(since)s::timestamptz IS NULL OR c.received_at >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR c.received_at < %(until)s)
      AND CASE %(view)s
          WHEN 'queue' THEN c.closed_at IS NULL
              OR (c.state = 'settled' AND c.performed IS NULL AND c.perform_by <= %(today)s)
          WHEN 'open' THEN c.closed_at IS NULL
          WHEN 'ended' THEN c.closed_at IS NOT NULL
          ELSE true END
    """
)


def page(conn: Db, asked: Asked, limit: int, offset: int = 0) -> list[QueueRow]:
    """Cases in scope, what presses most first; ended ones the latest first."""
    query = sql.SQL(
        """
        WITH cases AS ({cases}), chosen AS (
            SELECT * FROM cases WHERE %(reason)s::text IS NULL OR reason = %(reason)s
            ORDER BY array_position(%(reasons)s, reason), CASE WHEN closed_at IS NULL THEN next_at END, perform_by,
                     closed_at DESC, id
            LIMIT %(limit)s OFFSET %(offset)s
        )
        SELECT c.*, coalesce(p.names, '{{}}') AS parties FROM chosen c
        LEFT JOIN LATERAL (
            SELECT array_agg(name_masked ORDER BY array_position(ARRAY['applicant', 'respondent', 'other'], side), id)
                   AS names
            FROM mediation_party WHERE case_id = c.id
        ) p ON true
        ORDER BY array_position(%(reasons)s, reason), CASE WHEN closed_at IS NULL THEN next_at END, perform_by,
                 closed_at DESC, c.id
        """
    ).format(cases=_CASES)
    values: dict[str, Any] = {
        **asked._asdict(),
        "reasons": list(REASONS),
        "limit": limit,
        "offset": offset,
    }
    with conn.cursor(row_factory=class_row(QueueRow)) as cursor:
        return cursor.execute(query, values).fetchall()


def reasons(conn: Db, asked: Asked) -> dict[str, int]:
    """How many cases in scope there are by reason."""
    query = sql.SQL("WITH cases AS ({}) SELECT reason, count(*) FROM cases GROUP BY 1").format(_CASES)
    return {row[0]: int(row[1]) for row in conn.execute(query, asked._asdict()).fetchall()}


def figures(conn: Db, since: datetime, now: datetime, today: date) -> Figures:
    """Counts of the cases in scope; agreements without a day are never due."""
    with conn.cursor(row_factory=class_row(Figures)) as cursor:
        found = cursor.execute(
            """
            SELECT count(*) FILTER (WHERE received_at >= %(since)s)::integer AS received,
                   count(*) FILTER (WHERE received_at >= %(since)s AND accepted_at IS NOT NULL)::integer AS accepted,
                   count(*) FILTER (WHERE received_at >= %(since)s AND accepted_at IS NOT NULL
                                      AND closed_at IS NOT NULL)::integer AS closed,
                   count(*) FILTER (WHERE received_at >= %(since)s AND state = 'settled')::integer AS settled,
                   count(*) FILTER (WHERE received_at >= %(since)s AND state = 'failed')::integer AS failed,
                   count(*) FILTER (WHERE received_at >= %(since)s AND state = 'withdrawn'
                                      AND accepted_at IS NOT NULL)::integer AS withdrawn,
                   count(*) FILTER (WHERE received_at >= %(since)s AND state = 'settled'
                                      AND (performed IS NOT NULL OR perform_by <= %(today)s))::integer AS due,
                   count(*) FILTER (WHERE received_at >= %(since)s AND performed)::integer AS performed,
                   count(*) FILTER (WHERE closed_at IS NULL)::integer AS open,
                   count(*) FILTER (WHERE closed_at IS NULL AND due_at < %(now)s)::integer AS late
            FROM mediation_case
            """,
            {"since": since, "now": now, "today": today},
        ).fetchone()
    assert found is not None
    return found


def by_tier(conn: Db, since: datetime) -> list[TierFigures]:
    """The cases in scope brought since a moment, by the tier at which they stand."""
    with conn.cursor(row_factory=class_row(TierFigures)) as cursor:
        return cursor.execute(
            """
            SELECT tier, count(*)::integer AS cases, count(*) FILTER (WHERE closed_at IS NULL)::integer AS open,
                   count(*) FILTER (WHERE state = 'settled')::integer AS settled,
                   count(*) FILTER (WHERE state IN ('settled', 'failed'))::integer AS ended
            FROM mediation_case WHERE received_at >= %s AND state <> 'declined' GROUP BY tier ORDER BY tier
            """,
            (since,),
        ).fetchall()
