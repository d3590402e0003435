"""Ways by road: what a worker needs to a spot along imported roads, held against a plain Dijkstra."""

import heapq
import math
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
import shapely

import profiles
from geodata.importing.roads import import_roads
from geodata.queries import roads as queries
from geodata.scope import Db
from geodata.servers import Stores
from profiles import Profile
from services.dispatch.roads import Place, ways
from services.dispatch.travel import Way, least_s, on_foot_s, travel_s
from tests.data.roads import Line, degrees, road, write

PROFILE = profiles.load("zoucheng")
RULES = PROFILE.dispatch.roads
PRIMARY, RESIDENTIAL = RULES.speeds_kmh["primary"], RULES.speeds_kmh["residential"]
At = tuple[float, float]  # metres east and north
SLOW_ROADS = RULES.model_copy(update={"walk_kmh": 0.5})  # where nobody would rather walk
SLOW = PROFILE.model_copy(update={"dispatch": PROFILE.dispatch.model_copy(update={"roads": SLOW_ROADS})})


@pytest.fixture(scope="module")
def stores(routed: Stores) -> Stores:
    """What `conn` connects to has pgRouting."""
    return routed


@pytest.fixture
def lay(conn: Db, tmp_path: Path) -> "Lay":
    """Lays roads and asks for ways."""
    return Lay(conn, tmp_path)


class Lay:
    """Roads laid in a database, and ways along them; places are metres east and north of the origin."""

    def __init__(self, conn: Db, folder: Path) -> None:
        self.conn, self.folder = conn, folder

    def __call__(self, *lines: tuple[Line, dict[str, str]]) -> "Lay":
        """These roads and no others."""
        features = [road(line, **{"highway": "residential"} | tags) for line, tags in lines]
        import_roads(self.conn, write(self.folder / "roads.geojson", features))
        return self

    def ways(self, spot: At, *places: At, profile: Profile = PROFILE) -> list[Way]:
        """The way from each place to the spot, in order."""
        asked = {n: Place(*degrees(*at), math.dist(at, spot)) for n, at in enumerate(places)}
        fastest_kmh = queries.fastest_kmh(self.conn)
        assert fastest_kmh is not None
        found = ways(self.conn, profile, fastest_kmh, degrees(*spot), asked)
        return [found[n] for n in range(len(places))]

    def way(self, spot: At, place: At) -> Way:
        """The way from one place."""
        return self.ways(spot, place)[0]


def seconds(metres: float, kmh: float) -> float:
    """To go so many metres at that speed."""
    return metres * 3.6 / kmh


# A river runs north at x = 500; the only bridge is 2 km north.
RIVER: tuple[tuple[Line, dict[str, str]], ...] = (
    ([(0, 0), (0, 2000)], {}), ([(0, 2000), (1000, 2000)], {"highway": "primary"}), ([(1000, 2000), (1000, 0)], {}),
)  # fmt: skip


def test_across_a_river_it_is_the_bridge_that_counts(lay: Lay) -> None:
    found = lay(*RIVER).way((1000, 0), (0, 0))
    assert found.by == "road"
    assert found.seconds == pytest.approx(seconds(4000, RESIDENTIAL) + seconds(1000, PRIMARY), rel=0.005)
    assert found.seconds > 2 * travel_s(1000, PROFILE)


def test_to_the_road_and_from_it_one_walks(lay: Lay) -> None:
    found = lay(([(-2000, 0), (2000, 0)], {})).way((1500, 90), (-1500, -120))
    assert found.seconds == pytest.approx(
        seconds(3000, RESIDENTIAL) + seconds(210, RULES.walk_kmh), rel=0.005
    )


def test_within_one_piece_of_road(lay: Lay) -> None:
    lay(([(-1000, 0), (1000, 0)], {}))
    for place, metres in (((-500.0, 0.0), 700.0), ((900.0, 0.0), 700.0), ((200.0, 0.0), 0.0)):
        assert lay.way((200, 0), place).seconds == pytest.approx(seconds(metres, RESIDENTIAL), abs=1)


