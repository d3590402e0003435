"""The desk of call-backs: who is to be called, what was tried, the figures; and consultations."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from geodata.scope import Db


class Rates(NamedTuple):
    """Shares of call-backs by channel and category: three columns of the same length."""

    channels: list[str]
    categories: list[str]
    rates: list[float]


class Candidate(NamedTuple):
    """A ticket that is to be called back; codes instead of ids."""

    id: int
    reported_at: datetime
    version: int
    status: str
    channel: str
    category: str
    severity: str | None
    nature: str | None
    department: str | None
    area_no: int
    area: str
    town: str | None
    title: str
    since: datetime  # handled
    reason: str  # unsatisfied, supervised or sample
    draw: float
    rate: float
    attempts: int  # without an answer, since it was handled
    last_at: datetime | None
    last_outcome: str | None
    again_at: datetime | None
    generated: bool


class Attempt(NamedTuple):
    """One call."""

    id: int
    at: datetime
    outcome: str
    satisfaction: str | None
    solved: str | None
    comment: str | None
    again_at: datetime | None
    actor: str
    generated: bool


class CallFigures(NamedTuple):
    """Counts of calls since a moment."""

    calls: int
    answered: int
    rated: int  # answers that say satisfied, fairly or unsatisfied
    content: int  # satisfied or fairly
    told: int  # answers that say whether it was solved
    solved: int
    unsatisfied: int
    tickets: int  # called, each once


class LedgerRow(NamedTuple):
    """A call as the ledger has it."""

    at: datetime
    ticket_id: int
    reported_at: datetime
    channel: str
    category: str
    department: str | None
    area: str
    town: str | None
    outcome: str
    satisfaction: str | None
    solved: str | None
    comment: str | None
    again_at: datetime | None
    actor: str
    generated: bool


class Consultation(NamedTuple):
    """A question that several decide on together."""

    id: int
    ticket_id: int
    reported_at: datetime
    ticket_version: int
    ticket_status: str
    category: str
    area_no: int
    area: str
    town: str | None
    question: str
    participants: list[str]
    people: list[str]
    meets_at: datetime | None
    minutes: str | None
    decision: str | None
    asked_at: datetime
    asked_by: str
    decided_at: datetime | None
    decided_by: str | None
    version: int
    generated: bool


_CANDIDATES = """
    WITH rates AS MATERIALIZED (
        SELECT c.id AS channel_id, k.id AS category_id, r.rate
        FROM unnest(%(channels)s::text[], %(categories)s::text[], %(rates)s::float8[]) AS r (channel, category, rate)
        JOIN channel c ON c.code = r.channel JOIN category k ON k.code = r.category
    ), done AS (
        SELECT * FROM ticket WHERE closed_at IS NULL AND status IN ('handled', 'verified') {only}
        UNION ALL
        SELECT * FROM ticket WHERE closed_at >= %(oldest)s AND status = 'closed' {only}
    ), drawn AS (
        SELECT t.*, coalesce(t.handled_at, t.closed_at) AS since, r.rate, call_back_draw(t.id) AS draw
        FROM done t JOIN rates r USING (channel_id, category_id)
        WHERE coalesce(t.handled_at, t.closed_at) >= %(oldest)s
    ), chosen AS MATERIALIZED (
        SELECT * FROM drawn
        WHERE draw < rate OR supervised_at IS NOT NULL
           OR id IN (SELECT ticket_id FROM call_back WHERE satisfaction = 'unsatisfied')
    )
    SELECT t.id, t.reported_at, t.version, t.status::text AS status, c.code AS channel, k.code AS category, t.severity,
           t.nature, d.code AS department, t.area_no, a.name AS area, town.name AS town, t.title, t.since,
           CASE WHEN b.unsatisfied THEN 'unsatisfied' WHEN t.supervised_at IS NOT NULL THEN 'supervised'
                ELSE 'sample' END AS reason,
           t.draw, t.rate, b.attempts, b.last_at, b.last_outcome, b.again_at, t.generated
    FROM chosen t
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE at >= t.since AND outcome <> 'answered')::integer AS attempts,
               max(at) AS last_at,
               (array_agg(outcome ORDER BY at DESC))[1] AS last_outcome,
               (array_agg(again_at ORDER BY at DESC) FILTER (WHERE at >= t.since))[1] AS again_at,
               coalesce(bool_or(outcome = 'answered' AND at >= t.since), false) AS answered,
               coalesce(bool_or(satisfaction = 'unsatisfied' AND at < t.since), false) AS unsatisfied
        FROM call_back WHERE ticket_id = t.id
    ) b
    JOIN channel c ON c.id = t.channel_id
    JOIN category k ON k.id = t.category_id
    JOIN area a ON a.no = t.area_no
    LEFT JOIN area town ON town.level = 'town' AND town.no = t.area_no - t.area_no %% area_stride('town')
    LEFT JOIN department d ON d.id = t.department_id
    WHERE NOT b.answered AND (t.draw < t.rate OR b.unsatisfied OR t.supervised_at IS NOT NULL)
    LIMIT %(limit)s
