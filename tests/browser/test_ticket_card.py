"""The card of a ticket at a desk, in a browser: commands with what they need, undo, somebody who was quicker."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from app import create_app
from geodata.servers import Stores
from services.access import Viewer
from settings import Settings
from tests.browser.chromium import leave, open_page
from tests.live_app import same_port, served
from tests.small_place import centre, grid_no
from tests.viewers import DISPATCHER, client_args, county

pytestmark = pytest.mark.browser
LON, LAT = centre(1, 1, 1)
WORKER = f"W{grid_no(1, 1, 1)}"


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    with served(create_app(Settings(live_interval_ms=50), module_clone), same_port()) as address:
        yield address


def asked(url: str, path: str, body: dict[str, Any], viewer: Viewer = DISPATCHER) -> dict[str, Any]:
    with httpx.Client(**client_args(url, viewer)) as client:
        return client.post(path, json=body).raise_for_status().json()


def filed(url: str, title: str) -> dict[str, Any]:
    report = {"channel": "grid", "category": "01001", "title": title, "lon": LON, "lat": LAT}
    return asked(url, "/api/tickets", report)


@pytest.fixture(scope="module")
def opened(browser: Browser, url: str) -> Iterator[Page]:
    """The one page of the dispatcher."""
    page = open_page(browser, f"{url}/tickets/", 1440, 900)
    yield page
    leave(page)


def card(page: Page, ticket: dict[str, Any]) -> Page:
    """Open a ticket's card on the open page."""
    page.evaluate("(id) => wangge.list.open(id)", ticket["id"])
    expect(page.locator(".tc-stages")).to_be_visible()
    assert page.evaluate("wangge.list.opened") == ticket["id"]
    return page


def command(page: Page, name: str) -> None:
    if not page.locator(f".tc-bar > [data-command={name}]").count():
        page.locator(".tc-bar summary").click()
    page.locator(f".tc-bar [data-command={name}]").click()


def test_a_ticket_is_dispatched_and_the_command_taken_back(opened: Page, url: str) -> None:
    ticket = filed(url, "路口堆放垃圾")
    page = card(opened, ticket)
    command(page, "dispatch")
    page.locator('.tc-form [data-field="worker"] select').select_option(WORKER)
    page.locator(".tc-form [type=submit]").click()
    expect(page.locator(".tc-course li").first).to_contain_text("dispatcher")
    expect(page.locator(".people")).to_contain_text("测试001")
    page.locator(".tc-toast button").click()
    expect(page.locator(".tc-course li")).to_have_count(3)  # report, dispatch, and its undoing
    expect(page.locator(".people")).to_have_count(0)
    with httpx.Client(**client_args(url)) as client:
        assert client.get(f"/api/tickets/{ticket['id']}").json()["status"] == "accepted"


def test_what_was_typed_outlives_somebody_who_was_quicker(opened: Page, url: str) -> None:
    ticket = filed(url, "井盖破损")
    page = card(opened, ticket)
    command(page, "cancel")
    expect(page.locator(".tc-form textarea").first).to_be_visible()
    page.locator('.tc-form [data-field="reason"] textarea').fill("重复录入")
    blind = [True]  # this screen learns nothing before its command is on the way
    page.route("**/card", lambda route: route.abort() if blind else route.continue_())
    page.route("**/cancel", lambda route: (blind.clear(), route.continue_()))
    with page.expect_request("**/card"):  # asked for in vain
        asked(
            url,
            f"/api/tickets/{ticket['id']}/remark",
            {"version": 1, "note": "已电话联系"},
            county("community_clerk"),
        )
    page.locator(".tc-form [type=submit]").click()
    expect(page.locator(".tc-form .error.whole")).to_contain_text("community_clerk")
    expect(page.locator(".tc-course")).to_contain_text("已电话联系")
    assert page.locator('.tc-form [data-field="reason"] textarea').input_value() == "重复录入"
    page.locator(".tc-form [type=submit]").click()
    expect(page.locator(".tc-form form")).to_have_count(0)
    page.unroute_all()


def test_a_field_that_lacks_is_named_before_anything_is_sent(opened: Page, url: str) -> None:
    page = card(opened, filed(url, "路灯不亮"))
    command(page, "cancel")
    page.locator(".tc-form [type=submit]").click()
    expect(page.locator('.tc-form [data-field="reason"]')).to_contain_text("必填")


def test_others_changes_show_at_once_and_who_may_only_look_has_no_buttons(browser: Browser, url: str) -> None:
    ticket = filed(url, "占道经营")
    page = open_page(browser, f"{url}/tickets/?ticket={ticket['id']}", 1440, 900, viewer=county("operator"))
    expect(page.locator(".tc-stages")).to_be_visible()
    expect(page.locator(".tc-bar button")).to_have_count(0)
    asked(url, f"/api/tickets/{ticket['id']}/dispatch", {"version": 1, "worker": WORKER})
    expect(page.locator(".tc-course li")).to_have_count(2, timeout=10_000)
    leave(page)
