"""All placed tickets as columns, and how many of them are in each cell."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geodata.scope import Scope
from services.heat.lattice import Lattice

Counts = npt.NDArray[np.int64]
FAR_FUTURE = 1 << 40


@dataclass(frozen=True, slots=True)
class Filter:
    """What is counted: reported in [start, end) (seconds since 1970); empty categories or channels mean all."""

    start: int = 0
    end: int = FAR_FUTURE
    categories: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


@dataclass(slots=True)
class Columns:
    """One value a ticket; times (seconds since 1970) ascend in the first `ordered` rows."""

    t: npt.NDArray[np.int64]
    cell: npt.NDArray[np.int32]
    category: npt.NDArray[np.int16]
    channel: npt.NDArray[np.int16]
    area_no: npt.NDArray[np.int64]
    used: int
    ordered: int

    def append(self, t: int, cell: int, category: int, channel: int, area_no: int) -> None:
        """Add one ticket at the end, making room for an eighth more."""
        if self.used == len(self.t):
            room = max(1024, len(self.t) // 8)
            for name in ("t", "cell", "category", "channel", "area_no"):
                column = getattr(self, name)
                setattr(self, name, np.concatenate([column, np.zeros(room, column.dtype)]))
        at = self.used
        self.t[at], self.cell[at], self.category[at] = t, cell, category
        self.channel[at], self.area_no[at] = channel, area_no
        self.used += 1


@dataclass(frozen=True, slots=True)
class Test:
    """Which rows count."""

    scope: Scope
    window: Filter
    categories: frozenset[int]
    channels: frozenset[int]


def count(columns: Columns, lattice: Lattice, test: Test) -> Counts:
    """Tickets a cell; the last is for those outside."""
    start, end = test.window.start, test.window.end
    first, last = np.searchsorted(columns.t[: columns.ordered], (start, end))
    total = _count_part(columns, slice(int(first), int(last)), lattice, test)
    if columns.used > columns.ordered:  # live tickets, in order of arrival
        late = columns.t[columns.ordered : columns.used]
        timely = (late >= start) & (late < end)
        total += _count_part(columns, slice(columns.ordered, columns.used), lattice, test, timely)
    return total


def since(columns: Columns, wanted: Filter) -> float:
    """When the first ticket of a window was reported, whatever else it is filtered by; 0 without any."""
    first = int(np.searchsorted(columns.t[: columns.ordered], wanted.start))
    return float(columns.t[first]) if first < columns.ordered and columns.t[first] < wanted.end else 0.0


def _count_part(
    columns: Columns, part: slice, lattice: Lattice, test: Test, *more: npt.NDArray[np.bool_]
) -> Counts:
    tests = list(more)
    if not test.scope.county:
        no = columns.area_no[part]
        inside = [(no >= lo) & (no <= hi) for lo, hi in test.scope.ranges]
        tests.append(np.logical_or.reduce(inside))
    if test.categories:
        tests.append(_among(test.categories)[columns.category[part]])
    if test.channels:
        tests.append(_among(test.channels)[columns.channel[part]])
    cells = columns.cell[part]
    if tests:
        cells = cells[np.logical_and.reduce(tests) if len(tests) > 1 else tests[0]]
    return np.bincount(cells, minlength=lattice.size + 1)


def _among(ids: frozenset[int]) -> npt.NDArray[np.bool_]:
    table = np.zeros(1 << 15, np.bool_)
    table[list(ids)] = True
    return table
