"""A worker on the way: walks or rides from place to place, pausing at some."""

import math
import random

from geodata.queries.simulation import Walk
from services.positions.fix import Reading

METRES_PER_DEGREE = 111_320.0
WALKS_MPS, RIDES_MPS = (0.9, 1.6), (3.0, 6.0)
PAUSE_S = (0.0, 90.0)
REPORT_S = (5.0, 10.0)


class Walker:
    """Deterministic in its random generator; times in seconds since 1970."""

    def __init__(self, walk: Walk, now: float, chance: random.Random) -> None:
        self.worker_id = walk.worker_id
        self._places = walk.places
        self._speeds = WALKS_MPS if walk.on_foot else RIDES_MPS
        self._chance = chance
        self._lon, self._lat = chance.choice(walk.places)
        self._target = chance.choice(walk.places)
        self._moved_at = now
        self._rests_until = now
        self._speed_mps = chance.uniform(*self._speeds)
        self._course_deg = 0.0
        self._battery_pct = chance.uniform(35, 100)
        self.reports_at = now + chance.uniform(0, REPORT_S[1])

    def report(self, now: float) -> Reading:
        """Where the worker is now; the next report is due 5 to 10 s later."""
        self._go(now)
        self.reports_at = now + self._chance.uniform(*REPORT_S)
        self._battery_pct = max(5.0, self._battery_pct - 0.002)
        noise_m = self._chance.uniform(0, 4)
        angle = self._chance.uniform(0, math.tau)
        lon, lat = _moved(self._lon, self._lat, noise_m * math.sin(angle), noise_m * math.cos(angle))
        return Reading(
            at_ms=int(now * 1000),
            lon=round(lon, 6),
            lat=round(lat, 6),
            accuracy_m=round(self._chance.uniform(3, 18), 1),
            speed_mps=0.0 if now < self._rests_until else round(self._speed_mps, 2),
            course_deg=round(self._course_deg, 1),
            battery_pct=round(self._battery_pct),
        )

    def _go(self, now: float) -> None:
        passed_s = min(max(0.0, now - max(self._moved_at, self._rests_until)), 60.0)
        self._moved_at = now
        if passed_s == 0:
            return
        east_m = (self._target[0] - self._lon) * METRES_PER_DEGREE * math.cos(math.radians(self._lat))
        north_m = (self._target[1] - self._lat) * METRES_PER_DEGREE
        left_m, step_m = math.hypot(east_m, north_m), self._speed_mps * passed_s
        if left_m <= step_m:
            self._lon, self._lat = self._target
            self._target = self._chance.choice(self._places)
            self._rests_until = now + self._chance.uniform(*PAUSE_S)
            self._speed_mps = self._chance.uniform(*self._speeds)
            return
        self._course_deg = math.degrees(math.atan2(east_m, north_m)) % 360
        self._lon, self._lat = _moved(
            self._lon, self._lat, east_m * step_m / left_m, north_m * step_m / left_m
        )


def _moved(lon: float, lat: float, east_m: float, north_m: float) -> tuple[float, float]:
    return (
        lon + east_m / (METRES_PER_DEGREE * math.cos(math.radians(lat))),
        lat + north_m / METRES_PER_DEGREE,
    )
