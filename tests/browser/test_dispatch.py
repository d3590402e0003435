"""The dispatcher's screen in a real Chromium: two clicks, three keys, a conflict, a lasso, a plan, two windows."""

import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from app import create_app
from geodata.servers import Stores
from services.access import Viewer
from settings import Settings
from tests.browser.chromium import chromium, leave, open_page
from tests.live_app import same_port, served
from tests.small_place import centre
from tests.viewers import DISPATCHER, client_args, county

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("WANGGE_SCREENSHOTS")  # a folder for pictures of the screen
OTHER = replace(county("community_clerk"), id=2)
NAMES = {DISPATCHER.id: "赵一", OTHER.id: "钱二"}
SETTLED = """() => {
    const { desk } = wangge;
    desk.close();
    desk.choose(null);
    desk.pick([...desk.picked.values()], false);
    desk.clear();
    desk.quiet();
}"""
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    """The product on the small place: two dispatchers, and every worker stands in the middle of the own grid."""
    with psycopg.connect(module_clone.database_url) as conn:
        for viewer in (DISPATCHER, OTHER):
            conn.execute(
                "INSERT INTO account (id, login, name, role, created_by) OVERRIDING SYSTEM VALUE"
                " VALUES (%s, %s, %s, %s, 'tests')",
                (viewer.id, viewer.name, NAMES[viewer.id], viewer.role),
            )
        conn.execute(
            "INSERT INTO worker_position (worker_id, at, geom, area_no)"
            " SELECT w.id, now(), b.label_at, w.area_no FROM worker w JOIN area_boundary b ON b.area_no = w.area_no"
        )
    with served(create_app(Settings(live_interval_ms=50), module_clone), same_port()) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def desk(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(**client_args(url)) as client:
        yield client


@pytest.fixture(scope="module")
def other(url: str) -> Iterator[httpx.Client]:
    """The second dispatcher, who needs no screen to be quicker."""
    with httpx.Client(**client_args(url, OTHER)) as client:
        yield client


@pytest.fixture(scope="module")
def opened(browser: Browser, url: str) -> Iterator[Page]:
    page = open_page(browser, f"{url}/dispatch/", 1440, 900)
    yield page
    leave(page)


@pytest.fixture
def page(opened: Page) -> Iterator[Page]:
    """The one page of these tests, with nothing chosen, filtered or open."""
    opened.mouse.move(720, 20)
    opened.evaluate(SETTLED)
    yield opened
    for dialog in opened.locator("dialog[open]").all():
        dialog.evaluate("node => node.close()")


def tickets(desk: httpx.Client, count: int = 1, town: int = 1) -> tuple[str, list[dict[str, Any]]]:
    """New tickets that wait for a decision, and the word by which the queue finds just these."""
    word = f"试{next(_numbers)}号"
    made = []
    for n in range(count):
        lon, lat = centre(town, 1 + n % 2, 1 + n // 2 % 9)
        body = {
            "channel": "petition", "category": "01001", "title": f"{word}垃圾未清运{n}",
            "lon": lon + (n // 18) * 0.002, "lat": lat,
        }  # fmt: skip
        made.append(desk.post("/api/tickets", json=body).raise_for_status().json())
    return word, made


def seek(page: Page, word: str, count: int) -> Any:
    """The rows of the queue that the word finds, once that has been asked."""
    with page.expect_response(re.compile(r"/api/dispatch/queue\?.*q=")):
        page.locator("#search").fill(word)
    rows = page.locator("#rows [data-id]")
    expect(rows).to_have_count(count)
    expect(rows.first).to_contain_text(word)
    return rows


def state(desk: httpx.Client, ticket: dict[str, Any]) -> dict[str, Any]:
    return dict(desk.get(f"/api/tickets/{ticket['id']}").json())


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


def test_two_clicks_assign_a_ticket_and_a_key_takes_it_back(page: Page, desk: httpx.Client) -> None:
    word, (ticket,) = tickets(desk)
    seek(page, word, 1).first.click()
    expect(page.locator("#ticket .claim .mine")).to_be_visible()
    expect(page.locator(".ranked [data-candidate]").first).to_contain_text("测试001")
    picture(page, "small-candidates")
    page.locator("[data-assign='0']").click()
    expect(page.locator("#toast")).to_contain_text("已派给 测试001")
    held = state(desk, ticket)
    assert (held["status"], held["worker"]) == ("dispatched", "W1001001001")
    expect(page.locator("#rows [data-id]")).to_have_count(0)  # it waits for no decision any more
    page.keyboard.press("u")
    expect(page.locator("#toast")).to_contain_text("已撤销，工单回到“待受理”")  # its own taking up as well
    expect(page.locator("#ticket h2")).to_contain_text(word)
    back = state(desk, ticket)
    assert (back["worker"], back["status"]) == (None, "reported")


def test_three_keys_assign_it_to_the_second_candidate(page: Page, desk: httpx.Client) -> None:
    word, (ticket,) = tickets(desk)
    seek(page, word, 1)
    page.locator("#search").press("ArrowDown")  # into the queue
    expect(page.locator(".ranked [data-candidate]").nth(1)).to_be_visible()
    meant = page.evaluate("wangge.desk.candidates.rows[1]")
    for key in ("Enter", "2", "d"):
        page.keyboard.press(key)
    expect(page.locator("#toast")).to_contain_text("已派给")
    assert state(desk, ticket)[meant["kind"]] == meant["code"]


def test_who_is_second_is_told_by_whom_and_keeps_what_was_typed(
    page: Page, desk: httpx.Client, other: httpx.Client
) -> None:
    word, (ticket,) = tickets(desk)
    seek(page, word, 1)
    page.locator("#search").press("ArrowDown")
    note = page.locator("#ticket .options textarea")
    page.locator("#ticket .options summary").click()
    note.fill("请带铁锹")
    other.post(f"/api/dispatch/tickets/{ticket['id']}/claim", json={}).raise_for_status()
    expect(page.locator("#ticket .claim .other")).to_contain_text("钱二 正在处理")
    expect(page.locator("#rows [data-id]")).to_contain_text("钱二 正在处理")
    page.locator("[data-assign='0']").click()
    expect(page.locator("#toast")).to_contain_text("没有派出：钱二 自")
    expect(note).to_have_value("请带铁锹")
    other.delete(f"/api/dispatch/tickets/{ticket['id']}/claim").raise_for_status()
    expect(page.locator("#ticket .claim .none")).to_be_visible()

    def quicker(route: Route) -> None:  # assigned by the other one while our order is on its way
        seen = state(other, ticket)["version"]
        body = {"version": seen, "to": {"kind": "department", "code": "urban"}}
        other.post(f"/api/dispatch/tickets/{ticket['id']}/assign", json=body).raise_for_status()
        route.continue_()

    page.route("**/assign", quicker, times=1)
    page.locator("[data-assign='0']").click()
    expect(page.locator("#toast")).to_contain_text("没有派出：钱二 已于")
    expect(page.locator("#toast")).to_contain_text("综合执法局")
    expect(note).to_have_value("请带铁锹")
    picture(page, "dispatch-conflict")
    held = state(desk, ticket)
    assert (held["department"], held["worker"]) == ("urban", None)


def test_without_an_answer_nothing_is_lost_and_nothing_done_twice(page: Page, desk: httpx.Client) -> None:
    word, (ticket,) = tickets(desk)
    seek(page, word, 1).first.click()
    expect(page.locator("#ticket .claim.mine")).to_be_visible()
    page.locator("#ticket .options summary").click()
    note = page.locator("#ticket .options textarea")
    note.fill("请带铁锹")
    send, toast, lost = page.locator("[data-assign='0']"), page.locator("#toast"), page.locator("#lost")
    page.context.set_offline(True)
    send.click()
    expect(toast).to_contain_text("网络已断开，没有提交")
    page.evaluate("wangge.desk.reload({ jump: true }); wangge.desk.rank()")
    expect(lost).to_contain_text("队列停在")
    expect(page.locator(".candidates h3")).to_contain_text("停在")
    expect(page.locator("[data-candidate]").first).to_be_visible()
    lon, lat = centre(1, 1, 1)
    body = {"channel": "petition", "category": "01001", "title": f"{word}又一件", "lon": lon, "lat": lat}
    desk.post("/api/tickets", json=body).raise_for_status()
    page.context.set_offline(False)
    expect(page.locator("#rows [data-id]")).to_have_count(2)  # what was missed comes by itself
    expect(lost).to_be_hidden()
    expect(note).to_have_value("请带铁锹")
    keys: list[str | None] = []

    def silent(route: Route) -> None:  # nobody knows whether the first one arrived
        keys.append(route.request.headers.get("idempotency-key"))
        route.abort() if len(keys) == 1 else route.continue_()

    page.route("**/assign", silent, times=2)
    send.click()
    expect(toast).to_contain_text("不能确定是否已派出")
    expect(note).to_have_value("请带铁锹")
    page.context.set_offline(True)  # what isn't sent between the two says nothing of the first
    send.click()
    expect(toast).to_contain_text("网络已断开，没有提交")
    page.context.set_offline(False)
    send.click()
    expect(toast).to_contain_text("已派给")
    assert keys[0] and keys[0] == keys[1]
    assert state(desk, ticket)["status"] == "dispatched"


def test_undoing_without_an_answer_may_be_tried_again(page: Page, desk: httpx.Client) -> None:
    word, (ticket,) = tickets(desk)
    seek(page, word, 1).first.click()
    page.locator("[data-assign='0']").click()
    toast = page.locator("#toast")
    expect(toast).to_contain_text("已派给")

    def lost(route: Route) -> None:  # done, and the answer does not arrive
        route.fetch()
        route.abort()

    page.route("**/undo", lost, times=1)
    page.keyboard.press("u")
    expect(toast).to_contain_text("不能确定是否已撤销")
    assert state(desk, ticket)["status"] == "reported"
    toast.get_by_role("button", name="撤销").click()
    expect(toast).to_contain_text("已撤销，工单回到“待受理”")


def test_what_somebody_holds_goes_to_another_with_a_reason(page: Page, desk: httpx.Client) -> None:
    word, (ticket,) = tickets(desk)
    body = {"version": ticket["version"], "to": {"kind": "worker", "code": "W1001001009"}}
    desk.post(f"/api/dispatch/tickets/{ticket['id']}/assign", json=body).raise_for_status()
    page.locator("[data-tab=unsigned]").click()
    seek(page, word, 1).first.click()
    send = page.locator("[data-assign='0']")
    expect(send).to_have_text("改派")
    send.click()
    note = page.locator("#ticket .options textarea")
    expect(note).to_be_focused()
    note.fill("原承办人另有任务")
    send.click()
    expect(page.locator("#toast")).to_contain_text("已派给")
    assert state(desk, ticket)["worker"] != "W1001001009"
    page.locator("[data-tab=decide]").click()


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
        assert "limit=1000" in asked[-1]
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


def test_what_comes_does_not_move_what_is_under_the_pointer(page: Page, desk: httpx.Client) -> None:
    word, _ = tickets(desk, 2)
    rows = seek(page, word, 2)
    rows.nth(1).hover()
    under = rows.nth(1).get_attribute("data-id")
    lon, lat = centre(1, 1, 1)
    body = {"channel": "petition", "category": "01001", "title": f"{word}又一件", "lon": lon, "lat": lat}
    desk.post("/api/tickets", json=body).raise_for_status()
    expect(page.locator("#news")).to_contain_text("1 件新工单")
    assert rows.nth(1).get_attribute("data-id") == under and rows.count() == 2
    page.mouse.move(720, 20)
    expect(rows).to_have_count(3)


def test_news_stand_in_their_row_before_the_queue_is_asked_again(
    page: Page, desk: httpx.Client, other: httpx.Client
) -> None:
    word, (ticket, _) = tickets(desk, 2)
    rows = seek(page, word, 2)
    held: list[Route] = []
    queue = re.compile(r"/api/dispatch/queue\?")

    def hold(route: Route) -> None:
        held.append(route)

    page.route(queue, hold)
    page.evaluate("void wangge.desk.reload()")
    while not held:
        page.wait_for_timeout(20)
    late = held[0].fetch()  # an answer from before, which comes after the news
    row = page.locator(f"#row-{ticket['id']}")
    before = row.bounding_box()
    body = {"version": ticket["version"], "to": {"kind": "department", "code": "urban"}}
    done = other.post(f"/api/dispatch/tickets/{ticket['id']}/assign", json=body).raise_for_status().json()
    expect(row).to_have_attribute("data-version", str(done["ticket"]["version"]))
    expect(row).to_have_class(re.compile("gone"))
    expect(row.locator(".why")).to_have_text(page.evaluate("wangge.desk.status('dispatched')"))
    assert len(held) == 1 and row.bounding_box() == before
    with page.expect_response(queue):
        held[0].fulfill(response=late)
    expect(page.locator("#rows")).to_have_attribute("aria-busy", "false")
    expect(row).to_have_attribute("data-version", str(done["ticket"]["version"]))
    assert page.evaluate("wangge.desk.rows.filter((row) => row.left).length") == 1
    page.unroute(queue)  # what waits goes on
    expect(rows).to_have_count(1)


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
    queue.close()
    map_.close()


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
    rules.close()


def test_who_does_not_dispatch_is_told_so(browser: Browser, url: str) -> None:
    viewer: Viewer = replace(county("operator"), id=4)
    with httpx.Client(**client_args(url, viewer)) as client:
        assert client.get("/dispatch/").status_code == 403
