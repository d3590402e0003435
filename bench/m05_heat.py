"""Row 5: heat of the whole place for any window and filter, server and redraw, against datashader and SQL."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import psycopg

from bench.browser import fresh_page
from bench.context import Context
from bench.load import hammer, request
from bench.peers import python_with
from bench.result import Missing, Result, median
from geodata.scope import EVERYTHING

COLD_MS, WARM_MS, DRAW_MS = 60.0, 3.0, 10.0
DAY_S = 86_400
TEN = 10  # millions, the greater store of the flatness test


def measure(context: Context) -> list[Result]:
    """Cold: filters never asked for before (windows of 7 to 365 days, half with a category); warm: asked again."""
    asked = filters(context, context.times(24, 6))
    port = context.server.port
    _wait_loaded(port)
    cold = [hammer(port, [_request(one)], connections=1, seconds=30, most=1).ms() for one in asked]
    warm = hammer(port, [_request(asked[-1])], connections=1, seconds=context.times(4, 1))
    rows = []
    sql_ms = median([_sql_ms(context, one) for one in asked[: context.times(6, 2)]])
    count_ms, image_ms, missing = _datashader(context, asked)
    note = f"window of 7 to 365 days, half with a class; SQL GROUP BY {sql_ms:.0f} ms"
    if count_ms:
        note += f"; datashader's count alone {count_ms:.1f} ms, as an image (shaded PNG) {image_ms:.1f} ms"
    rows.append(
        Result(
            "5 heat, cold filter: server", median(cold), image_ms, "ms", f"≤ {COLD_MS:.0f} ms",
            max(cold) <= COLD_MS, "datashader: count, shade, PNG", n=len(cold),
            note="; ".join(filter(None, (f"slowest {max(cold):.0f} ms", note, missing))),
        )
    )  # fmt: skip
    rows.append(
        Result(
            "5 heat, warm filter: server", warm.ms(), count_ms, "ms", f"≤ {WARM_MS:.0f} ms",
            warm.ms() <= WARM_MS, "datashader: count only", n=len(warm.latencies_s),
            note="; ".join(filter(None, (f"{warm.body_bytes / 1000:.0f} KB", missing))),
        )
    )  # fmt: skip
    draws = _redraws(context)
    rows.append(
        Result(
            "5 heat: redraw in the browser", median(draws), None, "ms", f"≤ {DRAW_MS:.0f} ms",
            median(draws) <= DRAW_MS, "none", n=len(draws), note="peer missing: none draws the same counts",
        )
    )  # fmt: skip
    one, ten = _growth(context)
    rows.append(
        Result(
            "5 heat, cold, whole history at 10 million tickets", ten.cold_ms, one.cold_ms, "ms",
            "flat: ≤ 1.5 × that at 1.14 million", ten.cold_ms <= 1.5 * one.cold_ms, "ours at 1.14 million", n=5,
            note=f"asked again {ten.warm_ms:.2f} ms (at 1.14 million {one.warm_ms:.2f}); after a live ticket "
            f"{ten.fresh_ms:.0f} ms ({one.fresh_ms:.0f}); the same tickets nine times over, moved a little",
        )
    )  # fmt: skip
    return rows


def filters(context: Context, count: int) -> list[dict[str, Any]]:
    """Windows that end now, each of another length; every second one asks for one class of matters."""
    now = int(time.time())
    lengths = np.geomspace(7, 365, count)
    with psycopg.connect(context.stores.database_url) as conn:
        rows = conn.execute("SELECT code FROM category WHERE parent_id IS NULL ORDER BY id").fetchall()
    classes = [row[0] for row in rows]
    return [
        {
            "from": now - int(days * DAY_S), "to": now,
            "class": classes[number % len(classes)] if number % 2 else None,
        }
        for number, days in enumerate(lengths)
    ]  # fmt: skip


def _request(one: dict[str, Any]) -> bytes:
    iso = {key: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one[key])) for key in ("from", "to")}
    query = urlencode(iso | ({"category": one["class"]} if one["class"] else {}))
    return request("GET", f"/api/heat?{query}", headers="Accept-Encoding: gzip\r\n")


def _wait_loaded(port: int) -> None:
    """Until the store holds the tickets (it answers 503 while it loads)."""
    everything = [request("GET", "/api/heat", headers="Accept-Encoding: gzip\r\n")]
    for _ in range(300):
        if set(hammer(port, everything, connections=1, seconds=30, most=1).statuses) == {200}:
            return
        time.sleep(0.2)
    raise Missing("the heat of the tickets within a minute")


def _categories(conn: psycopg.Connection, one: dict[str, Any]) -> list[int] | None:
    if one["class"] is None:
        return None
    return [
        row[0]
        for row in conn.execute(
            "SELECT k.id FROM category k JOIN category c ON c.id = k.parent_id WHERE c.code = %s",
            (one["class"],),
        )
    ]


def _sql_ms(context: Context, one: dict[str, Any]) -> float:
    """GROUP BY over the table: cells of about 62 m, the same filter."""
    with psycopg.connect(context.stores.database_url) as conn:
        categories = _categories(conn, one)
        start = time.perf_counter()
        conn.execute(
            """
            SELECT floor(ST_X(geom) * 1456.35)::int, floor(ST_Y(geom) * 1920)::int, count(*) FROM ticket
            WHERE location = 'exact' AND reported_at >= to_timestamp(%(from)s) AND reported_at < to_timestamp(%(to)s)
              AND (%(categories)s::smallint[] IS NULL OR category_id = ANY (%(categories)s))
            GROUP BY 1, 2
            """,
            one | {"categories": categories},
        ).fetchall()
        return (time.perf_counter() - start) * 1000


def _datashader(context: Context, asked: list[dict[str, Any]]) -> tuple[float | None, float | None, str]:
    """Its median milliseconds for the count, and for count, shading and PNG; 1400×1000 pixels."""
    try:
        python = python_with(context.folder, "datashader")
    except Missing as error:
        return None, None, f"peer missing: {error}"
    with psycopg.connect(context.stores.database_url) as conn:
        told = [one | {"categories": _categories(conn, one)} for one in asked]
    script = Path(__file__).resolve().parent / "peer_apps" / "shaded_heat.py"
    done = subprocess.run(
        [python, script, context.stores.database_url, json.dumps(told), "1400", "1000"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode:
        return None, None, f"peer missing: datashader failed: {done.stderr.strip().splitlines()[-1]}"
    found = json.loads(done.stdout.splitlines()[-1])
    return median(found["count_ms"]), median(found["image_ms"]), ""


def _redraws(context: Context) -> list[float]:
    """Durations of the heat layer's own redraws while the filter changes, by performance.measure."""
    with fresh_page(context.browser) as page:
        page.goto(f"{context.server.url}/wall/")
        page.wait_for_function("performance.getEntriesByName('wangge:areas-live').length && wangge.map.main")
        page.evaluate("wangge.map.set('mode', 'heat')")
        page.wait_for_function("performance.getEntriesByName('wangge:heat-draw').length")
        page.evaluate("performance.clearMeasures('wangge:heat-draw')")
        for turn in range(context.times(20, 5)):
            page.evaluate(
                "window => wangge.map.set('window', window)", ("7d", "30d", "90d", "365d")[turn % 4]
            )
            page.wait_for_timeout(400)
        found: list[float] = page.evaluate(
            "performance.getEntriesByName('wangge:heat-draw').map(e => e.duration)"
        )
    if not found:
        raise Missing("a redraw of the heat layer")
    return found


