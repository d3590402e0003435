"""Days that stand counted beside the tickets: what the tickets tell of them, whatever became of any ticket since."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

import profiles
from geodata.importing.months import add_month
from geodata.pool import make_pool
from geodata.queries import periods
from geodata.queries.ticket_days import count_days
from geodata.scope import EVERYTHING, Db, Hat, Scope, enter
from geodata.servers import Stores
from services import area_report as report
from services import ticket_days
from services.jobs import Work
from settings import Settings
from tests.services.test_area_report import OWN, PLAIN, PLAIN_EARLIER, moments_of, plain
from tests.services.test_indicators import DAY, HOUR, NOW, PROFILE, ticket
from tests.small_place import COUNTY_NO, grid_no

MIDNIGHT = NOW.replace(hour=0, minute=0)
TOWN_NO, COMMUNITY_NO, GRID_NO = grid_no(1, 0, 0), grid_no(1, 1, 0), grid_no(1, 1, 1)
TWO_PARTS = Scope.of([(COMMUNITY_NO, COMMUNITY_NO + 999), (grid_no(2, 2, 0), grid_no(2, 2, 0) + 999)])
LONG_AGO = NOW - DAY * 9
# What may become of a ticket that a counted day holds: reported nine days ago, closed a day later, due between.
CHANGES = {
    "reopened": "UPDATE ticket SET status = 'reopened', closed_at = NULL WHERE id = %(id)s",
    "closed later": "UPDATE ticket SET closed_at = closed_at + interval '3 days' WHERE id = %(id)s",
    "closed today": "UPDATE ticket SET closed_at = %(now)s - interval '1 hour' WHERE id = %(id)s",
    "archived": "UPDATE ticket SET status = 'archived' WHERE id = %(id)s",
    "void": "UPDATE ticket SET status = 'cancelled' WHERE id = %(id)s",
    "moved to another town": "UPDATE ticket SET area_no = %(elsewhere)s WHERE id = %(id)s",
    "moved to a community": "UPDATE ticket SET area_no = %(community)s WHERE id = %(id)s",
    "of another category": "UPDATE ticket SET category_id = (SELECT max(id) FROM category) WHERE id = %(id)s",
    "without a deadline": "UPDATE ticket SET due_at = NULL WHERE id = %(id)s",
    "on time after all": "UPDATE ticket SET due_at = closed_at WHERE id = %(id)s",
    "content": "UPDATE ticket SET satisfaction = 'fairly' WHERE id = %(id)s",
    "reported a day before": "UPDATE ticket SET reported_at = reported_at - interval '1 day' WHERE id = %(id)s",
    "reported a month before": "UPDATE ticket SET reported_at = reported_at - interval '1 month' WHERE id = %(id)s",
    "gone": "DELETE FROM ticket WHERE id = %(id)s",
    "told later": "INSERT INTO ticket (reported_at, channel_id, category_id, title, location, area_no, status,"
    " closed_at) SELECT reported_at, 1, category_id, 't', 'none', area_no, 'closed', closed_at FROM ticket"
    " WHERE id = %(id)s",
}


@pytest.fixture
def place(conn: Db) -> Db:
    """The small place and sixty days of tickets, whose days stand counted."""
    dice = random.Random(11)
    conn.execute("SELECT ensure_months('ticket', '2026-08-01', '2026-12-01')")
    for _ in range(60):
        reported = NOW - DAY * dice.uniform(0, 60)
        closed = min(reported + DAY * dice.expovariate(0.3), NOW) if dice.random() < 0.7 else None
        ticket(conn, reported, closed=closed, due=reported + DAY, satisfaction="fairly" if closed else None,
               grid=grid_no(dice.randint(1, 2), dice.randint(1, 3), dice.randint(1, 6)))  # fmt: skip
    assert count_days(conn, NOW) > 40
    return conn


def old_one(conn: Db) -> int:
    return ticket(
        conn, LONG_AGO, closed=LONG_AGO + DAY, due=LONG_AGO + HOUR, satisfaction="unsatisfied", grid=GRID_NO
    )


def check(conn: Db) -> None:
    """Every figure of every area in every period is what a plain count says."""
    enter(conn, EVERYTHING)
    for period in report.PERIODS:
        span = report.span_of(period, NOW, PROFILE)
        for parent_no, own in OWN:
            rows, before = periods.children(conn, parent_no, moments_of(span), own)
            for row in rows:
                hi = next((hi for no, hi in ranges(conn) if no == row.no), 10**13)
                found = {name: getattr(row, name) for name in PLAIN}
                assert (period, row.no, found) == (period, row.no, plain(conn, PLAIN, row.no, hi, span))
            assert (period, own, before._asdict()) == (period, own, plain(conn, PLAIN_EARLIER, *own, span))
    conn.execute("RESET ROLE")


def ranges(conn: Db) -> list[tuple[int, int]]:
    return conn.execute("SELECT no, hi FROM area").fetchall()


def sums(conn: Db) -> set[tuple[object, ...]]:
    """What stands counted and was not touched since."""
    return set(conn.execute(
        "SELECT d.start, d.until, stride, area_no, reported, closed, with_deadline, on_time, rated, content"
        " FROM counted_days('-infinity', 'infinity') d JOIN ticket_sum s ON s.day = d.no"
    ).fetchall())  # fmt: skip


def counted(conn: Db, at: datetime) -> bool:
    """Whether the day of this moment stands counted."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM counted_days('-infinity', 'infinity') WHERE start <= %s AND until > %s)",
        (at, at),
    ).fetchone()
    return bool(row and row[0])


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_becomes_of_a_ticket_every_figure_is_what_a_plain_count_says(place: Db, change: str) -> None:
    conn = place
    one = old_one(conn)
    count_days(conn, NOW)
    assert counted(conn, LONG_AGO) and counted(conn, LONG_AGO + DAY)
    values = {"id": one, "now": NOW, "elsewhere": grid_no(2, 1, 1), "community": COMMUNITY_NO}
    conn.execute(CHANGES[change], values)  # type: ignore[arg-type]
    check(conn)
    again = count_days(conn, NOW)
    assert counted(conn, LONG_AGO) and counted(conn, LONG_AGO + DAY)
    kept = sums(conn)
    assert (again == 0) == (change == "of another category"), "only what may have changed is counted anew"
    check(conn)
    conn.execute("DELETE FROM ticket_day")
    count_days(conn, NOW)
    assert sums(conn) == kept, "counted from nothing it is the same"


