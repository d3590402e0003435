"""Supervision: which tickets somebody has to look at next and why, and what was done about them."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from geodata.clock.worktime import worktime_of
from geodata.queries import calendar
from geodata.queries import supervision as queries
from geodata.queries.supervision import Watched
from geodata.scope import Db
from profiles import Profile
from services.desks.limits import Started, ends_of

# Why it is on the board, what presses most first.
REASONS = ("unsatisfied", "overdue_watch", "escalated", "redone", "passed_on", "late", "watched")
AGES = (("day", 1), ("days3", 3), ("week", 7), ("month", 30), ("longer", None))  # days since the report
MOST = 5000


class Case(NamedTuple):
    """A ticket on the board: why, and until when it is to be mended (by its class of supervision, if it has one)."""

    ticket: Watched
    reason: str
    due: datetime | None
    is_late: bool
    age: str


class Filters(NamedTuple):
    """What of the board is asked for; None = all."""

    reason: str | None = None
    supervision: str | None = None
    level: int | None = None
    department: str | None = None
    town: str | None = None
    age: str | None = None


ALL = Filters()


class Board(NamedTuple):
    """The cases in the order of what is to be done next; facets count each filter's values under the others."""

    cases: list[Case]
    total: int  # on the whole board
    reasons: dict[str, int]  # of the whole board
    facets: dict[str, dict[str, int]]
    late: int  # of the supervised ones, those whose class' limit is over
    supervised: int


_FACETS: dict[str, Callable[[Case], str | None]] = {
    "reason": lambda case: case.reason,
    "supervision": lambda case: case.ticket.supervision,
    "level": lambda case: str(case.ticket.escalation),
    "department": lambda case: case.ticket.department,
    "town": lambda case: case.ticket.town_code,
    "age": lambda case: case.age,
}


def board(conn: Db, profile: Profile, filters: Filters = ALL, now: datetime | None = None) -> Board:
    """What is to be supervised in scope."""
    now = now or datetime.now(UTC)
    rules = profile.clock.escalation
    found = queries.watched(conn, now, rules.most_redos, rules.most_transfers, MOST)
    limits = {one.supervision: tuple(one.limit) for one in profile.desks.supervision}
    started = [
        Started(limits.get(one.supervision or "", ()), one.supervised_at or one.reported_at) for one in found
    ]
    dues = ends_of(started, worktime_of(profile, calendar.overrides(conn)))
    cases = [_case(profile, one, due, now) for one, due in zip(found, dues, strict=True)]
    far = datetime.max.replace(tzinfo=UTC)
    cases.sort(key=lambda case: (REASONS.index(case.reason), case.due or far, case.ticket.id))
    asked = {name: None if value is None else str(value) for name, value in filters._asdict().items()}
    facets: dict[str, dict[str, int]] = {}
    for name, of in _FACETS.items():
        counted = Counter(of(case) for case in cases if _passes(case, asked, but=name))
        facets[name] = {value: n for value, n in counted.items() if value is not None}
    watched = [case for case in cases if case.ticket.supervised_at is not None]
    return Board(
        [case for case in cases if _passes(case, asked)],
        len(cases),
        dict(Counter(case.reason for case in cases)),
        facets,
        sum(case.is_late for case in watched),
        len(watched),
    )


def _passes(case: Case, asked: dict[str, str | None], but: str | None = None) -> bool:
    return all(value is None or name == but or _FACETS[name](case) == value for name, value in asked.items())


def _case(profile: Profile, ticket: Watched, watch_due: datetime | None, now: datetime) -> Case:
    rules = profile.clock.escalation
    days = (now - ticket.reported_at).days
    age = next(name for name, most in AGES if most is None or days < most)
    supervised = ticket.supervised_at is not None
    due = watch_due if supervised and watch_due is not None else ticket.due_at
    is_late = due is not None and due < now
    if supervised and ticket.satisfaction == "unsatisfied":
        reason = "unsatisfied"
    elif supervised:
        reason = "overdue_watch" if is_late else "watched"
    elif ticket.escalation:
        reason = "escalated"
    elif ticket.redos > rules.most_redos:
        reason = "redone"
    elif ticket.transfers > rules.most_transfers:
        reason = "passed_on"
    else:
        reason = "late"
    return Case(ticket, reason, due, is_late, age)
