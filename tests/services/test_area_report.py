"""The page of an area counts in few passes: held against a plain count of each figure by itself."""

import random
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from geodata.queries import periods
from geodata.queries.ticket_days import count_days
from geodata.scope import EVERYTHING, Db, Scope, enter
from geodata.servers import Stores
from services import area_report as report
from services.access import UnknownArea
from tests.services.test_indicators import DAY, HOUR, NOW, PROFILE, ticket
from tests.small_place import COUNTY_NO, grid_no

TOWN_NO, COMMUNITY_NO = grid_no(1, 0, 0), grid_no(1, 1, 0)
OWN = [  # an area's parent and its numbers
    (report.NOBODY, periods.EVERYWHERE),
    (COUNTY_NO, (TOWN_NO, TOWN_NO + 999_999)),
    (TOWN_NO, (COMMUNITY_NO, COMMUNITY_NO + 999)),
    (COMMUNITY_NO, (grid_no(1, 1, 3), grid_no(1, 1, 3))),
]
MIDNIGHTS = [NOW.replace(hour=0, minute=0) - DAY * days for days in (1, 3, 10)]

OPEN = "(closed_at IS NULL AND reported_at <= %(end)s)"
COUNTED = "status IN ('closed', 'archived')"
DONE = f"(closed_at >= %(start)s AND closed_at < %(end)s AND {COUNTED})"
PLAIN = {
    "open": OPEN,
    "open_at_start": "reported_at < %(start)s AND (closed_at IS NULL OR closed_at BETWEEN %(start)s AND %(end)s)",
    "overdue": f"{OPEN} AND due_at < %(end)s",
    "reported": "reported_at >= %(start)s AND reported_at < %(end)s",
    "closed": DONE,
    "with_deadline": f"{DONE} AND due_at IS NOT NULL",
    "on_time": f"{DONE} AND closed_at <= due_at",
    "rated": f"{DONE} AND satisfaction IN ('satisfied', 'fairly', 'unsatisfied')",
    "content": f"{DONE} AND satisfaction IN ('satisfied', 'fairly')",
}
STOOD = "(reported_at <= %(start)s AND (closed_at IS NULL OR closed_at > %(start)s))"
STOOD_BEFORE = "(reported_at <= %(before_end)s AND (closed_at IS NULL OR closed_at > %(before_end)s))"
BEFORE = f"(closed_at >= %(before_start)s AND closed_at < %(before_end)s AND {COUNTED})"
PLAIN_EARLIER = {
    "open_at_start": STOOD,
    "overdue_at_start": f"{STOOD} AND due_at < %(start)s",
    "late": f"{STOOD_BEFORE} AND due_at < %(before_end)s",
    "reported": "reported_at >= %(before_start)s AND reported_at < %(before_end)s",
    "closed": BEFORE,
    "with_deadline": f"{BEFORE} AND due_at IS NOT NULL",
    "on_time": f"{BEFORE} AND closed_at <= due_at",
    "rated": f"{BEFORE} AND satisfaction IN ('satisfied', 'fairly', 'unsatisfied')",
    "content": f"{BEFORE} AND satisfaction IN ('satisfied', 'fairly')",
}


@pytest.fixture(scope="module")
def drawn() -> list[dict[str, Any]]:
    """Tickets of all kinds, some on a moment that a period begins with, some on an area that is no grid."""
    dice = random.Random(7)
    found = []
    for _ in range(400):
        reported = NOW - dice.choice([HOUR, DAY]) * dice.uniform(0, 60)
        closed = reported + DAY * dice.expovariate(0.3) if dice.random() < 0.7 else None
        if dice.random() < 0.1:
            reported, closed = midnight(reported), closed and max(midnight(closed), midnight(reported))
        if closed is not None and closed > NOW + HOUR:  # a clock that is ahead closes some in what is to come
            closed = None
        town, community, grid = dice.randint(1, 2), dice.randint(0, 3), dice.randint(0, 6)
        found.append({
            "reported": reported, "closed": closed, "grid": grid_no(town, community, grid if community else 0),
            "due": reported + dice.choice([HOUR, DAY]) * 5 if dice.random() < 0.8 else None,
            "status": dice.choice(["closed", "archived", "cancelled"]) if closed else None,
            "satisfaction": dice.choice([None, "satisfied", "fairly", "unsatisfied", "unrated"]) if closed else None,
        })  # fmt: skip
    return found


