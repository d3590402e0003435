"""Row 2: from navigation to all polygons painted, against a bare Leaflet page and plain dash-leaflet."""

from typing import Any

from bench.browser import fresh_page
from bench.context import Context
from bench.peer_pages import count_features, grids_file, peer_pages
from bench.result import Missing, Result, median

BAR_TIMES = 1.5
# ours: the first picture of all grids, then the map that takes it over; a peer has one moment for both
OURS, PEER = ["wangge:areas-painted", "wangge:areas-live"], ["bench:painted"]


def measure(context: Context) -> list[Result]:
    """Milliseconds of `performance.now` in Chromium, empty cache; the pages take turns, the first is not counted."""
    count = count_features(grids_file(context))
    wall = f"{context.server.url}/wall/"
    ours: list[list[float]] = []
    bare: list[float] = []
    plain: list[float] = []
    missing = ""
    turns = context.times(12, 4)
    try:
        with peer_pages(context) as peer:
            for _ in range(turns):
                ours.append(marked_ms(context.browser, wall, OURS))
                bare += marked_ms(context.browser, f"{peer.url}/bare", PEER)
                plain += marked_ms(context.browser, f"{peer.url}/dash/grids/?count={count}", PEER)
    except Missing as error:
        missing = f"peer missing: {error}"
        ours += [marked_ms(context.browser, wall, OURS) for _ in range(turns - len(ours))]
    painted, live = (median([turn[place] for turn in ours[1:]]) for place in (0, 1))
    leaflet_ms, dash_ms = (median(values[1:]) if len(values) > 1 else None for values in (bare, plain))
    return [
        Result(
            "2 first map: navigation to all polygons painted", painted, leaflet_ms, "ms",
            f"≤ {BAR_TIMES} × bare Leaflet", painted <= BAR_TIMES * leaflet_ms if leaflet_ms else None,
            "bare Leaflet page", n=turns - 1, note=missing or f"{count} polygons; ours stand in the whole wall",
        ),
        Result(
            "2 first map: navigation to a map that answers", live, dash_ms, "ms", "none", None,
            "plain dash-leaflet", n=turns - 1, note=missing or "ours with panels, live feed, names and controls",
        ),
    ]  # fmt: skip


def marked_ms(browser: Any, url: str, marks: list[str]) -> list[float]:
    """Times from navigation start to each mark; Missing when the polygons are not really on a canvas at the first."""
    with fresh_page(browser) as page:
        page.goto(url, wait_until="commit")
        page.wait_for_function("mark => performance.getEntriesByName(mark).length", arg=marks[0])
        inked = page.evaluate(INKED)
        if inked < 0.02:
            raise Missing(f"painted polygons on {url} (ink on {inked:.1%} of the canvas)")
        page.wait_for_function("mark => performance.getEntriesByName(mark).length", arg=marks[-1])
        times: list[float] = page.evaluate(
            "marks => marks.map(mark => performance.getEntriesByName(mark)[0].startTime)", marks
        )
        return times


# Share of the sampled points that carry ink, of the canvas of the map with the most.
INKED = """() => {
    const share = canvas => {
        const {width, height} = canvas;
        if (!width || !height) return 0;
        const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;
        let points = 0, inked = 0;
        for (let i = 3; i < pixels.length; i += 4 * 97) { points++; inked += pixels[i] > 0; }
        return inked / points;
    };
    return Math.max(0, ...[...document.querySelectorAll('.leaflet-container canvas, canvas#wg-first')].map(share));
}"""
