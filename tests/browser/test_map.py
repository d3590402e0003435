"""The map in a real Chromium: polygons, live colour of changed grids only, heat, cards, keys, the address, video."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from app import create_app
from geodata.servers import Stores
from settings import Settings
from tests.browser.chromium import leave, open_page
from tests.live_app import same_port, served
from tests.small_place import centre, grid_no
from tests.viewers import client_args

pytestmark = pytest.mark.browser
STATIONS = {"37088301001320000001": "/demo-camera/hall/live.m3u8", "37088301001320000002": None}
FILLED = "[...wangge.map.main.layers.values()].some((layer) => layer.options.fill)"
SET = "(values) => { for (const [name, value] of Object.entries(values)) wangge.map.set(name, value); }"
READY = "window.wangge?.map?.main?.layers?.size === 36 && wangge.map.values.size === 36"


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    with psycopg.connect(module_clone.database_url) as conn:
        now = datetime.now(UTC)
        for i in range(12):
            x, y = centre(1, 1, 1 + i % 3)
            conn.execute(
                """
                INSERT INTO ticket (reported_at, channel_id, category_id, title, geom, location, area_no, status,
                                    due_at)
                SELECT %s, 1, id, 'said', ST_SetSRID(ST_MakePoint(%s, %s), 4326), 'exact', %s, 'in_progress', %s
                FROM category WHERE code = '01001'
                """,
                (
                    now - timedelta(hours=i),
                    x,
                    y + i * 0.0001,
                    grid_no(1, 1, 1 + i % 3),
                    now + timedelta(hours=5 - i),
                ),
            )
        for station, stream in STATIONS.items():
            x, y = centre(1, 2, 5)
            conn.execute(
                "INSERT INTO video_station (id, name, site_kind, area_no, geom, stream_url, generated)"
                " VALUES (%s, 'hall', 'hall', %s, ST_SetSRID(ST_MakePoint(%s, %s), 4326), %s, true)",
                (station, grid_no(1, 2, 5), x, y, stream),
            )
    with redis.Redis.from_url(module_clone.redis_url) as client:  # states are the tests' own: nobody probes
        client.set(f"{module_clone.key_prefix}video:turn", "1", ex=3600)
    with served(create_app(Settings(live_interval_ms=50), module_clone), same_port()) as address:
        yield address


@pytest.fixture(scope="module")
def opened(browser: Browser, url: str) -> Iterator[Page]:
    """The one page of this file; tests that take this one rather than `page` go where they want to be, at the end."""
    page = open_page(browser, f"{url}/area/", 1440, 900, reduced_motion="no-preference")
    page.wait_for_function(READY, timeout=20_000)
    yield page
    leave(page)


@pytest.fixture
def page(opened: Page) -> Page:
    """The one page of the whole county, with nothing open and nothing pointed at."""
    opened.mouse.move(0, 0)
    opened.evaluate("() => { wangge.map.close(); wangge.map.home({ animate: false }); }")
    return opened


def at(page: Page, lon: float, lat: float) -> tuple[float, float]:
    """A place of the map in pixels of the page."""
    x, y = page.evaluate(
        """([lon, lat]) => {
            const { leaflet } = wangge.map.main;
            const p = leaflet.latLngToContainerPoint([lat, lon]);
            const box = leaflet.getContainer().getBoundingClientRect();
            return [p.x + box.left, p.y + box.top];
        }""",
        [lon, lat],
    )
    return float(x), float(y)


def test_all_grids_are_drawn_in_the_classes_of_their_open_tickets(page: Page) -> None:
    styles = page.evaluate("[...wangge.map.main.layers].map(([no, layer]) => [no, layer.options.fillColor])")
    ramp = page.evaluate("[0, 3].map((found) => wangge.map.fillOf(found))")
    for no, colour in styles:
        assert colour == ramp[1 if no in {grid_no(1, 1, g) for g in (1, 2, 3)} else 0]
    assert page.evaluate("performance.getEntriesByName('wangge:areas-painted').length") == 1
    assert page.evaluate("document.getElementById('wg-first')") is None, "the first picture is gone"


def test_full_detail_is_held_of_what_is_in_view_alone(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: "detail=full" in request.url and asked.append(request.url))
    go = "([lat, lon]) => wangge.map.main.leaflet.setView([lat, lon], 18, { animate: false })"
    # in full: the grid in the middle, and nothing of the other town
    only = """([no, hi, grid]) => {
        const full = [...wangge.map.main.sharp];
        return full.includes(grid) && full.every((one) => one >= no && one <= hi);
    }"""
    for town in (1, 2, 1):
        lon, lat = centre(town, 1, 2)
        page.evaluate(go, [lat, lon])
        no = grid_no(town, 0, 0)
        page.wait_for_function(only, arg=[no, no + 999_999, grid_no(town, 1, 2)])
        assert grid_no(town, 2, 9) not in page.evaluate("[...wangge.map.main.sharp]"), (
            "far off in the same town"
        )
    grids = [url for url in asked if "/areas/grid" in url]
    assert len(grids) == 3, "what was let go of is asked for again"
    low = """async (no) => {
        const { features } = await wangge.map.areas("grid", "low", wangge.map.within());
        const feature = features.find(({ id }) => id === no);
        const [ring] = feature.geometry.coordinates;
        const drawn = wangge.map.main.layers.get(no).getLatLngs()[0];
        return wangge.map.outlines.get(no).feature === feature
            && drawn.every(({ lat, lng }, i) => lng === ring[i][0] && lat === ring[i][1]);
    }"""
    assert page.evaluate(low, grid_no(2, 1, 2))
    page.evaluate("wangge.map.home({ animate: false })")
    page.wait_for_function("wangge.map.main.sharp.size === 0")
    assert page.evaluate(low, grid_no(1, 1, 2)), "from afar nothing is held in full"


def test_pictures_of_a_legend_that_is_drawn_anew_are_let_go_of(page: Page) -> None:
    made = """async () => {
        const kept = new WeakRef(document.querySelector(".wg-legend canvas.wg-icon"));
        for (const value of ["lines", "fill"]) wangge.map.set("mode", value);
        return (window.kept = kept).deref().isConnected;
    }"""
    assert page.evaluate(made) is False
    session = page.context.new_cdp_session(page)
    for _ in range(5):
        page.wait_for_timeout(50)
        session.send("HeapProfiler.collectGarbage")
        if page.evaluate("window.kept.deref() === undefined"):
            break
    assert page.evaluate("window.kept.deref() === undefined")
    # what stands on the page is drawn anew with the theme
    drawn = """() => {
        const canvas = document.querySelector(".wg-legend canvas.wg-icon");
        canvas.width = canvas.height = 1;
        wangge.emit("map:theme");
        return canvas.width;
    }"""
    assert page.evaluate(drawn) > 1


def test_a_ticket_changes_the_colour_of_its_grid_and_touches_no_other(page: Page, url: str) -> None:
    page.evaluate(
        """() => {
            window.styled = [];
            for (const [no, layer] of wangge.map.main.layers) {
                const set = layer.setStyle;
                layer.setStyle = function (style) { window.styled.push(no); return set.call(this, style); };
            }
        }"""
    )
    x, y = centre(2, 2, 9)
    report = {"channel": "grid", "category": "01001", "title": "t", "lon": x, "lat": y}
    assert httpx.Client(**client_args(url)).post("/api/tickets", json=report).status_code == 201
    page.wait_for_function(f"window.styled.includes({grid_no(2, 2, 9)})", timeout=5000)
    assert page.evaluate("window.styled") == [grid_no(2, 2, 9)]


def test_heat_replaces_the_fill_and_grows_with_a_new_ticket(page: Page, url: str) -> None:
    usual = page.evaluate("(({ mode, window, category }) => ({ mode, window, category }))(wangge.map.state)")
    page.evaluate(SET, {"window": "7d", "mode": "heat"})
    page.wait_for_function("wangge.map.heat?.tickets >= 12", timeout=20_000)
    before = page.evaluate("wangge.map.heat.tickets")
    assert not page.evaluate(FILLED)
    page.wait_for_function(  # what was counted is painted in one of the next frames
        """() => {
            const canvas = document.querySelector('.leaflet-wg-heat-pane canvas');
            if (!canvas) return false;
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            return data.some((value, i) => i % 4 === 3 && value > 0);
        }""",
        timeout=20_000,
        polling=100,
    )
    x, y = centre(1, 1, 1)
    report = {"channel": "grid", "category": "01001", "title": "t", "lon": x, "lat": y}
    httpx.Client(**client_args(url)).post("/api/tickets", json=report).raise_for_status()
    page.wait_for_function(f"wangge.map.heat?.tickets === {before + 1}", timeout=20_000)
    page.evaluate("wangge.map.wantHeat()")
    page.wait_for_function(f"wangge.map.heat?.tickets === {before + 1}", timeout=20_000)
    page.evaluate("wangge.map.set('category', ['02'])")
    page.wait_for_function("wangge.map.heat?.tickets === 0", timeout=20_000)
    page.evaluate(SET, usual)


def test_pointing_names_a_click_opens_and_escape_closes(page: Page) -> None:
    x, y = at(page, *centre(2, 1, 3))  # no name stands there
    page.mouse.move(x, y)
    page.mouse.move(x + 1, y)
    expect(page.locator(".wg-tip b")).to_have_text("千泉街道")  # one level down from the county
    page.mouse.click(x + 1, y)
    expect(page.locator(".wg-card h3")).to_have_text("千泉街道")
    expect(page.locator(".wg-card")).to_contain_text("370883002")
    page.wait_for_function("location.search.includes('card=area:1002000000')")
    page.keyboard.press("Escape")
    expect(page.locator(".wg-card")).to_have_count(0)
    page.wait_for_function("!location.search.includes('card=')")


def test_everything_by_keyboard(page: Page) -> None:
    page.locator("#map").focus()
    page.keyboard.press("/")
    page.keyboard.type("千泉")
    expect(page.locator("#wg-found [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".wg-card h3")).to_have_text("千泉街道")
    page.keyboard.press("Escape")
    expect(page.locator(".wg-search input")).to_be_focused()
    page.locator("#map").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".wg-card")).to_have_count(1)


def test_single_tickets_when_close_open_their_card(page: Page) -> None:
    lon, lat = centre(1, 1, 2)
    page.evaluate(f"wangge.map.main.leaflet.setView([{lat}, {lon}], 16, {{ animate: false }})")
    page.wait_for_function("wangge.map.main.board?.hits.some((hit) => hit.kind === 'ticket')", timeout=10_000)
    x, y = page.evaluate(
        """() => {
            const view = wangge.map.main;
            const hit = view.board.hits.filter((one) => one.kind === 'ticket').at(-1);
            const p = view.leaflet.layerPointToContainerPoint(L.point(hit.x, hit.y).add(view.symbols.corner));
            const box = view.leaflet.getContainer().getBoundingClientRect();
            return [p.x + box.left, p.y + box.top];
        }"""
    )
    page.mouse.click(x, y)
    expect(page.locator(".wg-card-ticket")).to_contain_text("said")


def test_no_signal_is_said_with_its_reason(page: Page, module_clone: Stores) -> None:
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute(
            "UPDATE video_station SET state = 'no_signal', state_reason = 'http_503', checked_at = now()"
            " WHERE stream_url IS NULL"
        )
    page.evaluate("wangge.map.open('station', '37088301001320000002')")
    told = page.locator(".wg-no-signal").inner_text()
    assert "无信号" in told and "503" in told and re.search(r"\d\d:\d\d:\d\d", told)


def test_the_address_holds_the_state_and_restores_it(page: Page) -> None:
    page.evaluate(
        """(no) => {
            const { map } = wangge;
            map.main.atHome = false;
            map.main.leaflet.setView([35.42, 117.03], 14);
            map.set('measure', 'overdue'); map.set('window', '365d'); map.set('channel', ['grid']);
            map.set('mode', 'heat');
            map.show('posts', true); map.show('workers', false); map.fade('stations', 0.5);
            map.open('area', no);
        }""",
        grid_no(1, 1, 1),
    )
    page.wait_for_function(  # the page before had a card as well
        "['measure=overdue', 'card=area:'].every((part) => decodeURIComponent(location.search).includes(part))"
    )
    page.wait_for_timeout(400)
    page.goto(page.url)
    page.wait_for_function(READY)
    state = page.evaluate("({...wangge.map.state, zoom: wangge.map.main.leaflet.getZoom()})")
    assert (state["measure"], state["window"], state["channel"], state["zoom"]) == (
        "overdue",
        "365d",
        ["grid"],
        14,
    )
    assert state["shown"]["posts"] and not state["shown"]["workers"] and state["opacity"]["stations"] == 0.5
    page.wait_for_function("wangge.map.heat?.tickets > 0")
    assert state["mode"] == "heat" and not page.evaluate(FILLED)
    expect(page.locator(".wg-card h3")).to_have_text("第1网格")
    assert "lang" not in page.url


@pytest.mark.parametrize(
    "query", ["view=nonsense&measure=x&mode=y&window=z&layers=%2Bgrids-nothing&opacity=heat:9&category=%27%3B--"
              "&card=area:abc", "view=99/99/999&card=ticket:99999999"]
)  # fmt: skip
def test_a_broken_address_does_no_harm(opened: Page, url: str, query: str) -> None:
    opened.goto(f"{url}/area/?{query}")
    opened.wait_for_function(READY, timeout=20_000)


def test_a_live_station_plays_its_stream(opened: Page, url: str, module_clone: Stores) -> None:
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute(
            "UPDATE video_station SET state = 'live', state_reason = NULL WHERE stream_url IS NOT NULL"
        )
    opened.goto(f"{url}/area/?card=station:37088301001320000001")
    opened.wait_for_function(READY, timeout=20_000)
    opened.wait_for_function(
        "document.querySelector('.wg-player video')?.buffered.length > 0", timeout=40_000
    )


def test_a_feed_that_fails_is_asked_for_again(opened: Page, url: str) -> None:
    failed: list[str] = []

    def unwell(route: object) -> None:
        if len(failed) < 3:
            failed.append("")
            route.fulfill(status=503, body=json.dumps({}))  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    opened.route("**/api/map/areas/grid*", unwell)
    opened.goto(f"{url}/area/")
    opened.wait_for_function(READY, timeout=30_000)
    assert len(failed) == 3


def test_a_wall_says_nothing_of_people(opened: Page, url: str) -> None:
    asked: list[str] = []
    page = opened
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{url}/wall/?tour=off")
    page.wait_for_function(READY, timeout=20_000)
    for kind, number in (("ticket", 1), ("worker", 1)):
        page.evaluate(f"wangge.map.open('{kind}', {number})")
        expect(page.locator(f".wg-card-{kind}")).to_have_count(1)
        assert "said" not in page.locator(".wg-card").inner_text()
    assert not any("people" in url for url in asked)
