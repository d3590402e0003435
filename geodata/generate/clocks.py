"""Two clocks for whole columns of times: office hours, in which deadlines run, and activity, in which work gets done.

Times are hours since a Monday midnight, in local time of the place.
"""

from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MONDAY = date(2000, 1, 3)
WEEK_H = 168
DAY_H = 8.0  # hours of a working day
_OFFICE = np.array([1.0 if 9 <= h < 17 else 0.0 for h in range(24)])  # as services.deadline
_BUSY = np.array(
    [0.02] * 6
    + [0.1, 0.5, 1.0, 1.15, 1.15, 0.95, 0.5, 0.55, 1.05, 1.1, 1.1, 0.9, 0.5, 0.35, 0.25, 0.12, 0.05, 0.02]
)


class Clock:
    """A clock that runs at a different speed in each hour of the week."""

    def __init__(self, speeds: Floats) -> None:
        """`speeds`: 168 of them, Monday 0 h first."""
        self._run = np.r_[0.0, np.cumsum(speeds)]

    def read(self, at_h: Floats) -> Floats:
        """What the clock shows at those times."""
        week, rest = np.divmod(at_h, WEEK_H)
        shown: Floats = week * self._run[-1] + np.interp(rest, np.arange(WEEK_H + 1), self._run)
        return shown

    def when(self, reading: Floats) -> Floats:
        """The first time at which the clock shows so much: the end of an hour, not the morning after it."""
        week, rest = np.divmod(reading, self._run[-1])
        # a reading of exactly zero belongs to the end of the week before
        week, rest = np.where(rest == 0, week - 1, week), np.where(rest == 0, self._run[-1], rest)
        end = np.searchsorted(self._run, rest, side="left")
        begun = self._run[end - 1]
        first: Floats = week * WEEK_H + end - 1 + (rest - begun) / (self._run[end] - begun)
        return first


OFFICE = Clock(np.concatenate([np.tile(_OFFICE, 5), np.zeros(48)]))
WEEKDAYS = Clock(np.concatenate([np.tile(_BUSY, 5), np.tile(_BUSY * 0.08, 2)]))
ACTIVITY = Clock(np.concatenate([np.tile(_BUSY, 5), np.tile(_BUSY * 0.6, 2)]))

Unit = Literal["natural_hours", "working_hours", "working_days", "natural_days"]


def due(start_h: Floats, limit: Floats, unit: NDArray[np.str_]) -> Floats:
    """The ends of limits that start at those times; a working day is eight office hours, as in services.deadline."""
    natural = start_h + limit * np.where(unit == "natural_days", 24.0, 1.0)
    hours = limit * np.where(unit == "working_days", DAY_H, 1.0)
    working = OFFICE.when(OFFICE.read(start_h) + hours)
    return np.where(np.char.startswith(unit, "working"), working, natural)


def hour_of(day: date) -> float:
    """The local midnight at which a day begins, in hours."""
    return (day - MONDAY).days * 24.0