def test_a_street_of_one_way_is_gone_round(lay: Lay) -> None:
    """A square of 600 m, one-way eastwards on its southern side."""
    lay(
        ([(0, 0), (600, 0)], {"oneway": "yes"}),
        ([(600, 0), (600, 600), (0, 600), (0, 0)], {}),
    )
    east, west = lay.way((400, 0), (200, 0)), lay.way((200, 0), (400, 0))
    assert east.seconds == pytest.approx(seconds(200, RESIDENTIAL), rel=0.01)
    assert west.by == "foot"  # 200 m against the traffic, rather than 2,200 round
    assert west.seconds == pytest.approx(on_foot_s(200, PROFILE), rel=0.01)
    driven = lay.ways((200, 0), (400, 0), profile=SLOW)[0]
    assert driven == Way(pytest.approx(seconds(2200, RESIDENTIAL), rel=0.01), "road")


def test_who_is_beside_the_spot_walks(lay: Lay) -> None:
    found = lay(([(-900, 300), (900, 300)], {})).way((0, 0), (60, 0))
    assert found == Way(pytest.approx(on_foot_s(60, PROFILE)), "foot")


def test_far_from_any_road_the_straight_line_counts(lay: Lay) -> None:
    lay(([(-2000, 0), (2000, 0)], {}))
    near, far = lay.ways((0, 0), (1500, 480), (1500, 530))
    assert (near.by, far.by) == ("road", "straight")
    assert far.seconds == pytest.approx(travel_s(math.hypot(1500, 530), PROFILE))
    assert {way.by for way in lay.ways((0, 600), (1500, 0), (-1500, 0))} == {"straight"}
    assert lay.ways((0, 0)) == []


