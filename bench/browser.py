"""Chromium for the measures: 1920×1080, CPU rendering, a cold profile each time; fetch counts and frame clocks."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import signed_in
from bench.result import Missing

SCRIPTS = Path(__file__).resolve().parent / "scripts"

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-background-timer-throttling",
]  # fmt: skip
SIZE = {"width": 1920, "height": 1080}

# Counts animation frames for a while; resolves to frames a second and the longest gap in ms.
COUNT_FRAMES = """seconds => new Promise(done => {
    const gaps = []; let first = 0, last = 0;
    const step = at => {
        if (!first) first = at; else gaps.push(at - last);
        last = at;
        if (at - first < seconds * 1000) requestAnimationFrame(step);
        else done({fps: gaps.length * 1000 / (last - first), longest: Math.max(...gaps)});
    };
    requestAnimationFrame(step);
})"""


def script(name: str) -> str:
    """The text of one of the bench's own scripts for pages."""
    return (SCRIPTS / f"{name}.js").read_text()


@contextmanager
def launched() -> Iterator[Any]:
    """A headless Chromium (the system's)."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise Missing("playwright (in requirements-dev.lock)") from error
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise Missing("Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS, env={**os.environ})
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def fresh_page(browser: Any, **options: Any) -> Iterator[Any]:
    """A page with an empty cache at 1080p."""
    context = browser.new_context(
        viewport=SIZE, device_scale_factor=1, locale="zh-CN", storage_state=signed_in.storage(),
        bypass_csp=True,  # playwright's wait_for_function evaluates text
        **options,
    )  # fmt: skip
    try:
        page = context.new_page()
        page.set_default_timeout(60_000)
        yield page
    finally:
        context.close()


class MainThread:
    """The main thread's busy share between two moments, by the DevTools protocol's Performance domain."""

    def __init__(self, page: Any) -> None:
        self.session = page.context.new_cdp_session(page)
        self.session.send("Performance.enable", {"timeDomain": "timeTicks"})
        self.start()

    def _read(self) -> tuple[float, float]:
        values = {m["name"]: m["value"] for m in self.session.send("Performance.getMetrics")["metrics"]}
        return values["Timestamp"], values["TaskDuration"]

    def start(self) -> None:
        """Count from now."""
        self.at_s, self.busy_s = self._read()

    def share(self) -> float:
        """Busy share since the start, 0..1."""
        at_s, busy_s = self._read()
        return (busy_s - self.busy_s) / (at_s - self.at_s)
