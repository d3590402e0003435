"""How long a worker needs to a spot: along roads where there are some, else the straight line, a detour and a speed."""

from typing import Literal, NamedTuple

from profiles import Profile

Method = Literal["straight", "roads"]  # what times are measured along: roads where the place imported them
By = Literal["road", "foot", "straight"]  # how one of them was measured
EASE = 0.99  # roads are measured along a thinned line, and places on them to a hair


class Way(NamedTuple):
    """Seconds to a spot, and how they were measured."""

    seconds: float
    by: By


def travel_s(distance_m: float, profile: Profile) -> float:
    """Seconds for a straight line of so many metres; plain arithmetic, so an array of metres gives one of seconds."""
    rules = profile.dispatch
    return distance_m * rules.detour * 3.6 / rules.speed_kmh


def straight(distance_m: float, profile: Profile) -> Way:
    """The way of a straight line of so many metres."""
    return Way(travel_s(distance_m, profile), "straight")


def on_foot_s(distance_m: float, profile: Profile) -> float:
    """Seconds to walk there without a road, with the same detour."""
    return distance_m * profile.dispatch.detour * 3.6 / profile.dispatch.roads.walk_kmh


def least_s(distance_m: float, profile: Profile, fastest_kmh: float | None = None) -> float:
    """Seconds that nobody so many metres off undercuts, whichever way; `fastest_kmh` is that of the roads, if any."""
    if fastest_kmh is None:
        return travel_s(distance_m, profile)
    rules = profile.dispatch
    quickest = max(fastest_kmh, rules.roads.walk_kmh, rules.speed_kmh / rules.detour)
    return EASE * distance_m * 3.6 / quickest
