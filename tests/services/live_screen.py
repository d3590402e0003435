"""A wall's screen in Python: what assets/10-live.js does with what the live hub sends."""

import asyncio
import itertools
import struct
import time
from collections.abc import Callable
from typing import Any

import orjson

import profiles
from geodata.queries.tickets import Ticket
from geodata.scope import EVERYTHING, Pool, Scope, scoped
from services import tickets
from services.live import Hub
from services.tickets import Report
from tests.small_place import centre, grid_no
from tests.ticket_steps import give
from tests.viewers import DISPATCHER

PROFILE = profiles.load("zoucheng")
TOWN_1 = Scope(grid_no(1, 0, 0), grid_no(1, 0, 0) + 999_999)


class Screen:
    """What assets/10-live.js does, in Python: joins, takes a snapshot, applies what comes after it."""

    def __init__(
        self, hub: Hub, scope: Scope = EVERYTHING, since: int | None = None, of: int | None = None
    ) -> None:
        self.hub, self.scope = hub, scope
        self.client = hub.join(scope, since, of)
        self.v, self.of = since or 0, of
        self.grids: dict[int, list[Any]] = {}
        self.workers: dict[int, tuple[float, float]] = {}
        self.seen: list[dict[str, Any]] = []
        self.changed = self.coloured = 0  # versions of the last news of a ticket, and of the last colours
        self.gaps = 0

    async def take_snapshot(self) -> None:
        state = orjson.loads(await self.hub.snapshot(self.scope))
        self.v, self.of = state["v"], state["of"]
        self.coloured = max(self.coloured, self.v)  # its grids are at least as young
        self.grids = {row[0]: row for row in state["grids"]}
        self.workers = {row[0]: (row[1], row[2]) for row in state["workers"]}

    async def read(self) -> None:
        """Apply all that is queued, waiting for at least one frame."""
        queued = await asyncio.wait_for(self.client.frames(), 5)
        for frame in queued or ():
            if isinstance(frame, bytes):
                kind, count = struct.unpack_from("<B3xI", frame)
                if kind == 2:
                    self.workers.clear()
                for worker, lon, lat, _ in itertools.islice(struct.iter_unpack("<IffI", frame[8:]), count):
                    if lon != lon:
                        self.workers.pop(worker, None)
                    else:
                        self.workers[worker] = (lon, lat)
                continue
            told = orjson.loads(frame)
            self.seen.append(told)
            if told["t"] == "gap":
                self.gaps += 1
                await self.take_snapshot()
            elif told["t"] == "delta" and told["v"] >= self.v:
                self.grids |= {row[0]: row for row in told.get("grids", ())}
                self.v = told["v"]
                self.changed = self.v if "tickets" in told else self.changed
                self.coloured = self.v if "grids" in told else self.coloured
            elif told["t"] == "beat":
                self.v = max(self.v, told["v"])

    async def read_until(self, holds: Callable[[], bool], timeout_s: float = 8) -> None:
        until = time.monotonic() + timeout_s
        while not holds():
            assert time.monotonic() < until, self.seen[-3:]
            await self.read()

    def told(self, key: str) -> list[Any]:
        return [item for frame in self.seen for item in frame.get(key, ())]


async def until(holds: Callable[[], bool], timeout_s: float = 8) -> None:
    end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end, "did not come true"
        await asyncio.sleep(0.02)


async def screen(hub: Hub, scope: Scope = EVERYTHING) -> Screen:
    shown = Screen(hub, scope)
    await shown.take_snapshot()
    await shown.read()  # what was queued at the joining: all workers
    return shown


async def file(pool: Pool, place: tuple[int, int, int] = (1, 1, 1), **given: Any) -> Ticket:
    lon, lat = centre(*place)
    report = Report.model_validate(
        {"channel": "grid", "category": "01001", "title": "事项", "lon": lon, "lat": lat} | given
    )

    def now() -> Ticket:
        with scoped(pool, EVERYTHING) as conn:
            return tickets.file_ticket(conn, PROFILE, DISPATCHER, report).ticket

    return await asyncio.to_thread(now)


async def advance(pool: Pool, ticket: Ticket, command: str) -> Ticket:
    def now() -> Ticket:
        with scoped(pool, EVERYTHING) as conn:
            return give(conn, PROFILE, ticket, command)

    return await asyncio.to_thread(now)


async def same_as_fresh(shown: Screen) -> None:
    await shown.read_until(lambda: shown.coloured >= shown.changed)  # colours follow the news
    fresh = await screen(shown.hub, shown.scope)
    assert shown.grids == fresh.grids
    assert shown.workers.keys() == fresh.workers.keys()
    shown.hub.leave(shown.scope, fresh.client)
