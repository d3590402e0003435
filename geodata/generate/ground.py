"""Points strewn over an outline, denser where people live, and the graph of who is next to whom."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay, Voronoi, cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ATOMS = 30  # points a grid: enough for a rounded shape


@dataclass(frozen=True)
class Metres:
    """A flat map around a point, good to a few metres over a county: lon/lat ↔ metres east and north."""

    lon: float
    lat: float

    @property
    def _scale(self) -> Floats:
        return np.array([111_320 * np.cos(np.radians(self.lat)), 110_574.0])

    def flat(self, lonlat: Floats) -> Floats:
        """Degrees to metres, shape (n, 2)."""
        return (np.asarray(lonlat) - (self.lon, self.lat)) * self._scale

    def degrees(self, xy: Floats) -> Floats:
        """Metres to degrees, shape (n, 2)."""
        return xy / self._scale + (self.lon, self.lat)


@dataclass(frozen=True)
class Core:
    """A built-up area: its middle in metres, its radius in metres and the number of urban grids in it."""

    x: float
    y: float
    radius_m: float
    grids: float


@dataclass(frozen=True)
class Ground:
    """The points of one county (metres), their neighbours and the Voronoi cells around them."""

    xy: Floats  # (n, 2)
    density: Floats  # points a m² wished for at each point
    edges: Ints  # (m, 2) pairs of neighbours whose cells touch inside the outline
    ridges: Floats  # (m, 2, 2) the two ends of the border between the pair
    cost: Floats  # (m,) what it takes to grow over the edge, about 1 a step


def strew(outline: shapely.Geometry, cores: Sequence[Core], rural: float, rng: np.random.Generator) -> Ground:
    """Points and graph for an outline (metres): ATOMS points for each of the cores' grids and the `rural` ones."""
    points, density = _points(outline, cores, rural, rng)
    points, density = _relax(points, density, outline)
    return _graph(points, density, outline, rng)


