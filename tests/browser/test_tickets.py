"""The list of tickets in a real Chromium: found, filtered, opened and handed on by keys; news move nothing."""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from app import create_app
from geodata.servers import Stores
from settings import Settings
from tests.browser.chromium import leave, open_page
from tests.live_app import same_port, served
from tests.small_place import centre, grid_no
from tests.viewers import DISPATCHER, client_args, county

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
ME = replace(DISPATCHER, id=100)
SIZE = (1440, 900)


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    """200 accepted tickets, the first 8 overdue, each tenth about a lamp; an account that can keep filters."""
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute(
            "INSERT INTO account (id, login, name, role, created_by) OVERRIDING SYSTEM VALUE"
            " VALUES (100, 'dispatcher', 'dispatcher', 'dispatcher', 'tests')"
        )
        for n in range(200):
            town, grid = 1 + n % 2, 1 + n % 9
            x, y = centre(town, 1, grid)
            conn.execute(
                "INSERT INTO ticket (id, reported_at, channel_id, category_id, title, description, address, geom,"
                " location, area_no, status, dispatched_at, due_at)"
                " SELECT %s, now() - interval '2 days', 1 + %s %% 3, id, %s, 'd',"
                " 'a', ST_SetSRID(ST_MakePoint(%s, %s), 4326), 'exact', %s, 'accepted', NULL,"
                " now() + (%s - 8) * interval '1 hour' - interval '1 minute'"
                " FROM category WHERE code = '01001'",
                (1000 + n, n, f"路灯不亮{n}" if n % 10 == 0 else f"井盖破损{n}", x, y, grid_no(town, 1, grid), n),
            )  # fmt: skip
        conn.execute("SELECT setval('ticket_id', 5000)")
    with served(create_app(Settings(), module_clone), same_port()) as address:
        yield address


@pytest.fixture(scope="module")
def opened(browser: Browser, url: str) -> Iterator[Page]:
    page = open_page(browser, f"{url}/tickets/", *SIZE, viewer=ME)
    yield page
    leave(page)


@pytest.fixture
def page(opened: Page) -> Iterator[Page]:
    """The one page of these tests, at the whole list with nothing open, chosen or picked."""
    at(opened, "")
    yield opened
    opened.keyboard.press("Escape")  # out of a command's form
    opened.keyboard.press("Escape")  # and of what is picked
    expect(opened.locator("#bulk b")).to_have_count(0)


def at(page: Page, query: str) -> None:
    """Lead the open page to that query, as if one went back to it, until its rows, or the lack of rows, have come."""
    page.evaluate(
        """(query) => {
            document.activeElement?.blur();
            for (const menu of document.querySelectorAll("details[open]")) menu.open = false;
            history.pushState(null, "", location.pathname + query);
            dispatchEvent(new PopStateEvent("popstate"));
        }""",
        query,
    )
    ready(page)


def ready(page: Page) -> None:
    page.wait_for_selector("#tickets:is([data-state=ready],[data-state=empty],[data-state=failed])")


def dispatched(client: httpx.Client, ticket: int) -> None:
    """Hand a ticket on to a department."""
    given = {"version": client.get(f"/api/tickets/{ticket}").json()["version"], "department": "urban"}
    assert client.post(f"/api/tickets/{ticket}/dispatch", json=given).status_code == 200


def titles(page: Page) -> list[str]:
    """What the shown rows are about, from the top."""
    return page.locator("#rows tr[data-id] td.matter b").all_text_contents()


def test_the_most_pressing_come_first_and_more_come_by_themselves(page: Page) -> None:
    assert titles(page)[0] == "路灯不亮0"
    expect(page.locator("#figures b")).to_have_text("200 件")
    expect(page.locator("#figures .late")).to_contain_text("超期 9")
    assert re.search(r"超 8 小时", page.locator("#rows tr").first.locator("td.due").inner_text())
    rows = page.locator("#rows tr[data-id]")
    while (shown := rows.count()) < 200:
        page.locator("#scroll").evaluate("node => node.scrollTop = node.scrollHeight")
        expect(rows).not_to_have_count(shown)
    expect(rows).to_have_count(200)
    assert len(set(titles(page))) == 200
    expect(page.locator("#end")).to_contain_text("已到末尾，共 200 件")


