"""Viewers behind the tokens of walls and of other systems, remembered for a moment."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg
from psycopg_pool import PoolTimeout

from geodata.queries import access as queries
from geodata.scope import EVERYTHING, Db, Pool, Scope, scoped
from services.access.viewer import Viewer

FRESH_S = 2.0  # a revoked token works so long at most
STALE_S = 60.0  # and so long while the database is away
MOST = 4096
Answer = TypeVar("Answer")


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


class Tokens:
    """Used in one event loop; asks the database in a thread."""

    def __init__(self, pool: Pool, *, demo: bool = False) -> None:
        """Walls that a demo paired with whoever came are walls in a demo only."""
        self._pool, self._demo = pool, demo
        self._known: dict[tuple[str, bytes], tuple[float, Viewer | None]] = {}

    async def wall(self, token: str) -> Viewer | None:
        """The paired wall with that token."""
        return await self._find("wall", token, lambda conn, digest: _wall(conn, digest, demo=self._demo))

    async def client(self, token: str) -> Viewer | None:
        """The other system with that token."""
        return await self._find("client", token, _client)

    async def walls_alive(self, ids: list[int]) -> set[int]:
        """Those of the walls that are still paired."""
        return (
            await asyncio.to_thread(self._ask, lambda conn: queries.walls_alive(conn, ids)) if ids else set()
        )

    def forget(self) -> None:
        """Ask again for every token: one was just made or revoked in this process."""
        self._known.clear()

    async def _find(self, kind: str, token: str, find: Callable[[Db, bytes], Viewer | None]) -> Viewer | None:
        digest = digest_of(token)
        known = self._known.get((kind, digest))
        now = time.monotonic()
        if known is not None and now - known[0] < FRESH_S:
            return known[1]
        try:
            viewer = await asyncio.to_thread(self._ask, lambda conn: find(conn, digest))
        except (psycopg.OperationalError, PoolTimeout):
            if known is None or now - known[0] > STALE_S:
                raise
            return known[1]
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[kind, digest] = (now, viewer)
        return viewer

    def _ask(self, ask: Callable[[Db], Answer]) -> Answer:
        with scoped(self._pool, EVERYTHING, "access") as conn:
            return ask(conn)


def _wall(conn: Db, digest: bytes, *, demo: bool) -> Viewer | None:
    row = queries.wall_of(conn, digest)
    if row is None or (row.demo and not demo):
        return None
    scope = Scope(row.area_no, row.area_hi, county=row.is_root)
    return Viewer(
        "wall", row.id, row.name, "wall", scope, (row.area_code,), session=f"wall-{row.id}", view=row.view
    )


def _client(conn: Db, digest: bytes) -> Viewer | None:
    row = queries.client_of(conn, digest)
    return None if row is None else Viewer("client", row.id, row.name, "client", EVERYTHING)
