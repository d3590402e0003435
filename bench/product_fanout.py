"""Row 7, our side: positions to all screens for the CPU, tickets for the delay; another process does all the rest."""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from bench.context import Context
from bench.fanout import Fanned, fan
from bench.load import post
from bench.m07_fanout import RATE, SCREENS, sent_now
from bench.phones import phones
from bench.processes import Server
from bench.result import Missing, Wrong
from bench.tickets import post_ticket, reports

POSITIONS = 400  # in each batch, which becomes one frame to every screen


@contextmanager
def serving_screens(context: Context) -> Iterator[tuple[Server, Server]]:
    """The process with the screens, and one that takes everything in; as that came first, it leads all jobs.

    The one with the screens does nothing but fan out, so that its CPU is that of the screens. It sends positions as
    often as they are published.
    """
    context.close_server()
    with context.product() as second:
        second.settle()
        with context.product(WANGGE_POSITION_INTERVAL_MS=f"{1000 / RATE:.0f}") as first:
            first.settle()
            yield first, second


def moves(context: Context, first: Server, second: Server, screens: int, seconds: float) -> Fanned:
    """Walking workers, 800 positions a second, for that many screens."""
    fleet = phones(context)

    async def publish(number: int) -> None:
        at = number * POSITIONS % len(fleet)
        fixes = [phone.batch_item(int(time.time())) for phone in (fleet + fleet)[at : at + POSITIONS]]
        answer = await post(second.port, "/api/positions/batch", orjson.dumps({"fixes": fixes}))
        if not answer.startswith(b"HTTP/1.1 200"):
            raise Wrong(f"positions were not taken: {answer[:200]!r}")

    return fan(
        first, "/api/live", screens, seconds=seconds, rate=RATE, publish=publish, sent_at=lambda _: None
    )


def tickets(context: Context, first: Server, second: Server, seconds: float) -> Fanned:
    """New tickets to all screens; each delta says when it was made."""
    filed = itertools.cycle(reports(context))

    async def publish(_: int) -> None:
        await post_ticket(second.port, next(filed))

    def sent_at(message: bytes) -> float | None:
        return sent_now(message) if b'"t":"delta"' in message[:40] else None

    found = fan(first, "/api/live", SCREENS, seconds=seconds, rate=RATE, publish=publish, sent_at=sent_at)
    if not found.delays_s:
        raise Missing("a delta on /api/live for the tickets filed")
    return found
