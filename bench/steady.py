"""Requests at a steady pace over keep-alive connections, for measures that load the product for a long time."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from bench.load import Asker, Load

TICK_S = 0.01


async def steady(
    port: int, following: Callable[[], bytes], rate: float, over: asyncio.Event, *, connections: int
) -> Load:
    """Send that many a second until it is over; a request that finds no connection free is sent late, none is left out.

    Raises ConnectionError when the server hangs up.
    """
    loop = asyncio.get_running_loop()
    load = Load()
    free: deque[_Paced] = deque()
    clients = [
        (await loop.create_connection(lambda: _Paced(loop, load, free), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    start = time.perf_counter()
    sent = 0
    while not over.is_set():
        due = int((time.perf_counter() - start) * rate)
        while sent < due and free:
            free.popleft().send(following())
            sent += 1
        for client in clients:
            if client.done.done():
                client.done.result()
        await asyncio.sleep(TICK_S)
    load.seconds = time.perf_counter() - start
    load.late = max(0, int(load.seconds * rate) - sent)
    deadline = time.perf_counter() + 30
    while len(free) < connections and time.perf_counter() < deadline:
        await asyncio.sleep(TICK_S)
    for client in clients:
        client.close()
    return load


class _Paced(Asker):
    """A connection that waits to be told what to send next."""

    def __init__(self, loop: asyncio.AbstractEventLoop, load: Load, free: deque["_Paced"]) -> None:
        super().__init__(loop, load, lambda: None)
        self.free = free
        free.append(self)

    def ask(self) -> None:
        """Be free for the next one."""
        self.free.append(self)
