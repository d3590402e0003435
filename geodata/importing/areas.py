"""Import of areas: one level from one file, as a first import or as a new version of boundaries."""

from pathlib import Path

import numpy as np
import shapely

from geodata.importing.area_rows import FAR_DEGREES, AreaOptions, AreaRow, read_rows
from geodata.importing.area_store import Existing, existing_areas, give_numbers, retire, store
from geodata.importing.check import ground_of
from geodata.importing.coverage import Measure, gaps, overlaps
from geodata.importing.parents import find_parents, make_parents
from geodata.importing.place import Place, ask_reload, read_place
from geodata.importing.projections import why_no_degrees
from geodata.importing.repair import repair_rows
from geodata.importing.report import Progress, Report, silent
from geodata.importing.vectors import read_areas
from geodata.scope import Db

__all__ = ["SUBJECT", "AreaOptions", "import_areas"]
SUBJECT = "areas"
ROUNDED_DIGITS = 9  # of a degree: 0.1 mm


def import_areas(conn: Db, path: Path, options: AreaOptions, progress: Progress = silent) -> Report:
    """Bring one level of areas in, in the caller's transaction: new codes are added, known ones get a new version.

    Polygons of any CRS and datum are stored as EPSG:4326. Areas that the file does not name stay as they are, unless
    `retire_missing`. Raises ImportRefused, with record and column, when anything is wrong; then nothing was written.
    """
    report = Report(SUBJECT, [path.name])
    place = read_place(conn, SUBJECT, path.name)
    progress("read", 0, 1)
    file = read_areas(
        path, SUBJECT, crs=options.crs, datum=options.datum, layer=options.layer, swap_axes=options.swap_axes
    )
    report.notes.extend(file.notes)
    if file.crs is None:
        raise why_no_degrees(file, path, ground_of(conn, place).outline, SUBJECT)
    progress("read", 1, 1)
    rows = read_rows(file, options, place, report)
    report.counts["read"] = len(rows)
    _check_near(conn, place, rows, options, report)
    report.refuse_if_faulty()
    if options.repair:
        report.notes.extend(repair_rows(rows, options.repair))
    _look_at_edges(rows, report)

    existing = existing_areas(conn)
    if options.make_parents:
        for level, made in make_parents(conn, place, options.level, rows, existing, report):
            _bring_in(conn, place, AreaOptions(level, generated=options.generated, any_code=True), made,
                      f"made from {path.name}", existing, report, {})  # fmt: skip
            report.counts[f"made_{level}"] = len(made)
            existing = existing_areas(conn)
            place = read_place(conn, SUBJECT, path.name)
    progress("store", 0, 1)
    _bring_in(conn, place, options, rows, path.name, existing, report, report.counts)
    _missing(conn, place, options, rows, existing, report)
    progress("store", 1, 1)
    _finish(conn, report)
    return report


def _bring_in(
    conn: Db, place: Place, options: AreaOptions, rows: list[AreaRow], source: str, existing: Existing,
    report: Report, counts: dict[str, int],
) -> None:  # fmt: skip
    """Find parents and numbers of rows of one level, and write them."""
    find_parents(conn, place, options.level, rows, existing, report)
    report.refuse_if_faulty()
    give_numbers(place, options.level, rows, existing, report)
    report.refuse_if_faulty()
    first = not any(area.level == options.level for area in existing.by_code.values())
    counts |= store(conn, place, options, rows, source, report, first=first)
    report.refuse_if_faulty()


def _check_near(conn: Db, place: Place, rows: list[AreaRow], options: AreaOptions, report: Report) -> None:
    """Shapes far from the place belong to another place, another datum or another coordinate system."""
    box = conn.execute(
        "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)"
        " FROM (SELECT ST_Extent(geom) AS e FROM area_now WHERE no = %s) AS x",
        (place.root_no,),
    ).fetchone()
    near = None
    if box is not None and box[0] is not None and options.level != place.profile.root_level:
        near = shapely.box(
            box[0] - FAR_DEGREES, box[1] - FAR_DEGREES, box[2] + FAR_DEGREES, box[3] + FAR_DEGREES
        )
    for row in rows:
        if row.shape is None or shapely.is_empty(row.shape) or not shapely.is_valid(row.shape):
            continue
        centre = row.shape.centroid
        if near is not None and not shapely.covers(near, centre):
            hint = "Is this another place's file? Are --crs and --datum right? Is it latitude first (--swap-axes)?"
            report.fault(
                row.row, None, f"{centre.x:.4f}, {centre.y:.4f}", "an area within 50 km of the place", hint
            )


def _look_at_edges(rows: list[AreaRow], report: Report) -> None:
    """Remove what is only rounding between neighbours, and say when more than that is wrong."""
    shapes = np.array([row.shape for row in rows], dtype=object)
    if bool(shapely.coverage_is_valid(shapes)):
        return
    rounded = shapely.transform(shapes, lambda xy: np.round(xy, ROUNDED_DIGITS))
    if bool(shapely.is_valid(rounded).all()):
        shapes = rounded
        for row, shape in zip(rows, rounded, strict=True):
            row.shape = shape
    measure = Measure(shapes)
    overlapping, missing = list(overlaps(shapes, measure)), list(gaps(shapes, measure))
    if overlapping or missing:
        lost, shared = (sum(piece.area_m2 for piece in pieces) for pieces in (missing, overlapping))
        report.notes.append(
            f"{len(overlapping)} overlaps ({shared:,.0f} m²) and {len(missing)} gaps ({lost:,.0f} m²)"
            " between these areas. They were kept. See them with: ./wangge check areas FILE"
        )


def _missing(
    conn: Db, place: Place, options: AreaOptions, rows: list[AreaRow], existing: Existing, report: Report
) -> None:
    """Areas of this level that the file does not name."""
    named = {row.code for row in rows}
    missing = [
        a for a in existing.by_code.values() if a.level == options.level and a.alive and a.code not in named
    ]
    if not missing:
        return
    shown = ", ".join(area.code for area in missing[:8]) + (" …" if len(missing) > 8 else "")
    if options.retire_missing:
        retire(conn, [area.no for area in missing], options.valid_from or place.today)
        report.counts["retired"] = len(missing)
        report.notes.append(f"{len(missing)} areas that the file does not name were retired: {shown}.")
    else:
        report.counts["missing"] = len(missing)
        report.notes.append(
            f"{len(missing)} areas are here but not in the file: {shown}. They stay; --retire-missing retires them."
        )


def _finish(conn: Db, report: Report) -> None:
    revision = conn.execute("SELECT nextval('area_revision')").fetchone()
    root = conn.execute("SELECT min(no) FROM area WHERE parent_no IS NULL").fetchone()
    if revision and root and root[0]:
        ask_reload(conn, "areas", int(root[0]), {"revision": int(revision[0])})
