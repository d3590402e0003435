"""Row 4: 4,000 workers on the map, 800 positions a second: frame rate idle and panning, share of the main thread."""

import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from bench.browser import COUNT_FRAMES, MainThread, fresh_page, script
from bench.context import Context
from bench.load import post
from bench.peer_pages import count_features, grids_file, peer_pages
from bench.phones import Phone, phones
from bench.result import Missing, Result

RATE = 800
BAR_FPS, BAR_SHARE = 55.0, 0.25

SCRIPT = script("workers")


def measure(context: Context) -> list[Result]:
    """Frames counted by requestAnimationFrame; ours end to end: HTTP batches, server, WebSocket, canvas."""
    fleet = phones(context)
    seconds = context.times(10, 3)
    ours = _ours(context, fleet, seconds)
    theirs: dict[str, Any] = {}
    missing = ""
    try:
        count = count_features(grids_file(context))
        with peer_pages(context) as peer:
            for name in ("dots", "marks"):
                with fresh_page(context.browser) as page:
                    page.add_init_script(SCRIPT)
                    page.goto(f"{peer.url}/dash/{name}/?count={count}")
                    page.wait_for_function("performance.getEntriesByName('bench:painted').length")
                    page.evaluate(
                        "benchMoveWorkers", [[phone.worker_id, phone.lon, phone.lat] for phone in fleet]
                    )
                    page.wait_for_timeout(3000)
                    theirs[name] = _frames(page, "benchMap", seconds)
    except Missing as error:
        missing = f"peer missing: {error}"
    dots, marks = theirs.get("dots"), theirs.get("marks")
    rows = []
    for what, key in (("idle", "idle"), ("panning", "panning")):
        note = f"{len(fleet)} workers, longest frame {ours[key]['longest']:.0f} ms"
        if marks:
            note += f"; as DOM markers {marks[key]['fps']:.0f} fps"
        rows.append(
            Result(
                f"4 workers, 800 positions/s: frames {what}", ours[key]["fps"], dots and dots[key]["fps"], "fps",
                f"≥ {BAR_FPS:.0f}", ours[key]["fps"] >= BAR_FPS, "dl.GeoJSON, canvas", less_is_better=False,
                n=int(ours[key]["fps"] * seconds), note="; ".join(filter(None, (note, missing))),
            )
        )  # fmt: skip
    rows.append(
        Result(
            "4 workers: share of the main thread, idle", ours["share"] * 100, dots and dots["share"] * 100, "%",
            f"≤ {BAR_SHARE:.0%}", ours["share"] <= BAR_SHARE, "dl.GeoJSON, canvas", n=seconds,
            note="; ".join(filter(None, (f"panning {ours['panning share']:.0%}", missing))),
        )
    )  # fmt: skip
    return rows


def _ours(context: Context, fleet: list[Phone], seconds: int) -> dict[str, Any]:
    with _walking(context, fleet), fresh_page(context.browser) as page:
        page.add_init_script(SCRIPT)
        page.goto(f"{context.server.url}/wall/")
        page.wait_for_function("performance.getEntriesByName('wangge:areas-live').length && wangge.map.main")
        # the product shows counts by town at this zoom: here every single worker is drawn, as the peers do
        page.evaluate("wangge.map.spec('workers').min_zoom = 0")
        page.evaluate("wangge.emit('map:touched')")  # a touched wall does not tour
        page.wait_for_timeout(6000)  # all 4,000 have sent once by then
        return _frames(page, "wangge.map.main.leaflet", seconds)


def _frames(page: Any, leaflet: str, seconds: int) -> dict[str, Any]:
    busy = MainThread(page)
    idle = page.evaluate(COUNT_FRAMES, seconds)
    share = busy.share()
    page.evaluate(f"benchPan({leaflet})")
    busy.start()
    panning = page.evaluate(COUNT_FRAMES, seconds)
    panning_share = busy.share()
    page.evaluate("benchStopPan()")
    return {"idle": idle, "share": share, "panning": panning, "panning share": panning_share}


@contextmanager
def _walking(context: Context, fleet: list[Phone]) -> Iterator[None]:
    """All phones walk: 800 fixes a second in four batches, over HTTP."""
    over = threading.Event()
    port, each = context.server.port, RATE // 4

    async def walk() -> None:
        turn, start = 0, time.monotonic()
        while not over.is_set():
            at = turn * each % len(fleet)
            chosen = (fleet + fleet)[at : at + each]
            fixes = [phone.batch_item(int(time.time())) for phone in chosen]
            await post(port, "/api/positions/batch", orjson.dumps({"fixes": fixes}))
            turn += 1
            await asyncio.sleep(max(0, start + turn / 4 - time.monotonic()))

    def run() -> None:
        try:
            asyncio.run(walk())
        except OSError as error:
            print(f"bench: positions stopped: {error}", file=sys.stderr)

    walker = threading.Thread(target=run)
    walker.start()
    try:
        yield
    finally:
        over.set()
        walker.join()
