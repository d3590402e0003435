"""Many tickets, panels and windows of the dispatcher's screen in a real Chromium: a lasso, a plan, leaves, weights."""

import re
from dataclasses import replace

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.chromium import leave, open_page
from tests.browser.dispatch.asking import picture, seek, state, tickets
from tests.viewers import client_args, county

pytestmark = pytest.mark.browser


def test_thirty_are_ringed_assigned_and_taken_back(page: Page, desk: httpx.Client) -> None:
    word, made = tickets(desk, 30)
    seek(page, word, 30)
    page.evaluate("wangge.map.home({ animate: false })")
    page.locator("#rows").focus()
    page.keyboard.press("l")
    expect(page.locator("#map-place .wg-measured", has_text="圈出范围")).to_be_visible()
    box = page.locator("#map-place").bounding_box()
    assert box
    left, top, right, bottom = (
        box["x"] + 6,
        box["y"] + 110,
        box["x"] + box["width"] - 6,
        box["y"] + box["height"] - 60,
    )
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top + 5)):
        page.mouse.move(x, y, steps=5)
    page.mouse.up()
    expect(page.locator("#bulk b")).to_have_text("已选 30 件")
    expect(page.locator("#chips")).to_contain_text("圈选范围内")
    page.locator("#bulk .main").click()
    expect(page.locator("#panel .line")).to_have_count(30)
    picture(page, "dispatch-lasso-small")
    page.locator("#panel footer .main").click()
    expect(page.locator("#toast")).to_contain_text("已派出 30 件")
    assert {state(desk, one)["status"] for one in made[::7]} == {"dispatched"}
    page.keyboard.press("u")
    expect(page.locator("#toast")).to_contain_text("已撤销 30 / 30 件")
    assert {state(desk, one)["status"] for one in made[::7]} <= {"reported", "accepted"}


def test_the_map_and_the_ring_know_what_the_list_has_not_loaded(page: Page, desk: httpx.Client) -> None:
    word, made = tickets(desk, 5)
    asked: list[str] = []

    def fewer(route: Route) -> None:  # as if five were more than a page of the list
        asked.append(route.request.url)
        route.continue_(url=re.sub(r"limit=(60|200)\b", "limit=2", route.request.url))

    page.route("**/api/dispatch/queue?*", fewer)
    try:
        seek(page, word, 2)
        page.wait_for_function("wangge.desk.marks().length === 5")
        expect(page.locator("#on-map")).to_have_text("图上 5 件")
        ring = [[one["lon"], one["lat"]] for one in made]
        west, east = min(lon for lon, _ in ring) - 0.01, max(lon for lon, _ in ring) + 0.01
        south, north = min(lat for _, lat in ring) - 0.01, max(lat for _, lat in ring) + 0.01
        corners = [[west, south], [east, south], [east, north], [west, north]]
        page.evaluate("ring => { wangge.desk.pickNext = true; wangge.desk.set({ lasso: ring }); }", corners)
        expect(page.locator("#bulk b")).to_have_text("已选 5 件")
        expect(page.locator("#rows [data-id]")).to_have_count(2)
        assert any("limit=1000" in one and "polygon=" in one for one in asked)
        page.locator("#rows").focus()
        page.keyboard.press("b")
        expect(page.locator("#panel .line")).to_have_count(5)
    finally:
        page.unroute("**/api/dispatch/queue?*")


def test_names_stay_clear_of_what_stands_over_the_map(page: Page) -> None:
    page.evaluate("wangge.map.home({ animate: false })")
    covered = page.evaluate("""() => {
        const view = wangge.map.main;
        const frame = view.frame.getBoundingClientRect();
        const { x, y } = view.symbols.padding;
        const over = [...view.frame.querySelectorAll(".wg-bar, .wg-search input, .wg-zoom")];
        const boxes = over.map((one) => one.getBoundingClientRect());
        const under = ({ left, top, wide, high }, box) =>
            left < box.right - frame.left + x && left + wide > box.left - frame.left + x &&
            top < box.bottom - frame.top + y && top + high > box.top - frame.top + y;
        return view.names.filter((name) => boxes.some((box) => under(name, box))).length;
    }""")
    assert covered == 0


def test_a_plan_is_accepted_without_two_of_its_lines(page: Page, desk: httpx.Client) -> None:
    word, made = tickets(desk, 5, town=2)
    for row in seek(page, word, 5).all():
        row.locator("input").check(force=True)
    page.locator("[data-tool=plan]").click()
    lines = page.locator("#panel .line")
    expect(lines).to_have_count(5)
    for ticket in made[:2]:
        page.locator(f"#panel [data-line='{ticket['id']}'] input").uncheck()
    send = page.locator("#panel footer .main")
    expect(send).to_have_text("接受 3 条")
    assert {state(desk, one)["status"] for one in made} == {"reported"}  # nothing before it is accepted
    picture(page, "dispatch-plan-small")
    send.click()
    expect(page.locator("#toast")).to_contain_text("已派出 3 件")
    assert [state(desk, one)["status"] for one in made] == ["reported"] * 2 + ["dispatched"] * 3


