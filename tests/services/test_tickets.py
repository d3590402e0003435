"""Filing tickets: where they belong, when they are due, and what is refused."""

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

import profiles
from geodata.clock.worktime import worktime_of
from geodata.scope import EVERYTHING, Db, Pool, Scope, enter, scoped
from services import tickets
from services.clock.due import due_of
from services.tickets import BadReport, Report, UnknownTicket
from tests.small_place import COUNTY_NO, SOUTH, WEST, centre, grid_no
from tests.ticket_steps import give
from tests.viewers import DISPATCHER

PROFILE = profiles.load("zoucheng")
ZONE = ZoneInfo(PROFILE.time_zone)


def report(**given: object) -> Report:
    lon, lat = centre(1, 1, 1)
    defaults = {"channel": "grid", "category": "01001", "title": "路口堆放垃圾", "lon": lon, "lat": lat}
    return Report.model_validate(defaults | given)


def file(conn: Db, **given: object) -> tickets.Filed:
    return tickets.file_ticket(conn, PROFILE, DISPATCHER, report(**given))


@pytest.fixture(autouse=True)
def _in_scope(request: pytest.FixtureRequest) -> None:
    if "conn" in request.fixturenames:
        enter(request.getfixturevalue("conn"), EVERYTHING)


def test_a_report_becomes_a_ticket_in_its_grid_with_event_and_outbox_row(conn: Db) -> None:
    filed = file(conn)
    ticket = filed.ticket
    assert filed.created and ticket.status == "accepted" and ticket.version == 1
    assert ticket.area.no == grid_no(1, 1, 1) and ticket.location == "exact"
    limit = PROFILE.limit("handle", category="01001", channel="grid")
    assert ticket.due_at == due_of(limit, ticket.reported_at, worktime_of(PROFILE))
    events = conn.execute(
        "SELECT kind, status::text, version FROM ticket_event WHERE ticket_id = %s", (ticket.id,)
    )
    assert events.fetchall() == [("report", "accepted", 1)]
    kind, area_no, body = conn.execute(
        "SELECT kind, area_no, body FROM outbox ORDER BY id DESC LIMIT 1"
    ).fetchone()
    assert (kind, area_no, body["id"], body["was"]) == ("ticket", ticket.area.no, ticket.id, None)
    assert "title" not in body and "address" not in body


def test_the_same_source_id_files_once(conn: Db) -> None:
    first, second = file(conn, source_id="H-1"), file(conn, source_id="H-1", title="另一件")
    assert (first.created, second.created) == (True, False)
    assert second.ticket == first.ticket
    assert file(conn, source_id="H-1", channel="12345").created


def test_two_at_once_with_one_source_id_file_once(pool: Pool) -> None:
    filed: list[tickets.Filed] = []

    def one() -> None:
        with scoped(pool, EVERYTHING) as conn:
            filed.append(file(conn, source_id="H-2"))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(f.created for f in filed) == [False, False, False, True]
    assert len({f.ticket.id for f in filed}) == 1


def test_a_ticket_without_a_place_is_kept_at_the_root(conn: Db) -> None:
    ticket = file(conn, lon=None, lat=None).ticket
    assert (ticket.area.no, ticket.location, ticket.lon) == (COUNTY_NO, "none", None)


def test_a_ticket_on_no_grid_is_kept_and_says_so(conn: Db) -> None:
    ticket = file(conn, lon=WEST - 0.05, lat=SOUTH).ticket
    assert (ticket.area.no, ticket.location) == (COUNTY_NO, "outside")


def test_many_on_one_point_are_known_as_a_default_point(conn: Db) -> None:
    places = [file(conn).ticket.location for _ in range(21)]
    assert places == ["exact"] * 20 + ["shared_point"]


def test_a_shifted_datum_is_converted(conn: Db) -> None:
    ticket = file(conn, datum="gcj02").ticket
    lon, lat = centre(1, 1, 1)
    assert 0.003 < abs(ticket.lon - lon) < 0.01 and 0.0001 < abs(ticket.lat - lat) < 0.01


@pytest.mark.parametrize(
    ("field", "value"),
    [("category", "99999"), ("category", "01"), ("channel", "nowhere"), ("lon", 100.0), ("lat", 20.0)],
)
def test_what_does_not_exist_here_is_refused_with_what_is_expected(
    conn: Db, field: str, value: object
) -> None:
    with pytest.raises(BadReport) as refused:
        file(conn, **{field: value})
    assert refused.value.details[0]["field"] == field and refused.value.details[0]["expected"]


@pytest.mark.parametrize("age", [timedelta(days=93), timedelta(minutes=-6)])
def test_a_time_out_of_reach_is_refused(conn: Db, age: timedelta) -> None:
    with pytest.raises(BadReport, match="reported_at"):
        file(conn, reported_at=datetime.now(UTC) - age)


@pytest.mark.parametrize(
    "wrong",
    [{"lon": float("nan")}, {"lon": float("inf")}, {"lat": 1e308}, {"lon": None}, {"title": ""}, {"title": " "},
     {"colour": "red"}, {"reported_at": "2026-01-01T00:00:00"}],
)  # fmt: skip
def test_a_report_that_makes_no_sense_is_invalid(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        report(**wrong)


def test_a_day_that_the_place_set_off_moves_the_deadline(conn: Db) -> None:
    plain = file(conn, category="01007").ticket.due_at  # five working days
    assert plain is not None
    conn.execute("RESET ROLE")
    conn.execute(
        "INSERT INTO calendar_override (day, kind, name, source) VALUES (%s, 'off', '停班', 'test')",
        (plain.astimezone(ZONE).date(),),
    )
    enter(conn, EVERYTHING)
    later = file(conn, category="01007").ticket.due_at
    assert later is not None and later > plain


def test_a_ticket_outside_of_the_scope_is_unknown(conn: Db) -> None:
    ticket = file(conn).ticket
    other = grid_no(2, 0, 0)
    enter(conn, Scope(other, other + 999_999))
    with pytest.raises(UnknownTicket):
        tickets.read(conn, ticket.id)
    enter(conn, Scope(grid_no(1, 0, 0), grid_no(1, 0, 0) + 999_999))
    assert give(conn, PROFILE, ticket, "dispatch").status == "dispatched"


def test_nothing_is_left_of_a_step_that_fails(pool: Pool) -> None:
    with scoped(pool, EVERYTHING) as conn:
        ticket = file(conn).ticket
    with pytest.raises(RuntimeError), scoped(pool, EVERYTHING) as conn:
        give(conn, PROFILE, ticket, "dispatch")
        raise RuntimeError
    with scoped(pool, EVERYTHING) as conn:
        assert tickets.read(conn, ticket.id) == ticket
        assert conn.execute("SELECT count(*) FROM outbox").fetchone()[0] == 1
        assert conn.execute("SELECT count(*) FROM ticket_event").fetchone()[0] == 1