def midnight(moment: datetime) -> datetime:
    """The start of its day."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def moments_of(span: report.Span) -> periods.Moments:
    """The moments of a period and of the one before."""
    return periods.Moments(span.before_start, span.before_end, span.start, span.end)


@pytest.fixture(scope="module", params=["no day counted", "days counted", "days counted and touched"])
def place(stores: Stores, drawn: list[dict[str, Any]], request: pytest.FixtureRequest) -> Iterator[Db]:
    """The small place with those tickets, in one transaction that is rolled back; tests read."""
    with psycopg.connect(stores.database_url) as conn:
        conn.execute("SELECT ensure_months('ticket', '2026-08-01', '2026-12-01')")
        late = len(drawn) // 8 if "touched" in request.param else 0
        for fields in drawn[late:]:
            ticket(conn, **fields)
        if request.param != "no day counted":
            assert count_days(conn, NOW) > 20
        for fields in drawn[:late]:
            ticket(conn, **fields)
        yield conn
        conn.rollback()


def plain(place: Db, conditions: dict[str, str], no: int, hi: int, span: report.Span) -> dict[str, int]:
    """Of the tickets of the areas with these numbers, those that meet each condition."""
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions.values())
    row = place.execute(
        f"SELECT {counts} FROM ticket WHERE area_no BETWEEN %(no)s AND %(hi)s",  # type: ignore[arg-type]
        asdict(span) | {"no": no, "hi": hi},
    ).fetchone()
    assert row is not None
    return dict(zip(conditions, row, strict=True))


@pytest.mark.parametrize("period", report.PERIODS)
@pytest.mark.parametrize("parent_no", [COUNTY_NO, TOWN_NO, COMMUNITY_NO, report.NOBODY])
def test_children_and_the_whole_are_what_plain_counts_say(place: Db, period: Any, parent_no: int) -> None:
    span = report.span_of(period, NOW, PROFILE)
    enter(place, EVERYTHING)
    *rows, whole = periods.children(place, parent_no, moments_of(span))[0]
    ranges = place.execute(
        "SELECT no, hi FROM area WHERE parent_no = %s AND valid_to IS NULL", (parent_no,)
    ).fetchall()
    assert {row.no for row in rows} == {no for no, _ in ranges}
    for no, hi in [*ranges, (0, 10**13)]:
        row = next((row for row in rows if row.no == no), whole)
        found = {name: getattr(row, name) for name in PLAIN}
        assert (no, found) == (no, plain(place, PLAIN, no, hi, span))
    assert rows == sorted(rows, key=lambda row: (-row.open, -row.overdue, row.no))
    assert any(row.grids for row in rows) == bool(ranges)
    assert report.children(place, parent_no, span) == rows


@pytest.mark.parametrize("period", report.PERIODS)
def test_what_an_area_is_held_against_is_what_plain_counts_say(place: Db, period: Any) -> None:
    span = report.span_of(period, NOW, PROFILE)
    enter(place, EVERYTHING)
    for parent_no, own in OWN:
        found = periods.children(place, parent_no, moments_of(span), own)[1]
        assert (own, found._asdict()) == (own, plain(place, PLAIN_EARLIER, *own, span))


@pytest.mark.parametrize("moment", MIDNIGHTS)
def test_a_moment_on_which_both_periods_meet(place: Db, moment: datetime) -> None:
    """On the 31st the month before is over as this one begins; much was reported and closed at that very moment."""
    span = report.Span("month", moment, moment + 2 * DAY, moment - 2 * DAY, moment)
    enter(place, EVERYTHING)
    rows, before = periods.children(place, report.NOBODY, moments_of(span), periods.EVERYWHERE)
    told = {
        name: text for name, text in PLAIN.items() if name not in ("open", "overdue")
    }  # closed since, some are not
    assert {name: getattr(rows[-1], name) for name in told} == plain(place, told, *periods.EVERYWHERE, span)
    assert before._asdict() == plain(place, PLAIN_EARLIER, *periods.EVERYWHERE, span)


@pytest.mark.parametrize("period", report.PERIODS)
def test_tiles_are_the_same_in_an_areas_own_scope_and_among_its_family(place: Db, period: Any) -> None:
    span = report.span_of(period, NOW, PROFILE)
    own = (TOWN_NO, TOWN_NO + 999_999)
    enter(place, EVERYTHING)
    whole, rows = report.tiles_among(place, COUNTY_NO, span, None)
    assert (whole, rows) == (report.tiles(place, span), report.children(place, COUNTY_NO, span))
    among = report.tiles_among(place, COUNTY_NO, span, own)[0]
    scope = Scope(*own)
    enter(place, scope)
    assert report.tiles(place, span, scope) == among
    with pytest.raises(UnknownArea):
        report.tiles_among(place, TOWN_NO, span, own, scope)


def test_a_plan_that_is_kept_counts_what_happened_since(place: Db) -> None:
    span = report.span_of("today", NOW, PROFILE)
    with place.transaction(force_rollback=True):
        enter(place, EVERYTHING)
        before = [report.tiles(place, span) for _ in range(3)][-1]
        place.execute("RESET ROLE")
        ticket(place, NOW - HOUR, due=NOW - HOUR / 2)
        ticket(place, NOW - HOUR * 30, closed=NOW - HOUR, due=NOW, satisfaction="fairly")
        enter(place, EVERYTHING)
        after = report.tiles(place, span)
        later = report.tiles(place, replace(span, end=NOW - HOUR * 2))
    assert after.reported.now == before.reported.now + 1 and after.closed.now == before.closed.now + 1
    assert after.open == report.Count(before.open.now + 1, before.open.before + 1)
    assert after.overdue.now == before.overdue.now + 1
    assert after.satisfaction.n == before.satisfaction.n + 1
    assert later.reported.now < after.reported.now, "the same plan at another moment"


def test_a_place_that_saw_nothing(place: Db) -> None:
    span = report.span_of("today", NOW + timedelta(days=400), PROFILE)
    enter(place, Scope(grid_no(1, 1, 9), grid_no(1, 1, 9)))
    found = report.tiles(place, span)
    assert found.reported == found.closed == report.Count(0, 0)
    assert found.on_time == report.Rate(0, 0, 0, 0)
