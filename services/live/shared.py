"""Snapshots that are made once for all who ask meanwhile."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from geodata.scope import Scope

KEPT_S = 0.5  # many screens that come back at once share one


class Shared(NamedTuple):
    """A snapshot that several screens get."""

    begun_at: float  # monotonic seconds
    task: asyncio.Task[bytes]

    def serves(self, changed_at: float) -> bool:
        """Whether it is good, fresh, and of a state that has not changed since."""
        recent = changed_at <= self.begun_at and time.monotonic() - self.begun_at < KEPT_S
        return recent and not self.task.cancelled() and self.task.exception() is None


class Snapshots:
    """The last one of each scope, for one event loop; `take` makes one."""

    def __init__(self, take: Callable[[Scope], Coroutine[Any, Any, bytes]]) -> None:
        self._take = take
        self._kept: dict[Scope, Shared] = {}

    def forget(self, scope: Scope) -> None:
        """Nobody asks for it any more."""
        self._kept.pop(scope, None)

    async def of(self, scope: Scope, changed_at: float) -> bytes:
        """A snapshot begun no earlier than that moment (monotonic seconds); raises what `take` raises.

        One is made at a time and shared by all who ask meanwhile.
        """
        while True:
            kept = self._kept.get(scope)
            if kept is None or (kept.task.done() and not kept.serves(changed_at)):
                kept = self._kept[scope] = Shared(time.monotonic(), asyncio.create_task(self._take(scope)))
            if kept.begun_at >= changed_at:
                return await asyncio.shield(kept.task)
            await asyncio.wait([kept.task])
