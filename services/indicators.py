"""The figures of a screen's panels, computed from rows.

Every formula and its population is told in docs/reference/indicators.md.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from typing_extensions import TypedDict  # pydantic reads no other before Python 3.12

from geodata.queries import figures as q
from geodata.scope import Db, Scope
from profiles import Profile

SOON = timedelta(hours=2)  # "due soon": the deadline lies within this
FRESH = timedelta(minutes=5)  # a position older than this places nobody
RATE_SPAN = timedelta(hours=24)  # population of the on-time and satisfaction rates
CLOSURE_DAYS = 30  # population of the closure rate: local days, today included
TICKER_SPAN = timedelta(hours=12)
TICKER_ROWS = 12
WORST_ROWS = 8


class Share(TypedDict):
    """A rate as its numerator and denominator."""

    n: int
    d: int


class Change(TypedDict):
    """A count and what it was at the moment it is held against."""

    now: int
    before: int


class Open(Change):
    """Open tickets, with those whose deadline lies within two hours."""

    soon: int


class OnTime(Share):
    """The on-time rate; `overdue` of its denominator are open and past their deadline."""

    overdue: int


class Shift(Share):
    """Workers on shift of active ones; `positioned` of those on shift have a fresh position."""

    positioned: int


class Trend(TypedDict):
    """Tickets reported in each local hour: today up to the present hour, the day held against in full."""

    today: list[int]
    before: list[int]


class Child(TypedDict):
    """A child area."""

    no: int
    code: str
    name: str
    open: int
    overdue: int
    intake: int


class Matter(TypedDict):
    """A class of matters: reported today, and up to the same time of the day held against."""

    code: str
    now: int
    before: int


class Grid(TypedDict):
    """A grid in trouble."""

    no: int
    code: str
    name: str
    community: str
    town: str
    open: int
    overdue: int


class Happened(TypedDict):
    """A line of the ticker; `at` in milliseconds since 1970."""

    at: int
    kind: str
    id: int
    area_no: int
    category: str
    channel: str


class Figures(TypedDict):
    """All figures of one scope at one moment; JSON as it stands."""

    at: int  # ms since 1970
    day: str  # local date, ISO
    area_no: int
    intake: Change  # today, against the same weekday of last week up to the same time
    open: Open  # against the same time yesterday
    overdue: Change  # against the same time yesterday
    closed: Change  # today, against the same weekday of last week up to the same time
    on_time: OnTime
    closure: Share
    satisfaction: Share
    trend: Trend
    areas: list[Child]
    categories: list[Matter]
    patrol: Share
    shift: Shift
    video: Share
    worst: list[Grid]
    ticker: list[Happened]


def day_start(now: datetime, zone: ZoneInfo, days_ago: int = 0) -> datetime:
    """The first instant of a local day of the place."""
    day = now.astimezone(zone).date() - timedelta(days=days_ago)
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def figures(conn: Db, scope: Scope, profile: Profile, now: datetime) -> Figures:
    """The figures of what `conn` may see (it is in a transaction of that scope), as of `now` (zone-aware)."""
    zone = ZoneInfo(profile.time_zone)
    today, yesterday = day_start(now, zone), now - timedelta(days=1)
    last_week = day_start(now, zone, days_ago=7)
    same_time = last_week + (now - today)
    root = q.root(conn)
    root_no = root.no if root else scope.lo

    intake_today = q.intake(conn, today, now, now, profile.time_zone)
    intake_before = q.intake(conn, last_week, day_start(now, zone, days_ago=6), same_time, profile.time_zone)
    open_now = q.open_now(conn, now, now + SOON)
    open_then = q.open_then(conn, yesterday)
    closed_today, closed_before = q.closed(conn, today, now), q.closed(conn, last_week, same_time)
    lately = q.closed(conn, now - RATE_SPAN, now)
    outcome = q.outcome(conn, day_start(now, zone, days_ago=CLOSURE_DAYS - 1), now)
    shift = q.on_shift(conn, now.astimezone(zone), now - FRESH)
    patrol, video = q.patrolled(conn, today.date()), q.stations(conn)
    return {
        "at": _ms(now),
        "day": today.date().isoformat(),
        "area_no": root_no,
        "intake": {"now": sum(r.n for r in intake_today), "before": sum(r.before for r in intake_before)},
        "open": {"now": open_now.open, "before": open_then.open, "soon": open_now.soon},
        "overdue": {"now": open_now.overdue, "before": open_then.overdue},
        "closed": {"now": closed_today.closed, "before": closed_before.closed},
        "on_time": {
            "n": lately.on_time,
            "d": lately.with_deadline + open_now.overdue,
            "overdue": open_now.overdue,
        },
        "closure": {"n": outcome.closed, "d": outcome.reported},
        "satisfaction": {"n": lately.content, "d": lately.rated},
        "trend": {
            "today": _by_hour(intake_today, now.astimezone(zone).hour + 1),
            "before": _by_hour(intake_before, 24),
        },
        "areas": [_child(r) for r in q.children(conn, root_no, today, now)],
        "categories": _matters(profile, intake_today, intake_before),
        "patrol": {"n": patrol.n, "d": patrol.d},
        "shift": {"n": shift.on_shift, "d": shift.active, "positioned": shift.positioned},
        "video": {"n": video.n, "d": video.d},
        "worst": [_grid(r) for r in q.worst_grids(conn, now, WORST_ROWS)],
        "ticker": ticker(conn, now),
    }


def ticker(conn: Db, now: datetime, rows: int = TICKER_ROWS) -> list[Happened]:
    """What happened last, newest first: events of tickets and deadlines that passed."""
    since = now - TICKER_SPAN
    found = [*q.events(conn, since, rows), *q.fell_due(conn, since, now, rows)]
    found.sort(key=lambda r: (r.at, r.ticket_id), reverse=True)
    return [
        {
            "at": _ms(r.at),
            "kind": r.kind,
            "id": r.ticket_id,
            "area_no": r.area_no,
            "category": r.category,
            "channel": r.channel,
        }
        for r in found[:rows]
    ]


def _by_hour(rows: list[q.IntakeRow], hours: int) -> list[int]:
    counts = [0] * 24
    for row in rows:
        counts[row.hour] += row.n
    return counts[:hours]


def _matters(profile: Profile, today: list[q.IntakeRow], before: list[q.IntakeRow]) -> list[Matter]:
    """Every class of the profile, most reported today first; reported ones that it lacks are added."""
    now_by, before_by = _by_category(today, cut=False), _by_category(before, cut=True)
    codes = dict.fromkeys([*(c.code for c in profile.categories), *now_by, *before_by])
    rows: list[Matter] = [{"code": c, "now": now_by.get(c, 0), "before": before_by.get(c, 0)} for c in codes]
    return sorted(rows, key=lambda row: (-row["now"], -row["before"]))


def _by_category(rows: list[q.IntakeRow], *, cut: bool) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.category] = counts.get(row.category, 0) + (row.before if cut else row.n)
    return counts


def _child(r: q.ChildRow) -> Child:
    return {
        "no": r.no,
        "code": r.code,
        "name": r.name,
        "open": r.open,
        "overdue": r.overdue,
        "intake": r.intake,
    }


def _grid(r: q.WorstRow) -> Grid:
    return {
        "no": r.no,
        "code": r.code,
        "name": r.name,
        "community": r.community,
        "town": r.town,
        "open": r.open,
        "overdue": r.overdue,
    }


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
