"""The dense core of an area: where so many grids crowd together that a map of the whole needs an inset."""

from math import cos, radians

import numpy as np

from geodata.queries import trail as q
from geodata.scope import Db
from services.breadcrumb import Step

Bounds = tuple[float, float, float, float]

CELLS = 64  # of the raster along each side of the area
WIDTHS = (
    0.16,
    0.2,
    0.25,
    0.3,
)  # of the extract, as shares of the area's width; the smallest that holds enough wins
LEAST_SHARE = 0.25  # of all grids
CROWDED = 2.5  # times as many grids as its share of the area's box


def core_of(conn: Db, area: Step, aspect: float) -> Bounds | None:
    """The box [west, south, east, north] in degrees where grids crowd most; None where they are spread evenly.

    `aspect` is the width of the box by its height on the ground. A window slides over a raster of the grids' label
    points (two-dimensional prefix sums), and the one that holds most of them is taken.
    """
    if area.bounds is None:
        return None
    points = np.array(q.grid_points(conn, area.no, area.hi), dtype=float)
    return densest(points, area.bounds, aspect) if len(points) else None


def densest(points: np.ndarray, bounds: Bounds, aspect: float) -> Bounds | None:
    """The same for points given as an array of shape (n, 2), degrees."""
    west, south, east, north = bounds
    width, height = east - west, north - south
    if width <= 0 or height <= 0 or len(points) < 100:
        return None
    counts, _, _ = np.histogram2d(points[:, 0], points[:, 1], CELLS, [[west, east], [south, north]])
    sums = np.pad(counts.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    degrees_a_degree = cos(
        radians((south + north) / 2)
    )  # ground width of a degree of longitude, in degrees of latitude
    for share in WIDTHS:
        tall = share * width * degrees_a_degree / aspect / height
        across, up = max(2, round(share * CELLS)), max(2, round(tall * CELLS))
        if up >= CELLS:
            return None
        held = sums[across:, up:] - sums[:-across, up:] - sums[across:, :-up] + sums[:-across, :-up]
        column, row = np.unravel_index(int(held.argmax()), held.shape)
        part = float(held[column, row]) / len(points)
        if part >= LEAST_SHARE and part >= CROWDED * (across / CELLS) * (up / CELLS):
            left, bottom = west + column / CELLS * width, south + row / CELLS * height
            right, top = left + across / CELLS * width, bottom + up / CELLS * height
            return (round(left, 6), round(bottom, 6), round(right, 6), round(top, 6))
    return None
