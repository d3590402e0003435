"""Reads the Redis streams of events and fixes, once a process, and notices when something was missed."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog
from redis.exceptions import RedisError

from services.live import events
from services.live.events import Event
from services.positions import fix as fixes
from services.positions.fix import Fix

log = structlog.get_logger("wangge.live")
BLOCK_MS = 1000
RETRY_S = 0.3
SKEW_MS = 1000


class Reader:
    """Hands on events in the order of their versions without a hole; where there is one, `on_restart` says so.

    The three callbacks run in the event loop: on_events(list of Event), on_fixes(list of Fix), on_restart(version).
    """

    def __init__(
        self,
        redis: Any,
        prefix: str,
        on_events: Callable[[list[Event]], None],
        on_fixes: Callable[[list[Fix]], None],
        on_restart: Callable[[int], None],
    ) -> None:
        self._redis = redis
        self._prefix = prefix
        self._live, self._fixes = events.stream_key(prefix), fixes.stream_key(prefix)
        self._on_events, self._on_fixes, self._on_restart = on_events, on_fixes, on_restart
        self._fix_id = "0-0"
        self._begun = False
        self._read_ms = 0
        self.version = 0
        self.redis_ok = False

    async def run(self) -> None:
        """Read for ever; Redis being away is waited for."""
        while True:
            try:
                if not self._begun:
                    await self._begin()
                await self._read()
            except (RedisError, OSError) as error:
                if self.redis_ok:
                    log.warning("live waits for Redis", error=str(error))
                self.redis_ok = False
                await asyncio.sleep(RETRY_S)

    async def handed_over(self) -> tuple[int, int] | None:
        """Version V and moment T (ms since 1970): all that was committed before T is among the events up to V.

        Raises RedisError. Notices a relay whose versions are younger than ours: the database was made anew.
        """
        said = await self._redis.get(events.relay_key(self._prefix))
        if said is None or not self._begun:
            return None
        version, _, at_ms = said.decode().partition(":")
        if int(version) < self.version and int(at_ms) > self._read_ms + SKEW_MS:
            self._restart(int(version))
        return int(version), int(at_ms)

    async def _begin(self) -> None:
        """Start at the end of both streams, with the last fix of every worker."""
        newest = await self._redis.xrevrange(self._live, count=1)
        said = await self._redis.get(events.relay_key(self._prefix))
        version = events.version_of(newest[0][0]) if newest else int(said.partition(b":")[0]) if said else 0
        last_fix = await self._redis.xrevrange(self._fixes, count=1)
        if last_fix:
            self._fix_id = last_fix[0][0].decode()
        latest = await self._redis.hgetall(fixes.latest_key(self._prefix))
        self._on_fixes([fix for packed in latest.values() for fix in fixes.unpack(packed)])
        self._begun = self.redis_ok = True
        self._restart(version)

    async def _read(self) -> None:
        answer = await self._redis.xread(
            {self._live: f"{self.version}-0", self._fixes: self._fix_id}, count=1000, block=BLOCK_MS
        )
        self.redis_ok = True
        for name, entries in answer or ():
            if name.decode() == self._fixes:
                self._fix_id = entries[-1][0].decode()
                self._on_fixes([fix for _, fields in entries for fix in fixes.unpack(fields[b"b"])])
            else:
                self._take([events.decode(entry_id, fields) for entry_id, fields in entries])

    def _take(self, found: list[Event]) -> None:
        self._read_ms = int(time.time() * 1000)
        if found[-1].version - self.version != len(found):
            log.warning("live events were missed", after=self.version, before=found[-1].version)
            self._restart(found[-1].version)
            return
        self.version = found[-1].version
        self._on_events(found)

    def _restart(self, version: int) -> None:
        self.version = version
        self._read_ms = int(time.time() * 1000)
        self._on_restart(version)
