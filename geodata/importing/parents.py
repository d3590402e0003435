"""The parent of each area: named by a column, told by the code, or found on the map; upper levels dissolved."""

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
import shapely

from geodata.importing.area_rows import AreaRow, polygons_of
from geodata.importing.area_store import Area, Existing
from geodata.importing.place import Place
from geodata.importing.report import Report
from geodata.scope import Db
from profiles import Level


def find_parents(
    conn: Db, place: Place, level: Level, rows: list[AreaRow], existing: Existing, report: Report
) -> None:
    """Fill `parent_no` of every row. The root has none; known codes keep theirs unless a column says otherwise."""
    if level == place.profile.root_level:
        _check_root(place, rows, existing, report)
        return
    alive = {area.code: area for area in existing.by_code.values() if area.alive}
    upper = next((up for up in place.above(level) if any(area.level == up for area in alive.values())), None)
    if upper is None:
        hint = "Import the levels above first, from the top; or let them be dissolved from these codes: --make-parents."
        report.fault(None, None, None, f"an area above the level {level}", hint)
        return
    on_map: list[AreaRow] = []
    for row in rows:
        known = existing.by_code.get(row.code)
        if row.parent_code:
            parent = alive.get(row.parent_code)
            if parent is None or parent.level not in place.above(level):
                hint = (
                    "No area of a higher level has this code. Import that level first, or correct the column."
                )
                report.fault(row.row, "parent", row.parent_code, "the code of a parent", hint)
            else:
                row.parent_no = parent.no
        elif known is not None:
            row.parent_no = known.parent_no
        else:
            parent = _by_prefix(place, level, row.code, alive)
            if parent is not None:
                row.parent_no = parent.no
            else:
                on_map.append(row)
    if on_map:
        _by_overlap(conn, upper, on_map, report)


def _check_root(place: Place, rows: list[AreaRow], existing: Existing, report: Report) -> None:
    root = next((area for area in existing.by_no.values() if area.parent_no is None), None)
    expected = root.code if root else None
    if len(rows) != 1:
        hint = f"The {place.profile.root_level} is the top of this place, so its file holds one area. Is --level right?"
        report.fault(None, None, len(rows), "one area", hint)
    elif expected and rows[0].code != expected:
        hint = "A database holds one place. For another make its own: ./wangge new-place NAME."
        report.fault(rows[0].row, "code", rows[0].code, f"{expected}, the top of this place", hint)


def _by_prefix(place: Place, level: Level, code: str, alive: dict[str, Area]) -> Area | None:
    """The area of the nearest level in use above, when its digits begin this code."""
    upper = next((up for up in place.above(level) if any(area.level == up for area in alive.values())), None)
    wanted = place.upper_code(upper, code) if upper else None
    found = alive.get(wanted) if wanted else None
    return found if found is not None and found.level == upper else None


def _by_overlap(conn: Db, upper: Level, rows: list[AreaRow], report: Report) -> None:
    """The area of the level above that covers most of each row; a row that none covers is complained about."""
    found = conn.execute("SELECT no, ST_AsBinary(geom) FROM area_now WHERE level = %s", (upper,)).fetchall()
    numbers = [int(row[0]) for row in found]
    shapes = shapely.from_wkb([bytes(row[1]) for row in found])
    tree = shapely.STRtree(shapes)
    mine = np.array([row.shape for row in rows], dtype=object)
    left, right = tree.query(mine, predicate="intersects")
    shared = shapely.area(shapely.intersection(mine[left], shapes[right]))
    best: dict[int, tuple[float, int]] = {}
    for index, parent, area in zip(left, right, shared, strict=True):
        best[int(index)] = max(best.get(int(index), (0.0, -1)), (float(area), int(parent)))
    for index, row in enumerate(rows):
        area, parent = best.get(index, (0.0, -1))
        if area <= 0:
            hint = f"It touches no {upper}. Name its parent in a column (--parent-column), or check --datum and --crs."
            report.fault(row.row, None, row.code, f"an area inside a {upper}", hint)
        else:
            row.parent_no = numbers[parent]
    said = [
        f"{len(rows)} areas found their parent on the map (largest overlap), as neither column nor code names it."
    ]
    report.notes.extend(said)


def make_parents(
    conn: Db, place: Place, level: Level, rows: list[AreaRow], existing: Existing, report: Report
) -> Iterator[tuple[Level, list[AreaRow]]]:
    """Upper levels that are missing, dissolved from the rows, from the root down.

    The code of a row names its parents (profile pattern), or its parent column the nearest one. Areas that were made
    like this before are made again; areas that were imported are left alone.
    """
    made: list[tuple[Level, list[AreaRow]]] = []
    below = rows
    for upper in place.above(level):
        groups: dict[str, list[AreaRow]] = defaultdict(list)
        for row in below:
            own = row.parent_code if below is rows else None
            code = (
                place.profile.root_code
                if upper == place.profile.root_level
                else own or place.upper_code(upper, row.code)
            )
            if code:
                groups[code].append(row)
        if not groups:
            continue
        new = [_dissolved(code, upper, place, members) for code, members in sorted(groups.items())]
        for row in new:
            for member in groups[row.code]:
                member.parent_code = row.code
        made.append((upper, new))
        below = new
    _check_root_code(place, rows, made, report)
    for upper, new in reversed(made):
        wanted = [row for row in new if not _imported(row.code, existing)]
        if wanted:
            yield upper, wanted


def _imported(code: str, existing: Existing) -> bool:
    """Whether an area is in force by its own file, so that dissolving others must not replace it."""
    area = existing.by_code.get(code)
    return area is not None and area.alive and not area.made


def _check_root_code(
    place: Place, rows: list[AreaRow], made: list[tuple[Level, list[AreaRow]]], report: Report
) -> None:
    """Codes that begin with another place's code are another place's areas."""
    root = place.profile.root_code
    top = place.profile.root_level
    strange = [row for row in rows if place.upper_code(top, row.code) not in (None, root)]
    if strange:
        hint = "These areas belong to another place; make its own: ./wangge new-place NAME --root-code CODE."
        cases = ((row.row, row.code) for row in strange)
        report.faults_of(cases, len(strange), "code", f"a code that begins with {root}", hint)
        report.refuse_if_faulty()


def _dissolved(code: str, level: Level, place: Place, members: list[AreaRow]) -> AreaRow:
    """One upper area from its members: their union, without the hair-thin holes that mismatched edges leave."""
    names = Counter(row.upper_names[level] for row in members if level in row.upper_names)
    name = names.most_common(1)[0][0] if names else code
    if level == place.profile.root_level and not names:
        name = place.profile.name
    shapes = np.array([row.shape for row in members], dtype=object)
    valid = bool(shapely.coverage_is_valid(shapes))
    union = shapely.coverage_union_all(shapes) if valid else shapely.union_all(shapes)
    upper_names = {key: value for row in members for key, value in row.upper_names.items()}
    households = [row.households for row in members]
    population = [row.population for row in members]
    return AreaRow(
        row=None, code=code, name=name, shape=polygons_of(union), upper_names=upper_names,
        households=None if None in households else sum(h or 0 for h in households),
        population=None if None in population else sum(p or 0 for p in population),
    )  # fmt: skip
