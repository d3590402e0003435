"""The lists that a place keeps of its open tickets: warnings by how late they are, ledgers by how risky."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from geodata.queries import loop as queries
from geodata.queries.loop import Condition, LedgerRow, WarnedRow
from geodata.scope import Db
from profiles import Profile
from profiles.loop import Risk, WarningLevel

MOST_ROWS = 500
CLOSED_DAYS = 30


class UnknownList(LookupError):
    """The place keeps no such list."""


@dataclass(frozen=True, slots=True)
class Warnings:
    """The tickets that are late or nearly so; `counts` holds (area, level code) → how many."""

    levels: list[WarningLevel]
    counts: dict[tuple[int, str], int]
    rows: list[WarnedRow]

    def total(self, code: str) -> int:
        """How many stand on a level in all."""
        return sum(count for (_, level), count in self.counts.items() if level == code)


def warnings(
    conn: Db, profile: Profile, by: str, level: str | None = None, *, now: datetime | None = None
) -> Warnings:
    """The warning lists of the scope: counts by areas of the level `by`, and at most 500 tickets, the latest first.

    A ticket stands on the highest level of which it meets one condition: little of the time from dispatch to deadline
    is left, so long overdue (both in calendar time), or so far escalated. One that is paused is on none.
    Raises UnknownList.
    """
    now = now or datetime.now(UTC)
    levels = profile.loop.warnings
    codes = [row.code for row in levels]
    if level is not None and level not in codes:
        raise UnknownList(f"no level {level}; known: {', '.join(codes)}")
    conditions = [Condition(row.left_share, row.late_hours, row.escalation) for row in levels]
    number = None if level is None else codes.index(level) + 1
    counts = queries.warning_counts(conn, conditions, now, by)
    rows = queries.warned(conn, conditions, now, number, MOST_ROWS)
    return Warnings(levels, {(no, codes[at - 1]): count for (no, at), count in counts.items()}, rows)


@dataclass(frozen=True, slots=True)
class Ledger:
    """One grade: how many open, overdue and open, and closed in the last 30 days; rows only of the one asked for."""

    risk: Risk
    open: int
    overdue: int
    closed: int
    rows: list[LedgerRow]


def ledgers(
    conn: Db, profile: Profile, risk: str | None = None, *, now: datetime | None = None
) -> list[Ledger]:
    """The ledgers of the scope, one a grade; of the one that is asked for at most 500 open tickets, due first.

    A ticket stands in the ledger that it was graded into, else in the one that its category and channel name
    (profiles/loop.py). Raises UnknownList.
    """
    now = now or datetime.now(UTC)
    codes = profile.loop.codes("risks")
    if risk is not None and risk not in codes:
        raise UnknownList(f"no ledger {risk}; known: {', '.join(codes)}")
    sorts = queries.ledger_counts(conn, now, now - timedelta(days=CLOSED_DAYS))
    totals: dict[str | None, Counter[str]] = {code: Counter() for code in codes}
    chosen = []
    for sort in sorts:
        grade = profile.loop.risk_of(sort)
        totals.setdefault(grade, Counter()).update(open=sort.open, overdue=sort.overdue, closed=sort.closed)
        if grade == risk and sort.open:
            chosen.append(sort)
    rows = queries.ledger(conn, chosen, MOST_ROWS) if chosen else []
    return [
        Ledger(
            row, totals[row.code]["open"], totals[row.code]["overdue"], totals[row.code]["closed"],
            rows if row.code == risk else [],
        )
        for row in profile.loop.risks
    ]  # fmt: skip
