"""Phones that report meanwhile, for measures whose subject is elsewhere but needs workers at known places."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from bench.load import post
from bench.phones import Phone

EVERY_S = 20.0
BATCH = 100


@contextmanager
def walking(port: int, fleet: list[Phone]) -> Iterator[None]:
    """All of them have reported on entry, and do again every 20 seconds.

    Raises ConnectionError on entry when the product takes no positions.
    """
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(EVERY_S):
            asyncio.run(_report(port, fleet))

    asyncio.run(_report(port, fleet))
    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


async def _report(port: int, fleet: list[Phone]) -> None:
    now = int(time.time())
    for at in range(0, len(fleet), BATCH):
        fixes = [phone.batch_item(now) for phone in fleet[at : at + BATCH]]
        answer = await post(port, "/api/positions/batch", orjson.dumps({"fixes": fixes}))
        if not answer.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(f"positions were refused: {answer[:300]!r}")
