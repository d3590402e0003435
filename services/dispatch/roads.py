"""Ways to a spot along imported roads: on foot to the road, along it, and on foot from it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from geodata.queries import roads as queries
from geodata.queries.roads import Bounds, Stand
from geodata.scope import Db
from profiles import Profile
from services.dispatch.travel import Way, least_s, on_foot_s, straight

SPOT = -1  # no worker's id
# Around all places, in degrees: at least about 2 km, more for ways that are long themselves; then four times that.
LEAST_MARGIN, SHARE_MARGIN, WIDER = 0.02, 0.2, 4


class Place(NamedTuple):
    """Where somebody is, in degrees (EPSG:4326), and the metres of the straight line to the spot."""

    lon: float
    lat: float
    metres: float


def ways(
    conn: Db, profile: Profile, fastest_kmh: float, spot: tuple[float, float], places: Mapping[int, Place]
) -> dict[int, Way]:
    """The quickest way from each place (by id, 0 or more) to the spot (degrees): by road, or on foot if that is sooner.

    The straight line counts for places farther from any road than the profile's reach, or with no way by road; for all
    of them, if the spot is; and for those so far off that even on the fastest road, of `fastest_kmh`, the way would not
    earn a point: a ticket's own worker at the other end of the county is not worth reading all roads in between.
    """
    rules, far_s = profile.dispatch.roads, 60 * profile.dispatch.far_minutes
    near = {
        key: place for key, place in places.items() if least_s(place.metres, profile, fastest_kmh) < far_s
    }
    asked = [(SPOT, *spot), *((key, place.lon, place.lat) for key, place in near.items())]
    stands = queries.stands(conn, asked, rules.reach_m) if near else {}
    goal = stands.pop(SPOT, None)
    driven = _driven(conn, goal, stands) if goal else {}
    found = {}
    for key, place in places.items():
        if goal is None or key not in driven:
            found[key] = straight(place.metres, profile)
            continue
        walked_m = stands[key].off_m + goal.off_m
        by_road = Way(driven[key] + walked_m * 3.6 / rules.walk_kmh, "road")
        found[key] = min(by_road, Way(on_foot_s(place.metres, profile), "foot"))
    return found


def _driven(conn: Db, goal: Stand, stands: Mapping[int, Stand]) -> dict[int, float]:
    """Seconds along roads; who has no way is left out, after a second look at more of the net."""
    joined = {key: stand for key, stand in stands.items() if stand.part == goal.part}
    found: dict[int, float] = {}
    for times in (1, WIDER):
        missing = {key: stand for key, stand in joined.items() if key not in found}
        if not missing:
            break
        costs = queries.costs(
            conn, [node for stand in missing.values() for node in (stand.source, stand.target)],
            [goal.source, goal.target], _around([goal, *missing.values()], times),
        )  # fmt: skip
        for key, stand in missing.items():
            seconds = _quickest(stand, goal, costs)
            if seconds is not None:
                found[key] = seconds
    return found


def _quickest(stand: Stand, goal: Stand, costs: Mapping[tuple[int, int], float]) -> float | None:
    """Seconds from a point on one piece to a point on another, by any of their ends, or along the one that is both."""
    leaving = [
        (stand.target, (1 - stand.along) * stand.cost_s),
        (stand.source, stand.along * stand.reverse_s),
    ]
    coming = [(goal.source, goal.along * goal.cost_s), (goal.target, (1 - goal.along) * goal.reverse_s)]
    open_ways = [end for end, cost in zip(leaving, (stand.cost_s, stand.reverse_s), strict=True) if cost > 0]
    open_ends = [end for end, cost in zip(coming, (goal.cost_s, goal.reverse_s), strict=True) if cost > 0]
    found = [
        out_s + costs[out, into] + in_s
        for out, out_s in open_ways
        for into, in_s in open_ends
        if (out, into) in costs
    ]
    if stand.edge == goal.edge:
        ahead = goal.along - stand.along
        along_s = goal.cost_s if ahead >= 0 else goal.reverse_s
        if along_s > 0:
            found.append(abs(ahead) * along_s)
    return min(found, default=None)


def _around(stands: Sequence[Stand], times: float) -> Bounds:
    west, east = min(one.lon for one in stands), max(one.lon for one in stands)
    south, north = min(one.lat for one in stands), max(one.lat for one in stands)
    margin = times * max(LEAST_MARGIN, SHARE_MARGIN * max(east - west, north - south))
    return west - margin, south - margin, east + margin, north + margin
