"""Row 17: from a dispatcher's assignment to every other open screen, with 200 of them, and the queue by itself."""

import asyncio
import itertools
import threading
import time
from typing import Any
from urllib.parse import quote

import orjson
import psycopg

from bench import signed_in
from bench.browser import fresh_page, script
from bench.context import Context
from bench.load import Heard, hammer, listen, request, run
from bench.processes import Server
from bench.result import Missing, Result, Wrong, percentile
from bench.tickets import command, post_ticket, reports

SCREENS, RATE = 200, 1.0
WARM = 20  # assignments before: each connection to the database makes its plans once
BAR_MS, QUEUE_MS = 300.0, 100.0


def measure(context: Context) -> list[Result]:
    """Milliseconds on one clock, from just before the POST: to the news on all other lines, to pixels on one screen."""
    server = context.server
    with signed_in.at_the_desk(context.stores):
        return [*_assignments(context, server), _queue(context, server)]


def _assignments(context: Context, server: Server) -> list[Result]:
    count, port = context.times(60, 8), server.port
    mark = f"row17-{time.time_ns()}"
    named = (
        {**report, "title": f"{mark} {at}"} for at, report in enumerate(itertools.cycle(reports(context)))
    )
    filed: list[dict[str, Any]] = [
        run(post_ticket(port, report)) for report in itertools.islice(named, count)
    ]
    department = a_department(context)
    for report in itertools.islice(reports(context), context.times(WARM, 2)):
        ticket = run(post_ticket(port, report))
        run(command(port, f"/api/dispatch/tickets/{ticket['id']}/assign", _to(department, ticket)))
    sent: dict[int, float] = {}
    heard = Heard()
    quiet, ready, over = threading.Event(), threading.Event(), threading.Event()

    def drive() -> None:
        async def work() -> None:
            await listen(port, "/api/live", SCREENS - 1, heard)
            quiet.set()
            while not ready.is_set():
                await asyncio.sleep(0.05)
            start = time.monotonic()
            for at, ticket in enumerate(filed):
                # uneven steps, so that no rhythm of the server is met
                await asyncio.sleep(max(0, start + (at + 0.37 * (at % 3)) / RATE - time.monotonic()))
                sent[ticket["id"]] = time.time()
                await command(port, f"/api/dispatch/tickets/{ticket['id']}/assign", _to(department, ticket))
            await asyncio.sleep(2)

        try:
            run(work())
        finally:
            quiet.set()
            over.set()

    with fresh_page(context.browser) as page:
        page.goto(f"{server.url}/dispatch/?q={quote(mark)}")
        page.locator("#rows li[data-id]").nth(min(count, 60) - 1).wait_for()
        driver = threading.Thread(target=drive)
        driver.start()
        quiet.wait(60)
        page.wait_for_timeout(2000)
        page.evaluate(script("queue"))
        ready.set()
        while not over.is_set():
            page.wait_for_timeout(200)
        driver.join()
        seen = {int(key): at / 1000 for key, at in page.evaluate("benchSeen").items()}
    if len(sent) < count or heard.lost:
        raise Wrong(f"{len(sent)} of {count} were assigned, {heard.lost} screens lost their line")
    arrived = _arrived(heard, sent)
    missed = count * (SCREENS - 1) - len(arrived)
    pixels = [(seen[ticket] - at) * 1000 for ticket, at in sent.items() if ticket in seen]
    if not arrived or not pixels:
        raise Missing("news of the assignments within the time")
    lines_p95, pixels_p95 = percentile(arrived, 0.95), percentile(pixels, 0.95)
    unseen = count - len(pixels)
    return [
        Result(
            f"17 assignment → news on {SCREENS - 1} other screens, p95", lines_p95, None, "ms", f"≤ {BAR_MS:.0f} ms",
            lines_p95 <= BAR_MS and not missed, "", n=len(arrived),
            note=f"median {percentile(arrived, 0.5):.0f} ms, {missed} lost",
        ),
        Result(
            f"17 assignment → another dispatcher's queue, {SCREENS} screens open, p95", pixels_p95, None, "ms",
            f"≤ {BAR_MS:.0f} ms", pixels_p95 <= BAR_MS and not unseen, "", n=len(pixels),
            note=f"painted in Chromium; median {percentile(pixels, 0.5):.0f} ms, {unseen} lost",
        ),
    ]  # fmt: skip


def _to(department: str, ticket: dict[str, Any]) -> dict[str, Any]:
    """The assignment of what was seen of a ticket."""
    return {"version": ticket["version"], "to": {"kind": "department", "code": department}}


def _arrived(heard: Heard, sent: dict[int, float]) -> list[float]:
    """Milliseconds from each POST to each delivery of what it did."""
    told: list[float] = []
    for at, message in heard.deliveries:
        if not message.startswith(b'{"t":"delta"'):
            continue
        for ticket in orjson.loads(message).get("tickets", ()):
            if ticket["id"] in sent and ticket["kind"] == "dispatch":
                told.append((at - sent[ticket["id"]]) * 1000)
    return told


def _queue(context: Context, server: Server) -> Result:
    """p95 of the queue's tabs and filters, of the whole place and of a town."""
    with psycopg.connect(context.stores.database_url) as conn:
        town = conn.execute(
            "SELECT code FROM area WHERE level = 'town' AND valid_to IS NULL ORDER BY no LIMIT 1"
        ).fetchone()
    assert town is not None
    wholes = [
        "tab=decide",
        "tab=unsigned",
        "tab=mine",
        "tab=all",
        "tab=all&status=dispatched",
        "tab=decide&q=%E4%BA%95%E7%9B%96",
    ]
    paths = [f"/api/dispatch/queue?{one}{where}" for one in wholes for where in ("", f"&within={town[0]}")]
    port = server.port
    asked = [request("GET", path) for path in paths]
    hammer(port, asked, connections=1, seconds=600, most=8 * len(paths))  # plans get warm
    load = hammer(port, asked, connections=1, seconds=900, most=context.times(12, 3) * len(paths))
    if set(load.statuses) != {200}:
        raise Wrong(f"the queue's answers were {dict(load.statuses)}")
    worst = {
        path: percentile(load.latencies_s[at :: len(paths)], 0.95) * 1000 for at, path in enumerate(paths)
    }
    slowest = max(worst, key=lambda path: worst[path])
    p95 = load.ms(0.95)
    return Result(
        "17 the dispatchers' queue, p95", p95, None, "ms", f"≤ {QUEUE_MS:.0f} ms", p95 <= QUEUE_MS, "",
        n=len(load.latencies_s),
        note=f"{len(paths)} different ones; p50 {load.ms():.0f} ms; the slowest by itself {worst[slowest]:.0f} ms: "
        f"{slowest}",
    )  # fmt: skip


def a_department(context: Context) -> str:
    """A department of the place."""
    with psycopg.connect(context.stores.database_url) as conn:
        row = conn.execute("SELECT code FROM department ORDER BY id LIMIT 1").fetchone()
    if row is None:
        raise Missing("a department to assign to")
    return str(row[0])
