"""When a person owed care is to be visited next, and whether that is due."""

from datetime import date, timedelta
from typing import Literal

from geodata.queries.care import Wanted

State = Literal["overdue", "due", "later", "ended"]
Outcome = Literal["ok", "absent", "needs_help"]
DUE_DAYS = 7  # a visit is due from a week before its day on
FOLLOW_UP_DAYS = 7  # who needs help is visited again within a week


def state_of(next_visit_on: date, ended_on: date | None, today: date) -> State:
    """Whether the next visit is overdue (its day has passed), due (within 7 days) or later."""
    if ended_on is not None:
        return "ended"
    if next_visit_on < today:
        return "overdue"
    return "due" if next_visit_on <= today + timedelta(days=DUE_DAYS) else "later"


def wanted(state: State | None, category: str | None, today: date) -> Wanted:
    """The records of a state; None: all whose care goes on."""
    week = today + timedelta(days=DUE_DAYS)
    ranges: dict[State | None, tuple[date | None, date | None]] = {
        "overdue": (None, today - timedelta(days=1)),
        "due": (today, week),
        "later": (week + timedelta(days=1), None),
    }
    return Wanted(category, state == "ended", *ranges.get(state, (None, None)))


def first_visit(last_visit_on: date | None, every_days: int, started_on: date) -> date:
    """The next visit of a new record that names none: a person who was never visited is due at once."""
    return started_on if last_visit_on is None else last_visit_on + timedelta(days=every_days)


def after_visit(
    outcome: Outcome, visited_on: date, every_days: int, last_visit_on: date | None, next_visit_on: date
) -> tuple[date | None, date]:
    """(last visit, next visit) after one more.

    Who was absent was not visited: nothing moves, so the visit falls overdue. A visit that is older than the last one
    known moves nothing either.
    """
    if outcome == "absent" or (last_visit_on is not None and visited_on < last_visit_on):
        return last_visit_on, next_visit_on
    days = min(every_days, FOLLOW_UP_DAYS) if outcome == "needs_help" else every_days
    return visited_on, visited_on + timedelta(days=days)