def test_filters_words_and_order_are_in_the_address(page: Page, url: str) -> None:
    page.keyboard.press("/")
    page.keyboard.type("路灯")
    expect(page.locator("#rows tr[data-id]")).to_have_count(20)
    page.keyboard.press("Escape")
    page.locator("[data-flag=overdue]").click()
    expect(page.locator("#rows tr[data-id]")).to_have_count(1)
    page.locator("th.reported button").click()
    expect(page.locator("th.reported")).to_have_attribute("aria-sort", "descending")
    assert page.evaluate("Object.fromEntries(new URLSearchParams(location.search))") == {
        "q": "路灯", "flag": "overdue", "sort": "-reported",
    }  # fmt: skip
    page.reload()
    page.wait_for_selector("#tickets[data-state=ready]")
    assert titles(page) == ["路灯不亮0"] and page.locator("#search").input_value() == "路灯"
    page.go_back()
    page.wait_for_timeout(300)
    expect(page.locator("th.due")).to_have_attribute("aria-sort", "ascending")
    page.locator("[data-menu=channel] summary").click()
    page.locator("[data-menu=channel] input").first.check()
    expect(page.locator(".chip-set")).to_have_count(1)
    page.locator(".chip-set").click()
    expect(page.locator(".chip-set")).to_have_count(0)


def test_nothing_and_nonsense_say_what_to_do(page: Page, url: str) -> None:
    at(page, "?q=没有这回事")
    expect(page.locator("#end")).to_contain_text("没有符合条件的工单")
    page.get_by_role("button", name="清除全部条件").click()
    page.wait_for_selector("#rows tr[data-id]")
    page.goto(f"{url}/tickets/?category=nonsense")
    page.wait_for_selector("#tickets[data-state=failed]")
    expect(page.locator("#end [role=alert]")).to_have_text("不能这样查")
    expect(page.locator("#end")).to_contain_text("类别")


def test_a_ticket_is_opened_by_key_and_by_address(page: Page, url: str) -> None:
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#side")).to_contain_text("井盖破损1")
    assert page.evaluate("new URLSearchParams(location.search).get('ticket')") == "1001"
    page.keyboard.press("j")
    expect(page.locator("#side")).to_contain_text("井盖破损2")
    page.keyboard.press("Escape")
    expect(page.locator("#side")).to_be_hidden()
    assert page.evaluate("new URLSearchParams(location.search).get('ticket')") is None
    page.goto(f"{url}/tickets/?ticket=1150")
    expect(page.locator("#side")).to_contain_text("路灯不亮150")


def test_commands_for_several_and_back_again(page: Page, url: str) -> None:
    at(page, "?q=路灯&sort=-due")
    for _ in range(3):
        page.keyboard.press("j")
        page.keyboard.press("x")
    expect(page.locator("#bulk")).to_contain_text("已选 3 件")
    page.locator("#bulk [data-command=dispatch]").click()
    page.locator("#bulk form button.main").click()
    expect(page.locator("#toast")).to_contain_text("3 件")
    expect(page.locator("#rows tr").first.locator("td.status")).to_have_text("转办")
    page.locator("#toast button").click()
    expect(page.locator("#toast")).to_contain_text("已撤销 3 件")
    expect(page.locator("#rows tr").first.locator("td.status")).to_have_text("受理")
    page.keyboard.press("x")
    page.locator("#bulk [data-command=reject]").click()
    assert page.locator("#bulk form [name=reason]").evaluate("node => node.required")
    page.keyboard.press("Escape")
    expect(page.locator("#bulk form")).to_have_count(0)


