"""The dispatcher's screen on the small place: one app, one page and two who dispatch for all files of this folder."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page

from app import create_app
from geodata.servers import Stores
from settings import Settings
from tests.browser.chromium import chromium, leave, open_page
from tests.browser.dispatch.asking import OTHER
from tests.clones import Template, cloned
from tests.live_app import same_port, served
from tests.viewers import DISPATCHER, client_args

NAMES = {DISPATCHER.id: "赵一", OTHER.id: "钱二"}
SETTLED = """() => {
    const { desk } = wangge;
    desk.close();
    desk.choose(null);
    desk.pick([...desk.picked.values()], false);
    desk.clear();
    desk.quiet();
    desk.remember(null);
    document.getElementById("toast").replaceChildren();  // what was said before is not taken for an answer
}"""


@pytest.fixture(scope="package")
def url(template: Stores, original: Template) -> Iterator[str]:
    """The product on the small place: two dispatchers, and every worker stands in the middle of the own grid."""
    with cloned(template, original) as stores:
        with psycopg.connect(stores.database_url) as conn:
            for viewer in (DISPATCHER, OTHER):
                conn.execute(
                    "INSERT INTO account (id, login, name, role, created_by) OVERRIDING SYSTEM VALUE"
                    " VALUES (%s, %s, %s, %s, 'tests')",
                    (viewer.id, viewer.name, NAMES[viewer.id], viewer.role),
                )
            conn.execute(
                "INSERT INTO worker_position (worker_id, at, geom, area_no) SELECT w.id, now(), b.label_at, w.area_no"
                " FROM worker w JOIN area_boundary b ON b.area_no = w.area_no"
            )
        with served(create_app(Settings(live_interval_ms=50), stores), same_port()) as address:
            yield address


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="package")
def desk(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(**client_args(url)) as client:
        yield client


@pytest.fixture(scope="package")
def other(url: str) -> Iterator[httpx.Client]:
    """The second dispatcher, who needs no screen to be quicker."""
    with httpx.Client(**client_args(url, OTHER)) as client:
        yield client


@pytest.fixture(scope="package")
def opened(browser: Browser, url: str) -> Iterator[Page]:
    page = open_page(browser, f"{url}/dispatch/", 1440, 900)
    yield page
    leave(page)


@pytest.fixture
def page(opened: Page) -> Iterator[Page]:
    """The one page of these tests, with nothing chosen, filtered, open, said or to be taken back."""
    opened.mouse.move(720, 20)
    opened.evaluate(SETTLED)
    yield opened
    for dialog in opened.locator("dialog[open]").all():
        dialog.evaluate("node => node.close()")
