"""What row 7 does to each server alike: open screens, publish at a steady pace, read CPU and delays."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.load import Heard, listen, run
from bench.processes import Server


@dataclass(frozen=True)
class Fanned:
    """One run: the server's CPU seconds, what arrived, and how late each delivery was."""

    cpu_s: float
    deliveries: int
    bytes_each: float
    delays_s: list[float]
    lost: int


def fan(
    server: Server,
    path: str,
    screens: int,
    *,
    seconds: float,
    rate: float,
    publish: Callable[[int], Awaitable[float | None]],
    sent_at: Callable[[bytes], float | None],
) -> Fanned:
    """Open the screens, wait for quiet, then call `publish` at that rate; `sent_at` dates a delivered message."""

    async def work() -> Fanned:
        heard = Heard()
        await listen(server.port, path, screens, heard)
        await asyncio.sleep(2)
        heard.deliveries.clear()
        before = server.cpu_s()
        start = time.monotonic()
        for number in range(int(seconds * rate)):
            await asyncio.sleep(max(0, start + number / rate - time.monotonic()))
            await publish(number)
        await asyncio.sleep(1)
        cpu_s = server.cpu_s() - before
        dated: dict[bytes, float | None] = {}
        delays = []
        for at, message in heard.deliveries:
            if message not in dated:
                dated[message] = sent_at(message)
            moment = dated[message]
            if moment is not None:
                delays.append(at - moment)
        total = sum(len(message) for _, message in heard.deliveries)
        return Fanned(
            cpu_s, len(heard.deliveries), total / max(1, len(heard.deliveries)), delays, screens - heard.open
        )

    found: Fanned = run(work())
    return found
