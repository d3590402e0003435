"""Whether coordinates fit better as another datum than the one they are said to be, told by ground that is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geodata.datum import DATUMS, Datum, to_wgs84
from geodata.importing.vectors import Shapes, moved

CLEARLY = 0.005  # of the ground


@dataclass(frozen=True, slots=True)
class Fit:
    """How much of the known ground and the file's ground is the same (0 to 1), as said and as the best datum."""

    said: Datum
    said_share: float
    best: Datum
    best_share: float

    @property
    def other(self) -> bool:
        """Whether another datum fits clearly better: at least half of what does not fit goes away."""
        gain = self.best_share - self.said_share
        return self.best != self.said and gain > CLEARLY and 1 - self.best_share < 0.5 * (1 - self.said_share)


def fit_datum(raw: Shapes, said: Datum, groups: Mapping[Any, Any], keys: list[Any]) -> Fit | None:
    """The datum under which the raw shapes (degrees as in the file) best cover the known ground.

    `groups` gives known ground by key, `keys` the key of each shape. None when there is nothing to hold them against.
    """
    members: dict[Any, list[int]] = {}
    for index, key in enumerate(keys):
        if key in groups and raw[index] is not None:
            members.setdefault(key, []).append(index)
    if not members:
        return None
    shares = {datum: _share(raw, datum, groups, members) for datum in DATUMS}
    best = max(DATUMS, key=lambda datum: (shares[datum], datum == said))
    return Fit(said, shares[said], best, shares[best])


def _share(raw: Shapes, datum: Datum, groups: Mapping[Any, Any], members: Mapping[Any, list[int]]) -> float:
    """Common ground by all ground, over all groups."""
    shapes = moved(raw, lambda xy: np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], datum)))
    common = everything = 0.0
    for key, indices in members.items():
        ground = shapely.union_all(shapely.make_valid(shapes[indices]))
        common += float(shapely.area(shapely.intersection(ground, groups[key])))
        everything += float(shapely.area(shapely.union(ground, groups[key])))
    return common / everything if everything else 0.0
