"""Roads as they come in: class, direction and speed of each line, checked; what is no road is left out and counted."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.datum import Datum
from geodata.importing import words
from geodata.importing.area_rows import not_finite, on_earth
from geodata.importing.fields import Choice, Fields
from geodata.importing.report import Report
from geodata.importing.sheets import Sheet, column_of
from geodata.importing.vectors import AreaFile, Bounds, Shapes
from profiles.dispatch import Roads as Speeds

FIELDS = ("class", "name", "oneway", "speed", "junction")
# Headings of OpenStreetMap and of Geofabrik: among the lines there is more than roads.
TAGGED = ("highway", "fclass")
GEOFABRIK = {"F": 1, "T": -1, "B": 0}
WAYS = {"forward": 1, "backward": -1, "both": 0}
ROUND = ("roundabout", "circular")
ON_FOOT = ("footway", "path", "pedestrian", "steps")  # open both ways, whatever is said of vehicles
LINES = (1, 5)
NAMED_MOST = 12
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RoadOptions:
    """How to read a file of roads."""

    columns: Mapping[str, str] = field(default_factory=dict)  # field → heading
    constants: Mapping[str, str] = field(default_factory=dict)  # field → one value for all lines
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # field → value in the file → ours
    crs: str | None = None
    datum: Datum = "wgs84"
    layer: str | None = None
    swap_axes: bool = False  # the file holds latitude first


class Roads(NamedTuple):
    """One entry a line that is gone along: class, name, km/h, 1 forward, -1 backward or 0 both ways, and its shape."""

    kind: NDArray[np.object_]
    name: NDArray[np.object_]
    speed_kmh: NDArray[np.float64]
    way: NDArray[np.int64]
    shapes: Shapes  # LineStrings, degrees
    stated: Shapes  # the same as the file has them


def read_rows(file: AreaFile, options: RoadOptions, speeds: Speeds, near: Bounds, report: Report) -> Roads:
    """The roads of a file near those bounds (degrees), lines of several parts taken apart.

    What is wrong goes to the report; what is no road, not gone along or far off is counted there.
    """
    fields = Fields(_untagged(file.sheet), report, FIELDS, options.columns, options.constants, options.values)
    report.refuse_if_faulty()
    tagged = words.key(fields.heading.get("class", "")) in TAGGED
    kinds = _kinds(fields, speeds, tagged)
    lines = np.isin(shapely.get_type_id(file.shapes), LINES)
    known = np.array([kind is not None for kind in kinds], bool) & (lines if tagged else True)
    _check_shapes(fields, file.shapes, known if tagged else np.ones(len(lines), bool), lines)
    speed = fields.number("speed", least=1, most=130)
    speed = np.where(np.isnan(speed), [speeds.speeds_kmh.get(kind or "", 0.0) for kind in kinds], speed)
    ways = _ways(fields, kinds, tagged)
    names = np.array(fields.text("name", longest=200, formulas=False).to_pylist(), dtype=object)
    report.refuse_if_faulty()
    used = known & (speed > 0)
    here = used & _touch(file.shapes, near)
    report.counts |= {
        "read": len(kinds), "not_roads": int((~known).sum()), "not_gone_along": int((known & ~used).sum()),
        "far_away": int((used & ~here).sum()), "roads": int(here.sum()),
    }  # fmt: skip
    shapes, row = shapely.get_parts(file.shapes[here], return_index=True)
    of = np.flatnonzero(here)[row]
    stated = shapely.get_parts(file.stated[here])
    return Roads(np.array(kinds, dtype=object)[of], names[of], speed[of], ways[of], shapes, stated)


def _untagged(sheet: Sheet) -> Sheet:
    """The sheet with what GDAL packs into `other_tags` of a line of OpenStreetMap as columns of their own."""
    if "other_tags" not in sheet.columns:
        return sheet
    packed = sheet.columns["other_tags"].to_pylist()
    columns = {name: column for name, column in sheet.columns.items() if name != "other_tags"}
    for tag in ("oneway", "junction"):
        if tag not in columns:
            columns[tag] = column_of([_tag(text, tag) for text in packed])
    return replace(sheet, columns=columns)


def _tag(packed: Any, tag: str) -> str | None:
    """One value of `"key"=>"value","key"=>"value"`."""
    _, found, rest = str(packed or "").partition(f'"{tag}"=>"')
    return rest.partition('"')[0] if found else None


def _kinds(fields: Fields, speeds: Speeds, tagged: bool) -> list[str | None]:
    """The class of each line as the table of speeds has it; of tagged lines None for what is no road."""
    codes = {code: code for code in speeds.speeds_kmh}
    codes |= {f"{code}_link": code for code in speeds.speeds_kmh}
    named = {word: code for word, code in words.values("road_class").items() if code in codes}
    choice = Choice(codes, named)
    if not tagged:
        return fields.choice("class", choice, "a class of road", required=True)
    said = fields.text("class").to_pylist()
    found = {text: None if text is None else choice.find(text) for text in set(said)}
    strange = Counter(text for text in said if text is not None and found[text] is None)
    if strange:
        listed = ", ".join(f"{text} ({number})" for text, number in strange.most_common(NAMED_MOST))
        fields.report.notes.append(f"Left out as no class of road: {listed}.")
    return [found[text] for text in said]


def _ways(fields: Fields, kinds: list[str | None], tagged: bool) -> NDArray[np.int64]:
    spoken = {word: WAYS[way] for word, way in words.values("oneway").items()}
    exact = {"-1": -1, "1": 1, "2": 0, "0": 0}  # words are compared without a dash
    geofabrik = words.key(fields.heading.get("class", "")) == "fclass"
    choice = Choice(exact | (GEOFABRIK if geofabrik else {}), spoken)
    if tagged:
        said = [choice.find(text) if text else None for text in fields.text("oneway").to_pylist()]
    else:
        said = fields.choice("oneway", choice, "yes, no or -1 (against the line)")
    turning = fields.text("junction").to_pylist()
    found = [
        0 if kind in ON_FOOT else (1 if junction in ROUND else 0) if way is None else way
        for kind, way, junction in zip(kinds, said, turning, strict=True)
    ]
    return np.array(found, dtype=np.int64)


def _check_shapes(fields: Fields, shapes: Shapes, wanted: Mask, lines: Mask) -> None:
    hint = "The record is a point, an area or has no shape: remove it or draw its line."
    fields.complain(None, wanted & ~lines, "a line", hint)
    lines = wanted & lines
    fields.complain(None, lines & shapely.is_empty(shapes), "a line", "It is empty: draw it again.")
    endless = not_finite(shapes)
    fields.complain(None, lines & endless, "finite coordinates", "A coordinate is NaN or infinite.")
    beyond = lines & ~endless & ~on_earth(shapes)
    hint = "Is it latitude first (--swap-axes)? Is --crs right? Or did a vertex slip?"
    fields.complain(None, beyond, "a line on the earth", hint)


def _touch(shapes: Shapes, near: Bounds) -> Mask:
    """Which shapes have bounds that touch those."""
    west, south, east, north = shapely.bounds(shapes).T
    with np.errstate(invalid="ignore"):
        found: Mask = (west <= near[2]) & (east >= near[0]) & (south <= near[3]) & (north >= near[1])
    return found
