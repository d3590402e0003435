"""Row 8: from a ticket's POST to its line in the ticker of an open wall, with 200 screens open."""

import asyncio
import itertools
import threading
import time

from bench.browser import fresh_page, script
from bench.context import Context
from bench.load import Heard, listen, run
from bench.result import Missing, Result, percentile
from bench.tickets import post_ticket, reports

SCREENS, RATE = 200, 2.0
BAR_MS = 300.0


def measure(context: Context) -> list[Result]:
    """Milliseconds on one clock (client, server and browser share the machine): just before POST to painted."""
    count = context.times(100, 12)
    port = context.server.port
    filed = itertools.islice(itertools.cycle(reports(context)), count)
    sent: dict[int, float] = {}
    open_screens = 0
    quiet, over = threading.Event(), threading.Event()

    def drive() -> None:
        async def work() -> None:
            nonlocal open_screens
            heard = Heard()
            await listen(port, "/api/live", SCREENS - 1, heard)
            quiet.set()
            while not over.is_set() and not ready.is_set():
                await asyncio.sleep(0.05)
            start = time.monotonic()
            for number, report in enumerate(filed):
                # uneven steps, so that no rhythm of the server is met
                await asyncio.sleep(max(0, start + (number + 0.37 * (number % 3)) / RATE - time.monotonic()))
                at_ms = time.time() * 1000
                sent[(await post_ticket(port, report))["id"]] = at_ms
            await asyncio.sleep(2)
            open_screens = heard.open

        try:
            run(work())
        finally:
            over.set()

    ready = threading.Event()
    with fresh_page(context.browser) as page:
        page.goto(f"{context.server.url}/wall/")
        page.wait_for_function(
            "document.getElementById('ticker-rows') && window.wangge?.live?.state?.mode === 'live'"
        )
        driver = threading.Thread(target=drive)
        driver.start()
        quiet.wait(60)
        page.wait_for_timeout(2000)
        page.evaluate(script("ticker"))
        ready.set()
        while not over.is_set():
            page.wait_for_timeout(200)
        driver.join()
        seen = {int(key): at for key, at in page.evaluate("benchSeen").items()}
    delays = [seen[ticket] - at for ticket, at in sent.items() if ticket in seen]
    if not delays:
        raise Missing("a ticket's line on the wall within the time")
    p95, lost = percentile(delays, 0.95), count - len(delays)
    return [
        Result(
            f"8 event → pixel with {SCREENS} screens, p95", p95, None, "ms", f"≤ {BAR_MS:.0f} ms",
            p95 <= BAR_MS and not lost and open_screens == SCREENS - 1, "published intervals", n=len(delays),
            note=(
                f"median {percentile(delays, 0.5):.0f} ms, {lost} lost; peer missing: neither Signalen nor TicketsCAD "
                "is in a registry; by their published intervals Signalen polls every 5 s, TicketsCAD every 15 s"
            ),
        )
    ]  # fmt: skip