@dataclass(frozen=True)
class Growth:
    """Median milliseconds of one answer of the store itself: first time, asked again, after a live ticket."""

    cold_ms: float
    warm_ms: float
    fresh_ms: float


def _growth(context: Context) -> tuple[Growth, Growth]:
    """The store with 1.14 and with 10 million tickets."""
    from geodata.pool import make_pool
    from services.heat import HeatStore
    from services.heat.columns import Columns

    pool = make_pool(context.stores.database_url, 2)
    pool.open()
    try:
        store = HeatStore(pool)
        store.load()
    finally:
        pool.close()
    one = _costs(store)
    columns = store._columns
    assert columns is not None
    copies = -(-TEN * 1_000_000 // columns.used)
    grown = {
        name: np.tile(getattr(columns, name)[: columns.used], copies)[: TEN * 1_000_000]
        for name in ("t", "category", "channel", "area_no", "place")
    }
    cell = columns.cells[grown.pop("place")]
    moved = cell + np.random.default_rng(1).integers(-2, 3, len(cell), dtype=cell.dtype)
    grown["t"].sort()
    store._columns = Columns.of(**grown, cell=np.clip(moved, 0, cell.max()))
    return one, _costs(store)


def _costs(store: Any) -> Growth:
    from services.heat import Filter

    def timed(wanted: Any) -> float:
        start = time.perf_counter()
        store.body(EVERYTHING, wanted, "gzip")
        return (time.perf_counter() - start) * 1000

    store._kept.clear()
    cold = [timed(Filter(start=second)) for second in range(6)][1:]
    warm = [timed(Filter(start=1)) for _ in range(50)]
    fresh = []
    for _ in range(5):
        for kept in store._kept.values():
            kept.bodies.clear()  # what a live ticket does to each filter that holds it
        fresh.append(timed(Filter(start=1)))
    return Growth(median(cold), median(warm), median(fresh))
