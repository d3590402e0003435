"""The page of an area in a real Chromium: down and up, sorted, searched, exported, its state in its address."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from geodata.servers import Stores
from tests.browser.chromium import leave, open_page, signed_in

pytestmark = pytest.mark.browser


def area(browser: Browser, url: str, size: tuple[int, int] = (1440, 900)) -> Page:
    """A page whose tiles and table have come."""
    page = open_page(browser, url, *size)
    page.wait_for_selector(".tile .value b")
    page.wait_for_selector("#table .ag-row, #table .ag-overlay-no-rows-center")
    return page


def names(page: Page) -> list[str]:
    """Names in the table, from its top."""
    rows = page.locator("#table .ag-row").all()
    placed = sorted((int(row.get_attribute("row-index") or 0), row.locator("a").inner_text()) for row in rows)
    return [name for _, name in placed]


def expect_fit(page: Page) -> None:
    """In both sizes nothing is cut and nothing scrolls."""
    for width, height in ((1440, 900), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        ) == [width, height]
        cut = page.evaluate("""() => [...document.querySelectorAll(".tile *, .way *, #area > header *")]
            .filter((node) => node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).overflow === "hidden")
            .map((node) => node.textContent)""")
        assert cut == []
    page.set_viewport_size({"width": 1440, "height": 900})


def test_down_to_a_grid_and_up_again_all_of_it_in_sight(browser: Browser, url: str) -> None:
    page = area(browser, f"{url}/area/?period=week")
    assert names(page) == ["钢山街道", "千泉街道"]
    page.get_by_role("link", name="千泉街道").click()
    page.wait_for_url("**/area/370883002?period=week")
    page.wait_for_selector("#table .ag-row")
    assert sorted(names(page)) == ["丁社区", "丙社区"]
    expect_fit(page)
    page.get_by_role("link", name="丙社区").click()
    page.wait_for_selector("#table .ag-row")
    assert len(names(page)) == 9
    page.get_by_role("link", name="第3网格").click()
    expect(page.locator("h1")).to_have_text("第3网格")
    expect(page.locator("#table")).to_contain_text("没有在办工单")
    assert page.locator(".trail a").all_text_contents() == ["邹城市", "千泉街道", "丙社区"]
    page.keyboard.press("Backspace")
    expect(page.locator("h1")).to_have_text("丙社区")
    leave(page)


def test_an_address_restores_its_state_and_english_fits(browser: Browser, url: str) -> None:
    page = area(browser, f"{url}/area/370883001002?q=7&sort=name:asc&period=week&lang=en")
    expect(page.locator("#search")).to_have_value("7")
    expect(page.locator("#table .ag-row")).to_have_count(1)
    assert names(page) == ["Grid 7"]
    expect(page.locator("[data-period=week]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("h1")).to_have_text("Yi Community")
    expect_fit(page)
    leave(page)


def test_unknown_and_hostile_codes_say_so(browser: Browser, url: str) -> None:
    page = signed_in(browser, url, 1280, 720)
    for code in ("999999", "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "370883%00", "..%2F..%2Fetc"):
        answer = page.goto(f"{url}/area/{code}")
        assert answer is not None
        assert answer.status == 404, code
        expect(page.get_by_role("alert")).to_contain_text("没有这个区域")
    page.get_by_role("link", name="查看全域").click()
    expect(page.locator("h1")).to_have_text("邹城市")
    leave(page)


@pytest.fixture(scope="module")
def community(browser: Browser, url: str, module_clone: Stores) -> Iterator[Page]:
    """The page of a community, one of whose nine grids has a formula for a name."""
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute("UPDATE area SET name = '=HYPERLINK(1)' WHERE code = '370883002002009'")
    page = area(browser, f"{url}/area/370883002002")
    yield page
    leave(page)


def test_export_as_csv_where_a_name_that_is_a_formula_is_text(community: Page) -> None:
    with community.expect_download() as download:
        community.get_by_role("button", name="导出 CSV").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert download.value.suggested_filename == "370883002002.csv"
    assert '"370883002002001"' in text
    assert "应办" in text.splitlines()[0]
    assert "'=HYPERLINK(1)" in text and '"=' not in text


def test_search_sort_and_period_are_in_the_address(community: Page) -> None:
    page = community
    page.keyboard.press("/")
    page.keyboard.type("第5")
    expect(page.locator("#table .ag-row")).to_have_count(1)
    assert page.evaluate("new URLSearchParams(location.search).get('q')") == "第5"
    page.locator("#search").fill("nothing like it")
    expect(page.locator("#table")).to_contain_text("没有相符的区域")
    page.locator("#search").fill("")
    page.locator(".ag-header-cell", has_text="受理").click()
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    page.wait_for_url(re.compile("period=month"))
    assert page.evaluate("new URLSearchParams(location.search).get('sort')") == "reported:desc"
    expect(page.locator("#span")).to_contain_text("与上月同期比")
    expect(page.locator("[data-period=month]")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(page.locator("[data-period=today]")).to_have_attribute("aria-pressed", "true")