"""


def candidates(
    conn: Db, rates: Rates, oldest: datetime, limit: int, ticket_id: int | None = None
) -> list[Candidate]:
    """Tickets in scope, handled since `oldest`, that are to be called back and did not answer yet, in no order."""
    values = {**rates._asdict(), "oldest": oldest, "limit": limit, "id": ticket_id}
    query = sql.SQL(_CANDIDATES).format(only=sql.SQL("" if ticket_id is None else "AND id = %(id)s"))
    with conn.cursor(row_factory=class_row(Candidate)) as cursor:
        return cursor.execute(query, values).fetchall()


def attempts(conn: Db, ticket_id: int) -> list[Attempt]:
    """All calls about a ticket, oldest first."""
    with conn.cursor(row_factory=class_row(Attempt)) as cursor:
        return cursor.execute(
            """
            SELECT id, at, outcome, satisfaction::text, solved, comment, again_at, actor, generated
            FROM call_back WHERE ticket_id = %s ORDER BY at, id
            """,
            (ticket_id,),
        ).fetchall()


def add_attempt(
    conn: Db, *, ticket_id: int, area_no: int, at: datetime, outcome: str, again_at: datetime | None, actor: str
) -> int:  # fmt: skip
    """Write a call that reached nobody; returns its id."""
    row = conn.execute(
        """
        INSERT INTO call_back (ticket_id, area_no, at, outcome, again_at, actor) VALUES (%s, %s, %s, %s, %s, %s)
        RETURNING id
        """,
        (ticket_id, area_no, at, outcome, again_at, actor),
    ).fetchone()
    assert row is not None
    return int(row[0])


def figures(conn: Db, since: datetime) -> CallFigures:
    """Counts of the calls in scope since a moment."""
    with conn.cursor(row_factory=class_row(CallFigures)) as cursor:
        found = cursor.execute(
            """
            SELECT count(*)::integer AS calls, count(*) FILTER (WHERE outcome = 'answered')::integer AS answered,
                   count(*) FILTER (WHERE satisfaction <> 'unrated')::integer AS rated,
                   count(*) FILTER (WHERE satisfaction IN ('satisfied', 'fairly'))::integer AS content,
                   count(solved)::integer AS told, count(*) FILTER (WHERE solved = 'solved')::integer AS solved,
                   count(*) FILTER (WHERE satisfaction = 'unsatisfied')::integer AS unsatisfied,
                   count(DISTINCT ticket_id)::integer AS tickets
            FROM call_back WHERE at >= %s
            """,
            (since,),
        ).fetchone()
    assert found is not None
    return found


def ledger(conn: Db, since: datetime, until: datetime, limit: int) -> list[LedgerRow]:
    """Calls in scope between two moments, oldest first."""
    with conn.cursor(row_factory=class_row(LedgerRow)) as cursor:
        return cursor.execute(
            """
            SELECT b.at, b.ticket_id, t.reported_at, c.code AS channel, k.code AS category, d.code AS department,
                   a.name AS area, town.name AS town, b.outcome, b.satisfaction::text AS satisfaction, b.solved,
                   b.comment, b.again_at, b.actor, b.generated
            FROM call_back b
            JOIN ticket t ON t.id = b.ticket_id
            JOIN channel c ON c.id = t.channel_id
            JOIN category k ON k.id = t.category_id
            JOIN area a ON a.no = t.area_no
            LEFT JOIN area town ON town.level = 'town' AND town.no = t.area_no - t.area_no %% area_stride('town')
            LEFT JOIN department d ON d.id = t.department_id
            WHERE b.at >= %s AND b.at < %s ORDER BY b.at, b.id LIMIT %s
            """,
            (since, until, limit),
        ).fetchall()


_CONSULTATIONS = """
    SELECT s.id, s.ticket_id, t.reported_at, t.version AS ticket_version, t.status::text AS ticket_status,
           k.code AS category, s.area_no, a.name AS area, town.name AS town, s.question, s.participants, s.people,
           s.meets_at, s.minutes, s.decision, s.asked_at, s.asked_by, s.decided_at, s.decided_by, s.version,
           s.generated
    FROM consultation s
    JOIN ticket t ON t.id = s.ticket_id
    JOIN category k ON k.id = t.category_id
    JOIN area a ON a.no = s.area_no
    LEFT JOIN area town ON town.level = 'town' AND town.no = s.area_no - s.area_no %% area_stride('town')
