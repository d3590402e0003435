"""What row 7 does to each server alike: open screens, publish at a steady pace, read CPU and delays."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.load import Heard, listen, run
from bench.processes import Server
from bench.result import Wrong


@dataclass(frozen=True)
class Fanned:
    """One run: the server's CPU seconds, what arrived, and how late each delivery was."""

    cpu_s: float
    deliveries: int
    bytes_each: float
    delays_s: list[float]


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
    """Open the screens, wait for quiet, then call `publish` at that rate; `sent_at` dates a delivered message.

    Wrong when not all screens stayed open: what the others cost and how long they waited is no figure.
    """

    async def work() -> Fanned:
        heard = Heard()
        await listen(server.port, path, screens, heard)
        await asyncio.sleep(2)
        all_open(heard, screens)
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
        all_open(heard, screens)
        total = sum(len(message) for _, message in heard.deliveries)
        return Fanned(cpu_s, len(heard.deliveries), total / max(1, len(heard.deliveries)), delays)

    found: Fanned = run(work())
    return found


def all_open(heard: Heard, screens: int) -> None:
    """Wrong when the server refused or dropped some of the screens."""
    if heard.open != screens:
        raise Wrong(f"{screens - heard.open} of {screens} screens were refused or dropped")


def cost_us(pairs: list[tuple[Fanned, Fanned]]) -> float:
    """CPU microseconds of one more delivery, over all turns of (one screen, all screens).

    Wrong when more screens got no more, or cost nothing: then something else was measured.
    """
    cpu_s = sum(many.cpu_s - one.cpu_s for one, many in pairs)
    deliveries = sum(many.deliveries - one.deliveries for one, many in pairs)
    if cpu_s <= 0 or deliveries <= 0:
        raise Wrong(f"more screens brought {deliveries} more deliveries and took {cpu_s:.3f} s more CPU")
    return cpu_s / deliveries * 1e6
