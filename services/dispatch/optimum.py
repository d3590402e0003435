"""Who takes what so that all together walk least: optimal assignment, several places a worker at a rising price."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Metres = NDArray[np.float64]
AXIS_M, ECCENTRICITY_2 = 6_378_137.0, 0.0066943799901413165  # WGS 84
NOBODY = -1


def distances(lon: Metres, lat: Metres, other_lon: Metres, other_lat: Metres) -> Metres:
    """Metres between each point of the first and each of the second (degrees, EPSG:4326), as a matrix.

    The chord of the WGS 84 ellipsoid: shorter than the geodesic by 1 cm at 20 km and 1 m at 100 km.
    """
    from scipy.spatial.distance import cdist  # 0.2 s at import

    found: Metres = cdist(in_space(lon, lat), in_space(other_lon, other_lat))
    return found


def optimum(cost: Metres, free: NDArray[np.int64], step: float) -> NDArray[np.int64]:
    """For each row (ticket) the column (worker) that takes it, or NOBODY, at the least cost in all.

    `cost` is in metres, infinite where the worker may not take the ticket; `free` tells how many each worker can still
    take, and each further one of the same worker costs `step` metres more. As many rows as possible are placed; if not
    all can be, the earlier ones are, so give the most urgent first.

    Exact, as what is left out cannot be of use: of n rows each needs its n cheapest workers only, as one of them is
    always left by the others; and a worker's dearer place only once all of their cheaper ones are taken.
    Method: Crouse 2016, as in scipy.
    """
    rows = len(cost)
    known = np.flatnonzero((free > 0) & np.isfinite(cost).any(axis=0))
    if rows == 0 or known.size == 0:
        return np.full(rows, NOBODY, dtype=np.int64)
    if known.size < cost.shape[1]:
        cost, free = cost[:, known], free[known]
    if rows < known.size:
        worth = np.zeros(known.size, dtype=np.bool_)
        worth[np.argpartition(cost, rows - 1, axis=1)[:, :rows]] = True
        if not worth.all():
            cost, free, known = cost[:, worth], free[worth], known[worth]
    chosen = _solved(cost, free, step)
    return np.append(known, NOBODY)[chosen]


def _solved(cost: Metres, free: NDArray[np.int64], step: float) -> NDArray[np.int64]:
    """`optimum` of what is worth weighing; each worker has a column for each place that is offered."""
    workers = cost.shape[1]
    by_hand = one_by_one(cost, free, step)
    used = np.bincount(by_hand[by_hand >= 0], minlength=workers)
    offered = np.minimum(1, free)
    owner, matrix = np.arange(workers), cost
    if (by_hand < 0).any():
        owner, matrix = (
            np.append(owner, np.full(len(cost), workers)),
            np.hstack([cost, _left_over(cost, free, step)]),
        )
    while True:
        more = np.flatnonzero((used >= offered) & (offered < free))
        if more.size:
            owner = np.append(owner, more)
            matrix = np.hstack([matrix, cost[:, more] + step * offered[more]])
            offered[more] += 1
            continue
        chosen = owner[_matched(matrix)]
        used = np.bincount(chosen, minlength=workers + 1)[:workers]
        if not ((used == offered) & (offered < free)).any():
            return np.where(chosen < workers, chosen, NOBODY)


def _matched(cost: Metres) -> NDArray[np.int64]:
    """A column of its own for each row, at the least cost in all; there is one."""
    from scipy.optimize import linear_sum_assignment  # 0.1 s at import

    found: NDArray[np.int64] = linear_sum_assignment(cost)[1]
    return found


def one_by_one(cost: Metres, free: NDArray[np.int64], step: float = 0.0) -> NDArray[np.int64]:
    """What a dispatcher does by hand: each row in turn to the cheapest who still has a place, or NOBODY.

    Each further one of the same worker costs `step` more.
    """
    left, price = free.copy(), np.where(free > 0, 0.0, np.inf)
    chosen = np.full(len(cost), NOBODY, dtype=np.int64)
    for row in range(len(cost)) if cost.shape[1] else ():
        weighed = cost[row] + price
        best = int(weighed.argmin())
        if np.isfinite(weighed[best]):
            chosen[row] = best
            left[best] -= 1
            price[best] = price[best] + step if left[best] else np.inf
    return chosen


def _left_over(cost: Metres, free: NDArray[np.int64], step: float) -> Metres:
    """A column for each row that stands for "nobody": dearer than any detour, and dearest for the first."""
    rows = len(cost)
    finite = cost[np.isfinite(cost)]
    dearest = float(finite.max(initial=0.0)) + step * float(free.max(initial=0))
    gap = rows * (dearest + 1.0)
    columns: Any = np.full((rows, rows), np.inf)
    np.fill_diagonal(columns, gap * (2 * rows - np.arange(rows)))
    found: Metres = columns
    return found


def in_space(lon: Metres, lat: Metres) -> Metres:
    """Points on the ellipsoid in metres from the middle of the earth."""
    east, north = np.radians(lon), np.radians(lat)
    radius = AXIS_M / np.sqrt(1 - ECCENTRICITY_2 * np.sin(north) ** 2)
    level = radius * np.cos(north)
    found: Metres = np.column_stack(
        [level * np.cos(east), level * np.sin(east), radius * (1 - ECCENTRICITY_2) * np.sin(north)]
    )
    return found