def test_who_is_too_far_off_to_earn_a_point_is_not_measured(
    lay: Lay, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(([(-12_000, 0), (2000, 0)], {}))
    near, far = lay.ways((0, 0), (-9500, 0), (-10_500, 0))  # 30 minutes at 20 km/h are 10 km
    assert (near.by, far.by) == ("road", "straight")
    monkeypatch.setattr(queries, "stands", None)
    assert lay.way((0, 0), (-11_000, 0)) == Way(pytest.approx(travel_s(11_000, PROFILE)), "straight")


def test_where_no_road_leads_the_straight_line_counts(lay: Lay) -> None:
    lay(([(-3000, 0), (0, 0)], {}), ([(900, 0), (3500, 0)], {}))
    inside, across = lay.ways((-200, 0), (-2500, 0), (1500, 0))
    assert (inside.by, across.by) == ("road", "straight")
    into_a_trap = lay(([(0, 0), (3000, 0)], {"oneway": "yes"})).way((500, 0), (2500, 0))
    assert into_a_trap.by == "straight"


def test_a_bridge_far_away_is_found_at_the_second_look(lay: Lay, monkeypatch: pytest.MonkeyPatch) -> None:
    far = [(0, 0), (0, 6000), (1000, 6000), (1000, 0)]
    lay(*((list(piece), {}) for piece in pairwise(far)))
    looks = []
    costs = queries.costs
    monkeypatch.setattr(queries, "costs", lambda *asked: looks.append(asked) or costs(*asked))
    found = lay.ways((1000, 100), (0, 100), profile=SLOW)[0]
    assert found == Way(pytest.approx(seconds(12_800, RESIDENTIAL), rel=0.01), "road")
    assert len(looks) == 2


def lattice(chance: Random) -> list[tuple[Line, dict[str, str]]]:
    """Streets of a town of 8 × 8 blocks, some missing, some one-way, one in three a wider one."""
    streets = []
    for x in range(9):
        for y in range(9):
            for ahead in ((x + 1, y), (x, y + 1)):
                if max(ahead) > 8 or chance.random() < 0.15:
                    continue
                tags = {"highway": chance.choice(["residential", "service", "primary"])}
                if chance.random() < 0.3:
                    tags["oneway"] = chance.choice(["yes", "-1"])
                bend = (170 * (x + ahead[0]) / 2 + chance.uniform(-30, 30), 170 * (y + ahead[1]) / 2)
                line: Line = [(170.0 * x, 170.0 * y), bend, (170.0 * ahead[0], 170.0 * ahead[1])]
                streets.append((line, tags))
    return streets


def by_hand(conn: Db, spot: At, place: At) -> float | None:
    """Seconds along the stored roads: both places put into the net as nodes of their own, then Dijkstra's algorithm."""
    edges = conn.execute(
        "SELECT id, source, target, cost_s, reverse_s, ST_AsBinary(geom) FROM road_edge ORDER BY id"
    ).fetchall()
    squeeze = math.cos(math.radians(degrees(0, 0)[1]))
    shapes = shapely.transform(
        shapely.from_wkb([bytes(row[5]) for row in edges]), lambda xy: xy * [squeeze * 111_195, 111_195]
    )
    ways: dict[object, list[tuple[object, float]]] = {}
    walked, cuts = 0.0, {}
    for name, at in (("spot", spot), ("place", place)):
        lon, lat = degrees(*at)
        point = shapely.Point(lon * squeeze * 111_195, lat * 111_195)
        edge = min(range(len(edges)), key=lambda n: shapes[n].distance(point))
        walked += shapes[edge].distance(point)
        cuts.setdefault(edge, []).append((shapes[edge].project(point, normalized=True), name))
    for n, (_, source, target, cost_s, reverse_s, _) in enumerate(edges):
        stops = [(0.0, source), *sorted(cuts.get(n, [])), (1.0, target)]
        for (f, a), (g, b) in pairwise(stops):
            if cost_s >= 0:
                ways.setdefault(a, []).append((b, (g - f) * cost_s))
            if reverse_s >= 0:
                ways.setdefault(b, []).append((a, (g - f) * reverse_s))
    best, queue, count = {"place": 0.0}, [(0.0, 0, "place")], 0
    while queue:
        took, _, node = heapq.heappop(queue)
        if node == "spot":
            return took + seconds(walked, RULES.walk_kmh)
        for after, more in ways.get(node, []):
            if took + more < best.get(after, math.inf):
                best[after] = took + more
                count += 1
                heapq.heappush(queue, (took + more, count, after))
    return None


@pytest.mark.parametrize("seed", range(4))
def test_the_same_as_a_plain_dijkstra(lay: Lay, seed: int) -> None:
    chance = Random(seed)
    lay(*lattice(chance))
    fastest = queries.fastest_kmh(lay.conn)
    assert fastest == PRIMARY
    spot = (chance.uniform(0, 1360), chance.uniform(0, 1360))
    places = [(chance.uniform(0, 1360), chance.uniform(0, 1360)) for _ in range(25)]
    measured = 0
    for place, found in zip(places, lay.ways(spot, *places), strict=True):
        expected = by_hand(lay.conn, spot, place)
        on_foot = on_foot_s(math.dist(place, spot), PROFILE)
        if found.by == "straight":
            assert expected is None
            continue
        measured += found.by == "road"
        assert found.seconds == pytest.approx(min(expected or math.inf, on_foot), rel=0.02, abs=4)
        assert found.seconds >= least_s(math.dist(place, spot), PROFILE, fastest)
    assert measured >= 15


def test_nobody_is_quicker_than_the_least(lay: Lay) -> None:
    """The search for candidates stops at what nobody farther off can undercut."""
    lay(([(-5000, 0), (5000, 0)], {"highway": "trunk"}))
    fastest = queries.fastest_kmh(lay.conn)
    for found, metres in zip(lay.ways((0, 0), (40, 0), (1000, 3), (4900, 0)), (40, 1000, 4900), strict=True):
        assert (
            least_s(metres, PROFILE, fastest) <= found.seconds <= 1.05 * least_s(metres, PROFILE, fastest) + 3
        )
    assert least_s(1000, PROFILE) == travel_s(1000, PROFILE)
    assert least_s(1000, PROFILE, 5) == pytest.approx(0.99 * travel_s(1000, PROFILE))
