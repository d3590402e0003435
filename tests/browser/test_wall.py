"""The wall in a real Chromium: filled from the feed, both sizes and languages without a word cut, honest when stale."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from app import create_app
from geodata.servers import Stores
from settings import Settings
from tests.browser.chromium import leave, signed_in
from tests.live_app import same_port, served
from tests.small_place import centre, grid_no
from tests.viewers import client_args

pytestmark = pytest.mark.browser
SIZES = [(1920, 1080), (3840, 2160)]


@pytest.fixture(scope="module")
def serving() -> Iterator[ExitStack]:
    """What serves; who closes it takes the server away."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def url(module_clone: Stores, serving: ExitStack) -> str:
    """The whole product on a small place with some tickets of yesterday and today."""
    with psycopg.connect(module_clone.database_url) as conn:
        now = datetime.now(UTC)
        for i in range(60):
            town, community, grid = 1 + i % 2, 1 + i % 3 % 2, 1 + i % 9
            x, y = centre(town, community, grid)
            reported = now - timedelta(hours=i)
            closed = reported + timedelta(minutes=30) if i % 3 else None
            conn.execute(
                """
                INSERT INTO ticket (reported_at, channel_id, category_id, title, geom, location, area_no, status,
                                    closed_at, due_at, satisfaction)
                SELECT %s, 1, id, 't', ST_SetSRID(ST_MakePoint(%s, %s), 4326), 'exact', %s, %s, %s, %s, %s
                FROM category WHERE parent_id IS NOT NULL ORDER BY id OFFSET %s LIMIT 1
                """,
                (reported, x, y, grid_no(town, community, grid), "closed" if closed else "in_progress", closed,
                 reported + timedelta(hours=6), "satisfied" if closed else None, i % 10),
            )  # fmt: skip
    return serving.enter_context(served(create_app(Settings(live_interval_ms=50), module_clone), same_port()))


def shows_figures(page: Page, address: str) -> None:
    """Go to a wall and wait until its figures are there."""
    page.goto(address)
    page.wait_for_selector("html[data-filled]", state="attached", timeout=20_000)
    page.wait_for_timeout(700)  # figures have rolled


def filled(
    browser: Browser, url: str, width: int = 1920, height: int = 1080, motion: str = "no-preference"
) -> Page:
    """A wall that shows its figures."""
    page = signed_in(browser, url, width, height, reduced_motion=motion)
    shows_figures(page, url)
    return page


CUT = """() => [...document.querySelectorAll("#wall *")].filter((node) =>
    node.children.length === 0 && node.textContent.trim() && node.scrollWidth > node.clientWidth + 1
    && getComputedStyle(node).overflow === "hidden" && !node.closest("#map-place, #inset-place"))
    .map((node) => node.textContent)"""
SMALLEST = """() => Math.min(...[...document.querySelectorAll("#wall *")].filter((node) =>
    [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())
    && !node.closest("#map-place, #inset-place, #tour i") && node.offsetParent)
    .map((node) => parseFloat(getComputedStyle(node).fontSize)))"""

# The headline is laid over the lower part of a town's name: [towns named before and after, names that it covers].
UNDER_THE_HEADLINE = """() => {
    const view = wangge.map.views.find((one) => !one.inset), sheet = view.symbols;
    const frame = view.frame.getBoundingClientRect(), head = document.getElementById("tour");
    const towns = () => view.names.filter((name) => name.area.level === "town");
    const before = towns();
    head.style.left = `${before[0].left - sheet.padding.x}px`;
    head.style.top = `${before[0].top - sheet.padding.y + 8}px`;
    sheet.reset();
    const box = head.getBoundingClientRect();
    const covered = towns().filter(({left, top, wide, high}) => {
        const x = left - sheet.padding.x + frame.left, y = top - sheet.padding.y + frame.top;
        return x < box.right && x + wide > box.left && y < box.bottom && y + high > box.top;
    });
    return [before.length, towns().length, covered.length];
}"""
# Shares as they are when a county has had a full day.
FULL_DAY = """() => document.querySelectorAll("[data-share]").forEach((node) => {
    wangge.marked(node.querySelector(".of"), "*9,999* / 9,999");
    node.querySelector(".percent").textContent = "100%";
})"""
WRITTEN = """() => {
    const figure = document.querySelector(".kpi .value b");
    window.written = [];
    new MutationObserver(() => window.written.push(figure.textContent)).observe(figure, { childList: true });
}"""


def expect_legible(page: Page) -> None:
    """Nothing is cut, small or out of sight in either size."""
    page.evaluate(FULL_DAY)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        ) == [width, height]
        assert page.evaluate(SMALLEST) >= 20 * height / 1080 - 0.01
        assert page.evaluate(CUT) == []
        headline = page.evaluate(
            "parseFloat(getComputedStyle(document.querySelector('.kpi .value b')).fontSize)"
        )
        assert headline >= 56 * height / 1080


