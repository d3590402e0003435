"""Row 7, our side: 800 positions a second to all screens for the CPU, tickets filed over HTTP for the delay."""

import itertools
import time

import orjson

from bench.context import Context
from bench.fanout import Fanned, fan
from bench.load import post
from bench.m07_fanout import RATE, SCREENS, sent_now
from bench.phones import phones
from bench.result import Missing
from bench.tickets import post_ticket, reports

POSITIONS = 400  # in each batch, which becomes one frame to every screen


def moves(context: Context, screens: int, seconds: float) -> Fanned:
    """Walking workers for that many screens; the intake costs the same with one screen as with 500."""
    fleet = phones(context)

    async def publish(number: int) -> None:
        at = number * POSITIONS % len(fleet)
        fixes = [phone.batch_item(int(time.time())) for phone in (fleet + fleet)[at : at + POSITIONS]]
        await post(context.server.port, "/api/positions/batch", orjson.dumps({"fixes": fixes}))

    return fan(
        context.server,
        "/api/live",
        screens,
        seconds=seconds,
        rate=RATE,
        publish=publish,
        sent_at=lambda _: None,
    )


def tickets(context: Context, seconds: float) -> Fanned:
    """New tickets to all screens; each delta says when it was made."""
    filed = itertools.cycle(reports(context))

    async def publish(_: int) -> None:
        await post_ticket(context.server.port, next(filed))

    def sent_at(message: bytes) -> float | None:
        return sent_now(message) if b'"t":"delta"' in message[:40] else None

    found = fan(
        context.server, "/api/live", SCREENS, seconds=seconds, rate=RATE, publish=publish, sent_at=sent_at
    )
    if not found.delays_s:
        raise Missing("a delta on /api/live for the tickets filed")
    return found
