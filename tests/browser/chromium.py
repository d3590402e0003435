"""A real Chromium for tests, on a page that fails the test when one of its scripts does."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, Playwright, expect, sync_playwright

from services.access import Viewer
from tests.viewers import DISPATCHER, browser_cookies, origin

# The first is the same engine without a window: half the work for each page.
_OURS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
PROGRAM = next((one for one in _OURS if one.exists()), None)  # None: the one that playwright brought
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    # A page of a test is gone before machine code made of its scripts would pay: a tenth of what a page costs.
    "--js-flags=--no-sparkplug --no-maglev --no-opt",
    # Of these Chromium goes by the last argument, so playwright's own are in it. The popups of the address bar are two
    # more pages for each context, with a process of their own: a third of what a test's page costs.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,AvoidUnnecessaryBeforeUnloadCheckSync,"
    "DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding,"
    "ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,TcpPortRandomizationWin,OptimizationHints,"
    "NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch",
]  # fmt: skip
WAITS = {"bypass_csp": True}  # wait_for_function evaluates text; test_policy.py looks at the policy


expect.set_options(timeout=20_000)  # for a machine that has more to do; who does not fail does not wait
_running: list[tuple[Browser, Playwright]] = []  # one at most
_used: dict[Page, str] = {}  # pages → their server and options
_left: dict[str, list[Page]] = {}  # those that nobody looks at, by the same


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser that Debian ships; it runs on for the next file of browser tests, with the pages that were left."""
    if not _running:
        playwright = sync_playwright().start()
        launched = playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
        _running.append((launched, playwright))
    browser = _running[0][0]
    try:
        yield browser
    finally:
        left = [page for pages in _left.values() for page in pages]
        for page in _used.keys() - left:
            del _used[page]
        if browser.is_connected():
            for context in set(browser.contexts) - {page.context for page in left}:
                context.close()
        else:
            close_chromium()


def close_chromium() -> None:
    """End it: as long as it runs, playwright's event loop stands in the way of tests that run their own."""
    _used.clear()
    _left.clear()
    while _running:
        browser, playwright = _running.pop()
        with suppress(Error):
            browser.close()
        playwright.stop()


def empty_page(browser: Browser, url: str, width: int, height: int, **context: Any) -> Page:
    """A page of that size without cookies or storage, for pages of that server: one that was left, or a new one.

    Nothing moves on it, as for people who ask for that: each frame of a motion is laid out and painted by the
    processor, half of what a test's page costs. Tests that look at what moves say `reduced_motion="no-preference"`.
    """
    motion = context.pop("reduced_motion", "reduce")
    like = f"{origin(url)} {sorted((name, value) for name, value in context.items() if value is not False)}"
    left = _left.get(like)
    if left:
        page = left.pop()
        page.set_viewport_size({"width": width, "height": height})
    else:
        page = browser.new_page(viewport={"width": width, "height": height}, **context)
        page.on("pageerror", lambda error: pytest.fail(f"{page.url}: {error}"))
        _used[page] = like
    page.emulate_media(reduced_motion=motion)
    return page


def leave(page: Page) -> None:
    """Done with a page. The next test, of this file or another whose server has the same address, has it without
    anything of this one, but with the scripts compiled and the fonts at hand: a third of what a page costs.
    """
    like = _used[page]
    try:
        page.unroute_all()
        page.context.set_offline(False)
        # Of the same server, else Chromium would begin a new process; before the cookies go, else the page leads away.
        page.goto(f"{like.split()[0]}/api/health")
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    except Error:  # it was on its way elsewhere by itself: the next test gets a new one
        page.close()
        return
    page.context.clear_cookies()
    page.mouse.move(0, 0)
    _left.setdefault(like, []).append(page)


def signed_in(
    browser: Browser, url: str, width: int, height: int, *, viewer: Viewer = DISPATCHER, **context: Any
) -> Page:
    """An empty page of that size that is signed in at that address."""
    page = empty_page(browser, url, width, height, **WAITS | context)
    page.context.add_cookies(browser_cookies(url, viewer))  # type: ignore[arg-type]
    return page


def open_page(
    browser: Browser, url: str, width: int, height: int, *, viewer: Viewer = DISPATCHER, **context: Any
) -> Page:
    """A page of that size, signed in, its layout mounted by Dash."""
    page = signed_in(browser, url, width, height, viewer=viewer, **context)
    page.goto(url)
    page.wait_for_function("window.wangge && window.wangge.mounted", timeout=20_000)
    return page
