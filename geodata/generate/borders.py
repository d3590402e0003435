"""From labelled points to polygons: rounded borders that neighbours share bit for bit, exact up to the real outline."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geodata.generate.ground import Floats, Ground, Ints, Metres

STEP_DEGREES = 1e-6  # coordinates are whole steps: about 0.1 m
DETAIL = 0.015  # how far thinning may move a border, as a part of the distance between points
Shapes = NDArray[np.object_]


def lines_between(ground: Ground, labels: Ints, outline: shapely.Geometry, passes: int = 2) -> Shapes:
    """The borders between labels as smooth lines (metres), split where three meet; they end just past the outline."""
    a, b = ground.edges.T
    split = (labels[a] != labels[b]) & ~np.isnan(ground.ridges[:, 0, 0])
    merged = shapely.line_merge(shapely.multilinestrings(_trimmed(ground.ridges[split], outline)))
    lines = shapely.get_parts(merged)
    smooth = _chaikin(_chaikin(_even_out(lines, passes)))
    near = cKDTree(ground.xy).query(
        shapely.get_coordinates(shapely.line_interpolate_point(smooth, 0.5, True))
    )[1]
    thinned: Shapes = shapely.simplify(
        smooth, DETAIL / np.sqrt(ground.density[near]), preserve_topology=False
    )
    return thinned


def _trimmed(ridges: Floats, outline: shapely.Geometry) -> Shapes:
    """Ridges as lines; what lies outside is cut off, but for half a metre so that they surely meet the outline."""
    lines = shapely.linestrings(ridges)
    shapely.prepare(outline)
    whole = shapely.contains_properly(outline, lines)
    pieces = shapely.get_parts(shapely.intersection(lines[~whole], outline))
    ends = shapely.get_coordinates(pieces[shapely.get_type_id(pieces) == 1]).reshape(-1, 2, 2)
    along = ends[:, 1] - ends[:, 0]
    along /= np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    outside = ~shapely.contains_properly(outline, shapely.points(ends.reshape(-1, 2))).reshape(-1, 2)
    longer = ends + np.stack([-along, along], axis=1) * (0.5 * outside)[:, :, None]
    return np.concatenate([lines[whole], shapely.linestrings(longer)])


def _even_out(lines: Shapes, passes: int) -> Shapes:
    """Pull each inner vertex to the middle of its neighbours: takes the zigzag of the cells out."""
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    fixed = np.r_[True, owner[1:] != owner[:-1]] | np.r_[owner[1:] != owner[:-1], True]
    for _ in range(passes):
        pulled = xy.copy()
        pulled[1:-1] = 0.25 * xy[:-2] + 0.5 * xy[1:-1] + 0.25 * xy[2:]
        xy = np.where(fixed[:, None], xy, pulled)
    even: Shapes = shapely.linestrings(xy, indices=owner)
    return even


def _chaikin(lines: Shapes) -> Shapes:
    """Cut the corners once; the ends stay. Chaikin 1974."""
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    inner = owner[1:] == owner[:-1]
    a, b = xy[:-1][inner], xy[1:][inner]
    cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], axis=1).reshape(-1, 2)
    cut_owner = np.repeat(owner[:-1][inner], 2)
    first = np.r_[True, cut_owner[1:] != cut_owner[:-1]]
    last = np.r_[cut_owner[1:] != cut_owner[:-1], True]
    starts = np.r_[True, owner[1:] != owner[:-1]]
    finishes = np.r_[owner[1:] != owner[:-1], True]
    cut[first] = xy[starts]
    cut[last] = xy[finishes]
    smooth: Shapes = shapely.linestrings(cut, indices=cut_owner)
    return smooth


def cut_up(
    outlines: Sequence[shapely.Geometry],
    flat: Metres,
    grounds: Sequence[Ground],
    labels: Sequence[Ints],
    lines: Shapes,
) -> Shapes:
    """Polygons (degrees) by label: the outlines cut along the lines (metres), as one coverage.

    Labels count on from county to county; the answer has one Polygon or MultiPolygon for each.
    """
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    drawn = shapely.linestrings(np.round(flat.degrees(xy), 6), indices=owner)
    rings = shapely.boundary(np.asarray(outlines, dtype=object))
    network = shapely.union_all(np.concatenate([drawn, rings]), grid_size=STEP_DEGREES)
    faces = shapely.get_parts(shapely.polygonize([network]))
    inner = shapely.point_on_surface(faces)
    tree = shapely.STRtree(np.asarray(outlines, dtype=object))
    face, county = tree.query(inner, predicate="within")
    faces, inner = faces[face], inner[face]
    of_face = _majority(faces, inner, county, flat, grounds, labels)
    of_face = _reunite(faces, of_face, county)
    return _dissolve(faces, of_face, sum(len(np.unique(label)) for label in labels))


def _majority(
    faces: Shapes,
    inner: Shapes,
    county: Ints,
    flat: Metres,
    grounds: Sequence[Ground],
    labels: Sequence[Ints],
) -> Ints:
    """The label that most points inside each face carry; that of the nearest point for a face without any."""
    at = flat.flat(shapely.get_coordinates(inner))
    of_face = np.empty(len(faces), dtype=np.int64)
    for number, (ground, label) in enumerate(zip(grounds, labels, strict=True)):
        here = np.flatnonzero(county == number)
        of_face[here] = label[cKDTree(ground.xy).query(at[here])[1]]
        points = shapely.points(flat.degrees(ground.xy))
        point, face = shapely.STRtree(faces[here]).query(points, predicate="within")
        votes, count = np.unique(np.column_stack([face, label[point]]), axis=0, return_counts=True)
        order = np.lexsort((-count, votes[:, 0]))
        winner, first = np.unique(votes[order, 0], return_index=True)
        of_face[here[winner]] = votes[order[first], 1]
    return of_face


def _reunite(faces: Shapes, label: Ints, county: Ints) -> Ints:
    """A face cut off from the largest face of its label goes to the neighbour that it shares most border with."""
    label = label.copy()
    area = shapely.area(faces)
    order = np.lexsort((-area, label))
    values, first = np.unique(label[order], return_index=True)
    main = dict(zip(values.tolist(), order[first].tolist(), strict=True))
    loose = np.setdiff1d(np.arange(len(faces)), order[first])
    if not len(loose):
        return label
    tree = shapely.STRtree(faces)
    settled = np.zeros(len(faces), dtype=bool)
    settled[order[first]] = True
    for _ in range(8):
        for face in sorted(loose[~settled[loose]].tolist(), key=lambda f: -area[f]):
            near = tree.query(faces[face], predicate="touches")
            near = near[settled[near] & (county[near] == county[face])]
            shared = shapely.length(
                shapely.intersection(shapely.boundary(faces[face]), shapely.boundary(faces[near]))
            )
            near, shared = near[shared > 0], shared[shared > 0]
            if not len(near):
                continue
            own = label[near] == label[face]
            big = area[face] > 0.2 * area[main[int(label[face])]]
            if own.any() and (big or shared[own].sum() >= 0.3 * shared.sum()):
                settled[face] = True
                continue
            label[face] = label[near[shared.argmax()]]
            settled[face] = True
    return label


def _dissolve(faces: Shapes, label: Ints, count: int) -> Shapes:
    order = np.argsort(label, kind="stable")
    values, first, size = np.unique(label[order], return_index=True, return_counts=True)
    if len(values) != count:
        raise ValueError(f"{count - len(values)} areas were lost in drawing")
    out = np.empty(count, dtype=object)
    for i in range(count):
        members = order[first[i] : first[i] + size[i]]
        out[i] = faces[members[0]] if size[i] == 1 else shapely.coverage_union_all(faces[members])
    return out


def merge(parts: Shapes, parent: Ints, count: int) -> Shapes:
    """Polygons of the parents, made of their children's outer borders vertex by vertex."""
    order = np.argsort(parent, kind="stable")
    bounds = np.searchsorted(parent[order], np.arange(count + 1))
    return np.array(
        [shapely.coverage_union_all(parts[order[bounds[i] : bounds[i + 1]]]) for i in range(count)],
        dtype=object,
    )
