"""How long a worker needs to a spot: the straight line, a stated detour, a stated speed."""

from typing import Literal

from profiles import Profile

Method = Literal["straight"]  # what a distance is measured along


def travel_s(distance_m: float, profile: Profile) -> float:
    """Seconds for a straight line of so many metres; plain arithmetic, so an array of metres gives one of seconds."""
    rules = profile.dispatch
    return distance_m * rules.detour * 3.6 / rules.speed_kmh
