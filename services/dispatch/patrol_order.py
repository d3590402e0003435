"""In which order somebody best walks to several places: the shortest open path from where they are."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from services.dispatch.optimum import distances

EXACT = 9  # up to so many places every order is weighed (Held and Karp 1962)
Method = Literal["exact", "2-opt"]


class Round(NamedTuple):
    """Indexes of the places in the order to walk them, each leg's metres (straight lines), and how it was found."""

    places: list[int]
    legs_m: list[float]
    method: Method

    @property
    def distance_m(self) -> float:
        """Metres in all."""
        return sum(self.legs_m)


def best_order(start: tuple[float, float], places: Sequence[tuple[float, float]]) -> Round:
    """The shortest open path from `start` through all places (lon, lat in degrees, EPSG:4326).

    Exact up to 9 places; beyond that nearest first, mended by turning parts round and moving single places (2-opt,
    or-opt) until neither shortens it.
    """
    if not places:
        return Round([], [], "exact")
    between = _between([start, *places])
    exact = len(places) <= EXACT
    path = _held_karp(between) if exact else _mended(between, _nearest_first(between))
    legs = [between[one][other] for one, other in pairwise([0, *path])]
    return Round([at - 1 for at in path], legs, "exact" if exact else "2-opt")


def length_m(start: tuple[float, float], places: Sequence[tuple[float, float]]) -> float:
    """Metres of the path through the places as given."""
    between = _between([start, *places])
    return sum(between[at][at + 1] for at in range(len(places)))


def _between(points: Sequence[tuple[float, float]]) -> list[list[float]]:
    lon, lat = np.array(points, dtype=np.float64).T
    found: list[list[float]] = distances(lon, lat, lon, lat).tolist()
    return found


def _held_karp(between: list[list[float]]) -> list[int]:
    """The exact order of the points 1 … n from point 0, by the best way to end each subset in each of its points."""
    count = len(between) - 1
    best: dict[tuple[int, int], tuple[float, int]] = {
        (1 << at, at): (between[0][at + 1], -1) for at in range(count)
    }
    for visited in range(1, 1 << count):
        for last in range(count):
            here = best.get((visited, last))
            if here is None:
                continue
            for after in range(count):
                if visited >> after & 1:
                    continue
                key = (visited | 1 << after, after)
                walked = here[0] + between[last + 1][after + 1]
                if key not in best or walked < best[key][0]:
                    best[key] = (walked, last)
    visited = (1 << count) - 1
    last = min(range(count), key=lambda at: best[visited, at][0])
    path: list[int] = []
    while last >= 0:
        path.append(last + 1)
        visited, last = visited ^ (1 << last), best[visited, last][1]
    return path[::-1]


def _nearest_first(between: list[list[float]]) -> list[int]:
    waiting = set(range(1, len(between)))
    path: list[int] = []
    at = 0
    while waiting:
        at = min(waiting, key=lambda other: (between[at][other], other))
        waiting.remove(at)
        path.append(at)
    return path


def _mended(between: list[list[float]], path: list[int]) -> list[int]:
    better: list[int] | None = path
    while better is not None:
        path, better = better, _turned(between, better) or _moved(between, better)
    return path


def _turned(between: list[list[float]], path: list[int]) -> list[int] | None:
    """The path with one part turned round, if that shortens it; the last part has no way on."""
    whole = [0, *path]
    for first in range(1, len(whole)):
        for last in range(first + 1, len(whole)):
            before, begin, end = whole[first - 1], whole[first], whole[last]
            after = whole[last + 1] if last + 1 < len(whole) else None
            was = between[before][begin] + (between[end][after] if after is not None else 0.0)
            now = between[before][end] + (between[begin][after] if after is not None else 0.0)
            if now < was - 1e-6:
                return [*path[: first - 1], *path[first - 1 : last][::-1], *path[last:]]
    return None


def _moved(between: list[list[float]], path: list[int]) -> list[int] | None:
    """The path with one place moved elsewhere, if that shortens it."""
    was = _walked(between, path)
    for at in range(len(path)):
        rest = [*path[:at], *path[at + 1 :]]
        for to in range(len(path)):
            moved = [*rest[:to], path[at], *rest[to:]]
            if _walked(between, moved) < was - 1e-6:
                return moved
    return None


def _walked(between: list[list[float]], path: list[int]) -> float:
    return sum(between[one][other] for one, other in pairwise([0, *path]))
