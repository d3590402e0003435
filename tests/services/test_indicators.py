"""The panels' figures against rows counted by hand, and against the reference figures of the five places."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import profiles
from geodata.scope import EVERYTHING, Db, Scope, enter
from screens.format import percent
from services.area_report import children, on_time_of, span_of, standing, tiles
from services.indicators import Figures, figures
from tests.small_place import COUNTY_NO, centre, grid_no

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 18, 14, 30, tzinfo=ZONE)  # a Wednesday
PROFILE = profiles.load("zoucheng")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def place(conn: Db) -> Db:
    """The small place with the months that these tickets fall in."""
    conn.execute("SELECT ensure_months('ticket', '2026-09-01', '2026-12-01')")
    return conn


def ticket(
    conn: Db,
    reported: datetime,
    *,
    grid: int | None = None,
    due: datetime | None = None,
    closed: datetime | None = None,
    status: str | None = None,
    satisfaction: str | None = None,
    category: str = "01001",
) -> int:
    """Insert one ticket."""
    x, y = centre(1, 1, 1)
    row = conn.execute(
        """
        INSERT INTO ticket (reported_at, channel_id, category_id, title, geom, location, area_no, status,
                            dispatched_at, closed_at, due_at, satisfaction)
        VALUES (%s, 1, (SELECT id FROM category WHERE code = %s), 't', ST_SetSRID(ST_MakePoint(%s, %s), 4326), 'exact',
                %s, %s, %s, %s, %s, %s)
        RETURNING id
        """,
        (reported, category, x, y, grid or grid_no(1, 1, 1), status or ("closed" if closed else "in_progress"),
         reported, closed, due, satisfaction),
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


def read(conn: Db, scope: Scope = EVERYTHING, now: datetime = NOW) -> Figures:
    """The figures as an asker of that scope gets them."""
    enter(conn, scope)
    return figures(conn, scope, PROFILE, now)


def test_an_empty_place_has_zeros_and_no_rate(place: Db) -> None:
    found = read(place)
    assert found["intake"] == {"now": 0, "before": 0}
    assert found["open"] == {"now": 0, "before": 0, "soon": 0}
    assert found["on_time"] == {"n": 0, "d": 0, "overdue": 0}
    assert found["closure"] == found["satisfaction"] == {"n": 0, "d": 0}
    assert found["worst"] == found["ticker"] == []
    assert [child["name"] for child in found["areas"]] == ["钢山街道", "千泉街道"]
    assert percent(0, 0) is None


def test_the_day_begins_at_midnight_of_the_place(place: Db) -> None:
    midnight = datetime(2026, 11, 18, tzinfo=ZONE)
    ticket(place, midnight - timedelta(seconds=1))
    ticket(place, midnight)
    ticket(place, NOW - HOUR)
    found = read(place)
    assert found["intake"]["now"] == 2
    assert found["day"] == "2026-11-18"
    assert found["trend"]["today"] == [1, *[0] * 12, 1, 0]  # 15 hours have begun


def test_intake_is_held_against_the_same_weekday_up_to_the_same_time(place: Db) -> None:
    week_ago = NOW - 7 * DAY
    ticket(place, week_ago - HOUR)
    ticket(place, week_ago - timedelta(seconds=1), category="02001")
    ticket(place, week_ago)  # the same time is already past it
    ticket(place, week_ago + 3 * HOUR)
    ticket(place, NOW - 6 * DAY)
    found = read(place)
    assert found["intake"] == {"now": 0, "before": 2}
    assert sum(found["trend"]["before"]) == 4, "the curve shows the whole day"
    by_code = {matter["code"]: matter for matter in found["categories"]}
    assert (by_code["01"]["before"], by_code["02"]["before"]) == (1, 1)
    assert len(found["trend"]["before"]) == 24


def test_open_overdue_and_soon(place: Db) -> None:
    ticket(place, NOW - 3 * DAY, due=NOW - timedelta(seconds=1))
    ticket(place, NOW - 3 * DAY, due=NOW)  # not late yet
    ticket(place, NOW - 3 * DAY, due=NOW + 2 * HOUR - timedelta(seconds=1))
    ticket(place, NOW - 3 * DAY, due=NOW + 2 * HOUR)
    ticket(place, NOW - 3 * DAY)  # without a deadline nothing is late
    ticket(place, NOW - 3 * DAY, due=NOW - DAY, closed=NOW - HOUR)
    found = read(place)
    assert found["open"] == {"now": 5, "before": 6, "soon": 2}
    assert found["overdue"] == {"now": 1, "before": 0}


def test_overdue_yesterday_counts_what_stood_then(place: Db) -> None:
    yesterday = NOW - DAY
    ticket(place, NOW - 5 * DAY, due=yesterday - HOUR, closed=NOW - HOUR)  # late then, closed since
    ticket(
        place, NOW - 5 * DAY, due=yesterday - HOUR, closed=yesterday - timedelta(minutes=1)
    )  # closed before
    ticket(place, NOW - 5 * DAY, due=yesterday - HOUR)  # late then and now
    ticket(place, NOW - 5 * DAY, due=yesterday + HOUR)  # late now only
    found = read(place)
    assert found["overdue"] == {"now": 2, "before": 2}


def test_overdue_and_open_tickets_count_in_the_on_time_rate(place: Db) -> None:
    ticket(place, NOW - 2 * DAY, due=NOW, closed=NOW - HOUR)  # kept
    ticket(place, NOW - 2 * DAY, due=NOW - HOUR, closed=NOW - HOUR)  # kept to the second
    ticket(place, NOW - 2 * DAY, due=NOW - 2 * HOUR, closed=NOW - HOUR)  # missed
    ticket(place, NOW - 2 * DAY, closed=NOW - HOUR)  # no deadline: not in the population
    ticket(place, NOW - 2 * DAY, due=NOW - HOUR)  # open and late
    ticket(place, NOW - 2 * DAY, due=NOW + HOUR)  # open, not late
    ticket(place, NOW - 3 * DAY, due=NOW, closed=NOW - DAY - HOUR)  # closed more than 24 hours ago
    ticket(place, NOW - 2 * DAY, due=NOW, closed=NOW - HOUR, status="cancelled")
    assert read(place)["on_time"] == {"n": 2, "d": 4, "overdue": 1}


def test_satisfaction_is_of_those_called_back(place: Db) -> None:
    for answer in ("satisfied", "satisfied", "fairly", "unsatisfied", "unrated", None):
        ticket(place, NOW - 2 * DAY, closed=NOW - HOUR, satisfaction=answer)
    assert read(place)["satisfaction"] == {"n": 3, "d": 4}


def test_closure_is_of_those_reported_in_30_local_days(place: Db) -> None:
    first = datetime(2026, 10, 20, tzinfo=ZONE)  # 30 days with today
    ticket(place, first, closed=NOW - HOUR)
    ticket(place, first - timedelta(seconds=1), closed=NOW - HOUR)
    ticket(place, NOW - DAY)
    ticket(place, NOW - DAY, closed=NOW - HOUR, status="cancelled")
    assert read(place)["closure"] == {"n": 1, "d": 2}


@pytest.mark.parametrize(
    ("n", "d", "shown"),
    [(3920, 3982, "98.4"), (111, 121, "91.7"), (1062, 1086, "97.8"), (737, 1595, "46.2"), (9999, 10000, "99.9"),
     (1, 5000, "0.1"), (0, 7, "0.0"), (7, 7, "100.0")],
)  # fmt: skip
def test_rates_as_published(n: int, d: int, shown: str) -> None:
    assert percent(n, d) == shown
    if (n, d) == (3920, 3982):
        assert percent(n, d, digits=2) == "98.44"


def test_shanggaos_closure_rate_from_rows(place: Db) -> None:
    """3,920 of 3,982 accepted are closed: 98.44 %."""
    place.execute(
        """
        INSERT INTO ticket (reported_at, channel_id, category_id, title, location, area_no, status, closed_at)
        SELECT %(at)s - interval '1 day', 1, (SELECT id FROM category WHERE code = '01001'), 't', 'none', %(county)s,
               CASE WHEN i <= 3920 THEN 'closed' ELSE 'in_progress' END::ticket_status,
               CASE WHEN i <= 3920 THEN %(at)s - interval '1 hour' END
        FROM generate_series(1, 3982) i
        """,
        {"at": NOW, "county": COUNTY_NO},
    )
    closure = read(place)["closure"]
    assert closure == {"n": 3920, "d": 3982}
    assert percent(closure["n"], closure["d"], digits=2) == "98.44"


def test_areas_worst_grids_and_a_narrow_scope(place: Db) -> None:
    late, here, there = NOW - HOUR, grid_no(1, 1, 2), grid_no(2, 2, 9)
    for due in (late, late, None):
        ticket(place, NOW - 2 * DAY, grid=here, due=due)
    for _ in range(4):
        ticket(place, NOW - 2 * DAY, grid=there)
    ticket(place, NOW - HOUR, grid=COUNTY_NO)  # on no grid: in the whole place only
    found = read(place)
    assert [(c["no"], c["open"], c["overdue"], c["intake"]) for c in found["areas"]] == [
        (grid_no(2, 0, 0), 4, 0, 0),
        (grid_no(1, 0, 0), 3, 2, 0),
    ]
    assert [(g["no"], g["town"], g["open"], g["overdue"]) for g in found["worst"]] == [
        (here, "钢山街道", 3, 2),
        (there, "千泉街道", 4, 0),
    ]
    assert found["open"]["now"] == 8

    town = read(place, Scope(grid_no(2, 0, 0), grid_no(2, 999, 999)))
    assert town["area_no"] == grid_no(2, 0, 0)
    assert town["open"]["now"] == 4
    assert town["overdue"]["now"] == 0
    assert {c["no"] for c in town["areas"]} == {grid_no(2, 1, 0), grid_no(2, 2, 0)}
    assert [g["no"] for g in town["worst"]] == [there]


def test_patrols_shifts_and_video(place: Db) -> None:
    workers = [row[0] for row in place.execute("SELECT id FROM worker ORDER BY id LIMIT 3")]
    for area, worker in ((grid_no(1, 1, 1), 0), (grid_no(1, 1, 1), 1), (grid_no(1, 1, 2), 2)):
        place.execute(
            "INSERT INTO patrol VALUES (%s, %s, %s, %s, %s)",
            (area, date(2026, 11, 18), workers[worker], NOW, NOW),
        )
    place.execute("UPDATE worker SET shift_days = 0 WHERE id <> ALL (%s)", (workers,))
    # Wednesday 14:30: the first is on the day's shift, the second on last night's, the third on tonight's.
    for worker, since, until in zip(
        workers, ("08:00", "22:00", "14:31"), ("18:00", "15:00", "02:00"), strict=True
    ):
        place.execute(
            "UPDATE worker SET shift_from = %s, shift_to = %s WHERE id = %s", (since, until, worker)
        )
    place.execute("SELECT ensure_position_days('2026-11-17', '2026-11-19')")
    for worker, minutes in ((workers[0], 4), (workers[1], 6)):
        place.execute(
            "INSERT INTO position (worker_id, at, received_at, geom, area_no) "
            "VALUES (%s, %s, %s, ST_SetSRID(ST_MakePoint(117, 35.4), 4326), %s)",
            (worker, NOW - timedelta(minutes=minutes), NOW, grid_no(1, 1, 1)),
        )
    for i, state in enumerate(("live", "live", "no_signal")):
        place.execute(
            "INSERT INTO video_station (id, name, site_kind, area_no, geom, state, generated) "
            "VALUES (%s, 's', 'hall', %s, ST_SetSRID(ST_MakePoint(117, 35.4), 4326), %s, true)",
            (f"{i:020d}", grid_no(1, 1, 1), state),
        )
    found = read(place)
    assert found["patrol"] == {"n": 2, "d": 36}
    assert found["shift"] == {"n": 2, "d": 36, "positioned": 1}
    assert found["video"] == {"n": 2, "d": 3}


def test_the_ticker_tells_events_and_passed_deadlines_newest_first(place: Db) -> None:
    old = ticket(place, NOW - 3 * DAY, due=NOW - timedelta(minutes=5))
    new = ticket(place, NOW - timedelta(minutes=2))
    happened = [
        (new, "remark", "accepted", 1), (new, "report", None, 2), (old, "imported", None, 1),
        (old, "accept", "reported", 3), (old, "report", None, 60 * 24 * 3),
    ]  # fmt: skip
    for id_, kind, was, minutes in happened:
        place.execute(
            "INSERT INTO ticket_event (ticket_id, at, kind, was, status, version, actor, area_no) "
            "VALUES (%s, %s, %s, %s, 'accepted', 1, 'test', %s)",
            (id_, NOW - timedelta(minutes=minutes), kind, was, grid_no(1, 1, 1)),
        )
    told = read(place)["ticker"]
    assert [(line["id"], line["kind"]) for line in told] == [
        (new, "report"),
        (old, "accepted"),
        (old, "overdue"),
    ]
    assert told[0]["at"] == int((NOW - timedelta(minutes=2)).timestamp() * 1000)
    assert told[0]["category"] == "01001"


@pytest.mark.parametrize(
    ("period", "now", "start", "before", "before_end"),
    [
        ("today", NOW, (11, 18), (11, 11), NOW - 7 * DAY),
        ("week", NOW, (11, 16), (11, 9), NOW - 7 * DAY),
        ("month", NOW, (11, 1), (10, 1), datetime(2026, 10, 18, 14, 30, tzinfo=ZONE)),
        # The 31st has no counterpart in a shorter month: the whole of that month is taken.
        ("month", datetime(2026, 10, 31, 12, tzinfo=ZONE), (10, 1), (9, 1), datetime(2026, 10, 1, tzinfo=ZONE)),
    ],
)  # fmt: skip
def test_spans_of_the_area_page(
    period: Any, now: datetime, start: Any, before: Any, before_end: datetime
) -> None:
    span = span_of(period, now.astimezone(UTC), PROFILE)
    assert span.start == datetime(2026, *start, tzinfo=ZONE)
    assert span.before_start == datetime(2026, *before, tzinfo=ZONE)
    assert span.before_end == before_end


def test_tiles_and_table_of_an_area_agree(place: Db) -> None:
    span = span_of("week", NOW, PROFILE)
    for town, grid in ((1, 1), (1, 2), (2, 1)):
        no = grid_no(town, 1, grid)
        ticket(place, NOW - DAY, grid=no, due=NOW - HOUR)
        ticket(place, NOW - DAY, grid=no, due=NOW, closed=NOW - HOUR, satisfaction="fairly")
        ticket(
            place, NOW - 9 * DAY, grid=no, due=NOW - 8 * DAY, closed=NOW - 8 * DAY, satisfaction="unsatisfied"
        )
        ticket(place, NOW - 9 * DAY, grid=no)
    enter(place, EVERYTHING)
    whole, rows = tiles(place, span), children(place, COUNTY_NO, span)
    assert (whole.reported.now, whole.reported.before) == (6, 6)
    assert (whole.closed.now, whole.closed.before) == (3, 3)
    assert (whole.open.now, whole.open.before) == (6, 3)
    assert (whole.on_time.n, whole.on_time.d, whole.on_time.before_n, whole.on_time.before_d) == (3, 6, 3, 3)
    assert (whole.satisfaction.n, whole.satisfaction.d, whole.satisfaction.before_n) == (3, 3, 0)
    assert sum(row.open for row in rows) == whole.open.now
    assert sum(row.open_at_start for row in rows) == whole.open.before
    assert sum(row.reported for row in rows) == whole.reported.now
    assert sum(on_time_of(row)[1] for row in rows) == whole.on_time.d
    assert [row.grids for row in rows] == [18, 18]


def test_standing_among_peers(place: Db) -> None:
    for grid, n in ((1, 4), (2, 4), (3, 1)):
        for _ in range(n):
            ticket(place, NOW - DAY, grid=grid_no(1, 1, grid), due=NOW - HOUR)
    enter(place, EVERYTHING)
    peers = children(place, grid_no(1, 1, 0), span_of("today", NOW, PROFILE))
    most = standing(peers, "open", grid_no(1, 1, 2))
    assert most is not None
    assert (most.rank, most.tied, most.median) == (1, True, 0)
    fewest = standing(peers, "overdue", grid_no(1, 1, 3))
    assert fewest is not None
    assert fewest.rank == 7
    assert standing(peers[:2], "open", grid_no(1, 1, 1)) is None
