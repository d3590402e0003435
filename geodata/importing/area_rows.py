"""Areas as they come in: the columns and shapes of a file, checked, before parents and numbers are known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.datum import Datum
from geodata.importing import words
from geodata.importing.fields import Choice, Fields
from geodata.importing.place import Place
from geodata.importing.report import Report
from geodata.importing.vectors import AreaFile, Shapes
from profiles import Level

FIELDS = ("code", "name", "parent", "kind", "households", "population")
FAR_DEGREES = 0.5  # about 50 km


@dataclass(frozen=True, slots=True)
class AreaOptions:
    """How to read a file of areas. Columns left at their field's name are also found by the words of words.toml."""

    level: Level
    code_column: str = "code"
    name_column: str = "name"
    parent_column: str = "parent"
    kind_column: str = "kind"
    households_column: str = "households"
    population_column: str = "population"
    kind: str | None = None  # of all grids, where no column says it
    crs: str | None = None
    datum: Datum = "wgs84"
    layer: str | None = None
    swap_axes: bool = False  # the file holds latitude first
    any_code: bool = False  # accept codes that do not follow the profile's pattern
    make_parents: bool = False  # dissolve missing upper levels from this file
    parent_names: Mapping[Level, str] = field(
        default_factory=dict
    )  # level → column with its names, for make_parents
    retire_missing: bool = False
    repair: frozenset[str] = frozenset()  # rings, overlaps, slivers, gaps
    valid_from: date | None = None  # first day on which the boundaries hold; the day of import by default
    generated: bool = False

    def named(self) -> dict[str, str]:
        """Field → heading, where it is not simply the field's own name."""
        columns = {
            "code": self.code_column, "name": self.name_column, "parent": self.parent_column, "kind": self.kind_column,
            "households": self.households_column, "population": self.population_column,
        }  # fmt: skip
        columns |= {f"{level}_name": column for level, column in self.parent_names.items()}
        return {name: column for name, column in columns.items() if column != name}


@dataclass(slots=True)
class AreaRow:
    """One area on its way in."""

    row: int | None
    code: str
    name: str
    shape: Any  # shapely Polygon or MultiPolygon, degrees
    kind: str | None = None
    households: int | None = None
    population: int | None = None
    parent_code: str | None = None
    upper_names: dict[Level, str] = field(default_factory=dict)
    parent_no: int | None = None
    no: int | None = None


def read_rows(file: AreaFile, options: AreaOptions, place: Place, report: Report) -> list[AreaRow]:
    """The rows of a file; whatever is wrong with codes, names, numbers and shapes goes to the report."""
    upper = tuple(f"{level}_name" for level in options.parent_names)
    fields = Fields(file.sheet, report, (*FIELDS, *upper), options.named())
    codes = fields.text("code", required=True, longest=40)
    names = fields.text("name", required=True, longest=200)
    _check_codes(fields, codes.to_pylist(), options, place)
    kinds = _kinds(fields, options)
    households = fields.number("households", least=0, most=10_000_000, whole=True)
    population = fields.number("population", least=0, most=100_000_000, whole=True)
    parents = fields.text("parent", longest=40).to_pylist()
    upper_names = {
        level: fields.text(f"{level}_name", longest=200).to_pylist() for level in options.parent_names
    }
    check_shapes(fields, file.shapes, repair="rings" in options.repair)
    return [
        AreaRow(
            row=int(file.sheet.rows[index]), code=code or "", name=name or "", shape=file.shapes[index],
            kind=kinds[index], households=_whole(households[index]), population=_whole(population[index]),
            parent_code=parents[index],
            upper_names={level: column[index] for level, column in upper_names.items() if column[index]},
        )
        for index, (code, name) in enumerate(zip(codes.to_pylist(), names.to_pylist(), strict=True))
    ]  # fmt: skip


def _whole(number: float) -> int | None:
    return None if np.isnan(number) else int(number)


def _check_codes(fields: Fields, codes: list[str | None], options: AreaOptions, place: Place) -> None:
    seen: set[str] = set()
    again = np.zeros(len(codes), bool)
    for index, code in enumerate(codes):
        again[index] = code is not None and code in seen
        seen.add(code or "")
    fields.complain(
        "code",
        again,
        "each code once",
        "Two areas have this code: correct one, or merge them into one shape.",
    )
    length = place.code_length(options.level)
    if length is None or options.any_code:
        return
    odd = np.array(
        [
            code is not None and not (code.isascii() and code.isdigit() and len(code) == length)
            for code in codes
        ]
    )
    system = place.profile.codes.system
    hint = "Is --level right, and is this the code column? For codes of another pattern add --any-code."
    fields.complain(
        "code", odd, f"{length} digits, as the codes of a {options.level} have here ({system})", hint
    )


