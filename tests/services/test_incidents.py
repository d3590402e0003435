"""Incidents: gathered, changed, handed on and closed together; what lies inside; suggestions, bursts, the file."""

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

import profiles
from api.incident_words import say_of
from geodata.queries import incident_likeness as likeness_queries
from geodata.queries import incidents as queries
from geodata.queries.tickets import Ticket
from geodata.scope import Db, Pool, enter, scoped
from geodata.servers import Stores
from services import audit, tickets
from services.access import Viewer
from services.care.errors import NotForThem
from services.incidents import (
    BadIncident,
    Change,
    IncidentClosed,
    InIncident,
    NewIncident,
    StaleIncident,
    UnknownIncident,
    bursts,
    change,
    opened_incident,
    view,
)
from services.incidents.export import export
from services.incidents.keeping import common_area
from services.incidents.perimeter import MOST_POINTS
from services.incidents.suggestions import grouped, suggestions
from services.incidents.together import Closing, Handing, assign_all, close_all
from services.tickets import Report
from services.tickets.orders import Party
from tests.small_place import COUNTY_NO, STEP, centre, grid_no
from tests.ticket_steps import bring, give
from tests.viewers import DISPATCHER, county, of_town

ZOUCHENG = profiles.load("zoucheng")
PROFILE = ZOUCHENG.model_copy(  # without what its own loop asks of a command
    update={"loop": ZOUCHENG.loop.model_copy(update={"verify": False, "needs": {}})}
)
NOW = datetime.now(UTC)
URBAN = Party(kind="department", code="urban")


@pytest.fixture
def conn(stores: Stores) -> Iterator[Db]:
    """A transaction that sees the whole place, rolled back."""
    with psycopg.connect(stores.app_url) as connection:
        enter(connection, DISPATCHER.scope)
        yield connection
        connection.rollback()