def test_light_and_legible_without_scrollbars_and_without_cut_words_in_english(
    browser: Browser, url: str
) -> None:
    """No suite that the wall does not use is fetched, nor Dash's layout a second time."""
    page = signed_in(browser, url, *SIZES[0], reduced_motion="no-preference")
    asked: list[str] = []
    page.on("request", ask := lambda request: asked.append(request.url))
    shows_figures(page, f"{url}/wall/?lang=en")
    page.remove_listener("request", ask)
    assert any("/assets/wall." in one for one in asked), "also what the browser has already is heard of"
    assert not [
        one for one in asked if re.search(r"ag_grid|plotly|/dcc/|dash_table|_dash-layout|_dash-dep", one)
    ]
    assert not [one for one in asked if not one.startswith((url, "data:", "blob:", "ws:"))], (
        "nothing from elsewhere"
    )
    assert sum("/api/live/snapshot" in one for one in asked) == 1, (
        "the preloaded answer is the one that is used"
    )
    assert page.locator("html").get_attribute("lang") == "en"
    expect_legible(page)
    before, after, covered = page.evaluate(UNDER_THE_HEADLINE)
    assert before == after > 0 and not covered
    leave(page)


def test_legible_in_chinese_figures_are_those_of_the_service_and_a_new_ticket_changes_them(
    browser: Browser, url: str
) -> None:
    page = filled(browser, f"{url}/wall/?lang=zh-CN", *SIZES[0])
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    expect_legible(page)
    page.set_viewport_size({"width": 1920, "height": 1080})
    figures = httpx.Client(**client_args(url)).get("/api/figures").json()
    shown = page.locator(".kpi .value b").all_text_contents()
    assert shown[:4] == [str(figures[name]["now"]) for name in ("intake", "open", "overdue", "closed")]
    assert page.locator("#ranking-rows .row:not(.empty) .count").all_text_contents() == [
        str(area["open"]) for area in figures["areas"]
    ]
    n, d = figures["on_time"]["n"], figures["on_time"]["d"]
    expect(page.locator(".kpi .foot").nth(4)).to_contain_text(f"{n} / {d}")
    lon, lat = centre(2, 2, 5)
    report = {"channel": "grid", "category": "01001", "title": "占道", "lon": lon, "lat": lat}
    page.evaluate(WRITTEN)
    filed = httpx.Client(**client_args(url)).post("/api/tickets", json=report)
    assert filed.status_code == 201
    expect(page.locator("#ticker-rows .row").first.locator(".place")).to_have_text("千泉街道", timeout=3000)
    expect(page.locator("#ticker-rows .row").first.locator(".what")).to_have_text("上报")
    # The hub counts a place anew after ten times what counting took, so that on a busy machine this is seconds.
    expect(page.locator(".kpi .value b").first).to_have_text(str(figures["intake"]["now"] + 1))
    page.wait_for_timeout(700)  # it has rolled
    written = page.evaluate("window.written")
    assert written[-1] == str(figures["intake"]["now"] + 1)
    assert all(before != after for before, after in pairwise(written)), (
        "no frame is painted for the same figure"
    )
    leave(page)


def test_the_tour_goes_where_something_happens_and_stops_when_touched(browser: Browser, url: str) -> None:
    page = filled(browser, f"{url}/wall/?home_s=1&stop_s=30&pause_s=2", 1280, 720)
    expect(page.locator("#tour b")).to_have_text(re.compile("钢山街道|千泉街道"), timeout=6000)
    page.locator("#map-place").click(position={"x": 300, "y": 200})
    expect(page.locator("#tour")).to_have_class("paused", timeout=2000)
    expect(page.locator("#tour b")).to_have_text("全域", timeout=6000)
    leave(page)


def test_an_area_has_its_own_wall_and_an_unknown_one_says_so(browser: Browser, url: str) -> None:
    page = filled(browser, f"{url}/wall/370883002?lang=en", 1280, 720, "reduce")
    expect(page.locator("h1")).to_have_text("Qianquan")
    assert page.locator("#ranking-rows .row:not(.empty)").count() == 2
    leave(page)
    page = signed_in(browser, url, 1280, 720)
    answer = page.goto(f"{url}/wall/370889?lang=en")
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("h1")).to_have_text("There is no such area")
    leave(page)


def test_reduced_motion_means_no_tour_and_no_rolling_and_stale_looks_stale_and_comes_back(
    browser: Browser, url: str, serving: ExitStack, module_clone: Stores
) -> None:
    """The server goes; within seconds the wall shows its age, later that it is stale; then it recovers by itself."""
    page = filled(browser, f"{url}/wall/?home_s=1", 1280, 720, "reduce")
    page.wait_for_timeout(1800)
    assert page.locator("html").get_attribute("data-tour") is None
    page.wait_for_selector("html[data-live=live]", state="attached", timeout=20_000)
    serving.close()
    page.wait_for_selector("html[data-live=late]", state="attached", timeout=6000)
    page.wait_for_selector("html[data-live=stale]", state="attached", timeout=20_000)
    expect(page.locator("#fresh b")).to_have_text(re.compile(r"数据停在 \d\d:\d\d"))
    assert "grayscale" in page.evaluate("getComputedStyle(document.querySelector('.kpis')).filter")
    again = socket.create_server(("127.0.0.1", int(url.rpartition(":")[2])))
    serving.enter_context(served(create_app(Settings(live_interval_ms=50), module_clone), again))
    page.wait_for_selector("html[data-live=live]", state="attached", timeout=20_000)
    leave(page)
