"""Check of areas, of a file or of what is loaded: every fault with its place, its size and what to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geodata.datum import Datum
from geodata.importing.area_rows import FAR_DEGREES, AreaOptions, AreaRow, on_earth, polygons_of, read_rows
from geodata.importing.coverage import Measure, Piece, gaps, overlaps, union
from geodata.importing.fit import Fit, fit_datum
from geodata.importing.outlines import known_outline
from geodata.importing.place import Place
from geodata.importing.projections import why_no_degrees
from geodata.importing.report import Fault, ImportRefused, Progress, Report, silent
from geodata.importing.vectors import AreaFile, Shapes, read_areas
from geodata.scope import Db
from profiles import LEVELS, Level

SUBJECT = "areas"
WHOLE_ENOUGH = 0.8  # share of the outline that a file must cover to be held against it
OUTSIDE_SHARE = 0.001  # of an area that may stick out of its parent


@dataclass(frozen=True, slots=True)
class AreaFault:
    """One fault of areas. `kind` is a word of KINDS; `shape` (degrees) is where, None when it is everywhere."""

    kind: str
    codes: tuple[str, ...]
    found: str
    hint: str
    row: int | None = None
    shape: Any = None
    area_m2: float | None = None


KINDS = (
    "file", "record", "ring", "code", "parentage", "far", "datum", "overlap", "sliver_overlap", "gap", "sliver_gap",
    "size_rule",
)  # fmt: skip


@dataclass(slots=True)
class Check:
    """What a check found, and what it held the areas against."""

    checked: int = 0
    faults: list[AreaFault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether there is no fault at all."""
        return not self.faults


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known of the place besides the file: shapes in degrees by code, and the outline of the whole."""

    outline: Any = None
    by_code: Mapping[str, Any] = field(default_factory=dict)
    level_of: Mapping[str, Level] = field(default_factory=dict)


def ground_of(conn: Db | None, place: Place) -> Ground:
    """The areas of the database, if there is one; the outline that comes with the product otherwise."""
    if conn is not None:
        rows = conn.execute(
            "SELECT code, level, ST_AsBinary(geom), parent_no IS NULL FROM area_now"
        ).fetchall()
        if rows:
            shapes = shapely.from_wkb([bytes(row[2]) for row in rows])
            outline = next(shape for shape, row in zip(shapes, rows, strict=True) if row[3])
            codes = [str(row[0]) for row in rows]
            return Ground(
                outline,
                dict(zip(codes, shapes, strict=True)),
                dict(zip(codes, (r[1] for r in rows), strict=True)),
            )
    return Ground(known_outline(place.profile))


def check_file(
    path: Path, options: AreaOptions, place: Place, ground: Ground, progress: Progress = silent
) -> tuple[Check, AreaFile | None, list[AreaRow]]:
    """Check a file as an import with these options would read it. Also gives what was read, for a repair."""
    check = Check()
    progress("read", 0, 4)
    try:
        file = read_areas(
            path,
            SUBJECT,
            crs=options.crs,
            datum=options.datum,
            layer=options.layer,
            swap_axes=options.swap_axes,
        )
        if file.crs is None:
            raise why_no_degrees(file, path, ground.outline, SUBJECT)
    except ImportRefused as refused:
        check.faults.extend(
            AreaFault("file", (), _said(fault), fault.hint) for fault in refused.report.faults
        )
        return check, None, []
    check.notes.extend(file.notes)
    report = Report(SUBJECT, [path.name])
    rows = read_rows(file, options, place, report)
    check.checked = len(rows)
    check.faults.extend(_from_report(report, rows))
    progress("read", 1, 4)
    shapes = usable(rows)
    _check_far(check, rows, ground, options)
    _check_datum(check, file, rows, options.datum, place, ground)
    progress("check", 2, 4)
    given = {row.code: row.parent_code for row in rows if row.parent_code}
    near = not any(fault.kind in ("far", "datum") for fault in check.faults)
    known = (
        ground if near else Ground(level_of=ground.level_of)
    )  # what lies elsewhere lies outside of all parents
    _check_parents(check, rows, shapes, options.level, place, known, given)
    progress("check", 3, 4)
    outline = known.outline if ground.by_code and options.level != place.profile.root_level else None
    check_coverage(check, rows, shapes, outline)
    _check_sizes(check, rows, place)
    progress("check", 4, 4)
    return check, file, rows


def check_database(conn: Db, place: Place, progress: Progress = silent) -> Check:
    """Check the areas in force today, level by level."""
    ground = ground_of(conn, place)
    found = conn.execute(
        """
        SELECT a.no, a.level, a.code, a.name, p.code, a.kind, a.households, a.population
        FROM area_now a LEFT JOIN area p ON p.no = a.parent_no ORDER BY a.no
        """
    ).fetchall()
    check = Check(checked=len(found))
    if not found:
        check.faults.append(
            AreaFault("file", (), "no areas", "Import areas first: ./wangge import areas FILE --level …")
        )
    levels = [level for level in LEVELS if any(row[1] == level for row in found)]
    for done, level in enumerate(levels):
        progress(level, done, len(levels))
        rows = [
            AreaRow(None, row[2], row[3], ground.by_code[row[2]], row[5], row[6], row[7], row[4])
            for row in found if row[1] == level
        ]  # fmt: skip
        shapes = usable(rows)
        _check_patterns(check, rows, level, place)
        _check_parents(check, rows, shapes, level, place, ground, {row.code: row.parent_code for row in rows})
        if level != place.profile.root_level:
            check_coverage(check, rows, shapes, ground.outline)
        else:
            _check_root(check, rows, place)
        _check_sizes(check, rows, place)
    progress("check", len(levels), len(levels))
    return check


def usable(rows: Iterable[AreaRow]) -> Shapes:
    """The shapes as valid polygons, mended where they are not, None where nothing can be made of them."""
    result = np.array([row.shape for row in rows], dtype=object)
    for index, shape in enumerate(result):
        if (
            shape is None
            or shapely.is_empty(shape)
            or shape.geom_type not in ("Polygon", "MultiPolygon")
            or (
                not np.isfinite(shapely.get_coordinates(shape)).all()
                or not on_earth(result[index : index + 1])[0]
            )
        ):
            result[index] = None
        elif not shapely.is_valid(shape):
            result[index] = polygons_of(shapely.make_valid(shape, method="structure", keep_collapsed=False))
    return result


def check_coverage(check: Check, rows: list[AreaRow], shapes: Shapes, outline: Any) -> None:
    """Overlaps and gaps; an outline counts only when the areas cover most of it (a file may hold one town)."""
    there = np.array([shape is not None and not shapely.is_empty(shape) for shape in shapes], bool)
    indices = np.flatnonzero(there)
    if not len(indices):
        return
    solid = shapes[indices]
    measure = Measure(solid)
    if outline is not None:
        covered = union(solid)
        share = float(shapely.area(shapely.intersection(covered, outline))) / float(shapely.area(outline))
        if share < WHOLE_ENOUGH:
            check.notes.append(
                f"The areas cover {share:.0%} of the place, so its outline was not held against them."
            )
            outline = None

    def codes(piece: Piece) -> tuple[str, ...]:
        return tuple(rows[int(indices[owner])].code for owner in piece.owners)

    for piece in overlaps(solid, measure):
        kind = "sliver_overlap" if piece.sliver else "overlap"
        hint = "Draw one shared edge, or: --repair " + ("slivers" if piece.sliver else "overlaps")
        row = rows[int(indices[piece.owners[0]])].row
        check.faults.append(
            AreaFault(kind, codes(piece), "two areas claim it", hint, row, piece.shape, piece.area_m2)
        )
    for piece in gaps(solid, measure, outline):
        kind = "sliver_gap" if piece.sliver else "gap"
        hint = "Draw one shared edge, or: --repair " + ("slivers" if piece.sliver else "gaps")
        check.faults.append(
            AreaFault(kind, codes(piece), "no area claims it", hint, None, piece.shape, piece.area_m2)
        )


def _said(fault: Fault) -> str:
    return f"expected {fault.expected}" + (f", found {fault.value}" if fault.value else "")


def _from_report(report: Report, rows: list[AreaRow]) -> list[AreaFault]:
    """Complaints of reading as faults of areas."""
    by_row = {row.row: row for row in rows}
    result = []
    for fault in report.faults:
        row = by_row.get(fault.row) if fault.row else None
        kind = "ring" if "polygon" in fault.expected or "finite" in fault.expected else "record"
        if kind == "record" and ("code" in fault.expected or "digits" in fault.expected):
            kind = "code"
        shape = row.shape if row is not None and row.shape is not None and kind != "ring" else None
        codes = (row.code,) if row is not None and row.code else ()
        result.append(AreaFault(kind, codes, _said(fault), fault.hint, fault.row, shape))
    return result


def _check_far(check: Check, rows: list[AreaRow], ground: Ground, options: AreaOptions) -> None:
    """Shapes more than 50 km from the place, those beyond the poles included."""
    if ground.outline is None or options.level == "city":
        return
    west, south, east, north = ground.outline.bounds
    for row in rows:
        if (
            row.shape is None
            or shapely.is_empty(row.shape)
            or not np.isfinite(shapely.get_coordinates(row.shape)).all()
        ):
            continue
        near = [west - FAR_DEGREES, south - FAR_DEGREES, east + FAR_DEGREES, north + FAR_DEGREES]
        left, low, right, high = shapely.bounds(row.shape)
        if left >= near[0] and low >= near[1] and right <= near[2] and high <= near[3]:
            continue
        swapped = low >= near[0] and left >= near[1] and high <= near[2] and right <= near[3]
        hint = "Another place's area, a wrong --crs, or a corner that slipped?"
        if swapped:
            hint = "Longitude and latitude are swapped: --swap-axes."
        said = f"{left:.4f}, {low:.4f} to {right:.4f}, {high:.4f}: over 50 km outside of the place"
        shape = row.shape if on_earth(np.array([row.shape], dtype=object))[0] else None
        check.faults.append(AreaFault("far", (row.code,), said, hint, row.row, shape))


def _check_datum(
    check: Check, file: AreaFile, rows: list[AreaRow], said: Datum, place: Place, ground: Ground
) -> None:
    fit = datum_fit(file, rows, said, place, ground)
    if fit is None or not fit.other:
        return
    check.faults.append(
        AreaFault(
            "datum",
            (),
            f"fits {fit.best_share:.1%} of the known ground as {fit.best}, {fit.said_share:.1%} as {fit.said}",
            f"Import it with --datum {fit.best}. A file from Amap or Tencent is gcj02, from Baidu bd09.",
        )
    )


def datum_fit(file: AreaFile, rows: list[AreaRow], said: Datum, place: Place, ground: Ground) -> Fit | None:
    """How well the file's coordinates fit what is known, under each datum; None when nothing can be told."""
    raw = np.array(file.degrees, dtype=object)
    raw[np.array([shape is None for shape in usable(rows)], bool)] = None
    codes = [row.code for row in rows]
    known = sum(code in ground.by_code for code in codes)
    if known >= max(3, len(codes) // 2):
        return fit_datum(
            raw, said, ground.by_code, [code if code in ground.by_code else None for code in codes]
        )
    if ground.outline is None:
        return None
    solid = [shape for shape in usable(rows) if shape is not None]
    if not solid:
        return None
    bounds = shapely.box(*shapely.total_bounds(np.array(solid, dtype=object)))
    if float(shapely.area(bounds)) < WHOLE_ENOUGH * float(shapely.area(shapely.box(*ground.outline.bounds))):
        return None
    return fit_datum(raw, said, {"": ground.outline}, [""] * len(codes))


def _check_patterns(check: Check, rows: list[AreaRow], level: Level, place: Place) -> None:
    length = place.code_length(level)
    for row in rows:
        if length is not None and not (row.code.isdigit() and len(row.code) == length):
            hint = "Import it again with the code of the pattern, or correct the pattern of the profile."
            check.faults.append(
                AreaFault("code", (row.code,), f"not {length} digits", hint, row.row, row.shape)
            )


def _check_parents(
    check: Check, rows: list[AreaRow], shapes: Shapes, level: Level, place: Place, ground: Ground,
    given: Mapping[str, str | None],
) -> None:  # fmt: skip
    """Codes that begin with their parent's, and shapes that lie inside it."""
    if level == place.profile.root_level:
        return
    for row, shape in zip(rows, shapes, strict=True):
        parent = given.get(row.code) or place.parent_code(level, row.code, ground.level_of)
        if parent is None:
            if ground.level_of:
                said = "no area of the levels above begins this code"
                hint = (
                    "Was the code numbered by another source? Name the parents in a column: --parent-column."
                )
                check.faults.append(AreaFault("parentage", (row.code,), said, hint, row.row, shape))
            continue
        if ground.level_of and parent not in ground.level_of:
            said = f"the parent {parent} is not there"
            check.faults.append(
                AreaFault("parentage", (row.code, parent), said, "Import it first.", row.row, shape)
            )
            continue
        if not place.begins(level, parent, row.code):
            said = f"the code does not begin with its parent's, {parent}"
            hint = "Two sources number differently? Keep one numbering; the parent column decides."
            check.faults.append(AreaFault("parentage", (row.code, parent), said, hint, row.row, shape))
        whole = ground.by_code.get(parent)
        if whole is None or shape is None or shapely.covers(whole, shape):
            continue
        outside = float(shapely.area(shapely.difference(shape, whole))) / max(
            float(shapely.area(shape)), 1e-18
        )
        if outside > OUTSIDE_SHARE:
            piece = polygons_of(shapely.difference(shape, whole))
            said = f"{outside:.0%} of it lies outside of its parent {parent}"
            hint = "A wrong parent, a code of another numbering, or boundaries that do not match?"
            size = Measure(np.array([shape], dtype=object)).area_m2(piece) if piece is not None else None
            check.faults.append(AreaFault("parentage", (row.code, parent), said, hint, row.row, piece, size))


def _check_root(check: Check, rows: list[AreaRow], place: Place) -> None:
    """The outline of the whole against the one that comes with the product."""
    known = known_outline(place.profile)
    if known is None or place.profile.root_level == "town" or not rows:
        return
    common = float(shapely.area(shapely.intersection(rows[0].shape, known)))
    share = common / float(shapely.area(shapely.union(rows[0].shape, known)))
    check.notes.append(f"The outline of the place is {share:.2%} the one of the state's map.")


def _check_sizes(check: Check, rows: list[AreaRow], place: Place) -> None:
    rule = place.profile.size_rule
    if rule is None:
        return
    for row in rows:
        counts = (row.households, row.population)
        if row.kind != "urban" or counts == (None, None):
            continue
        if (row.households or 0) < rule.urban_households and (row.population or 0) < rule.urban_population:
            said = f"{_shown(row.households)} households, {_shown(row.population)} people"
            least = f"{rule.urban_households} households or {rule.urban_population} people"
            hint = f"An urban grid has {least}: merge or correct."
            check.faults.append(AreaFault("size_rule", (row.code,), said, hint, row.row, row.shape))


def _shown(count: int | None) -> str:
    return "?" if count is None else str(count)
