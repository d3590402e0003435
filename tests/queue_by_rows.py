"""The dispatcher's queue as first written, row by row from all tickets: what the order by columns is held against."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from psycopg import sql

from geodata.clock.worktime import EPOCH, Worktime
from geodata.queries.dispatch_queue import MOST, SAID, TABS, Asker, Narrowed, Tab, Waiting
from geodata.queries.queue_columns import NEVER, Columns, Words
from geodata.scope import Db
from profiles import Profile
from profiles.clock import Amount, Step
from services.desks.limits import Started, ends_of
from services.dispatch.order import Place, Stage
from services.tickets.states import UNASSIGNED

HANDED = ("dispatched", "transferred")
FAR = datetime.max.replace(tzinfo=UTC)
ZERO = timedelta()
_MOVES = frozenset({"reported", "accepted", "returned", "reopened", "dispatched", "transferred"})


def columns_of(tickets: Sequence[Waiting]) -> Columns:
    """Those rows as columns."""

    def column(name: str) -> Any:
        values = [getattr(ticket, name) for ticket in tickets]
        if name in ("lon", "lat"):
            return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        if name in ("status", "channel", "category", "severity", "nature", "town"):
            return Words.of([value or "" for value in values])
        if name in ("id", "version", "escalation", "refused"):
            return np.array(values, dtype=np.int64)
        micros = [NEVER if at is None else (at - EPOCH) // timedelta(microseconds=1) for at in values]
        return np.array(micros, dtype=np.int64)

    return Columns(**{name: column(name) for name in Columns._fields})


def places(profile: Profile, worktime: Worktime, tickets: Sequence[Waiting], now: datetime) -> list[Place]:
    """All of them in the order of what must be decided next.

    A step's limit is the ticket's own where it has one, else the place's for that step, worked out in its working
    time; where the place sets none for taking up, `queue.decide_minutes`.
    """
    begun = [_begun(ticket) for ticket in tickets]
    limit_of = _limits(profile)
    missing = [
        number for number, (stage, _, due) in enumerate(begun) if due is None and stage in ("decide", "sign")
    ]
    started = [Started(limit_of(begun[number][0], tickets[number]), begun[number][1]) for number in missing]
    dues = dict(zip(missing, ends_of(started, worktime), strict=True))
    sooner = _sooner(profile)
    found: list[
        tuple[bool, datetime, int, Place]
    ] = []  # decisions first, then what presses; ids make it one order
    for number, ticket in enumerate(tickets):
        stage, since, due = begun[number]
        if due is None:
            due = dues.get(number)
        decide = stage == "decide" or (stage in ("sign", "respond") and due is not None and due < now)
        presses_at = FAR if due is None else due - ahead if (ahead := sooner(ticket)) else due
        found.append(
            (not decide, presses_at, ticket.id, Place(ticket, stage, since, due, decide, presses_at))
        )
    found.sort()
    return [place for *_, place in found]


_BESIDE: dict[str, Stage] = {
    "suspended": "pause", "consulted": "consult", "handled": "check", "verified": "check",
}  # fmt: skip


def _begun(ticket: Waiting) -> tuple[Stage, datetime, datetime | None]:
    """The step that a ticket is in, since when, and until when as far as the ticket itself says."""
    status = ticket.status
    if status in UNASSIGNED:
        return "decide", ticket.handed_at or ticket.reported_at, None
    since = ticket.handed_at or ticket.dispatched_at or ticket.reported_at
    stage = _BESIDE.get(status)
    due: datetime | None
    if stage is not None:
        due = {"pause": ticket.suspended_until, "consult": ticket.due_at}.get(stage)
    elif ticket.respond_due is not None:
        stage, due = "respond", ticket.respond_due
    elif status in HANDED:
        stage, due = "sign", ticket.sign_due
    else:
        stage, due = "handle", ticket.due_at
    return stage, since, due


def _limits(profile: Profile) -> Callable[[Stage, Waiting], tuple[Amount, ...]]:
    usual = (Amount(amount=profile.queue.decide_minutes / 60, unit="natural_hours"),)

    @cache
    def limit(
        step: Step, category: str, channel: str, severity: str | None, nature: str | None
    ) -> tuple[Amount, ...]:
        return profile.limit(step, category=category, channel=channel, severity=severity, nature=nature)

    def of(stage: Stage, ticket: Waiting) -> tuple[Amount, ...]:
        step: Step = "take_up" if stage == "decide" else "sign"
        found = limit(step, ticket.category, ticket.channel, ticket.severity, ticket.nature)
        return found or (usual if stage == "decide" else ())

    return of


def _sooner(profile: Profile) -> Callable[[Waiting], timedelta]:
    """By how much severity, refusals and escalation move a ticket forward."""
    queue = profile.queue
    grades = {
        one.code: timedelta(minutes=rank * queue.grade_minutes)
        for rank, one in enumerate(profile.loop.severities)
    }
    refused, escalated = timedelta(minutes=queue.refused_minutes), timedelta(minutes=queue.escalated_minutes)

    def of(ticket: Waiting) -> timedelta:
        if not (ticket.severity or ticket.refused or ticket.escalation):
            return ZERO
        own = grades.get(ticket.severity, ZERO) if ticket.severity else ZERO
        return own + ticket.refused * refused + ticket.escalation * escalated

    return of


_MINE = """(
    t.id IN (SELECT e.ticket_id FROM ticket_event e WHERE e.actor = %(actor)s
             AND e.kind IN ('accept', 'dispatch', 'whistle', 'transfer', 'recall'))
    OR t.id IN (SELECT c.ticket_id FROM ticket_claim c WHERE c.holder_kind = %(actor_kind)s
                AND c.holder = %(actor)s AND c.until > clock_timestamp())
)"""
_OUTLINED = "ST_Intersects(ST_MakeValid(ST_GeomFromText(%(outline)s, 4326)), t.geom)"


def waiting(conn: Db, tab: Tab, asker: Asker, narrowed: Narrowed, now: datetime) -> list[Waiting]:
    """Up to MOST tickets of a tab, in no order; of more, those with the next deadline."""
    query = sql.SQL(
        """
        SELECT t.id, t.version, t.status::text AS status, c.code AS channel, k.code AS category, t.severity, t.nature,
               town.code AS town, t.reported_at, t.dispatched_at, t.due_at, t.sign_due, t.respond_due,
               t.suspended_until, t.escalation, NULL::timestamptz AS handed_at, 0 AS refused,
               ST_X(t.geom) AS lon, ST_Y(t.geom) AS lat
        FROM (SELECT t.* FROM ticket t WHERE t.closed_at IS NULL AND {tab} AND {narrowed} {cut}) t
        JOIN channel c ON c.id = t.channel_id
        JOIN category k ON k.id = t.category_id
        LEFT JOIN area town ON town.level = 'town' AND town.no = t.area_no - t.area_no %% 1000000
        """
    ).format(
        tab=sql.SQL(_MINE if tab == "mine" else TABS[tab]),
        narrowed=sql.SQL(" AND ").join(
            [sql.SQL("true")]
            + [SAID] * bool(narrowed.terms)
            + [sql.SQL(_OUTLINED)] * (narrowed.outline is not None)
        ),
        # not in the order of an index: that reads the tickets one by one from all over the disk
        cut=sql.SQL("ORDER BY t.due_at + interval '0' LIMIT %(most)s"),
    )
    values: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else value for name, value in narrowed._asdict().items()
    }
    values |= {"now": now, "actor": asker.name, "actor_kind": asker.kind, "most": MOST}
    found = [Waiting._make(row) for row in conn.execute(query, values).fetchall()]
    past = _past(conn, [one.id for one in found if one.version > 1 and one.status in _MOVES])
    return [past[one.id].of(one) if one.id in past else one for one in found]


class _Past(NamedTuple):
    """When a ticket came back last, when it was handed on last, and how often it was refused."""

    ticket_id: int
    back_at: datetime | None
    on_at: datetime | None
    refused: int

    def of(self, ticket: Waiting) -> Waiting:
        """The ticket with the moment at which the time of its state began."""
        handed = self.on_at if ticket.status in ("dispatched", "transferred") else self.back_at
        return ticket._replace(handed_at=handed, refused=self.refused)


def _past(conn: Db, ids: Sequence[int]) -> dict[int, _Past]:
    if not ids:
        return {}
    rows = conn.execute(
        """
        SELECT e.ticket_id, max(e.at) FILTER (WHERE e.kind IN ('refuse', 'send_back', 'recall', 'reopen')),
               max(e.at) FILTER (WHERE e.kind IN ('dispatch', 'whistle', 'transfer')),
               (count(*) FILTER (WHERE e.kind IN ('refuse', 'send_back')))::int
        FROM ticket_event e
        WHERE e.ticket_id = ANY(%s)
          AND e.kind IN ('dispatch', 'whistle', 'transfer', 'refuse', 'send_back', 'recall', 'reopen')
        GROUP BY 1
        """,
        (list(ids),),
    ).fetchall()
    return {row[0]: _Past._make(row) for row in rows}
