"""Who may send positions, and when: workers, their shifts and devices, held in memory and read again now and then."""

import hashlib
import time
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from geodata.queries.live import place_bounds
from geodata.queries.workers import WorkerRow, active_workers, device_workers
from geodata.scope import EVERYTHING, Pool, scoped

Bounds = tuple[float, float, float, float]


def digest_of(token: str) -> bytes:
    """What is kept of a device's token."""
    return hashlib.sha256(token.encode()).digest()


def on_shift(worker: WorkerRow, at_ms: int, zone: ZoneInfo) -> bool:
    """Whether that moment lies in the worker's shift; one that passes midnight belongs to the day it starts on."""
    minute, day = _local_minute(at_ms // 60_000, zone)
    starts, ends = worker.shift_from_min, worker.shift_to_min
    if starts < ends:
        return bool(worker.shift_days >> day & 1) and starts <= minute < ends
    if minute >= starts:
        return bool(worker.shift_days >> day & 1)
    return minute < ends and bool(worker.shift_days >> (day - 1) % 7 & 1)


@lru_cache(maxsize=4096)
def _local_minute(minutes: int, zone: ZoneInfo) -> tuple[int, int]:
    """Minute of the local day and weekday (Monday = 0); most fixes ask for the same few minutes."""
    local = datetime.fromtimestamp(minutes * 60, zone)
    return local.hour * 60 + local.minute, local.weekday()


@dataclass(slots=True)
class Directory:
    """The state of the last reading; empty until the first one."""

    pool: Pool
    time_zone: str
    workers: dict[int, WorkerRow] = field(default_factory=dict)
    devices: dict[bytes, int] = field(default_factory=dict)
    bounds: Bounds | None = None
    read_at: float = -1e9  # monotonic seconds
    _met: dict[str, int] = field(
        default_factory=dict
    )  # tokens that were right, so that each is hashed once a reading

    def read(self) -> None:
        """Read all of it again; takes some milliseconds, so not in the event loop."""
        with scoped(self.pool, EVERYTHING) as conn:
            workers = {worker.id: worker for worker in active_workers(conn)}
            devices = device_workers(conn)
            bounds = place_bounds(conn)
        self.workers, self.devices, self.bounds = workers, devices, bounds
        self._met = {}
        self.read_at = time.monotonic()

    def worker_of(self, token: str) -> WorkerRow | None:
        """The active worker whose device has this token."""
        worker_id = self._met.get(token)
        if worker_id is None:
            worker_id = self.devices.get(digest_of(token))
            if worker_id is None:
                return None
            self._met[token] = worker_id
        return self.workers.get(worker_id)
