"""Clocks for whole columns of times: activity, in which work gets done, and the place's own, in which deadlines run.

Times are hours since a Monday midnight, in local time of the place.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from geodata.clock.ends import HOUR_US, ends
from geodata.clock.worktime import Worktime
from profiles.clock import Amount

Floats = NDArray[np.float64]
MONDAY = date(2000, 1, 3)
WEEK_H = 168
SECOND_US = 1_000_000
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


WEEKDAYS = Clock(np.concatenate([np.tile(_BUSY, 5), np.tile(_BUSY * 0.08, 2)]))
ACTIVITY = Clock(np.concatenate([np.tile(_BUSY, 5), np.tile(_BUSY * 0.6, 2)]))


def due(
    start_h: Floats, limits: Sequence[Sequence[Amount]], which: NDArray[np.int64], worktime: Worktime
) -> Floats:
    """The ends of limits that start at those times, to the second; `which` names the limit of each.

    All times of a call lie on one side of a change of the zone's clocks.
    """
    zero = datetime.combine(MONDAY, time())
    local = zero + timedelta(hours=float(start_h[0])) if len(start_h) else zero
    offset = worktime.zone.utcoffset(local) or timedelta()
    base = int((np.datetime64(zero, "us") - np.timedelta64(offset)).astype(np.int64))
    starts = base + np.round(start_h * 3600).astype(np.int64) * SECOND_US
    found = starts.copy()
    for number in np.unique(which):
        rows = which == number
        found[rows] = ends(limits[number], starts[rows], worktime)
    hours: Floats = (found - base) / HOUR_US
    return hours


def hour_of(day: date) -> float:
    """The local midnight at which a day begins, in hours."""
    return (day - MONDAY).days * 24.0
