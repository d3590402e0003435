"""Row 19: an assignment on everybody's display under full load: 800 positions a second, 50 operators, 10 walls."""

import asyncio
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
import psycopg

from bench import signed_in
from bench.browser import fresh_page, script
from bench.context import Context
from bench.load import Heard, Load, listen, request, run
from bench.m17_action import a_department
from bench.phones import Phone, phones
from bench.processes import Server
from bench.result import Result, Wrong, percentile
from bench.steady import steady
from bench.tickets import command, post_ticket, reports
from bench.walls import paired

POSITIONS, OPERATORS, WALLS = 800, 50, 10
ASKS = 5.0  # requests a second of all operators: each opens something every ten seconds
ASSIGNED = 0.5  # a second
SEEN_S = 5.0  # after that a queue shows a new ticket
MINUTES = 30
BAR_MS, GROWTH = 2000.0, 1.05


@dataclass(slots=True)
class Told(Heard):
    """Of all deliveries only when each assignment came to each line; a half hour of all would not fit into memory."""

    arrived: list[tuple[float, int]] = field(default_factory=list)  # time.time(), ticket

    def hear(self, at: float, message: bytes) -> None:
        """Keep what tells of an assignment."""
        self.arrived += ((at, ticket) for ticket in _assigned(message))


@dataclass(slots=True)
class Under:
    """What the load saw: when each assignment was sent, what was refused, and how quick answers were."""

    sent: dict[int, float] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    positions: Load = field(default_factory=Load)
    asks: Load = field(default_factory=Load)
    heard: Told = field(default_factory=Told)
    mark: str = field(default_factory=lambda: f"row19-{time.time_ns()}")  # the title of this run's tickets


def measure(context: Context) -> list[Result]:
    """Milliseconds on one clock: from just before the POST to the news on all lines, and to pixels on one screen."""
    server = context.fresh_server()
    walls = [paired(context, server, f"bench {number}") for number in range(WALLS)]
    fleet = phones(context)
    seconds = context.times(MINUTES * 60, 40)
    under = Under()
    memory = [server.memory_mb()]
    with signed_in.at_the_desk(context.stores):
        asks = _asks(context)
        with fresh_page(context.browser) as page, _loaded(context, server, walls, fleet, asks, under) as over:
            page.goto(f"{server.url}/dispatch/?q={under.mark}")
            page.wait_for_function(
                "window.wangge?.live?.state?.mode === 'live' && document.getElementById('rows')"
            )
            page.evaluate(script("queue"))
            _until(page, seconds, lambda: memory.append(server.memory_mb()))
            over()
            seen = {int(key): at / 1000 for key, at in page.evaluate("benchSeen").items()}
    return _results(under, seen, memory, seconds)


def _until(page: Any, seconds: float, every_tenth: Callable[[], None]) -> None:
    for _ in range(10):
        page.wait_for_timeout(seconds * 100)
        every_tenth()


@contextmanager
def _loaded(
    context: Context, server: Server, walls: list[str], fleet: list[Phone], asks: list[bytes], under: Under
) -> Iterator[Callable[[], None]]:
    """The load, in a thread of its own; calling what it yields ends it and waits for the last news."""
    stop = threading.Event()
    filed, department = itertools.cycle(reports(context)), a_department(context)

    async def work() -> None:
        over, assigning = asyncio.Event(), set[asyncio.Task[None]]()
        port = server.port
        for wall in walls:
            await listen(port, "/api/live", 1, under.heard, session=wall)
        await listen(port, "/api/live", OPERATORS - 1, under.heard)
        loads = [
            asyncio.create_task(steady(port, _fixes(fleet).__next__, POSITIONS, over, connections=256)),
            asyncio.create_task(steady(port, itertools.cycle(asks).__next__, ASKS, over, connections=10)),
        ]
        start = time.monotonic()
        for number in itertools.count():
            # uneven steps, so that no rhythm of the server is met
            await asyncio.sleep(max(0, start + (number + 0.37 * (number % 3)) / ASSIGNED - time.monotonic()))
            if stop.is_set():
                break
            report = {**next(filed), "title": under.mark}
            assigning.add(asyncio.create_task(_assign(port, report, department, under)))
        await asyncio.gather(*assigning)
        await asyncio.sleep(3)
        over.set()
        under.positions, under.asks = await asyncio.gather(*loads)

    worker = threading.Thread(target=lambda: run(work()))
    worker.start()

    def end() -> None:
        stop.set()
        worker.join(60)

    try:
        yield end
    finally:
        end()


async def _assign(port: int, report: dict[str, Any], department: str, under: Under) -> None:
    """A new ticket, and its assignment once it has been seen; both are counted when they are not taken."""
    try:
        ticket = await post_ticket(port, report)
        await asyncio.sleep(SEEN_S)
        under.sent[ticket["id"]] = time.time()
        body = {"version": ticket["version"], "to": {"kind": "department", "code": department}}
        await command(port, f"/api/dispatch/tickets/{ticket['id']}/assign", body)
    except (ConnectionError, OSError) as error:
        under.refused[str(error)[:120]] += 1


