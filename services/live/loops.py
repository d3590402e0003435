"""Background loops of the live feed: they act in a rhythm and do not fall silent."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger("wangge.live")


async def every(interval_s: float, act: Callable[[], Awaitable[None]]) -> None:
    """Act in that rhythm; a round that fails is written down and the next one tries again."""
    while True:
        started = time.monotonic()
        try:
            await act()
        except Exception:
            log.exception("a live round has failed", act=act.__name__)
        await asyncio.sleep(max(0.01, interval_s - (time.monotonic() - started)))


async def guarded(name: str, loop: Awaitable[None]) -> None:
    """A background loop that ends by a fault of ours says so instead of falling silent."""
    try:
        await loop
    except asyncio.CancelledError:
        raise
    except Exception:
        log.exception("a live loop has ended", loop=name)
        raise
