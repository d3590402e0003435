"""Repairs that were asked for: rings mended, overlaps cut, gaps given to a neighbour; each change is said."""

from collections.abc import Callable
from typing import Any

import numpy as np
import shapely

from geodata.importing.area_rows import AreaRow, polygons_of
from geodata.importing.check import usable
from geodata.importing.coverage import Measure, gaps, overlaps
from geodata.importing.vectors import Shapes

REPAIRS = ("rings", "overlaps", "slivers", "gaps")
ROUNDS = 3  # cutting one overlap may uncover another


def repair_rows(rows: list[AreaRow], wanted: frozenset[str], outline: Any = None) -> list[str]:
    """Change the shapes of the rows in place as far as `wanted` allows; returns a sentence for each change.

    An overlap is cut from the larger of the two areas; a gap goes to the neighbour with the longest common edge, one at
    the outline only when an outline is given.
    """
    said: list[str] = []
    if "rings" in wanted:
        for row, shape in zip(rows, usable(rows), strict=True):
            if shape is not None and row.shape is not None and not shapely.is_valid(row.shape):
                said.append(f"{row.code}: ring mended ({shapely.is_valid_reason(row.shape)}).")
                row.shape = shape
    indices = [
        index for index, row in enumerate(rows) if row.shape is not None and shapely.is_valid(row.shape)
    ]
    if not indices or not wanted & {"overlaps", "slivers", "gaps"}:
        return said
    shapes = np.array([rows[index].shape for index in indices], dtype=object)
    measure = Measure(shapes)

    def code(index: int) -> str:
        return rows[indices[index]].code

    for _ in range(ROUNDS):
        done = len(said)
        if wanted & {"overlaps", "slivers"}:
            _cut(shapes, measure, wanted, said, code)
        if wanted & {"gaps", "slivers"}:
            _fill(shapes, measure, wanted, said, code, outline)
        if len(said) == done:
            break
    for index, shape in zip(indices, shapes, strict=True):
        rows[index].shape = shape
    return said


def _cut(
    shapes: Shapes, measure: Measure, wanted: frozenset[str], said: list[str], code: Callable[[int], str]
) -> None:
    for piece in list(overlaps(shapes, measure)):
        if ("slivers" if piece.sliver else "overlaps") not in wanted:
            continue
        one, other = piece.owners
        larger, smaller = (one, other) if shapes[one].area >= shapes[other].area else (other, one)
        rest = polygons_of(shapely.difference(shapes[larger], shapes[smaller]))
        if rest is None:
            continue  # the same shape twice: which of them is right, only a person can say
        shapes[larger] = rest
        said.append(
            f"{piece.area_m2:,.1f} m² that {code(larger)} and {code(smaller)} shared are now {code(smaller)}'s."
        )


def _fill(
    shapes: Shapes,
    measure: Measure,
    wanted: frozenset[str],
    said: list[str],
    code: Callable[[int], str],
    outline: Any,
) -> None:
    for piece in list(gaps(shapes, measure, outline)):
        if ("slivers" if piece.sliver else "gaps") not in wanted or not piece.owners:
            continue
        lengths = [
            float(shapely.length(shapely.intersection(shapely.boundary(piece.shape), shapes[owner])))
            for owner in piece.owners
        ]
        owner = piece.owners[int(np.argmax(lengths))]
        grown = polygons_of(shapely.union(shapes[owner], piece.shape))
        if grown is not None:
            shapes[owner] = grown
            said.append(f"a gap of {piece.area_m2:,.1f} m² is now {code(owner)}'s.")