"""


def consultations(
    conn: Db, *, ticket_id: int | None = None, since: datetime | None = None, limit: int = 200
) -> list[Consultation]:
    """Consultations in scope: those that are to be decided first, by their meeting; then the latest decided ones."""
    with conn.cursor(row_factory=class_row(Consultation)) as cursor:
        return cursor.execute(
            _CONSULTATIONS
            + """
            WHERE (%(ticket)s::bigint IS NULL OR s.ticket_id = %(ticket)s)
              AND (%(since)s::timestamptz IS NULL OR s.decided_at IS NULL OR s.decided_at >= %(since)s)
            ORDER BY s.decided_at DESC NULLS FIRST, s.meets_at NULLS FIRST, s.asked_at LIMIT %(limit)s
            """,
            {"ticket": ticket_id, "since": since, "limit": limit},
        ).fetchall()


def consultation(conn: Db, consultation_id: int) -> Consultation | None:
    """One consultation in scope."""
    with conn.cursor(row_factory=class_row(Consultation)) as cursor:
        return cursor.execute(_CONSULTATIONS + "WHERE s.id = %s", (consultation_id,)).fetchone()


def change_consultation(
    conn: Db, consultation_id: int, version: int, *, people: Sequence[str], meets_at: datetime | None,
    minutes: str | None,
) -> bool:  # fmt: skip
    """Write who sits there, when, and the minutes; False when somebody was quicker."""
    return (
        conn.execute(
            """
            UPDATE consultation SET people = %s, meets_at = %s, minutes = %s, version = version + 1
            WHERE id = %s AND version = %s
            """,
            (Jsonb(list(people)), meets_at, minutes, consultation_id, version),
        ).rowcount
        == 1
    )


def facts(conn: Db, ticket_id: int) -> dict[str, Any] | None:
    """What a board shows of a ticket in scope; codes instead of ids, words of people included."""
    row = conn.execute(
        """
        SELECT t.id, t.reported_at, t.version, t.status::text, c.code, k.code, t.severity, t.nature, d.code, w.name,
               t.area_no, a.name, town.name, t.title, t.description, t.address, t.dispatched_at, t.signed_at,
               t.handled_at, t.closed_at, t.due_at, t.satisfaction::text, t.solved, t.redos, t.transfers, t.escalation,
               t.supervised_at, t.supervision, t.parties, t.generated,
               (SELECT e.data->>'result' FROM ticket_event e WHERE e.ticket_id = t.id AND e.kind = 'handle'
                ORDER BY e.version DESC LIMIT 1)
        FROM ticket t
        JOIN channel c ON c.id = t.channel_id
        JOIN category k ON k.id = t.category_id
        JOIN area a ON a.no = t.area_no
        LEFT JOIN area town ON town.level = 'town' AND town.no = t.area_no - t.area_no %% area_stride('town')
        LEFT JOIN department d ON d.id = t.department_id
        LEFT JOIN worker w ON w.id = t.worker_id
        WHERE t.id = %s
        """,
        (ticket_id,),
    ).fetchone()
    return None if row is None else dict(zip(FACTS, row, strict=True))


FACTS = (
    "id", "reported_at", "version", "status", "channel", "category", "severity", "nature", "department", "worker",
    "area_no", "area", "town", "title", "description", "address", "dispatched_at", "signed_at", "handled_at",
    "closed_at", "due_at", "satisfaction", "solved", "redos", "transfers", "escalation", "supervised_at",
    "supervision", "parties", "generated", "result",
)  # fmt: skip
