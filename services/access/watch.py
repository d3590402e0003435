"""Ends live connections whose session or pairing has ended, within seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import psycopg
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError

from services.access.sessions import Sessions
from services.access.tokens import Tokens
from services.access.viewer import Viewer

EVERY_S = 2.0
End = Callable[[], Awaitable[None]]


class Watch:
    """One loop a process, while somebody is connected; a store that is away ends nobody."""

    def __init__(self, sessions: Sessions, tokens: Tokens) -> None:
        self._sessions, self._tokens = sessions, tokens
        self._connected: dict[object, tuple[Viewer, End]] = {}
        self._loop: asyncio.Task[None] | None = None

    def join(self, key: object, viewer: Viewer, end: End) -> None:
        """Watch a connection; `end` is awaited once when it may not go on."""
        self._connected[key] = (viewer, end)
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._run(), name="watch sessions")

    def leave(self, key: object) -> None:
        """The connection ended by itself."""
        self._connected.pop(key, None)

    async def _run(self) -> None:
        while self._connected:
            await asyncio.sleep(EVERY_S)
            with suppress(RedisError, psycopg.OperationalError, PoolTimeout, OSError):
                await self.look()

    async def look(self) -> None:
        """End what has no session or pairing any more; who joins while the stores are asked is looked at next time."""
        connected = list(self._connected.items())
        viewers = [viewer for _, (viewer, _) in connected]
        accounts = await self._sessions.alive(sorted({v.session for v in viewers if v.kind == "account"}))
        walls = await self._tokens.walls_alive(sorted({v.id for v in viewers if v.kind == "wall"}))
        for key, (viewer, end) in connected:
            if viewer.session in accounts or (viewer.kind == "wall" and viewer.id in walls):
                continue
            if viewer.kind in ("account", "wall") and key in self._connected:
                self._connected.pop(key, None)
                with suppress(Exception):
                    await end()
