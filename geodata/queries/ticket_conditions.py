"""Filters of the list of tickets as conditions of a query."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import sql

from geodata.scope import Scope

SOON = "2 hours"


class Conditions(NamedTuple):
    """What the tickets of a list have in common; None or empty = anything. Ids as the vocabulary has them."""

    terms: tuple[str, ...] = ()  # words that all stand in title, description or address
    number: int | None = None  # or the ticket has this number …
    source: str | None = None  # … or this source id
    statuses: tuple[str, ...] | None = None
    only_open: bool = False  # all of the statuses are open ones
    channels: tuple[int, ...] = ()
    categories: tuple[int, ...] = ()
    departments: tuple[int, ...] = ()
    severities: tuple[str, ...] = ()
    usual_severity: bool = False  # also those that nobody graded
    worker_id: int | None = None
    located: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()  # of FLAGS
    actor: str | None = None  # who gave a command to it
    since: datetime | None = None  # reported in [since, until)
    until: datetime | None = None
    closed_since: datetime | None = None
    closed_until: datetime | None = None
    within: Scope | None = None  # the transaction's, written out: the planner cannot look into a policy


FLAGS: Mapping[str, sql.SQL] = {
    "overdue": sql.SQL("t.closed_at IS NULL AND t.due_at < %(now)s"),
    "due_soon": sql.SQL(
        "t.closed_at IS NULL AND t.due_at >= %(now)s AND t.due_at < %(now)s + %(soon)s::interval"
    ),
    "unsigned": sql.SQL("t.status IN ('dispatched', 'transferred') AND t.closed_at IS NULL"),
    "supervised": sql.SQL("t.supervised_at IS NOT NULL"),
    "escalated": sql.SQL("t.escalation > 0"),
    "suspended": sql.SQL("t.status = 'suspended' AND t.closed_at IS NULL"),
    "picture": sql.SQL("EXISTS (SELECT FROM picture p WHERE p.ticket_id = t.id)"),
}


def where(wanted: Conditions) -> sql.Composed:
    """What rows of `t` (ticket, or what ticket_found gives) must meet; its values come from `values_of`."""
    parts: list[sql.Composable] = [sql.SQL("true")]
    if wanted.within is not None and not wanted.within.county:
        parts.append(sql.SQL("t.area_no BETWEEN %(lo)s AND %(hi)s"))
    if wanted.only_open:
        parts.append(sql.SQL("t.closed_at IS NULL"))
    if wanted.statuses is not None:
        parts.append(sql.SQL("t.status = ANY(%(statuses)s::ticket_status[])"))
    for name, column in (
        ("channels", "channel_id"),
        ("categories", "category_id"),
        ("departments", "department_id"),
    ):
        if getattr(wanted, name):
            parts.append(
                sql.SQL("{} = ANY({}::smallint[])").format(sql.Identifier("t", column), sql.Placeholder(name))
            )
    if wanted.severities or wanted.usual_severity:
        usual = sql.SQL(" OR t.severity IS NULL") if wanted.usual_severity else sql.SQL("")
        parts.append(sql.SQL("(t.severity = ANY(%(severities)s::text[]){})").format(usual))
    if wanted.worker_id is not None:
        parts.append(sql.SQL("t.worker_id = %(worker_id)s"))
    if wanted.located:
        parts.append(sql.SQL("t.location = ANY(%(located)s::location_quality[])"))
        if "exact" not in wanted.located:
            parts.append(sql.SQL("t.location <> 'exact'"))
    if wanted.actor is not None:
        parts.append(
            sql.SQL(
                "t.id IN (SELECT e.ticket_id FROM ticket_event e"
                " WHERE e.actor = %(actor)s AND e.kind <> 'imported')"
            )
        )
    for name, column, sign in (
        ("since", "reported_at", ">="),
        ("until", "reported_at", "<"),
        ("closed_since", "closed_at", ">="),
        ("closed_until", "closed_at", "<"),
        ("closed_until", "reported_at", "<"),  # follows from it: no later month is looked through
    ):
        if getattr(wanted, name) is not None:
            parts.append(
                sql.SQL("{} {} {}").format(sql.Identifier("t", column), sql.SQL(sign), sql.Placeholder(name))
            )
    parts += [sql.SQL("({})").format(FLAGS[name]) for name in sorted(wanted.flags)]
    return sql.SQL(" AND ").join(parts)


def values_of(wanted: Conditions, now: datetime) -> dict[str, Any]:
    """The values that `where` names."""
    values = {
        name: list(value) if isinstance(value, tuple) else value for name, value in wanted._asdict().items()
    }
    if wanted.within is not None:
        values |= {"lo": wanted.within.lo, "hi": wanted.within.hi}
    del values["flags"], values["within"]
    return values | {"now": now, "soon": SOON}
