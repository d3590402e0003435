"""The figures of one area over a period, beside the period before it and beside its neighbours."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Literal
from zoneinfo import ZoneInfo

from geodata.queries import periods as q
from geodata.scope import EVERYTHING, Db, Scope, role_of
from profiles import Profile
from services.access import UnknownArea
from services.indicators import day_start

Period = Literal["today", "week", "month"]
PERIODS: tuple[Period, ...] = ("today", "week", "month")
NOBODY = -1  # no area is the child of this one


@dataclass(frozen=True, slots=True)
class Span:
    """A period up to now, and the one before it up to the same point; all with a time zone."""

    period: Period
    start: datetime
    end: datetime
    before_start: datetime
    before_end: datetime


def span_of(period: Period, now: datetime, profile: Profile) -> Span:
    """Today, this week from Monday, or this month, in local time; the one before is as much of it as has passed."""
    zone = ZoneInfo(profile.time_zone)
    today = day_start(now, zone)
    if period == "today":
        start, before = today, day_start(now, zone, days_ago=7)
        longest = before + timedelta(days=1)
    elif period == "week":
        start = day_start(now, zone, days_ago=today.weekday())
        before = day_start(now, zone, days_ago=today.weekday() + 7)
        longest = start
    else:
        start = today.replace(day=1)
        before = (start - timedelta(days=1)).replace(day=1)
        longest = start
    return Span(period, start, now, before, min(before + (now - start), longest))


@dataclass(frozen=True, slots=True)
class Count:
    """A count and the one it is held against."""

    now: int
    before: int


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate as numerator and denominator, now and before."""

    n: int
    d: int
    before_n: int
    before_d: int


@dataclass(frozen=True, slots=True)
class Tiles:
    """The six figures of an area. Open and overdue are held against the start of the period, the others against
    the period before it."""

    reported: Count
    closed: Count
    open: Count
    overdue: Count
    on_time: Rate
    satisfaction: Rate


Row = q.ChildRow


def children(conn: Db, parent_no: int, span: Span, scope: Scope = EVERYTHING) -> list[Row]:
    """The children of an area over the period, most open tickets first; `scope` is that of `conn`."""
    moments = q.Moments(span.start, span.start, span.start, span.end)
    return q.children(conn, parent_no, moments, role=role_of(scope, "facts"))[0][:-1]


def tiles(conn: Db, span: Span, scope: Scope = EVERYTHING) -> Tiles:
    """The figures of all that `conn` may see; `scope` is its own."""
    return tiles_among(conn, NOBODY, span, None, scope)[0]


def tiles_among(
    conn: Db, parent_no: int, span: Span, own: tuple[int, int] | None, scope: Scope = EVERYTHING
) -> tuple[Tiles, list[Row]]:
    """The figures of the child with these numbers (None: of all that `conn` may see), and the rows of all children.

    `scope` is that of `conn`. Raises UnknownArea when there is no such child any more.
    """
    moments = q.Moments(span.before_start, span.before_end, span.start, span.end)
    (*rows, whole), before = q.children(
        conn, parent_no, moments, own or q.EVERYWHERE, role=role_of(scope, "facts")
    )
    row = whole if own is None else next((row for row in rows if row.no == own[0]), None)
    if row is None:
        raise UnknownArea("the area ended meanwhile")
    return Tiles(
        reported=Count(row.reported, before.reported),
        closed=Count(row.closed, before.closed),
        open=Count(row.open, before.open_at_start),
        overdue=Count(row.overdue, before.overdue_at_start),
        on_time=Rate(*on_time_of(row), before.on_time, before.with_deadline + before.late),
        satisfaction=Rate(row.content, row.rated, before.content, before.rated),
    ), rows


def on_time_of(row: Row) -> tuple[int, int]:
    """Numerator and denominator of a child's on-time rate; overdue and open tickets count in the denominator."""
    return row.on_time, row.with_deadline + row.overdue


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a value stands among its peers: all values, their median, and its rank (1 = best placed)."""

    values: list[float]
    median: float
    value: float | None
    rank: int | None
    tied: bool


MEASURES = ("reported", "closed", "open", "overdue", "on_time", "satisfaction")
FEWER_FIRST = ("overdue",)


def measure(row: Row, name: str) -> float | None:
    """A child's value on one of MEASURES; a rate in 0–1, None where nothing is counted."""
    if name == "on_time":
        n, d = on_time_of(row)
        return n / d if d else None
    if name == "satisfaction":
        return row.content / row.rated if row.rated else None
    return float(getattr(row, name))


def standing(peers: list[Row], name: str, own_no: int | None) -> Standing | None:
    """Where the area of that number stands among its peers; None with fewer than three of them."""
    found = [(row.no, value) for row in peers if (value := measure(row, name)) is not None]
    if len(found) < 3:
        return None
    values = [value for _, value in found]
    own = next((value for no, value in found if no == own_no), None)
    rank = tied = None
    if own is not None:
        ahead = (v < own for v in values) if name in FEWER_FIRST else (v > own for v in values)
        rank, tied = 1 + sum(ahead), values.count(own) > 1
    return Standing(sorted(values), median(values), own, rank, bool(tied))


OpenTicket = q.OpenTicketRow


def open_tickets(conn: Db, limit: int = 200) -> list[OpenTicket]:
    """The open tickets of a grid, the earliest deadline first."""
    return q.open_tickets(conn, limit)