def _points(
    outline: shapely.Geometry, cores: Sequence[Core], rural: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    west, south, east, north = outline.bounds
    total = ATOMS * (rural + sum(c.grids for c in cores))
    bits = int(np.clip(np.ceil(np.log2(total * 16) / 2), 7, 11))
    side = 1 << bits
    column, row = _hilbert(bits)
    cell = np.array([(east - west) / side, (north - south) / side])
    centre = np.column_stack([west + (column + 0.5) * cell[0], south + (row + 0.5) * cell[1]])
    inside = shapely.contains_xy(outline, centre[:, 0], centre[:, 1])
    centre = centre[inside]
    mass = _mass(centre, cores, rural, rng)
    run = np.cumsum(mass)
    count = round(run[-1])
    at = (np.arange(count) + rng.uniform(0.15, 0.85, count)) * run[-1] / count
    pick = np.minimum(np.searchsorted(run, at), len(centre) - 1)
    points = centre[pick] + rng.uniform(-0.5, 0.5, (count, 2)) * cell
    kept = shapely.contains_xy(outline, points[:, 0], points[:, 1])
    return points[kept], (mass[pick] / (cell[0] * cell[1]))[kept]


def _mass(centre: Floats, cores: Sequence[Core], rural: float, rng: np.random.Generator) -> Floats:
    """Points wished for in each raster cell; sums to ATOMS a grid."""
    mass = np.zeros(len(centre))
    country = 0.75 + 0.5 * _waves(centre, rng)
    for core in cores:
        d = np.hypot(centre[:, 0] - core.x, centre[:, 1] - core.y) / core.radius_m
        country *= (
            1 + 0.9 * np.exp(-((np.minimum(d, 30) * core.radius_m / 2500) ** 2)) - 0.9 * np.exp(-(d**2))
        )
        if core.grids > 0:
            ragged = np.exp(-(d**2.2)) * (0.55 + 0.9 * _waves(centre, rng, core.radius_m * 1.2))
            mass += ATOMS * core.grids * ragged / ragged.sum()
    country = np.maximum(country, 0.08)
    if rural:
        mass += ATOMS * rural * country / country.sum()
    return mass


def _waves(xy: Floats, rng: np.random.Generator, length_m: float = 9_000) -> Floats:
    """A smooth random field in 0..1 with hills about `length_m` across."""
    field = np.zeros(len(xy))
    for _ in range(7):
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        k = 2 * np.pi / (length_m * rng.uniform(0.6, 2.2))
        field += np.sin(k * (xy[:, 0] * np.cos(angle) + xy[:, 1] * np.sin(angle)) + phase)
    return 0.5 + 0.5 * np.tanh(field / 2.6)


def _hilbert(bits: int) -> tuple[Ints, Ints]:
    """Columns and rows of all cells of a 2^bits square in the order of the Hilbert curve."""
    d = np.arange(1 << (2 * bits), dtype=np.int64)
    x = np.zeros_like(d)
    y = np.zeros_like(d)
    t = d.copy()
    s = 1
    while s < (1 << bits):
        rx = 1 & (t // 2)
        ry = 1 & (t ^ rx)
        flip = (ry == 0) & (rx == 1)
        x, y = np.where(flip, s - 1 - x, x), np.where(flip, s - 1 - y, y)
        x, y = np.where(ry == 0, y, x), np.where(ry == 0, x, y)
        x += s * rx
        y += s * ry
        t //= 4
        s *= 2
    return x, y


def _relax(points: Floats, density: Floats, outline: shapely.Geometry) -> tuple[Floats, Floats]:
    """Move each point half-way to the middle of its neighbours: rounder cells."""
    indptr, indices = Delaunay(points).vertex_neighbor_vertices
    degree = np.diff(indptr)
    near = csr_matrix((np.ones(len(indices)), indices, indptr), shape=(len(points), len(points)))
    moved = 0.5 * points + 0.5 * (near @ points) / degree[:, None]
    ok = shapely.contains_xy(outline, moved[:, 0], moved[:, 1])
    return np.where(ok[:, None], moved, points), density


def _graph(points: Floats, density: Floats, outline: shapely.Geometry, rng: np.random.Generator) -> Ground:
    west, south, east, north = outline.bounds
    span = 10 * max(east - west, north - south)
    turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    far = np.column_stack(
        [(west + east) / 2 + span * np.cos(turn), (south + north) / 2 + span * np.sin(turn)]
    )
    diagram = Voronoi(np.vstack([points, far]))
    pairs = diagram.ridge_points
    ends = np.asarray(diagram.ridge_vertices)
    real = (pairs < len(points)).all(axis=1) & (ends >= 0).all(axis=1)
    pairs, ends = pairs[real], ends[real]
    # The same vertex must be the same number for all its ridges: whole micrometres.
    ridges = np.round(diagram.vertices, 6)[ends]
    shapely.prepare(outline)
    inside = shapely.intersects(outline, shapely.linestrings(ridges))
    pairs, ridges = pairs[inside].astype(np.int64), ridges[inside]
    pairs, ridges = _reconnect(points, pairs, ridges, outline)
    step = np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T) * np.sqrt(density[pairs]).mean(axis=1)
    noise = _rough(len(points), pairs, rng)
    cost = np.maximum(step, 0.2) * np.exp(noise[pairs].mean(axis=1))
    return Ground(points, density, pairs, ridges, cost)


def _reconnect(points: Floats, pairs: Ints, ridges: Floats, outline: shapely.Geometry) -> tuple[Ints, Floats]:
    """Join points that a notch of the outline cut off to the nearest one of the same part."""
    parts = shapely.get_parts(outline)
    part = np.zeros(len(points), dtype=np.int64)
    for number, polygon in enumerate(parts):
        part[shapely.contains_xy(polygon, points[:, 0], points[:, 1])] = number
    _, label = connected_components(
        csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points),) * 2),
        directed=False,
    )
    extra = []
    for number in range(len(parts)):
        member = np.flatnonzero(part == number)
        values, counts = np.unique(label[member], return_counts=True)
        if len(values) < 2:
            continue
        main = member[label[member] == values[counts.argmax()]]
        rest = member[label[member] != values[counts.argmax()]]
        _, nearest = cKDTree(points[main]).query(points[rest])
        extra.append(np.column_stack([rest, main[nearest]]))
    if not extra:
        return pairs, ridges
    added = np.vstack(extra)
    return np.vstack([pairs, added]), np.concatenate([ridges, np.full((len(added), 2, 2), np.nan)])


def _rough(count: int, pairs: Ints, rng: np.random.Generator) -> Floats:
    """Random hills on the graph, fine and coarse, so that what grows over it gets natural edges."""
    both = np.vstack([pairs, pairs[:, ::-1]])
    near = csr_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(count, count))
    degree = np.maximum(np.asarray(near.sum(axis=1)).ravel(), 1)
    total = np.zeros(count)
    for rounds, strength in ((1, 0.30), (4, 0.30), (14, 0.25)):
        values = rng.standard_normal(count)
        for _ in range(rounds):
            values = 0.5 * values + 0.5 * (near @ values) / degree
        total += strength * values / values.std()
    return total