def test_the_days_are_those_of_the_place_and_over(place: Db) -> None:
    days = place.execute("SELECT start, until FROM ticket_day ORDER BY start").fetchall()
    assert days[-1] == (MIDNIGHT - DAY, MIDNIGHT)
    assert all(until - start == DAY and start.astimezone(NOW.tzinfo).hour == 0 for start, until in days)
    assert [until for _, until in days[:-1]] == [start for start, _ in days[1:]]
    assert count_days(place, NOW) == 0, "nothing is counted twice"
    assert count_days(place, NOW + DAY) == 1
    # a place whose clock was set wrong keeps days that are right by the wrong clock; none overlaps them
    place.execute("UPDATE place SET time_zone = 'Asia/Kolkata'")
    one = old_one(place)
    assert count_days(place, NOW + DAY) <= 2
    check(place)
    place.execute("DELETE FROM ticket WHERE id = %s", (one,))
    check(place)


def test_of_a_day_that_was_touched_nothing_is_read(place: Db) -> None:
    """So the sums are what is read otherwise: broken ones show, and not after a touch."""
    place.execute("UPDATE ticket_sum SET reported = reported + 1000")
    month = report.span_of("month", NOW, PROFILE)
    enter(place, EVERYTHING)
    assert report.tiles_among(place, COUNTY_NO, month, None)[0].reported.now > 1000
    place.execute("RESET ROLE")
    place.execute("INSERT INTO ticket_touch SELECT start FROM ticket_day")
    check(place)


