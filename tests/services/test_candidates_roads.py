"""Candidates where roads were imported: who is sooner there, how that was measured, and that nobody is overlooked."""

from pathlib import Path
from random import Random

import pytest

from api.dispatch_candidates import row_told
from geodata.importing.roads import import_roads
from geodata.queries import roads as queries
from geodata.scope import Db
from geodata.servers import Stores
from services.dispatch import candidates
from services.dispatch.travel import travel_s
from tests.data.roads import Line, road, write
from tests.services.situations import COMMUNITY, FAR, OWN, PROFILE, TOWN, Post, Who, asked, place, ticket

QUARREL = "04001"
# The ticket lies on a street that ends at a river east of it; the bridge is 3 km north.
WEST: Line = [(-4000, 0), (0, 0), (200, 0)]
EAST: Line = [(500, 0), (2000, 0)]
BRIDGE: Line = [(0, 0), (0, 3000), (1500, 3000), (2000, 0)]


@pytest.fixture(scope="module")
def stores(routed: Stores) -> Stores:
    """What `conn` connects to has pgRouting."""
    return routed


@pytest.fixture
def river(conn: Db, tmp_path: Path) -> Db:
    """The database with the roads on both sides of the river."""
    import_roads(conn, write(tmp_path / "river.geojson", [road(WEST), road(EAST), road(BRIDGE)]))
    return conn


def test_who_must_go_round_by_the_bridge_comes_later(river: Db) -> None:
    people: list[Who | Post] = [Who("NEAR", COMMUNITY, 1100), Who("ROUND", COMMUNITY, -2500)]
    place(river, people)
    one = ticket(river)
    found = asked(river, one, people)
    rows = {row.code: row for row in found.rows if row.kind == "worker"}
    assert [row.code for row in found.rows if row.kind == "worker"] == ["ROUND", "NEAR"]
    assert found.method == "roads"
    assert (rows["ROUND"].by, rows["NEAR"].by) == ("road", "foot")
    assert rows["ROUND"].minutes == pytest.approx(2.5 / 20 * 60, abs=0.1)
    assert rows["NEAR"].minutes == pytest.approx(
        1.1 * 1.3 / 4.5 * 60, abs=0.1
    )  # sooner than 7.5 km by the bridge
    assert rows["NEAR"].distance_m == pytest.approx(1100, abs=5)
    river.execute("DELETE FROM road_net")
    without = asked(river, one, people)
    assert [row.code for row in without.rows if row.kind == "worker"] == ["NEAR", "ROUND"]
    assert without.method == "straight"
    assert {row.by for row in without.rows if row.kind == "worker"} == {"straight"}


def test_each_row_says_how_its_way_was_measured(river: Db) -> None:
    people: list[Who | Post] = [
        Who("ROAD", COMMUNITY, -1500), Who("FOOT", COMMUNITY, 700), Who("FIELD", COMMUNITY, 2600),
        Who("AWAY", OWN, 300, load=5), Who("OLD", TOWN, None),
    ]  # fmt: skip
    place(river, people)
    found = asked(river, ticket(river), people, limit=10)
    told = {row.code: row_told(PROFILE, row, people=True) for row in found.rows}
    assert {code: told[code]["by"] for code in ("ROAD", "FOOT", "FIELD")} == {
        "ROAD": "road", "FOOT": "foot", "FIELD": "straight"}  # fmt: skip
    assert told["FIELD"]["minutes"] == pytest.approx(travel_s(2600, PROFILE) / 60, abs=0.1)
    department = next(row for row in found.rows if row.kind == "department")
    assert (department.by, department.minutes) == (None, None)


def test_holders_of_posts_go_by_road_too(river: Db) -> None:
    people: list[Who | Post] = [Post("P", m=-2500, duty=True)]
    place(river, people)
    row = next(row for row in asked(river, ticket(river, QUARREL), people).rows if row.kind == "post")
    assert row.by == "road"
    assert row.minutes == pytest.approx(2.5 / 20 * 60, abs=0.1)


def test_a_ticket_without_a_place_has_no_ways(river: Db) -> None:
    people: list[Who | Post] = [Who("A", OWN, 100)]
    place(river, people)
    row = asked(river, ticket(river, location="shared_point"), people).rows[0]
    assert (row.code, row.by, row.minutes) == ("A", None, None)


@pytest.mark.parametrize("seed", range(4))
def test_measuring_the_most_promising_first_finds_the_same_as_measuring_all(
    conn: Db, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = Random(seed)
    xs = [-9000 + 1500 * n for n in range(13)]
    streets = [
        road(
            [(x, 0), (x + 1500, chance.choice([0, 0, 700]))], chance.choice(["trunk", "residential", "track"])
        )
        for x in xs
    ]
    streets += [road([(x, 0), (x, 800)]) for x in xs] + [
        road([(x, 800), (x + 1500, 800)], "service") for x in xs
    ]
    import_roads(conn, write(tmp_path / "roads.geojson", streets))
    people: list[Who | Post] = [
        Who(
            f"N{n:02}", chance.choice([COMMUNITY, TOWN, FAR, (2, 2, 3)]), chance.uniform(-9000, 9000),
            load=chance.randrange(6), today=chance.randrange(9), age_s=chance.randrange(1500),
        )
        for n in range(40)
    ]  # fmt: skip
    place(conn, people)
    one = ticket(conn)
    looks: list[int] = []
    costs = queries.costs
    monkeypatch.setattr(queries, "costs", lambda *args: looks.append(1) or costs(*args))
    monkeypatch.setattr(candidates, "AT_ONCE", 1000)
    whole = asked(conn, one, []).rows
    assert {row.by for row in whole if row.kind == "worker"} <= {"road", "foot", "straight"}
    for at_once, first_look in ((1000, 2), (3, 32), (1, 2)):
        monkeypatch.setattr(candidates, "AT_ONCE", at_once)
        monkeypatch.setattr(candidates, "FIRST_LOOK", first_look)
        assert asked(conn, one, []).rows == whole
    assert looks
