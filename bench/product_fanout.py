"""Row 7, our side: positions to all screens for the CPU, tickets for the delay; another process takes them in."""

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
from bench.result import Missing
from bench.tickets import post_ticket, reports

POSITIONS = 400  # in each batch, which becomes one frame to every screen


@contextmanager
def publishing(context: Context) -> Iterator[Server]:
    """A second process of the product that takes everything in, so that the first one does nothing but fan out."""
    with context.product() as second:
        second.settle()
        yield second


def moves(context: Context, publisher: Server, screens: int, seconds: float) -> Fanned:
    """Walking workers, 800 positions a second, for that many screens."""
    fleet = phones(context)

    async def publish(number: int) -> None:
        at = number * POSITIONS % len(fleet)
        fixes = [phone.batch_item(int(time.time())) for phone in (fleet + fleet)[at : at + POSITIONS]]
        await post(publisher.port, "/api/positions/batch", orjson.dumps({"fixes": fixes}))

    return fan(
        context.server,
        "/api/live",
        screens,
        seconds=seconds,
        rate=RATE,
        publish=publish,
        sent_at=lambda _: None,
    )


def tickets(context: Context, publisher: Server, seconds: float) -> Fanned:
    """New tickets to all screens; each delta says when it was made."""
    filed = itertools.cycle(reports(context))

    async def publish(_: int) -> None:
        await post_ticket(publisher.port, next(filed))

    def sent_at(message: bytes) -> float | None:
        return sent_now(message) if b'"t":"delta"' in message[:40] else None

    found = fan(
        context.server, "/api/live", SCREENS, seconds=seconds, rate=RATE, publish=publish, sent_at=sent_at
    )
    if not found.delays_s:
        raise Missing("a delta on /api/live for the tickets filed")
    return found