def test_news_wait_above_and_changes_stay_where_they_are(page: Page, url: str) -> None:
    at(page, "?sort=-reported")
    page.wait_for_function("document.documentElement.dataset.live === 'live'")
    before = page.locator("#rows tr[data-id]").evaluate_all("rows => rows.map((row) => row.dataset.id)")
    with httpx.Client(**client_args(url, ME)) as client:
        x, y = centre(1, 1, 1)
        report = {"channel": "grid", "category": "01001", "title": "新来的一件", "lon": x, "lat": y}
        assert client.post("/api/tickets", json=report).status_code == 201
        first = int(before[0])
        dispatched(client, first)
    row = page.locator(f"#rows tr[data-id='{first}']")
    expect(row.locator("td.status")).to_have_text("转办", timeout=15_000)
    assert before == page.locator("#rows tr[data-id]").evaluate_all(
        "rows => rows.map((row) => row.dataset.id)"
    )
    expect(page.locator("#news button")).to_have_text("新工单 1 件，点击显示")
    page.locator("#news button").click()
    expect(page.locator("#rows tr").first.locator("td.matter")).to_contain_text("新来的一件")
    expect(page.locator("#news button")).to_have_count(0)


def test_news_that_come_while_the_next_rows_are_on_their_way_are_shown_too(page: Page, url: str) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/tickets?*after=*", hold)
    page.locator("#scroll").evaluate("node => node.scrollTop = node.scrollHeight")
    second = page.locator("#rows tr").nth(1)
    page.evaluate("() => { window.heard = new Promise((done) => wangge.on('list:event', done)) }")
    with httpx.Client(**client_args(url, ME)) as client:
        dispatched(client, int(second.get_attribute("data-id") or 0))
    page.evaluate("window.heard")
    page.wait_for_timeout(1200)  # so long news are gathered
    assert len(held) == 1
    held[0].continue_()
    expect(second.locator("td.status")).to_have_text("转办")
    page.unroute("**/api/tickets?*after=*")


def test_lists_are_kept_and_taken_away(page: Page, url: str, tmp_path: Path) -> None:
    at(page, "?q=路灯")
    page.locator("[data-menu=kept] summary").click()
    page.locator("[data-menu=kept] input[type=text]").fill("全部路灯")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator("#toast")).to_contain_text("已保存“全部路灯”")
    page.goto(f"{url}/tickets/")
    page.wait_for_selector("#tickets[data-state=ready]")
    page.locator("[data-menu=kept] summary").click()
    page.get_by_role("button", name="全部路灯", exact=True).click()
    expect(page.locator("#rows tr[data-id]")).to_have_count(20)
    with page.expect_download() as taken:
        page.locator("#export").click()
    path = tmp_path / "list.xlsx"
    taken.value.save_as(path)
    text = zipfile.ZipFile(io.BytesIO(path.read_bytes())).read("xl/sharedStrings.xml").decode()
    assert "路灯不亮10" in text and "井盖" not in text and "dispatcher" in text


def test_a_list_that_cannot_be_read_says_so_and_comes_back(page: Page) -> None:
    asked: list[str] = []

    def unwell(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=503, body="{}", content_type="application/json")

    page.route("**/api/tickets?*", unwell)
    with page.expect_response(re.compile(r"/api/tickets\?.*after=")):  # of the rows below
        page.locator("#scroll").evaluate("node => node.scrollTop = node.scrollHeight")
    page.locator("[data-group=all]").click()
    expect(page.locator("#end [role=alert]")).to_have_text("暂时读不到工单")
    page.wait_for_timeout(300)
    of_all = [one for one in asked if "status=all" in one]  # news may look at the list before once more
    assert len(of_all) == 1, "who has trouble is not asked again at once"
    page.unroute("**/api/tickets?*")
    page.wait_for_selector("#tickets[data-state=ready]", timeout=15_000)


def test_english_is_complete_and_keys_are_told(page: Page, url: str) -> None:
    page.goto(f"{url}/tickets/?lang=en")
    ready(page)
    text = page.locator("#tickets").inner_text()
    assert not re.search(r"\b(list|nav|page)\.[a-z_.]+", text)
    page.keyboard.press("?")
    expect(page.locator("#help")).to_contain_text("Next ticket")
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_have_count(0)


def test_who_may_only_look_is_offered_no_command(browser: Browser, url: str) -> None:
    page = open_page(browser, f"{url}/tickets/", *SIZE, viewer=county("supervisor"))
    page.wait_for_selector("#rows tr[data-id]")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.wait_for_selector("#bulk b")
    page.wait_for_timeout(1500)
    assert page.locator("#bulk [data-command=dispatch]").count() == 0
    leave(page)
