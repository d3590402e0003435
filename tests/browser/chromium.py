"""A real Chromium for tests, on a page that fails the test when one of its scripts does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from services.access import Viewer
from tests.viewers import DISPATCHER, browser_cookies

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    # Of these Chromium goes by the last argument, so playwright's own are in it. The popups of the address bar are two
    # more pages for each context, with a process of their own: a third of what a test's page costs.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,AvoidUnnecessaryBeforeUnloadCheckSync,"
    "DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding,"
    "ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,TcpPortRandomizationWin,OptimizationHints,"
    "NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch",
]  # fmt: skip
WAITS = {"bypass_csp": True}  # wait_for_function evaluates text; test_policy.py looks at the policy


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser that Debian ships."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield browser
        browser.close()


def signed_in(
    browser: Browser, url: str, width: int, height: int, *, viewer: Viewer = DISPATCHER, **context: Any
) -> Page:
    """An empty page of that size that is signed in at that address."""
    page = browser.new_page(viewport={"width": width, "height": height}, **WAITS | context)
    page.context.add_cookies(browser_cookies(url, viewer))  # type: ignore[arg-type]
    return page


def open_page(
    browser: Browser, url: str, width: int, height: int, *, viewer: Viewer = DISPATCHER, **context: Any
) -> Page:
    """A page of that size, signed in, its layout mounted by Dash."""
    page = signed_in(browser, url, width, height, viewer=viewer, **context)
    page.on("pageerror", lambda error: pytest.fail(f"{url}: {error}"))
    page.goto(url)
    page.wait_for_function("window.wangge && window.wangge.mounted", timeout=20_000)
    return page
