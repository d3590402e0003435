"""Row 18: a dispatcher's eight hours in one tab, sped up: does the page keep what it should let go of?"""

import itertools
import time
from collections.abc import Sequence
from statistics import fmean
from typing import Any, NamedTuple

from bench import signed_in
from bench.browser import fresh_page
from bench.context import Context
from bench.load import run
from bench.phones import phones
from bench.result import Missing, Result
from bench.tickets import post_ticket, reports
from bench.walking import walking

DECIDED = 400  # tickets in eight hours: one in 72 seconds
HOURS = 8
SAMPLES = 80  # ten an hour: whether the map stands over a town or over fields at that moment must not decide
FILLED = DECIDED // 16  # decisions before the first sample fill what is filled once
REST_MS = 1500  # without a hand on it, before a sample: what moves, is asked for or let go of has ended
SLOPE_MB, GROWTH = 1.0, 1.1  # an hour; of the last hour against the first
PANELS = ("i", "a", "h", "p")


class Kept(NamedTuple):
    """What the page holds after a collection of garbage."""

    heap_mb: float
    nodes: float
    listeners: float


def measure(context: Context) -> list[Result]:
    """Tickets come in, are chosen, decided and some taken back; panels and filters are opened and left."""
    decided = context.times(DECIDED, 32)
    step, filled = max(1, decided // SAMPLES), max(1, decided * FILLED // DECIDED)
    filed = itertools.cycle(reports(context))
    port = context.server.port
    kept: list[Kept] = []
    assigned = 0
    started = time.monotonic()
    with (
        walking(port, phones(context)),
        signed_in.at_the_desk(context.stores),
        fresh_page(context.browser) as page,
    ):
        page.goto(f"{context.server.url}/dispatch/")
        page.wait_for_function("window.wangge?.desk?.rows.length > 5 && wangge.live?.state?.mode === 'live'")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        for number in range(1, filled + decided + 1):
            run(post_ticket(port, next(filed)))
            assigned += _decide(page, number)
            if number > filled and (number - filled) % step == 0:
                kept.append(_kept(page, session))
    if not assigned:
        raise Missing("an assignment on the page")
    return _results(kept, assigned, time.monotonic() - started)


def _decide(page: Any, number: int) -> int:
    """One ticket: chosen, its candidates seen, assigned; now and then taken back, or a panel looked into."""
    # a note that the last one wanted has the keys otherwise
    page.evaluate(
        "() => { const { desk } = wangge; document.activeElement?.blur(); desk.quiet(); desk.close(); desk.step(1); }"
    )
    # a truth, not the card: what playwright is given it keeps for ever
    page.wait_for_function("wangge.desk.candidates?.id === wangge.desk.chosen && !!wangge.desk.card")
    page.keyboard.press("Enter")
    page.keyboard.press("d")
    page.wait_for_function("!document.getElementById('toast').hidden")
    done = page.evaluate("!document.getElementById('toast').classList.contains('bad')")
    if number % 5 == 4:
        page.keyboard.press("u")
    if number % 4 == 3:
        page.keyboard.press(PANELS[number // 4 % len(PANELS)])
        page.wait_for_timeout(300)
        page.keyboard.press("Escape")
    if number % 10 == 9:
        for tab in ("unsigned", "decide"):
            page.evaluate("(tab) => wangge.desk.set({ tab })", tab)
            page.wait_for_timeout(300)
    return int(done)


def _kept(page: Any, session: Any) -> Kept:
    page.wait_for_timeout(REST_MS)
    for _ in range(2):  # the first gives free what the second finds
        session.send("HeapProfiler.collectGarbage")
    told = {row["name"]: row["value"] for row in session.send("Performance.getMetrics")["metrics"]}
    return Kept(told["JSHeapUsedSize"] / 1e6, told["Nodes"], told["JSEventListeners"])


def _results(kept: Sequence[Kept], assigned: int, seconds: float) -> list[Result]:
    """The heap's slope an hour, and the last hour against the first of heap, nodes and listeners."""
    hour = max(1, len(kept) // HOURS)
    first, last = kept[:hour], kept[-hour:]
    growth = {
        name: fmean(getattr(one, name) for one in last) / fmean(getattr(one, name) for one in first)
        for name in Kept._fields
    }
    slope = _slope([one.heap_mb for one in kept]) * len(kept) / HOURS
    was, now = kept[0], kept[-1]
    note = (
        f"{assigned} assigned in {seconds:.0f} s stand for {HOURS} h; at rest, garbage collected: "
        f"heap {was.heap_mb:.1f} → {now.heap_mb:.1f} MB, nodes {was.nodes:.0f} → {now.nodes:.0f}, "
        f"listeners {was.listeners:.0f} → {now.listeners:.0f}"
    )
    worst = max(growth.values())
    return [
        Result(
            "18 a tab over eight hours: heap", slope, None, "MB/h", f"≤ {SLOPE_MB:.0f} MB/h", slope <= SLOPE_MB,
            "none: nobody publishes it", n=len(kept), note=note,
        ),
        Result(
            "18 last hour against the first: heap, nodes, listeners", worst, None, "times", f"≤ {GROWTH}",
            worst <= GROWTH, "none: nobody publishes it", n=len(kept),
            note=", ".join(f"{name} {value:.3f}" for name, value in growth.items()),
        ),
    ]  # fmt: skip


def _slope(values: Sequence[float]) -> float:
    """Growth from one value to the next, by least squares."""
    middle = (len(values) - 1) / 2
    mean = fmean(values)
    return sum((at - middle) * (value - mean) for at, value in enumerate(values)) / sum(
        (at - middle) ** 2 for at in range(len(values))
    )