def _fixes(fleet: list[Phone]) -> Iterator[bytes]:
    """One position a request, phone after phone, as OwnTracks sends it."""
    heads = [
        f"X-Limit-U: bench\r\nX-Limit-D: phone\r\nAuthorization: {phone.authorization}\r\n" for phone in fleet
    ]
    while True:
        for phone, head in zip(fleet, heads, strict=True):
            body = orjson.dumps(phone.owntracks(int(time.time())))
            yield request("POST", "/api/positions/owntracks", body, headers=head, session="")


def _asks(context: Context) -> list[bytes]:
    """What operators open: a ticket's card, its candidates, the queue, a page of the list, a grid's card."""
    with psycopg.connect(context.stores.database_url) as conn:
        tickets = [
            row[0]
            for row in conn.execute(
                "SELECT id FROM ticket WHERE closed_at IS NULL ORDER BY md5(id::text) LIMIT 200"
            )
        ]
        grids = [
            row[0]
            for row in conn.execute("SELECT no FROM area_now WHERE level = 'grid' ORDER BY no LIMIT 200")
        ]
    chance = random.Random(5)
    paths = []
    for _ in range(100):
        ticket, grid = chance.choice(tickets), chance.choice(grids)
        paths += [
            f"/api/tickets/{ticket}/card", f"/api/dispatch/tickets/{ticket}/candidates",
            "/api/dispatch/queue?tab=decide", "/api/tickets?limit=50", f"/api/cards/area/{grid}",
        ]  # fmt: skip
    return [request("GET", path) for path in paths]


@lru_cache(maxsize=64)  # the same bytes go to many lines
def _assigned(message: bytes) -> tuple[int, ...]:
    """The tickets whose assignment a frame tells of."""
    if not message.startswith(b'{"t":"delta"') or b'"dispatch"' not in message:
        return ()
    return tuple(row["id"] for row in orjson.loads(message).get("tickets", ()) if row["kind"] == "dispatch")


def _results(under: Under, seen: dict[int, float], memory: list[float], seconds: float) -> list[Result]:
    lines = OPERATORS - 1 + WALLS  # the fiftieth operator is the page
    arrived = [(at - under.sent[ticket]) * 1000 for at, ticket in under.heard.arrived if ticket in under.sent]
    pixels = [(seen[ticket] - at) * 1000 for ticket, at in under.sent.items() if seen.get(ticket, 0) > at]
    if not arrived or not pixels:
        raise Wrong(f"of {len(under.sent)} assignments no news came, or none was painted")
    lost = len(under.sent) * lines - len(arrived)
    bad = {
        str(status): count
        for status, count in (under.positions.statuses + under.asks.statuses).items()
        if status != 200
    }
    errors = sum(bad.values()) + sum(under.refused.values()) + under.heard.lost
    news, shown = percentile(arrived, 0.95), percentile(pixels, 0.95)
    rate = len(under.positions.latencies_s) / under.positions.seconds
    load = (
        f"{rate:.0f} positions/s (answered p95 {under.positions.ms(0.95):.0f} ms), {OPERATORS} operators "
        f"(answered p95 {under.asks.ms(0.95):.0f} ms), {WALLS} walls, {seconds / 60:.0f} min"
    )
    growth = memory[-1] / memory[len(memory) // 2]
    return [
        Result(
            f"19 under full load: assignment → news on {lines} other screens, p95", news, None, "ms",
            f"≤ {BAR_MS:.0f} ms", news <= BAR_MS and not lost and rate > 0.99 * POSITIONS, "", n=len(arrived),
            note=f"median {percentile(arrived, 0.5):.0f} ms, {lost} lost; {load}",
        ),
        Result(
            "19 under full load: assignment → another dispatcher's queue, p95", shown, None, "ms",
            f"≤ {BAR_MS:.0f} ms", shown <= BAR_MS and len(pixels) == len(under.sent), "", n=len(pixels),
            note=f"painted in Chromium; median {percentile(pixels, 0.5):.0f} ms, {len(under.sent) - len(pixels)} lost",
        ),
        Result(
            "19 under full load: errors", float(errors), None, "", "0", errors == 0, "",
            n=len(under.positions.latencies_s) + len(under.asks.latencies_s) + 2 * len(under.sent),
            note=", ".join(f"{what}: {count}" for what, count in (bad | dict(under.refused)).items())
            or f"{under.positions.late} positions late at the end",
        ),
        Result(
            "19 under full load: memory of the server, second half", growth, None, "times", f"≤ {GROWTH}",
            growth <= GROWTH, "", n=len(memory), note=" → ".join(f"{one:.0f}" for one in memory) + " MB",
        ),
    ]  # fmt: skip
