"""Winding: neighbours pass their shared borders the same way, and the shapes stay what they are."""

import brotli
import numpy as np
import orjson
import shapely

from services.winding import Polygon, turned

RNG = np.random.default_rng(5)


def lattice(size: int, points: int = 12) -> list[Polygon]:
    """Squares with crooked borders that neighbours share, all counterclockwise; the first has a hole."""
    across = RNG.normal(0, 0.02, (size, size + 1, points))
    down = RNG.normal(0, 0.02, (size + 1, size, points))
    steps = np.arange(points) / points

    def side(column: int, row: int, flat: bool) -> list[list[float]]:
        bend = across[column, row] if flat else down[column, row]
        bend[0] = 0
        where = (column + steps, row + bend) if flat else (column + bend, row + steps)
        return np.round(np.column_stack(where), 5).tolist()

    found = []
    for column in range(size):
        for row in range(size):
            ends = [[float(column + x), float(row + y)] for x, y in ((1, 0), (1, 1), (0, 1), (0, 0))]
            bottom, right = side(column, row, True), side(column + 1, row, False)
            top, left = side(column, row + 1, True), side(column, row, False)
            ring = [*bottom, *right, ends[1], *top[:0:-1], ends[2], *left[:0:-1], bottom[0]]
            found.append([ring])
    found[0].append([[0.4, 0.4], [0.4, 0.6], [0.6, 0.6], [0.4, 0.4]])
    return found


def test_shapes_stay_what_they_are_and_holes_go_against_their_outline() -> None:
    before = lattice(8)
    after = turned(before)
    for one, other in zip(before, after, strict=True):
        assert shapely.equals(shapely.Polygon(one[0], one[1:]), shapely.Polygon(other[0], other[1:]))
        assert other in (one, [ring[::-1] for ring in one])
    ways = [shapely.LinearRing(ring).is_ccw for ring in after[0]]
    assert ways in ([True, False], [False, True])


def test_neighbours_go_the_same_way_and_the_whole_is_smaller() -> None:
    before = lattice(8)
    after = turned(before)
    ways = np.array([shapely.LinearRing(polygon[0]).is_ccw for polygon in after]).reshape(8, 8)
    assert (ways[1:] != ways[:-1]).mean() > 0.9 and (ways[:, 1:] != ways[:, :-1]).mean() > 0.9
    sizes = [len(brotli.compress(orjson.dumps(one), quality=9)) for one in (before, after)]
    assert sizes[1] < 0.8 * sizes[0]


def test_nothing_and_polygons_far_apart_are_left_alone() -> None:
    apart: list[Polygon] = [[[[x, 0.0], [x + 1, 0.0], [x, 1.0], [x, 0.0]]] for x in (0.0, 5.0, 10.0)]
    assert turned([]) == [] and turned(apart) == apart
