"""Whether polygons fit together: overlaps and gaps, wide or hair-thin, found in degrees, measured in m²."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from geodata.importing.area_rows import polygons_of

Shapes = NDArray[np.object_]
NOTHING_M2 = 0.05  # less is rounding
NOTHING_M = 0.001
SLIVER_M = 3.0  # mean width below which a piece is the trace of two pens and no place


@dataclass(frozen=True, slots=True)
class Piece:
    """A place that two areas claim (`owners` both) or none does (`owners` those around it)."""

    owners: tuple[int, ...]
    shape: Any  # Polygon or MultiPolygon, degrees
    area_m2: float
    sliver: bool


class Measure:
    """Areas and lengths of shapes in degrees, in an equal-area projection about their middle (Lambert, WGS84)."""

    def __init__(self, shapes: Shapes) -> None:
        west, south, east, north = shapely.total_bounds(shapes)
        middle = f"+lat_0={(south + north) / 2:.6f} +lon_0={(west + east) / 2:.6f}"
        self._project = Transformer.from_crs(
            4326, f"+proj=laea {middle} +datum=WGS84 +units=m", always_xy=True
        )

    def flat(self, shapes: Any) -> Any:
        """Shapes in metres."""
        return shapely.transform(
            shapes, lambda xy: np.column_stack(self._project.transform(xy[:, 0], xy[:, 1]))
        )

    def area_m2(self, shape: Any) -> float:
        """Area of one shape."""
        return float(shapely.area(self.flat(shape)))

    def width_m(self, shape: Any) -> float:
        """Mean width: twice the area by the perimeter."""
        flat = self.flat(shape)
        return 2 * float(shapely.area(flat)) / max(float(shapely.length(flat)), 1e-9)


def overlaps(shapes: Shapes, measure: Measure) -> Iterator[Piece]:
    """Each pair of valid shapes that share ground, by index. Areas that form a coverage cost one linear pass."""
    if bool(shapely.coverage_is_valid(shapes)):
        return
    edges = shapely.coverage_invalid_edges(shapes)
    suspect = ~shapely.is_empty(edges)
    tree = shapely.STRtree(shapes)
    indices = np.flatnonzero(suspect)
    left, right = tree.query(shapes[indices])
    pairs = {
        (int(min(indices[a], b)), int(max(indices[a], b)))
        for a, b in zip(left, right, strict=True)
        if indices[a] != b
    }
    ordered = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    inside = shapely.relate_pattern(shapes[ordered[:, 0]], shapes[ordered[:, 1]], "T********")
    for one, other in ordered[inside]:
        piece = polygons_of(shapely.intersection(shapes[one], shapes[other]))
        found = piece is not None and _piece((int(one), int(other)), piece, measure)
        if found:
            yield found


def union(shapes: Shapes) -> Any:
    """The ground that shapes cover together."""
    if bool(shapely.coverage_is_valid(shapes)):
        return shapely.coverage_union_all(shapes)
    return shapely.union_all(shapes)


def gaps(shapes: Shapes, measure: Measure, outline: Any = None) -> Iterator[Piece]:
    """Holes between valid shapes; with an outline also the ground inside it that none covers."""
    covered = union(shapes)
    if outline is None:
        rings = [ring for part in shapely.get_parts(covered) for ring in part.interiors]
        missing = shapely.polygons(rings) if rings else np.array([], dtype=object)
    else:
        missing = shapely.get_parts(polygons_of(shapely.difference(outline, covered)) or shapely.Point())
        missing = np.array([part for part in missing if part.geom_type == "Polygon"], dtype=object)
    if not len(missing):
        return
    tree = shapely.STRtree(shapes)
    for hole in missing:
        around = tuple(sorted(int(index) for index in tree.query(hole, predicate="intersects")))
        found = _piece(around, hole, measure)
        if found:
            yield found


def _piece(owners: tuple[int, ...], shape: Any, measure: Measure) -> Piece | None:
    area, width = measure.area_m2(shape), measure.width_m(shape)
    if area < NOTHING_M2 or width < NOTHING_M:
        return None
    return Piece(owners, shape, area, width < SLIVER_M)
