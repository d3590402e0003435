"""Row 2: from navigation to all polygons painted, against a bare Leaflet page and plain dash-leaflet."""

from typing import Any

from bench.browser import fresh_page
from bench.context import Context
from bench.peer_pages import count_features, grids_file, peer_pages
from bench.result import Missing, Result, median

BAR_TIMES = 1.5
OURS, PEER = "wangge:areas-painted", "bench:painted"


def measure(context: Context) -> list[Result]:
    """Milliseconds of `performance.now` in Chromium with an empty cache; the pages take turns."""
    count = count_features(grids_file(context))
    ours: list[float] = []
    bare: list[float] = []
    plain: list[float] = []
    missing = ""
    try:
        with peer_pages(context) as peer:
            for _ in range(context.times(11, 3)):
                ours.append(painted_ms(context.browser, f"{context.server.url}/wall/", OURS, count))
                bare.append(painted_ms(context.browser, f"{peer.url}/bare", PEER, count))
                plain.append(
                    painted_ms(context.browser, f"{peer.url}/dash/grids/?count={count}", PEER, count)
                )
    except Missing as error:
        missing = f"peer missing: {error}"
        ours = ours or [
            painted_ms(context.browser, f"{context.server.url}/wall/", OURS, count)
            for _ in range(context.times(11, 3))
        ]
    # the first turn warms the servers and the font cache
    ours, bare, plain = (values[1:] for values in (ours, bare, plain))
    best = median(ours)
    note = (
        missing or f"plain dash-leaflet {median(plain):.0f} ms; ours is the whole wall, its panels included"
    )
    return [
        Result(
            "2 first map: navigation to all polygons painted", best, median(bare) if bare else None, "ms",
            f"≤ {BAR_TIMES} × bare Leaflet", best <= BAR_TIMES * median(bare) if bare else None, "bare Leaflet page",
            n=len(ours), note=note,
        )
    ]  # fmt: skip


def painted_ms(browser: Any, url: str, mark: str, count: int) -> float:
    """Time from navigation start to the mark; Missing when the polygons are not really on a canvas then."""
    with fresh_page(browser) as page:
        page.goto(url, wait_until="commit")
        page.wait_for_function("mark => performance.getEntriesByName(mark).length", arg=mark)
        at_ms: float = page.evaluate("mark => performance.getEntriesByName(mark)[0].startTime", mark)
        inked = page.evaluate(INKED)
        if inked < 0.02:
            raise Missing(f"{count} painted polygons on {url} (ink on {inked:.1%} of the canvas)")
        return at_ms


# Share of sampled points of the map's canvases that carry ink.
INKED = """() => {
    let points = 0, inked = 0;
    for (const canvas of document.querySelectorAll('.leaflet-container canvas')) {
        const {width, height} = canvas;
        if (!width || !height) continue;
        const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;
        for (let i = 3; i < pixels.length; i += 4 * 97) { points++; inked += pixels[i] > 0; }
    }
    return points ? inked / points : 0;
}"""
