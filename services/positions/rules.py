"""Which readings are refused, and why: an ordered list of small rules."""

import math
from collections.abc import Callable
from typing import NamedTuple
from zoneinfo import ZoneInfo

from geodata.queries.workers import WorkerRow
from services.positions.directory import Bounds, on_shift
from services.positions.fix import Reading
from settings import Settings

FUTURE_MS = 120_000  # clocks of phones are a little off
OLDEST_MS = 24 * 3600 * 1000  # phones keep what they could not send, but not for ever
FAR_DEGREES = 0.2  # about 20 km around the place
NULL_ISLAND_DEGREES = 0.001
METRES_PER_DEGREE = 111_320.0
JUMPS_BELIEVED = 3  # so many refused readings in a row that agree with each other: the kept one was wrong


class Case(NamedTuple):
    """A reading and what it is judged by; `last` is the worker's last accepted reading."""

    reading: Reading
    worker: WorkerRow
    now_ms: int
    last: Reading | None
    bounds: Bounds | None
    zone: ZoneInfo
    settings: Settings


def _impossible(case: Case) -> bool:
    return abs(case.reading.lon) > 180 or abs(case.reading.lat) > 90


def _null_island(case: Case) -> bool:
    return abs(case.reading.lon) < NULL_ISLAND_DEGREES and abs(case.reading.lat) < NULL_ISLAND_DEGREES


def _outside(case: Case) -> bool:
    if case.bounds is None:
        return False
    west, south, east, north = case.bounds
    lon, lat = case.reading.lon, case.reading.lat
    return not (
        west - FAR_DEGREES <= lon <= east + FAR_DEGREES and south - FAR_DEGREES <= lat <= north + FAR_DEGREES
    )


def _future(case: Case) -> bool:
    return case.reading.at_ms > case.now_ms + FUTURE_MS


def _too_old(case: Case) -> bool:
    return case.reading.at_ms < case.now_ms - OLDEST_MS


def _inexact(case: Case) -> bool:
    accuracy_m = case.reading.accuracy_m
    return accuracy_m is not None and accuracy_m > case.settings.position_max_accuracy_m


def _duplicate(case: Case) -> bool:
    return case.last is not None and case.reading.at_ms == case.last.at_ms


def _off_shift(case: Case) -> bool:
    return not on_shift(case.worker, case.reading.at_ms, case.zone)


def _jump(case: Case) -> bool:
    return case.last is not None and jumps(case.last, case.reading, case.settings.position_max_speed_mps)


# In this order; the first that holds names the reason.
RULES: tuple[tuple[str, Callable[[Case], bool]], ...] = (
    ("null_island", _null_island),
    ("impossible", _impossible),
    ("outside", _outside),
    ("future", _future),
    ("too_old", _too_old),
    ("inaccurate", _inexact),
    ("off_shift", _off_shift),
    ("duplicate", _duplicate),
    ("jump", _jump),
)
REASONS = ("unknown_token", "malformed", *(reason for reason, _ in RULES))


def refused(case: Case) -> str | None:
    """The reason why this reading is refused; None when it is taken."""
    for reason, holds in RULES:
        if holds(case):
            return reason
    return None


def jumps(before: Reading, after: Reading, max_speed_mps: float) -> bool:
    """Whether the later reading is farther from the earlier one than anybody travels in that time.

    Distance in metres on the flat, less what both readings may be off.
    """
    if after.at_ms <= before.at_ms:
        return False
    east_m = (after.lon - before.lon) * METRES_PER_DEGREE * math.cos(math.radians(after.lat))
    north_m = (after.lat - before.lat) * METRES_PER_DEGREE
    off_m = (before.accuracy_m or 0) + (after.accuracy_m or 0)
    return math.hypot(east_m, north_m) - off_m > max_speed_mps * (after.at_ms - before.at_ms) / 1000