def filed(conn: Db, town: int = 1, grid: int = 1, *, title: str = "主管道漏水路面积水", east: float = 0.0,
          category: str = "01001", minutes_ago: float = 0) -> Ticket:  # fmt: skip
    """A ticket in the middle of a grid of the first community, or so many degrees east of it."""
    lon, lat = centre(town, 1, grid)
    report = Report.model_validate(
        {"channel": "grid", "category": category, "title": title, "lon": lon + east, "lat": lat,
         "reported_at": NOW - timedelta(minutes=minutes_ago)}
    )  # fmt: skip
    return tickets.file_ticket(conn, PROFILE, DISPATCHER, report).ticket


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """A rectangle as GeoJSON, in degrees."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def around(grid: int, steps: float = 0.5) -> dict[str, Any]:
    """The square of so many grid sides to each side of the middle of a grid of the first community."""
    lon, lat = centre(1, 1, grid)
    side = steps * STEP
    return box(lon - side, lat - side, lon + side, lat + side)


def gathered(conn: Db, *ids: int, viewer: Viewer = DISPATCHER, **more: Any) -> dict[str, Any]:
    """An incident of these tickets, as its screen gets it."""
    number = opened_incident(conn, PROFILE, viewer, NewIncident("管网爆裂", ids, **more), NOW)
    return view.one(conn, PROFILE, viewer, number, NOW)


def changed(
    conn: Db, told: dict[str, Any], fields: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """The incident after a change of the version that was told."""
    change(conn, PROFILE, DISPATCHER, told["id"], Change(told["version"], fields or {}, **more), NOW)
    return view.one(conn, PROFILE, DISPATCHER, told["id"], NOW)


def ids(told: dict[str, Any]) -> list[int]:
    return sorted(one["id"] for one in told["tickets"])


# --- gathered and changed


def test_an_incident_stands_in_the_smallest_area_that_holds_its_tickets(conn: Db) -> None:
    one, other = filed(conn, grid=1), filed(conn, grid=2)
    told = gathered(conn, one.id, other.id, kind="01")
    assert told["area_no"] == grid_no(1, 1, 0) and ids(told) == [one.id, other.id]
    far = filed(conn, town=2)
    told = changed(conn, told, add=[far.id])
    assert (told["area_no"], told["version"]) == (COUNTY_NO, 2)
    told = changed(conn, told, {"title": "城区停水", "kind": None}, remove=[far.id, one.id])
    assert (told["area_no"], told["title"], told["kind"], ids(told)) == (
        grid_no(1, 1, 2),
        "城区停水",
        None,
        [other.id],
    )
    assert [row["kind"] for row in told["history"]] == ["remove", "change", "add", "open"]
    assert [row.id for row in queries.listed(conn, "open", 10)] == [told["id"]]
    assert common_area([grid_no(1, 1, 1), 2 * 10**9]) == 0


def test_a_ticket_stands_in_one_open_incident(conn: Db) -> None:
    one, other = filed(conn), filed(conn)
    first = gathered(conn, one.id)
    with pytest.raises(InIncident) as refused:
        gathered(conn, one.id, other.id)
    assert refused.value.details == [{"ticket": one.id, "incident": first["id"]}]
    assert ids(changed(conn, first, add=[one.id, other.id])) == [one.id, other.id]  # its own are no fault
    with pytest.raises(StaleIncident):
        changed(conn, first)
    with pytest.raises(BadIncident, match="tickets of one's own areas"):
        gathered(conn, 10**12)
    with pytest.raises(BadIncident, match="perimeter"):
        gathered(conn)
    with pytest.raises(BadIncident, match="category"):
        gathered(conn, filed(conn).id, kind="nothing")


def test_another_town_sees_nothing_of_it(pool: Pool) -> None:
    clerk = of_town(2, "dispatcher")
    with scoped(pool, DISPATCHER.scope) as conn:
        mine, theirs = filed(conn, town=1), filed(conn, town=2)
        told = gathered(conn, mine.id)
    with scoped(pool, clerk.scope) as conn:
        assert queries.listed(conn, "all", 10) == []
        with pytest.raises(UnknownIncident):
            view.one(conn, PROFILE, clerk, told["id"], NOW)
        with pytest.raises(BadIncident):
            gathered(conn, mine.id, theirs.id, viewer=clerk)
        own = gathered(conn, theirs.id, viewer=clerk)
        assert own["area_no"] == grid_no(2, 1, 1)
    with scoped(pool, clerk.scope) as conn:
        assert [row.id for row in queries.listed(conn, "all", 10)] == [own["id"]]


# --- what lies inside


def test_the_perimeter_counts_grids_households_and_people(conn: Db) -> None:
    """A square of two grid sides around the middle of grid 5 holds it, half of four neighbours, a quarter of four."""
    told = gathered(conn, perimeter=around(5, 1.0))
    assert told["drawn"] and told["area_no"] == grid_no(1, 1, 0)
    figures = told["figures"]
    assert figures["grids"] == {"whole": 1, "touched": 9}
    assert figures["people"] == {"about": 4 * 660, "least": 660, "most": 9 * 660}
    assert figures["households"] == {"about": 4 * 220, "least": 220, "most": 9 * 220}


def test_posts_stations_workers_and_other_tickets_inside(conn: Db) -> None:
    no, inside = grid_no(1, 1, 5), centre(1, 1, 5)
    conn.execute(
        "INSERT INTO worker_position (worker_id, at, geom, area_no)"
        " SELECT id, %s, ST_SetSRID(ST_MakePoint(%s, %s), 4326), area_no FROM worker WHERE area_no = %s",
        (NOW, *inside, no),
    )
    conn.execute(
        "INSERT INTO roster (area_no, role, on_date, from_time, to_time, name, source, generated) VALUES"
        " (%s, 'grid_head', (now() AT TIME ZONE 'Asia/Shanghai')::date, '00:00', '00:00', '赵一', 'tests', true)",
        (no,),
    )
    one, near = filed(conn, grid=5), filed(conn, grid=5, east=0.001)
    filed(conn, grid=9)
    told = gathered(conn, one.id, perimeter=around(5))
    assert [row["id"] for row in told["near"]] == [near.id]
    assert told["workers"] == 1 and told["posts"] == [] == told["stations"]


def test_without_a_perimeter_the_ground_around_the_tickets_counts(conn: Db) -> None:
    one = filed(conn, grid=5)
    told = gathered(conn, one.id)
    assert not told["drawn"] and told["perimeter"] is None and told["outline"]["type"] == "Polygon"
    assert told["figures"]["grids"] == {"whole": 0, "touched": 1}
    area_m2 = STEP * STEP * 90_700 * 110_950
    assert told["figures"]["people"]["about"] == pytest.approx(660 * 3.14 * 100**2 / area_m2, abs=2)
    drawn = changed(conn, told, {"perimeter": around(5)})
    assert drawn["drawn"] and drawn["figures"]["grids"]["whole"] == 1
    assert not changed(conn, drawn, {"perimeter": None})["drawn"]
    nowhere = tickets.file_ticket(
        conn,
        PROFILE,
        DISPATCHER,
        Report.model_validate({"channel": "12345", "category": "01001", "title": "咨询"}),
    ).ticket
    assert gathered(conn, nowhere.id)["figures"] is None


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({"type": "Point", "coordinates": [117, 35]}, "Polygon or MultiPolygon"),
        ({"type": "Polygon", "coordinates": []}, "Polygon or MultiPolygon"),
        ({"type": "Polygon", "coordinates": [[[117, 35], [117.1, 35], [117, 35.1]]]}, "at least 4 points"),
        ({"type": "Polygon", "coordinates": [[[1, 2], [2, 2], [2, 3], [1, 3]]]}, "last like the first"),
        ({"type": "Polygon", "coordinates": [[[35, 117], [35, 118], [36, 118], [35, 117]]]}, "swapped"),
        ({"type": "Polygon", "coordinates": [[[117, 35], [1, float("nan")], [2, 2], [117, 35]]]}, "degrees"),
        ({"type": "Polygon", "coordinates": [[[117, True], [1, 1], [2, 2], [117, True]]]}, "degrees"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}, "cross"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [2, 0], [0, 0]]]}, "cross or touch"),
        ({"type": "Polygon", "coordinates": [[[0, 0]] * (MOST_POINTS + 1)]}, "at most"),
        ({"type": "MultiPolygon", "coordinates": [7]}, "rings"),
    ],
)  # fmt: skip
def test_a_perimeter_that_cannot_stand_is_refused_with_its_place(
    conn: Db, shape: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadIncident, match=said) as refused:
        gathered(conn, perimeter=shape)
    assert refused.value.details[0]["field"].startswith("perimeter")


# --- together


def test_its_tickets_are_handed_on_together_each_by_itself(pool: Pool) -> None:
    with scoped(pool, DISPATCHER.scope) as conn:
        one, other, held = (
            filed(conn),
            filed(conn, grid=2),
            bring(conn, PROFILE, filed(conn, grid=3), "in_progress"),
        )
        told = gathered(conn, one.id, other.id, held.id)
        give(conn, PROFILE, other, "regrade", category="01002")
    seen = {one.id: one.version, other.id: other.version}
    answers = assign_all(pool, PROFILE, DISPATCHER, told["id"], Handing(URBAN, seen=seen), NOW, key="k")
    assert [(row.ticket_id, row.ticket is not None) for row in answers] == [(one.id, True), (other.id, False)]
    assert isinstance(answers[1].error, tickets.StaleVersion)
    again = Handing(URBAN, via="transfer", note="统一处置")
    answers = assign_all(pool, PROFILE, DISPATCHER, told["id"], again, NOW)
    by_ticket = {row.ticket_id: row.ticket for row in answers}
    assert {ticket.department for ticket in by_ticket.values() if ticket} == {"urban"} and len(by_ticket) == 3
    assert all(by_ticket.values())
    with scoped(pool, DISPATCHER.scope) as conn:
        assert tickets.read(conn, held.id).status == "transferred"
        history = view.one(conn, PROFILE, DISPATCHER, told["id"], NOW)["history"]
    assert history[0]["kind"] == "assign" and sorted(history[0]["data"]["tickets"]) == sorted(by_ticket)


def test_it_closes_once_its_tickets_have_ended(pool: Pool) -> None:
    with scoped(pool, DISPATCHER.scope) as conn:
        handled, working = (
            bring(conn, PROFILE, filed(conn), "handled"),
            bring(conn, PROFILE, filed(conn), "signed"),
        )
        waiting = filed(conn)
        told = gathered(conn, handled.id, working.id, waiting.id)
    answers, left = close_all(pool, PROFILE, DISPATCHER, told["id"], Closing(1, result="已抢修恢复"), NOW)
    assert left == [waiting.id]
    assert {row.ticket_id for row in answers if row.ticket} == {handled.id, working.id}
    (refused,) = [row for row in answers if row.error]
    assert isinstance(refused.error, tickets.NotAllowed)
    with scoped(pool, DISPATCHER.scope) as conn:
        give(conn, PROFILE, waiting, "cancel")
        assert view.one(conn, PROFILE, DISPATCHER, told["id"], NOW)["closed_at"] is None
    _, left = close_all(pool, PROFILE, DISPATCHER, told["id"], Closing(1), NOW + timedelta(seconds=1))
    assert left == []
    with scoped(pool, DISPATCHER.scope) as conn:
        closed = view.one(conn, PROFILE, DISPATCHER, told["id"], NOW)
        assert closed["closed_at"] is not None and closed["closed_by"] == DISPATCHER.name
        assert gathered(conn, handled.id)["id"] != told["id"]  # it may stand in another one from now on
        with pytest.raises(IncidentClosed):
            changed(conn, closed, {"title": "x"})
    with pytest.raises(IncidentClosed):
        assign_all(pool, PROFILE, DISPATCHER, told["id"], Handing(URBAN), NOW)


# --- suggestions and bursts


def test_like_reports_of_one_place_and_time_are_suggested(conn: Db) -> None:
    alike = [filed(conn, east=0.0005 * at, minutes_ago=10 * at) for at in range(4)]
    filed(conn, grid=9, minutes_ago=5)  # 3 km away
    filed(conn, title="小区停车纠纷", category="04001")  # something else
    (row,) = suggestions(conn, PROFILE, DISPATCHER, NOW, 24)
    assert [one["id"] for one in row["tickets"]] == [one.id for one in reversed(alike)]
    assert row["within_m"] == pytest.approx(136, abs=2) and not row["burst"]
    assert [why["key"] for why in row["why"]] == [
        "incident.why.time", "incident.why.place", "incident.why.category",
    ]  # fmt: skip
    assert row["why"][0]["args"] == {"count": 4, "minutes": 30}
    assert suggestions(conn, PROFILE, county("client"), NOW, 24)[0]["title"] is None
    gathered(conn, *(one.id for one in alike[:2]))
    assert suggestions(conn, PROFILE, DISPATCHER, NOW, 24) == []


def test_a_suggestion_does_not_run_on_along_a_street(conn: Db) -> None:
    found = [filed(conn, east=0.004 * at, minutes_ago=at) for at in range(12)]  # every 363 m over 4 km
    groups = grouped(PROFILE, likeness_queries.recent(conn, NOW - timedelta(hours=1), 100))
    assert sum(len(group.tickets) for group in groups) <= len(found)
    assert all((group.wide_m or 0) <= PROFILE.incidents.wide_m for group in groups) and len(groups) >= 2


def test_what_has_no_point_goes_by_its_grid_and_words(conn: Db) -> None:
    for minutes in (1, 2, 3):
        report = Report.model_validate(
            {"channel": "12345", "category": "01001", "title": "整栋楼停水", "area": "370883001001001",
             "reported_at": NOW - timedelta(minutes=minutes)}
        )  # fmt: skip
        tickets.file_ticket(conn, PROFILE, DISPATCHER, report)
    (group,) = grouped(PROFILE, likeness_queries.recent(conn, NOW - timedelta(hours=1), 100))
    assert len(group.tickets) == 3 and group.wide_m is None


def test_a_burst_is_noticed_once_and_grows(conn: Db) -> None:
    for at in range(4):
        filed(conn, east=0.0003 * at, minutes_ago=at)
    assert bursts.notice(conn, PROFILE, NOW) == []
    filed(conn, east=0.002)
    (burst,) = bursts.notice(conn, PROFILE, NOW)
    assert bursts.notice(conn, PROFILE, NOW) == []
    filed(conn, east=0.001)
    assert bursts.notice(conn, PROFILE, NOW + timedelta(minutes=1)) == []
    (kept,) = likeness_queries.bursts(conn, NOW - timedelta(hours=1))
    assert (kept.id, len(kept.tickets), kept.category, kept.area_no) == (burst, 6, "01001", grid_no(1, 1, 1))
    (row,) = suggestions(conn, PROFILE, DISPATCHER, NOW, 24)
    assert row["burst"] and row["burst_id"] == burst
    told = conn.execute(
        "SELECT body FROM outbox WHERE kind = 'desk' AND body->>'desk' = 'incident'"
    ).fetchall()
    assert [body for (body,) in told] == [{"desk": "incident", "id": f"burst-{burst}"}] * 2
    alarms = conn.execute(
        "SELECT kind, data->>'tickets' FROM alarm WHERE key = %s", (f"burst:{burst}",)
    ).fetchall()
    assert alarms == [("burst", "5")]


# --- the file


def test_the_file_says_who_took_it(conn: Db) -> None:
    one = filed(conn, title="=HYPERLINK(1)")
    told = gathered(conn, one.id, perimeter=around(1))
    book = export(conn, PROFILE, DISPATCHER, told["id"], say=say_of(PROFILE, "zh-CN"), english=False, now=NOW)
    words = zipfile.ZipFile(io.BytesIO(book)).read("xl/sharedStrings.xml").decode()
    assert "管网爆裂" in words and f"账号 {DISPATCHER.name}" in words and "人口（约，按面积折算）" in words
    assert tickets.number(one.id, one.reported_at, PROFILE.time_zone) in words
    for role in ("client", "supervisor"):
        with pytest.raises(NotForThem):
            export(conn, PROFILE, county(role), told["id"], say=say_of(PROFILE, "en"), english=True, now=NOW)


def test_the_audit_keeps_the_export(pool: Pool) -> None:
    with scoped(pool, DISPATCHER.scope) as conn:
        told = gathered(conn, filed(conn).id)
        export(conn, PROFILE, DISPATCHER, told["id"], say=say_of(PROFILE, "en"), english=True, now=NOW)
    with scoped(pool, DISPATCHER.scope, "audit") as conn:
        row = conn.execute(
            "SELECT object_kind, object_id FROM audit WHERE action = %s", (audit.Action.export,)
        ).fetchone()
    assert row == ("incident", str(told["id"]))
