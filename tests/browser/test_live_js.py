"""assets/10-live.js in a real Chromium against a real server: it follows, ages, comes back and polls."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from fastapi.responses import HTMLResponse, Response
from playwright.sync_api import Page

from geodata.servers import Stores
from settings import ROOT
from tests.browser.chromium import chromium
from tests.live_app import make_app, served
from tests.small_place import centre, grid_no

pytestmark = pytest.mark.browser
PAGE = """<!doctype html><html><script>window.wangge = {config: {within: null, feeds: {}}, words: {}};</script>
<script src="/live.js"></script><script>
const log = window.log = {grids: {}, workers: {}, seen: [], modes: [], revisions: []};
wangge.live.on("snapshot", ({grids}) => { log.grids = Object.fromEntries(grids.map((row) => [row[0], row])); });
wangge.live.on("grids", (rows) => { for (const row of rows) log.grids[row[0]] = row; });
wangge.live.on("tickets", (items) => log.seen.push(...items.map((item) => item.id)));
wangge.live.on("figures", (figures) => { log.figures = figures; });
wangge.live.on("areas", ({revision}) => log.revisions.push(revision));
wangge.live.on("positions", ({full, ids, lon, lat}) => {
  if (full) log.workers = {};
  ids.forEach((id, i) => {
    if (Number.isNaN(lon[i])) delete log.workers[id];
    else log.workers[id] = [lon[i], lat[i]];
  });
});
wangge.live.on("state", ({mode}) => { if (log.modes.at(-1) !== mode) log.modes.push(mode); });
wangge.live.start({within: null});
</script></html>"""


def app_of(stores: Stores) -> Any:
    app = make_app(stores)
    app.get("/page")(lambda: HTMLResponse(PAGE))
    app.get("/live.js")(
        lambda: Response(
            (ROOT / "assets/10-live.js").read_bytes(), media_type="text/javascript; charset=utf-8"
        )
    )
    return app


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page()
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        yield page


def file(url: str, place: tuple[int, int, int] = (1, 1, 1)) -> dict[str, Any]:
    lon, lat = centre(*place)
    report = {"channel": "grid", "category": "01001", "title": "事项", "lon": lon, "lat": lat}
    return httpx.post(f"{url}/api/tickets", json=report, trust_env=False, timeout=10).json()


def shows_what_is(page: Page, url: str) -> bool:
    fresh = httpx.get(f"{url}/api/live/snapshot", trust_env=False, timeout=10).json()
    shown = page.evaluate("log.grids")
    return shown == {str(row[0]): row for row in fresh["grids"]}


def test_follows_and_survives_a_restart(page: Page, clone: Stores) -> None:
    with psycopg.connect(clone.database_url) as conn:
        worker = conn.execute("SELECT id FROM worker WHERE area_no = %s", (grid_no(1, 1, 1),)).fetchone()[0]
        conn.execute("INSERT INTO device VALUES (sha256('token'), %s, 'test')", (worker,))
    listener = socket.create_server(("127.0.0.1", 0))
    with served(app_of(clone), listener) as url:
        page.goto(f"{url}/page")
        page.wait_for_function("wangge.live.state.mode === 'live'", timeout=20_000)
        ticket = file(url)
        page.wait_for_function("(id) => log.seen.includes(id)", arg=ticket["id"], timeout=5000)
        # the colours follow the news
        page.wait_for_function("(no) => log.grids[no][1] === 1", arg=ticket["area"]["no"], timeout=5000)
        fix = {"id": "token", "at": int(time.time() * 1000), "lon": 117.005, "lat": 35.405}
        assert httpx.post(f"{url}/api/positions/batch", json=[fix], trust_env=False).json()["accepted"] == 1
        page.wait_for_function("(id) => id in log.workers", arg=worker, timeout=5000)
        assert page.evaluate("(id) => log.workers[id]", worker) == pytest.approx([117.005, 35.405], abs=2e-5)
        with psycopg.connect(clone.database_url) as conn:
            conn.execute("SELECT nextval('area_revision')")
            conn.execute("INSERT INTO outbox (kind, area_no, body) VALUES ('areas', 0, '{}')")
        page.wait_for_function("log.revisions.length === 1", timeout=5000)
        assert shows_what_is(page, url)
        port = listener.getsockname()[1]
    stopped = time.monotonic()
    page.wait_for_function("wangge.live.state.mode !== 'live'", timeout=5000)
    assert time.monotonic() - stopped < 5
    with psycopg.connect(clone.database_url) as conn:  # something happens while nobody listens
        conn.execute("UPDATE ticket SET due_at = now() - interval '1 minute'")
    with served(app_of(clone), socket.create_server(("127.0.0.1", port))) as url:
        page.wait_for_function("wangge.live.state.mode === 'live'", timeout=20_000)
        another = file(url, (2, 2, 2))
        # it may come as an event, or within the snapshot that closes the gap
        page.wait_for_function("(no) => log.grids[no]?.[1] === 1", arg=another["area"]["no"], timeout=10_000)
        assert page.evaluate("log.figures.open.now") >= 1
        until = time.monotonic() + 10  # the deadline that passed comes within the snapshot, or behind it
        while not shows_what_is(page, url):
            assert time.monotonic() < until
            page.wait_for_timeout(100)


def test_polls_where_a_websocket_is_impossible(page: Page, clone: Stores) -> None:
    page.add_init_script(
        "window.WebSocket = class { constructor() { setTimeout(() => this.onclose({}), 10); } close() {} };"
        "window.WebSocket.OPEN = 1;"
    )
    with served(app_of(clone)) as url:
        page.goto(f"{url}/page")
        page.wait_for_function("wangge.live.state.mode === 'live'", timeout=20_000)
        ticket = file(url)
        page.wait_for_function("(id) => log.seen.includes(id)", arg=ticket["id"], timeout=5000)
        page.wait_for_function("(no) => log.grids[no][1] === 1", arg=ticket["area"]["no"], timeout=5000)
        assert shows_what_is(page, url)
