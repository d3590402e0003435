"""The workers of a run on their ways: those on shift send positions, by each of the protocols that phones use."""

import asyncio
import random
import time
from collections import Counter
from zoneinfo import ZoneInfo

import httpx

from services.positions.directory import on_shift
from services.positions.fix import Reading
from services.simulator.asking import RETRY_S, Server
from services.simulator.script import Script
from services.simulator.walker import Walker

TICK_S = 1.0
BATCH = 400
SINGLES = 0.04  # share of fixes that phones send one by one, in each of the two protocols
KNOT_MPS, KMH_MPS = 1852 / 3600, 1 / 3.6


class Movers:
    """All workers of a script; counts `fixes` and `refused`."""

    def __init__(self, script: Script, server: Server, chance: random.Random, counts: Counter[str]) -> None:
        self._script, self._server, self._chance, self._counts = script, server, chance, counts
        self._zone = ZoneInfo(script.time_zone)
        self._walkers = [Walker(walk, time.time(), chance) for walk in script.walks]

    async def move(self) -> None:
        """Walk and report, for ever."""
        while True:
            started = time.monotonic()
            now = time.time()
            due = [
                walker
                for walker in self._walkers
                if walker.reports_at <= now
                and on_shift(self._script.workers[walker.worker_id], int(now * 1000), self._zone)
            ]
            readings = [(self._script.tokens[walker.worker_id], walker.report(now)) for walker in due]
            singles = round(len(readings) * SINGLES)
            sends = [self._osmand(*one) for one in readings[:singles]]
            sends += [self._owntracks(*one) for one in readings[singles : 2 * singles]]
            rest = readings[2 * singles :]
            sends += [self._batch(rest[at : at + BATCH]) for at in range(0, len(rest), BATCH)]
            answers = await asyncio.gather(*sends)
            if answers and not any(answers):
                await asyncio.sleep(self._chance.uniform(*RETRY_S) / 2)
            await asyncio.sleep(max(0.0, TICK_S - (time.monotonic() - started)))

    async def _batch(self, readings: list[tuple[str, Reading]]) -> bool:
        fixes = [
            {
                "id": token, "at": reading.at_ms, "lon": reading.lon, "lat": reading.lat,
                "accuracy_m": reading.accuracy_m, "speed_mps": reading.speed_mps, "course_deg": reading.course_deg,
                "battery_pct": reading.battery_pct,
            }
            for token, reading in readings
        ]  # fmt: skip
        answer = await self._server.once("POST", "/api/positions/batch", json={"fixes": fixes})
        if answer is not None and answer.is_success:
            refused = len(answer.json()["refused"])
            self._counts["fixes"] += len(fixes) - refused
            self._counts["refused"] += refused
        return answer is not None

    async def _osmand(self, token: str, reading: Reading) -> bool:
        query = {
            "id": token, "timestamp": reading.at_ms // 1000, "lat": reading.lat, "lon": reading.lon,
            "speed": round((reading.speed_mps or 0) / KNOT_MPS, 2), "bearing": reading.course_deg,
            "accuracy": reading.accuracy_m, "batt": reading.battery_pct,
        }  # fmt: skip
        return self._counted(await self._server.once("GET", "/api/positions/osmand", params=query))

    async def _owntracks(self, token: str, reading: Reading) -> bool:
        message = {
            "_type": "location", "tst": reading.at_ms // 1000, "lat": reading.lat, "lon": reading.lon,
            "acc": round(reading.accuracy_m or 0), "vel": round((reading.speed_mps or 0) / KMH_MPS),
            "cog": round(reading.course_deg or 0), "batt": reading.battery_pct,
        }  # fmt: skip
        auth = httpx.BasicAuth("worker", token)
        return self._counted(
            await self._server.once("POST", "/api/positions/owntracks", json=message, auth=auth)
        )

    def _counted(self, answer: httpx.Response | None) -> bool:
        if answer is not None:
            self._counts[
                "fixes" if answer.is_success and "x-refused" not in answer.headers else "refused"
            ] += 1
        return answer is not None