def test_two_windows_follow_each_other(browser: Browser, url: str, desk: httpx.Client) -> None:
    word, (ticket,) = tickets(desk)
    queue = open_page(browser, f"{url}/dispatch/?pane=queue&lang=en", 1000, 800)
    map_ = open_page(browser, f"{url}/dispatch/?pane=map", 1000, 800)
    map_.wait_for_function("wangge.live.state.mode === 'live'")
    seek(queue, word, 1).first.click()
    map_.wait_for_function(
        f"wangge.desk.chosen === {ticket['id']} && wangge.desk.candidates?.rows.length > 1"
    )
    expect(map_.locator("#over-map")).to_contain_text(word)
    map_.keyboard.press("2")
    expect(queue.locator("[data-candidate='1'].meant")).to_be_visible()
    for why in queue.locator(".ranked .who p > span").all_text_contents():
        assert not re.search(r"[\u4e00-\u9fff]", why), why  # names of areas in the page's language
    queue.locator("[data-tab=unsigned]").click()
    map_.wait_for_function("wangge.desk.asked.tab === 'unsigned'")
    leave(queue)
    leave(map_)


def test_incident_handover_and_alarms_have_their_panels(page: Page, desk: httpx.Client) -> None:
    word, made = tickets(desk, 3)
    for row in seek(page, word, 3).all():
        row.locator("input").check(force=True)
    page.locator("#bulk button", has_text="合为事件").click()
    page.locator("dialog[open] input").fill(f"{word}积水")
    page.locator("dialog[open] button[type=submit]").click()
    expect(page.locator("#panel h2")).to_have_text(f"{word}积水")
    expect(page.locator("#panel .tiles")).to_contain_text("网格")
    expect(page.locator("[data-tool=incidents] b")).to_have_text("1")
    page.locator("[data-tool=handover]").click()
    expect(page.locator("#panel .sign")).to_contain_text("交班")
    page.locator("#panel form textarea").fill("答应居民明早回电")
    page.get_by_text("答应过", exact=True).click()
    page.locator("#panel form button[type=submit]").click()
    expect(page.locator("#panel .one", has_text="答应居民明早回电")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("[data-tool=alarms]").click()
    expect(page.locator("#panel h2")).to_have_text("提醒")
    page.keyboard.press("?")
    expect(page.locator("#help li")).to_have_count(28)
    assert made


def test_a_leave_is_entered_and_ended(page: Page, desk: httpx.Client) -> None:
    word, _ = tickets(desk)
    seek(page, word, 1)
    page.locator("#search").press("ArrowDown")
    first = page.locator(".ranked [data-candidate='0']")
    expect(first).to_contain_text("测试001")
    page.keyboard.press("e")
    who = page.locator("#panel .picker input")
    who.fill("W10010010")
    expect(page.locator("#panel .found li")).to_have_count(8)
    who.fill("W1001001001")
    expect(page.locator("#panel .found li")).to_have_count(1)
    expect(page.locator("#panel .found li")).to_contain_text("测试001")
    who.press("Enter")
    page.locator("#panel form button[type=submit]").click()
    expect(page.locator("#panel [data-leave]")).to_contain_text("测试001")
    expect(first).not_to_contain_text("测试001")
    who.fill("写到一半")
    page.locator("#panel [data-leave] button").click()
    expect(page.locator("#panel [data-leave]")).to_have_count(0)
    expect(who).to_have_value("写到一半")  # the list is drawn anew, what is being typed stays
    expect(first).to_contain_text("测试001")
    assert desk.get("/api/dispatch/leaves").json()["rows"] == []


def test_weights_are_tried_here_and_kept_by_who_sees_to_the_rules(
    page: Page, browser: Browser, url: str, desk: httpx.Client
) -> None:
    word, _ = tickets(desk)
    seek(page, word, 1).first.click()
    expect(page.locator(".ranked [data-candidate]").first).to_be_visible()
    ranked = "wangge.desk.candidates.rows[0].parts.find((part) => part.name === 'load').of"
    usual = page.evaluate(ranked)
    page.locator("#rows").focus()
    page.keyboard.press("g")
    way = page.locator("#panel [data-part=way]")
    way.fill("41")
    expect(page.locator("#panel .note").first).to_contain_text("保存由全域的监督员、管理员操作")
    expect(page.locator("#panel .change .note")).to_be_visible()
    page.keyboard.press("Escape")  # away from the slider, then out of the panel
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    expect(way).to_have_value("41")  # what was tried is still there
    assert desk.get("/api/dispatch/weights").json()["version"] == 0
    rules = open_page(browser, f"{url}/dispatch/", 1440, 900, viewer=replace(county("supervisor"), id=3))
    rules.locator("[data-part=way]").fill("42")
    with httpx.Client(**client_args(url, replace(county("supervisor"), id=3))) as other:
        weights = desk.get("/api/dispatch/weights").json()["weights"]
        body = {"version": 0, "weights": weights | {"load": 20}}
        other.put("/api/dispatch/weights", json=body).raise_for_status()
    # a desk that looks at somebody ranks anew
    page.wait_for_function(f"{ranked} !== {usual}", timeout=12_000)
    keep = rules.locator("#panel footer .main")
    keep.click()
    expect(rules.locator("#panel footer .error")).to_contain_text("刚在")
    expect(rules.locator("[data-part=way]")).to_have_value("42")
    keep.click()
    expect(rules.locator("#toast")).to_contain_text("已保存")
    told = desk.get("/api/dispatch/weights").json()
    assert (told["version"], told["weights"]["way"], told["weights"]["load"]) == (2, 42, weights["load"])
    leave(rules)
