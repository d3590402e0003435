"""Takes readings in: judges them and writes those accepted to Redis, many at once, before they are acknowledged."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import psycopg
from prometheus_client import Counter

from services.positions import rules
from services.positions.directory import Directory
from services.positions.fix import Fix, Reading, latest_key, pack, stream_key
from settings import Settings

ACCEPTED = Counter("wangge_positions_accepted_total", "Worker positions taken in.")
REFUSED = Counter("wangge_positions_refused_total", "Worker positions refused.", ["reason"])
for _reason in rules.REASONS:
    REFUSED.labels(_reason)

KEPT_MS = (
    3600 * 1000
)  # fixes wait so long for the history while the database is away (170 MB at 800 a second)
REREAD_S = 1.0  # an unknown token makes the directory be read again, this often at most
GATHER_S = 0.02  # least time between writes of few: each costs Redis, all readers and us the same
ENOUGH = 16  # so many fixes wait for nothing


class Refusal(NamedTuple):
    """Which of the readings was refused (counted from 0), and why."""

    position: int
    reason: str


class Intake:
    """One a process, in its event loop; `latest` is shared with the hub, which fills it from all processes."""

    def __init__(
        self, settings: Settings, directory: Directory, redis: Any, prefix: str, latest: dict[int, Fix]
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._redis = redis
        self._stream, self._hash = stream_key(prefix), latest_key(prefix)
        self._latest = latest
        self._zone = ZoneInfo(directory.time_zone)
        self._rereading = asyncio.Lock()
        self._reread_at = -REREAD_S
        self._jumped: dict[int, tuple[int, Reading]] = {}
        self._waiting: list[Fix] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._enough = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._wrote_at = -GATHER_S  # monotonic seconds

    async def take(self, readings: Sequence[tuple[str, Reading]]) -> list[Refusal]:
        """Judge (token, reading) pairs and write the accepted ones; returns the refused.

        Returns after Redis has confirmed the write. Raises RedisError (nothing is acknowledged then) or
        psycopg.OperationalError while the devices have never been read.
        """
        await self._know_devices([token for token, _ in readings])
        now_ms = int(time.time() * 1000)
        accepted: list[Fix] = []
        refusals: list[Refusal] = []
        newest: dict[int, Reading] = {}  # within this call
        for index, (token, reading) in enumerate(readings):
            reason, fix = self._judge(token, reading, now_ms, newest)
            if fix is not None:
                accepted.append(fix)
            elif reason is not None:
                REFUSED.labels(reason).inc()
                refusals.append(Refusal(index, reason))
        if accepted:
            await self._write(accepted)
            ACCEPTED.inc(len(accepted))
        return refusals

    def _judge(
        self, token: str, reading: Reading, now_ms: int, newest: dict[int, Reading]
    ) -> tuple[str | None, Fix | None]:
        worker = self._directory.worker_of(token)
        if worker is None:
            return "unknown_token", None
        known = self._latest.get(worker.id)
        last = newest.get(worker.id) or (known.reading if known else None)
        case = rules.Case(reading, worker, now_ms, last, self._directory.bounds, self._zone, self._settings)
        reason = rules.refused(case)
        if reason == "jump" and self._is_believed(worker.id, reading):
            reason = None
        if reason is not None:
            return reason, None
        self._jumped.pop(worker.id, None)
        if last is None or reading.at_ms > last.at_ms:
            newest[worker.id] = reading
        return None, Fix(worker.id, worker.area_no, now_ms, reading)

    def _is_believed(self, worker_id: int, reading: Reading) -> bool:
        count, before = self._jumped.get(worker_id, (0, reading))
        agrees = not rules.jumps(before, reading, self._settings.position_max_speed_mps)
        count = count + 1 if agrees else 1
        self._jumped[worker_id] = (count, reading)
        return count >= rules.JUMPS_BELIEVED

    async def _know_devices(self, tokens: list[str]) -> None:
        """A token not seen yet may be a new device: read the directory again, but not for every such request."""
        directory = self._directory
        if all(map(directory.worker_of, tokens)) or not self._is_reread_due(tokens):
            return
        async with self._rereading:
            if self._is_reread_due(tokens):
                self._reread_at = time.monotonic()
                try:
                    await asyncio.to_thread(directory.read)
                except psycopg.OperationalError:
                    if not directory.devices:
                        raise  # nobody is known yet: not the phones' fault

    def _is_reread_due(self, tokens: list[str]) -> bool:
        directory = self._directory
        return any(directory.worker_of(token) is None for token in tokens) and (
            time.monotonic() - max(directory.read_at, self._reread_at) > REREAD_S
        )

    async def _write(self, fixes: list[Fix]) -> None:
        """Join the next write; while one is under way, and for a moment after one, all others gather for it."""
        self._waiting.extend(fixes)
        written = asyncio.get_running_loop().create_future()
        self._waiters.append(written)
        if len(self._waiting) >= ENOUGH:
            self._enough.set()
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_waiting())
        await written

    async def _write_waiting(self) -> None:
        while self._waiting:
            await self._gather()
            fixes, waiters = self._waiting, self._waiters
            self._waiting, self._waiters = [], []
            self._enough.clear()
            self._wrote_at = time.monotonic()
            failed: Exception | None = None
            try:
                await self._write_now(fixes)
            except Exception as error:
                failed = error
            for written in waiters:
                if written.done():
                    continue  # nobody waits there any more
                if failed is None:
                    written.set_result(None)
                else:
                    written.set_exception(failed)

    async def _gather(self) -> None:
        """Wait for others, if the last write was just now and these are few."""
        rest_s = self._wrote_at + GATHER_S - time.monotonic()
        if rest_s > 0 and not self._enough.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(rest_s):
                    await self._enough.wait()

    async def _write_now(self, fixes: list[Fix]) -> None:
        packed = [pack(fix) for fix in fixes]
        newest: dict[int | bytes, bytes] = {}
        for fix, form in zip(fixes, packed, strict=True):
            last = self._latest.get(fix.worker_id)
            if last is None or fix.reading.at_ms > last.reading.at_ms:
                newest[fix.worker_id] = form
        pipeline = self._redis.pipeline(transaction=True)
        oldest_ms = fixes[-1].received_ms - KEPT_MS
        pipeline.xadd(self._stream, {"b": b"".join(packed)}, minid=f"{oldest_ms}-0")
        if newest:
            pipeline.hset(self._hash, mapping=newest)
        await pipeline.execute()
        for fix in fixes:
            last = self._latest.get(fix.worker_id)
            if last is None or fix.reading.at_ms > last.reading.at_ms:
                self._latest[fix.worker_id] = fix
