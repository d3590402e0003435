"""All placed tickets as columns, and how many of them are at each place."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from geodata.scope import Scope

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
    """One value a ticket; times (seconds since 1970) ascend in the first `ordered` rows.

    `place` numbers the cells that hold tickets, which are few, and `cells` says which cell each is: ascending, but for
    those that only live tickets have, which `late` finds.
    """

    t: npt.NDArray[np.int64]
    place: npt.NDArray[np.int32]
    category: npt.NDArray[np.int16]
    channel: npt.NDArray[np.int16]
    area_no: npt.NDArray[np.int64]
    cells: npt.NDArray[np.int32]
    all: Counts  # the ordered tickets of each place
    used: int
    ordered: int
    late: dict[int, int] = field(default_factory=dict)

    @staticmethod
    def of(
        t: npt.NDArray[np.int64],
        cell: npt.NDArray[np.int32],
        category: npt.NDArray[np.int16],
        channel: npt.NDArray[np.int16],
        area_no: npt.NDArray[np.int64],
    ) -> "Columns":
        """The columns of tickets, of which `t` ascends."""
        cells, place, tickets = np.unique(cell, return_inverse=True, return_counts=True)
        return Columns(t, place.astype(np.int32), category, channel, area_no, cells, tickets, len(t), len(t))

    def append(self, t: int, cell: int, category: int, channel: int, area_no: int) -> int:
        """Add one ticket at the end, making room for an eighth more; returns its place."""
        if self.used == len(self.t):
            room = max(1024, len(self.t) // 8)
            for name in ("t", "place", "category", "channel", "area_no"):
                column = getattr(self, name)
                setattr(self, name, np.concatenate([column, np.zeros(room, column.dtype)]))
        at, place = self.used, self._place(cell)
        self.t[at], self.place[at], self.category[at] = t, place, category
        self.channel[at], self.area_no[at] = channel, area_no
        self.used += 1
        return place

    def _place(self, cell: int) -> int:
        known = len(self.all)
        found = int(np.searchsorted(self.cells[:known], cell))
        if found < known and self.cells[found] == cell:
            return found
        if cell not in self.late:
            self.late[cell] = len(self.cells)
            self.cells = np.append(self.cells, np.int32(cell))
        return self.late[cell]


@dataclass(frozen=True, slots=True)
class Test:
    """Which rows count."""

    scope: Scope
    window: Filter
    categories: frozenset[int]
    channels: frozenset[int]


def count(columns: Columns, test: Test) -> Counts:
    """Tickets a place. Of a window that holds most of them, what is outside of it is counted, and taken off."""
    start, end = test.window.start, test.window.end
    first, last = (int(at) for at in np.searchsorted(columns.t[: columns.ordered], (start, end)))
    if (
        test.scope.county
        and not test.categories
        and not test.channels
        and last - first > columns.ordered // 2
    ):
        total = -_count_part(columns, slice(0, first), test) - _count_part(
            columns, slice(last, columns.ordered), test
        )
        total[: len(columns.all)] += columns.all
    else:
        total = _count_part(columns, slice(first, last), test)
    if columns.used > columns.ordered:  # live tickets, in order of arrival
        late = columns.t[columns.ordered : columns.used]
        timely = (late >= start) & (late < end)
        total += _count_part(columns, slice(columns.ordered, columns.used), test, timely)
    return total


def since(columns: Columns, wanted: Filter) -> float:
    """When the first ticket of a window was reported, whatever else it is filtered by; 0 without any."""
    first = int(np.searchsorted(columns.t[: columns.ordered], wanted.start))
    return float(columns.t[first]) if first < columns.ordered and columns.t[first] < wanted.end else 0.0


def _count_part(columns: Columns, part: slice, test: Test, *more: npt.NDArray[np.bool_]) -> Counts:
    tests = list(more)
    if not test.scope.county:
        no = columns.area_no[part]
        inside = [(no >= lo) & (no <= hi) for lo, hi in test.scope.ranges]
        tests.append(np.logical_or.reduce(inside))
    if test.categories:
        tests.append(_among(test.categories)[columns.category[part]])
    if test.channels:
        tests.append(_among(test.channels)[columns.channel[part]])
    places = columns.place[part]
    if tests:
        places = places[np.logical_and.reduce(tests) if len(tests) > 1 else tests[0]]
    return np.bincount(places, minlength=len(columns.cells))


def _among(ids: frozenset[int]) -> npt.NDArray[np.bool_]:
    table = np.zeros(1 << 15, np.bool_)
    table[list(ids)] = True
    return table