def test_who_writes_while_days_are_counted_is_counted(two: tuple[Db, Db]) -> None:
    one, other = two
    one.execute("SELECT ensure_months('ticket', '2026-08-01', '2026-12-01')")
    ticket(one, NOW - DAY * 20, closed=NOW - DAY * 19)
    late = old_one(one)
    one.commit()
    count_days(one, NOW)
    one.commit()
    one.execute("UPDATE ticket SET closed_at = closed_at + interval '1 day' WHERE id = %s", (late,))
    other.execute("UPDATE ticket_touch SET at = at")
    count_days(other, NOW)
    other.commit()
    check(other)
    other.rollback()
    one.commit()
    assert not counted(other, LONG_AGO + DAY), "the touch outlasts the count that did not see it"
    check(other)
    assert count_days(other, NOW) == 2
    other.commit()
    check(other)


def test_tickets_that_no_trigger_saw(place: Db) -> None:
    """A month that was filled before it was attached, and one that was dropped."""
    begins = datetime(2026, 7, 1, tzinfo=UTC)
    add_month(place, "ticket_202607", begins, begins + timedelta(days=31), sql.SQL(
        "INSERT INTO ticket_202607 (reported_at, channel_id, category_id, title, location, area_no, status, closed_at)"
        " SELECT '2026-07-09', 1, id, 't', 'none', {}, 'closed', {} FROM category WHERE code = '01001'"
    ).format(GRID_NO, LONG_AGO))  # fmt: skip
    assert not counted(place, LONG_AGO)
    check(place)
    count_days(place, NOW)
    assert counted(place, LONG_AGO) and counted(place, begins + DAY * 9)
    check(place)
    place.execute("DROP TABLE ticket_202607")
    count_days(place, NOW)
    assert not counted(place, begins + DAY * 9)
    check(place)
    place.execute("TRUNCATE ticket")
    assert not sums(place)
    check(place)


@pytest.mark.parametrize("hat", ["facts", "wall"])
@pytest.mark.parametrize("scope", [Scope(TOWN_NO, TOWN_NO + 999_999), TWO_PARTS], ids=["town", "two parts"])
def test_a_scope_counts_its_own(place: Db, scope: Scope, hat: Hat) -> None:
    span = report.span_of("month", NOW, PROFILE)
    seen = place.execute("SELECT no, hi FROM area WHERE level = 'town' ORDER BY no").fetchall()
    enter(place, scope, hat)
    for no, _ in seen:
        rows, before = periods.children(place, no, moments_of(span), periods.EVERYWHERE, role=hat)
        whole = {name: getattr(rows[-1], name) for name in PLAIN}
        parts = [plain(place, PLAIN, lo, hi, span) for lo, hi in scope.ranges]
        assert whole == {name: sum(part[name] for part in parts) for name in PLAIN}
        held = [plain(place, PLAIN_EARLIER, lo, hi, span) for lo, hi in scope.ranges]
        assert before._asdict() == {name: sum(part[name] for part in held) for name in PLAIN_EARLIER}


@pytest.fixture
def work(clone: Stores) -> Iterator[Work]:
    with make_pool(clone.app_url, 2) as pool:
        yield Work(Settings(), profiles.load("zoucheng"), clone, pool)


def test_the_job_counts_and_comes_again(work: Work) -> None:
    with psycopg.connect(work.stores.database_url) as conn:
        conn.execute("SELECT ensure_months('ticket', now()::date - 40, now()::date)")
        ticket(conn, datetime.now(UTC) - DAY * 3)
    for _ in range(2):
        ticket_days.count_days(work)
    with psycopg.connect(work.stores.database_url) as conn:
        assert counted(conn, datetime.now(UTC) - DAY * 2)
        planned = conn.execute(
            "SELECT count(*), min(scheduled_at) > now() FROM procrastinate_jobs WHERE task_name = %s",
            (ticket_days.JOB,),
        ).fetchone()
        assert planned == (1, True)
