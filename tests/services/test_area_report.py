"""The page of an area counts in few passes: held against a plain count of each figure by itself."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from geodata.scope import EVERYTHING, Db, Scope, enter
from services import area_report as report
from tests.services.test_indicators import DAY, HOUR, NOW, PROFILE, ticket
from tests.small_place import COUNTY_NO, grid_no

TOWN_NO, COMMUNITY_NO = grid_no(1, 0, 0), grid_no(1, 1, 0)

OPEN = "(closed_at IS NULL AND reported_at <= %(end)s)"
DONE = "(closed_at >= %(start)s AND closed_at < %(end)s AND status = 'closed')"
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
        if closed is not None and closed > NOW:
            closed = None
        town, community, grid = dice.randint(1, 2), dice.randint(0, 3), dice.randint(0, 6)
        found.append({
            "reported": reported, "closed": closed, "grid": grid_no(town, community, grid if community else 0),
            "due": reported + dice.choice([HOUR, DAY]) * 5 if dice.random() < 0.8 else None,
            "status": dice.choice(["closed", "closed", "cancelled"]) if closed else None,
            "satisfaction": dice.choice([None, "satisfied", "fairly", "unsatisfied", "unrated"]) if closed else None,
        })  # fmt: skip
    return found


def midnight(moment: datetime) -> datetime:
    """The start of its day."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
def place(conn: Db, drawn: list[dict[str, Any]]) -> Db:
    """The small place with those tickets."""
    conn.execute("SELECT ensure_months('ticket', '2026-08-01', '2026-12-01')")
    for fields in drawn:
        ticket(conn, **fields)
    return conn


@pytest.mark.parametrize("period", report.PERIODS)
@pytest.mark.parametrize("parent_no", [COUNTY_NO, TOWN_NO, COMMUNITY_NO, report.NOBODY])
def test_children_and_the_whole_are_what_plain_counts_say(place: Db, period: Any, parent_no: int) -> None:
    span = report.span_of(period, NOW, PROFILE)
    enter(place, EVERYTHING)
    found = report.family(place, parent_no, span)
    ranges = place.execute(
        "SELECT no, hi FROM area WHERE parent_no = %s AND valid_to IS NULL", (parent_no,)
    ).fetchall()
    assert {row.no for row in found.rows} == {no for no, _ in ranges}
    for no, hi in [*ranges, (0, 10**13)]:
        row = found.row_of(no) or found.whole
        for name, condition in PLAIN.items():
            values = {"start": span.start, "end": span.end, "no": no, "hi": hi}
            query = f"SELECT count(*) FROM ticket WHERE area_no BETWEEN %(no)s AND %(hi)s AND ({condition})"
            plain = place.execute(query, values).fetchone()  # type: ignore[arg-type]
            assert (no, name, getattr(row, name)) == (no, name, plain and plain[0])
    assert found.rows == sorted(found.rows, key=lambda row: (-row.open, -row.overdue, row.no))
    assert any(row.grids for row in found.rows) == bool(ranges)


@pytest.mark.parametrize("period", report.PERIODS)
def test_tiles_are_the_same_with_and_without_the_row_of_the_family(place: Db, period: Any) -> None:
    span = report.span_of(period, NOW, PROFILE)
    enter(place, EVERYTHING)
    peers = report.family(place, COUNTY_NO, span)
    assert report.tiles(place, span, peers.whole) == report.tiles(place, span)
    own = peers.row_of(TOWN_NO)
    assert own is not None
    enter(place, Scope(TOWN_NO, TOWN_NO + 999_999))
    assert report.tiles(place, span, own) == report.tiles(place, span)


def test_a_period_that_saw_nothing(conn: Db) -> None:
    span = report.span_of("today", NOW + timedelta(days=400), PROFILE)
    enter(conn, Scope(grid_no(2, 3, 6), grid_no(2, 3, 6)))
    found = report.tiles(conn, span)
    assert found.reported == found.closed == report.Count(0, 0)
    assert found.on_time == report.Rate(0, 0, 0, 0)