def _kinds(fields: Fields, options: AreaOptions) -> list[str | None]:
    if options.level != "grid":
        return [None] * len(fields.sheet)
    known = words.values("area_kind")
    choice = Choice({code: code for code in ("urban", "rural", "special")}, known)
    default = choice.find(options.kind) if options.kind else None
    if options.kind and default is None:
        fields.report.fault(
            None, None, options.kind, "urban, rural or special", "Correct --kind.", fields.sheet.file
        )
        return [None] * len(fields.sheet)
    kinds = fields.choice(
        "kind", choice, "urban, rural or special", hint="Or name the column: --kind-column NAME."
    )
    if default is None:
        missing = np.array([kind is None for kind in kinds]) & ~np.asarray(fields.raw("kind").is_valid())
        hint = "Give a column with --kind-column NAME, or one kind for all with --kind urban|rural|special."
        if fields.has("kind"):
            fields.complain("kind", missing, "urban, rural or special", hint)
        else:
            fields.report.fault(None, None, None, "the kind of each grid", hint, fields.sheet.file)
    return [kind or default for kind in kinds]


def check_shapes(fields: Fields, shapes: Shapes, *, repair: bool) -> None:
    """Complain about shapes that are no valid polygons; with `repair` mend bad and crossing rings, in place."""
    missing = np.array([shape is None for shape in shapes], bool)
    hint = "The record has no shape, or one that cannot be read: draw it again."
    fields.complain(None, missing, "a polygon", hint)
    kind = shapely.get_type_id(shapes)
    other = ~missing & ~np.isin(kind, (3, 6))
    fields.complain(
        None,
        other,
        "a polygon",
        "The record is a point, a line or a collection: remove it or draw its outline.",
    )
    empty = ~missing & ~other & shapely.is_empty(shapes)
    fields.complain(None, empty, "a polygon", "It is empty, or its ring is not closed: draw it again.")
    endless = not_finite(shapes)
    fields.complain(
        None, endless, "finite coordinates", "A coordinate is NaN or infinite: draw the area again."
    )
    beyond = ~endless & ~on_earth(shapes)
    hint = "Is it latitude first (--swap-axes)? Is --crs right? Or did a corner slip?"
    fields.complain(None, beyond, "a polygon on the earth", hint)
    invalid = ~missing & ~other & ~empty & ~endless & ~beyond & ~shapely.is_valid(shapes)
    if not invalid.any():
        return
    if repair:
        fields.report.notes.extend(mend_rings(fields, shapes, invalid))
        return
    for index in np.flatnonzero(invalid):
        fields.report.fault(
            int(fields.sheet.rows[index]), None, str(shapely.is_valid_reason(shapes[index])), "a valid polygon",
            "Correct the ring in a GIS, or let it be mended: --repair rings.", fields.sheet.file,
        )  # fmt: skip


def not_finite(shapes: Shapes) -> NDArray[np.bool_]:
    """Which shapes hold a coordinate that is no number."""
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    result = np.zeros(len(shapes), bool)
    result[np.unique(owner[~np.isfinite(coordinates).all(axis=1)])] = True
    return result


def on_earth(shapes: Shapes) -> NDArray[np.bool_]:
    """Which shapes lie within -180 to 180 and -90 to 90 degrees; true for those that are none."""
    west, south, east, north = shapely.bounds(shapes).T
    with np.errstate(invalid="ignore"):
        outside = (west < -180) | (east > 180) | (south < -90) | (north > 90)
    return np.asarray(~outside)


def mend_rings(fields: Fields, shapes: Shapes, invalid: NDArray[np.bool_]) -> list[str]:
    """Make the invalid shapes valid, in place; returns a sentence for each."""
    said = []
    for index in np.flatnonzero(invalid):
        reason = str(shapely.is_valid_reason(shapes[index]))
        mended = polygons_of(shapely.make_valid(shapes[index], method="structure", keep_collapsed=False))
        if mended is None:
            where = int(fields.sheet.rows[index])
            fields.report.fault(
                where, None, reason, "a polygon with an area", "Nothing is left of it: draw it again."
            )
            continue
        said.append(f"record {int(fields.sheet.rows[index])}: mended ({reason}).")
        shapes[index] = mended
    return said


def polygons_of(shape: Any) -> Any:
    """The polygons of any geometry as one MultiPolygon or Polygon; None when it has none."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    kept = [part for part in parts if part.geom_type == "Polygon" and not part.is_empty]
    if not kept:
        return None
    return kept[0] if len(kept) == 1 else shapely.multipolygons(kept)
