"""The boards in a real Chromium: an answer recorded, an urge given, a dispute entered, opened and settled."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from geodata.servers import Stores
from services.access import Viewer
from tests.browser.chromium import leave, open_page
from tests.desk_app import served_desks
from tests.live_app import same_port
from tests.small_place import centre
from tests.viewers import DISPATCHER, client_args, county

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("WANGGE_SCREENSHOTS")  # a folder for pictures of the boards
OPERATOR = replace(county("operator"), id=2)


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    """The product on the small place, where every handled ticket is called back."""
    with served_desks(module_clone, (DISPATCHER, OPERATOR), same_port()) as address:
        yield address


@pytest.fixture(scope="module")
def desk(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(**client_args(url)) as client:
        yield client


def ticket(desk: httpx.Client, title: str, *commands: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """A ticket of the hotline in the first grid, after those commands."""
    lon, lat = centre(1, 1, 1)
    made = desk.post(
        "/api/tickets", json={"channel": "12345", "category": "01001", "title": title, "lon": lon, "lat": lat}
    ).json()
    for command, carried in commands:
        answer = desk.post(
            f"/api/tickets/{made['id']}/{command}", json={"version": made["version"], **carried}
        )
        assert answer.status_code == 200, answer.text
        made = answer.json()
    return dict(made)


LATE_ANSWER = """(end) => {
    const { fetch } = window;
    window.fetch = async (url, ...more) => {
        const answer = await fetch(url, ...more);
        if (!String(url).endsWith(end)) return answer;
        await new Promise((done) => setTimeout(done, 700));
        setTimeout(() => (window.answered = true), 300);
        return answer;
    };
}"""
HANDLED = (("dispatch", {}), ("sign", {}), ("handle", {"result": "已清运，现场已消毒"}))


def board(browser: Browser, url: str, name: str, query: str = "", viewer: Viewer = DISPATCHER) -> Page:
    page = open_page(browser, f"{url}/{name}/?{query}", 1440, 900, viewer=viewer)
    page.wait_for_function("document.getElementById('queue').getAttribute('aria-busy') === 'false'")
    return page


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


def test_an_answer_is_recorded_and_the_next_comes(browser: Browser, url: str, desk: httpx.Client) -> None:
    first, second = (ticket(desk, title, *HANDLED) for title in ("垃圾未清运", "路灯不亮"))
    page = board(browser, url, "callbacks")
    rows = page.locator("#queue [role=option]")
    expect(rows).to_have_count(2)
    expect(page.locator("#case h2")).to_have_text("垃圾未清运")
    expect(page.locator("#case .because")).to_contain_text("12345")
    expect(page.locator("[data-tile=queue] .value b")).to_have_text("2")
    picture(page, "callbacks")
    page.get_by_role("button", name="记录回访").click()
    expect(page.locator("#case [data-field=satisfaction] .error")).to_have_text("必填")
    page.get_by_text("不满意", exact=True).click()
    page.get_by_text("未解决", exact=True).click()
    page.locator("#case textarea").fill("又堆起来了，电话13912345678")
    page.locator("#case textarea").press("Control+Enter")
    expect(page.locator("#said")).to_have_text("已记录，并转督办")
    expect(rows).to_have_count(1)
    expect(page.locator("#case h2")).to_have_text("路灯不亮")
    expect(page.locator("[data-tile=content] .of")).to_have_text("0 / 1")
    page.locator("#queue").focus()
    page.keyboard.press("2")
    page.get_by_text("无人接听").click()
    page.locator("#case form.open button[type=submit]").click()
    expect(page.locator("#queue .notice")).to_contain_text("访完")
    expect(page.locator("[data-tab=later] b")).to_have_text("1")
    third = ticket(desk, "井盖破损", *HANDLED)  # news come by themselves
    expect(rows).to_have_count(1, timeout=10_000)
    assert first["id"] != second["id"] != third["id"]
    leave(page)


def test_the_supervised_one_is_urged_and_found(browser: Browser, url: str, desk: httpx.Client) -> None:
    ticket(desk, "下水堵塞", *HANDLED, ("call_back", {"satisfaction": "unsatisfied", "solved": "unsolved"}))
    ticket(desk, "占道经营", ("dispatch", {}), ("supervise", {"reason": "多次反映", "supervision": "hard"}))
    page = board(browser, url, "supervision")
    page.locator("#queue [role=option]", has_text="下水堵塞").click()
    expect(page.locator("#case h2")).to_have_text("下水堵塞")
    expect(page.locator("#case .because")).to_contain_text("不满意")
    picture(page, "supervision")
    page.locator("#queue").focus()
    page.keyboard.press("1")
    page.locator("#case form.open textarea").fill("今日内疏通并回复")
    page.locator("#case form.open button[type=submit]").click()
    expect(page.locator("#said")).to_contain_text("催办")
    expect(page.locator(".timeline .urge")).to_contain_text("今日内疏通并回复")
    expect(page.locator("#queue [aria-selected=true]")).to_contain_text("催 1 次")
    page.locator("[data-filter=class]").select_option("hard")
    expect(page.locator("#queue [role=option]")).to_have_count(1)
    assert "class=hard" in page.url
    page.locator("[data-command=consult]").first.wait_for(state="hidden")
    leave(page)


def test_a_dispute_goes_from_the_door_to_the_agreement(browser: Browser, url: str) -> None:
    page = board(browser, url, "mediation")
    expect(page.locator("#queue .notice")).to_contain_text("办完")
    page.locator("#receive").click()
    dialog = page.locator("dialog")
    dialog.locator("[role=combobox]").fill("甲社区")
    dialog.locator(".found li").first.click()
    dialog.locator("select").first.select_option("04001")
    dialog.get_by_label("姓名").first.fill("王建国")
    dialog.get_by_label("电话（选填）").first.fill("13900000001")
    dialog.get_by_label("姓名").nth(1).fill("李明")
    dialog.locator("textarea").fill("夜间噪声影响休息")
    picture(page, "mediation-new")
    dialog.get_by_role("button", name="登记").click()
    expect(page.locator("#case h2")).to_have_text("邻里纠纷")
    expect(page.locator("#queue [aria-selected=true]")).to_contain_text("王**、李**")
    page.evaluate(LATE_ANSWER, "/accept")  # its news is here before
    page.locator("[data-command=accept]").click()
    page.locator("[data-command=assign]").click()
    page.locator("form.open select").select_option(index=1)
    page.wait_for_function("window.answered")
    expect(page.locator("#queue [aria-selected=true]")).to_contain_text("待派调解员")
    page.locator("form.open button[type=submit]").click()
    expect(page.locator(".tiers [aria-current]")).to_contain_text("赵调解")
    page.locator("[data-command=open]").click()
    page.locator("form.open input").fill("下午调解前核对")
    page.locator("form.open input").press("Enter")
    expect(page.locator(".people")).to_contain_text("王建国")
    expect(page.locator("#case .opened")).to_contain_text("下午调解前核对")
    picture(page, "mediation-open")
    page.locator("[data-command=settle]").click()
    page.locator("form.open").get_by_text("书面协议").click()
    page.locator("form.open textarea").fill("李明晚十点后不营业")
    page.locator("form.open button[type=submit]").click()
    expect(page.locator("#case .chips")).to_contain_text("调解成功")
    expect(page.locator("[data-tile=settled] .of")).to_have_text("1 / 1")
    leave(page)


def test_without_the_right_there_is_no_board(url: str) -> None:
    with httpx.Client(**client_args(url, OPERATOR), follow_redirects=True) as operator:
        for name in ("callbacks", "supervision", "mediation"):
            assert operator.get(f"/{name}/").status_code == 403
        assert "/mediation/" not in operator.get("/area/").text


@pytest.mark.parametrize("name", ["callbacks", "supervision", "mediation"])
def test_in_english_nothing_is_left_in_chinese(browser: Browser, url: str, name: str) -> None:
    page = board(browser, url, name, "lang=en")
    for place in ("header nav", ".way h1", "#figures", "#tabs", "footer .keys"):
        assert not [char for char in page.locator(place).inner_text() if "\u4e00" <= char <= "\u9fff"], place
    picture(page, f"{name}-en")
    leave(page)


def test_when_the_server_is_away_the_rows_stay_and_say_so(
    browser: Browser, url: str, desk: httpx.Client
) -> None:
    ticket(desk, "树枝断落", *HANDLED)
    page = board(browser, url, "callbacks")
    page.route("**/api/desks/**", lambda route: route.abort())
    page.evaluate("wangge.board.reload()")
    expect(page.locator("#queue .notice")).to_contain_text("未能更新")
    expect(page.locator("#queue [role=option]").first).to_be_visible()
    page.unroute("**/api/desks/**")
    page.get_by_role("button", name="重试").click()
    expect(page.locator("#queue .notice")).to_have_count(0)
    leave(page)
