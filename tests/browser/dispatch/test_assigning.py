"""One ticket at the dispatcher's screen in a real Chromium: two clicks, three keys, a conflict, no answer, news."""

import re
from dataclasses import replace

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from services.access import Viewer
from tests.browser.dispatch.asking import picture, seek, state, tickets
from tests.small_place import centre
from tests.viewers import client_args, county

pytestmark = pytest.mark.browser


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


def test_who_does_not_dispatch_is_told_so(browser: Browser, url: str) -> None:
    viewer: Viewer = replace(county("operator"), id=4)
    with httpx.Client(**client_args(url, viewer)) as client:
        assert client.get("/dispatch/").status_code == 403
