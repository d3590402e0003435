"""Lines noded at the vertices that they share: the pieces of a road net, and which of them hang together."""

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.importing.vectors import Shapes

Whole = NDArray[np.int64]
Metres = NDArray[np.float64]
DIGITS_DEGREES, DIGITS_METRES = 7, 3  # equal beyond these is equal: 1 cm, 1 mm
EARTH = Geod(ellps="WGS84")


class Net(NamedTuple):
    """One entry a piece: the line it is of, its end nodes (from 0), metres, the part it hangs in, its shape (degrees).

    Parts are counted from 1, the longest first; a piece has a length.
    """

    line: Whole
    source: Whole
    target: Whole
    metres: Metres
    part: Whole
    shapes: Shapes

    def __len__(self) -> int:
        return len(self.line)

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(np.unique(np.concatenate([self.source, self.target])))

    def of(self, chosen: NDArray[np.bool_]) -> "Net":
        """Those pieces alone."""
        line, source, target, metres, part, shapes = self
        return Net(line[chosen], source[chosen], target[chosen], metres[chosen], part[chosen], shapes[chosen])


def noded(shapes: Shapes, stated: Shapes) -> Net:
    """Lines (LineStrings in degrees, EPSG:4326) cut where they end, and where they share a vertex with a line.

    `stated` are the same lines as the file has them: equal vertices are told by those, before anything was converted.
    Lines that cross without a common vertex stay apart: one is a bridge. What has no length gives no piece.
    """
    degrees, line = shapely.get_coordinates(shapes, return_index=True)
    vertex = _same(shapely.get_coordinates(stated))
    fresh = np.ones(len(line), bool)  # a vertex told twice in a row is one
    fresh[1:] = (vertex[1:] != vertex[:-1]) | (line[1:] != line[:-1])
    degrees, line, vertex = degrees[fresh], line[fresh].astype(np.int64), vertex[fresh]
    if not len(line):
        return _nothing()
    changes = line[1:] != line[:-1]
    first, last = np.concatenate([[True], changes]), np.concatenate([changes, [True]])
    node = first | last | (np.bincount(vertex)[vertex] > 1)
    at = np.flatnonzero(node)
    piece = line[at[1:]] == line[at[:-1]]
    begins, ends = at[:-1][piece], at[1:][piece]
    if not len(begins):
        return _nothing()
    names, both = np.unique(np.concatenate([vertex[begins], vertex[ends]]), return_inverse=True)
    source, target = both[: len(begins)].astype(np.int64), both[len(begins) :].astype(np.int64)
    metres = _lengths(degrees, begins, ends)
    part = _parts(source, target, metres, len(names))
    return Net(line[begins], source, target, metres, part, _cut(degrees, begins, ends))


def _same(xy: NDArray[np.float64]) -> Whole:
    """A number for each vertex, equal for those at one place."""
    digits = DIGITS_DEGREES if not len(xy) or np.abs(xy).max() <= 360 else DIGITS_METRES
    rounded = np.round(xy, digits) + 0.0  # no -0.0
    return np.unique(rounded[:, 0] + 1j * rounded[:, 1], return_inverse=True)[1].astype(np.int64)


def _lengths(degrees: NDArray[np.float64], begins: Whole, ends: Whole) -> Metres:
    """Metres on the ellipsoid from one vertex to another along the line."""
    lon, lat = degrees[:, 0], degrees[:, 1]
    steps = EARTH.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])[2]
    walked = np.concatenate([[0.0], np.cumsum(steps)])
    found: Metres = walked[ends] - walked[begins]
    return found


def _parts(source: Whole, target: Whole, metres: Metres, nodes: int) -> Whole:
    links = coo_array((np.ones(len(source)), (source, target)), shape=(nodes, nodes))
    count, label = connected_components(links, directed=False)
    long = np.bincount(label[source], weights=metres, minlength=count)
    rank = np.empty(count, np.int64)
    rank[np.argsort(-long, kind="stable")] = np.arange(1, count + 1)
    found: Whole = rank[label[source]]
    return found


def _cut(degrees: NDArray[np.float64], begins: Whole, ends: Whole) -> Shapes:
    counts = ends - begins + 1
    owner = np.repeat(np.arange(len(begins)), counts)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    shapes: Shapes = shapely.linestrings(degrees[begins[owner] + offsets], indices=owner)
    return shapes


def _nothing() -> Net:
    whole = np.array([], np.int64)
    return Net(whole, whole, whole, np.array([], np.float64), whole, np.array([], dtype=object))
