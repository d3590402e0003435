"""Row 3: a live change of 50 grids, and of all, until its pixels are on the canvas; against dash-leaflet's hideout."""

import json
from typing import Any

from bench.browser import fresh_page, script
from bench.context import Context
from bench.peer_pages import grids_file, peer_pages
from bench.result import Missing, Result, median

FRAME_MS = 1000 / 60
SOME = 50
SCRIPT = script("recolour")


def measure(context: Context) -> list[Result]:
    """Medians over alternating colours; frames are counted by requestAnimationFrame."""
    grids = _spread(json.loads(grids_file(context))["features"])
    repeats = context.times(15, 4)
    with fresh_page(context.browser) as page:
        page.add_init_script(SCRIPT)
        page.goto(f"{context.server.url}/wall/")
        page.wait_for_function(
            "performance.getEntriesByName('wangge:areas-live').length && window.benchSocket"
        )
        # a touched wall does not tour while its pixels are watched
        page.evaluate("wangge.emit('map:touched'); wangge.map.home({animate: false})")
        page.evaluate(SETTLE)
        ours = {
            number: _repeat(page, "benchRecolour", grids[:number], repeats, (0, 60))
            for number in (SOME, len(grids))
        }
    theirs: dict[int, list[dict[str, float]]] = {}
    missing = ""
    try:
        with peer_pages(context) as peer, fresh_page(context.browser) as page:
            page.add_init_script(SCRIPT)
            page.goto(f"{peer.url}/dash/grids/?count={len(grids)}")
            page.wait_for_function("performance.getEntriesByName('bench:painted').length")
            page.evaluate(SETTLE)
            colours = ("#ff0000", "#00ff00")
            theirs = {
                n: _repeat(page, "benchHideout", grids[:n], repeats, colours) for n in (SOME, len(grids))
            }
    except Missing as error:
        missing = f"peer missing: {error}"
    return [_row(number, ours[number], theirs.get(number, []), missing) for number in (SOME, len(grids))]


SETTLE = "() => new Promise(done => setTimeout(done, 1500))"


def _spread(features: list[dict[str, Any]]) -> list[tuple[int, float, float, float]]:
    """Grids in a fixed random order: number, a point inside (degrees), extent (degrees, of the bounding box's sum)."""
    import random

    from shapely import get_coordinates
    from shapely.geometry import shape

    grids = []
    for feature in features:
        place = shape(feature["geometry"])
        inside = place.representative_point()
        west, south, east, north = (
            get_coordinates(place).min(0).tolist() + get_coordinates(place).max(0).tolist()
        )
        grids.append((int(feature["id"]), inside.x, inside.y, min(east - west, north - south)))
    random.Random(7).shuffle(grids)
    return grids


def _repeat(
    page: Any,
    function: str,
    grids: list[tuple[int, float, float, float]],
    repeats: int,
    values: tuple[Any, Any],
) -> list[dict[str, float]]:
    """Changes there and back; the pixels of the ten largest of the changed grids are watched."""
    numbers = [grid[0] for grid in grids]
    points = [(x, y) for _, x, y, _ in sorted(grids, key=lambda grid: -grid[3])[:10]]
    page.evaluate(function, [numbers, points, values[1], 600])  # from any state to a known one
    found = [page.evaluate(function, [numbers, points, values[turn % 2], 0]) for turn in range(repeats + 2)]
    return found[2:]


def _row(number: int, ours: list[dict[str, float]], theirs: list[dict[str, float]], missing: str) -> Result:
    ms, frames = median([o["ms"] for o in ours]), median([o["frames"] for o in ours])
    peer = median([t["ms"] for t in theirs]) if theirs else None
    some = number == SOME
    note = f"{frames:.0f} frames" + (
        f" against {median([t['frames'] for t in theirs]):.0f}" if theirs else ""
    )
    return Result(
        f"3 live recolour to pixels: {number} grids", ms, peer, "ms",
        "≤ 2 frames (33 ms)" if some else "≤ 50 ms", ms <= 2 * FRAME_MS if some else ms <= 50, "dash-leaflet hideout",
        n=len(ours), note="; ".join(filter(None, (note, missing))),
    )  # fmt: skip
