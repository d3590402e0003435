"""People owed care in a real Chromium: masked markers, a name opened for a reason, closed again, visits, entry."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, Response, expect

from app import create_app
from geodata.servers import Stores
from services import audit
from services.access import Viewer
from settings import Settings
from tests.browser.chromium import leave, open_page
from tests.browser.test_map import at
from tests.live_app import same_port, served
from tests.small_place import centre, grid_no
from tests.viewers import DISPATCHER, client_args, of_community, of_town

pytestmark = pytest.mark.browser
NAME, PHONE, ID_NUMBER = "赵六生", "13900012345", "999999195001019876"
OFFICIAL, CLERK = of_town(1), of_community(1, 1)
READY = "window.wangge?.map?.main?.layers?.size > 0"
PICTURES = os.environ.get("WANGGE_PICTURES")  # a folder for pictures of the cards


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    """The product on the small place with one person, visited 37 days ago, in the first grid of town 1."""
    with psycopg.connect(module_clone.database_url) as conn:
        for viewer in (OFFICIAL, CLERK, DISPATCHER):
            conn.execute(
                "INSERT INTO account (id, login, name, role, created_by) OVERRIDING SYSTEM VALUE"
                " VALUES (%s, %s, 'x', %s, 'tests')",
                (viewer.id, viewer.name, viewer.role),
            )
    with served(create_app(Settings(live_interval_ms=50), module_clone), same_port()) as address:
        today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
        record = {
            "name": NAME, "category": "elderly_alone", "area": "370883001001001", "phone": PHONE,
            "id_number": ID_NUMBER, "building": "3号楼2单元", "last_visit_on": (today - timedelta(days=37)).isoformat(),
            "contacts": [
                {"role": role, "name": name, "phone": f"1200000000{number}"}
                for number, (role, name) in enumerate(
                    [("town_leader", "钱建军"), ("cadre", "孙小红"), ("secretary", "李成林"), ("police", "周志强"),
                     ("worker", "吴春梅")], 1)
            ],
        }  # fmt: skip
        with httpx.Client(**client_args(address, CLERK)) as clerk:
            clerk.post("/api/care", json=record).raise_for_status()
        yield address


def near(browser: Browser, url: str, viewer: Viewer, query: str = "") -> Page:
    """The area page of a viewer, close to the grid where the person lives."""
    x, y = centre(1, 1, 1)
    page = open_page(browser, f"{url}/area/?view=15/{y}/{x}&{query}", 1440, 900, viewer=viewer)
    page.wait_for_function(READY, timeout=20_000)
    return page


@pytest.fixture(scope="module")
def opened(browser: Browser, url: str) -> Iterator[Page]:
    page = near(browser, url, OFFICIAL)
    yield page
    leave(page)


@pytest.fixture
def official(opened: Page) -> Iterator[Page]:
    """The one page of the official, with nothing open and nothing pointed at."""
    opened.mouse.move(0, 0)
    opened.evaluate("wangge.map.close()")
    yield opened
    opened.context.set_offline(False)


def card_of(page: Page) -> Page:
    """Opens the card with a click on the marker."""
    page.wait_for_function("wangge.map.main.board?.hits.some((hit) => hit.kind === 'care')", timeout=10_000)
    page.mouse.click(*at(page, *centre(1, 1, 1)))
    expect(page.locator(".wg-card-care h3")).to_have_text("赵**")
    return page


def grants(stores: Stores) -> list[tuple[str, str | None, str | None]]:
    """What the audit says of opened records: who, step, reason."""
    with psycopg.connect(stores.database_url) as conn:
        rows = conn.execute(
            "SELECT actor_name, detail->>'step', reason FROM audit WHERE action = 'care_opened' ORDER BY id"
        ).fetchall()
        return [(str(row[0]), row[1], row[2]) for row in rows]


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.wait_for_timeout(400)
        page.screenshot(path=str(Path(PICTURES) / name))


def test_a_name_is_opened_for_a_reason_by_keyboard_and_closes_by_itself(
    official: Page, module_clone: Stores
) -> None:
    page = official
    received: list[Response] = []
    page.on("response", lambda answer: received.append(answer) if "/api/" in answer.url else None)
    card_of(page)
    card = page.locator(".wg-card-care")
    expect(card).to_contain_text("139****2345")
    expect(card).to_contain_text("已逾期 7 天")
    masked = card.inner_text() + "".join(answer.text() for answer in received)
    for secret in (NAME, PHONE, ID_NUMBER, "9999****", "3号楼", "周志强", "12000000004"):
        assert secret not in masked
    assert grants(module_clone) == []
    picture(page, "care-masked.png")

    card.get_by_role("button", name="查看姓名").focus()
    page.keyboard.press("Enter")
    reason = card.get_by_label("查看理由")
    expect(reason).to_be_focused()
    page.keyboard.type("看看")
    card.get_by_role("button", name="查看 10 分钟").click()
    expect(card).to_contain_text("请写明理由")
    expect(reason).to_be_focused()
    assert grants(module_clone) == [], "nothing was opened"
    page.keyboard.press("Control+a")
    page.keyboard.type("下午入户走访，核对住址")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(card.get_by_role("button", name="查看 10 分钟")).to_be_focused()
    page.keyboard.press("Enter")
    expect(card.locator("h3")).to_have_text(NAME)
    for told in (PHONE, "3号楼2单元", "9999**********9876", "周志强", "12000000004"):
        expect(card).to_contain_text(told)
    assert ID_NUMBER not in page.content()
    expect(card.get_by_role("timer")).to_contain_text("9:5")
    expect(card).to_be_focused()
    picture(page, "care-open.png")
    why = "下午入户走访，核对住址"
    assert grants(module_clone) == [(OFFICIAL.name, "granted", why), (OFFICIAL.name, "read", why)]

    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute("UPDATE care_grant SET expires_at = now() + interval '3 s'")
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    page.mouse.click(*at(page, *centre(1, 1, 1)))
    expect(card.locator("h3")).to_have_text(NAME)
    expect(card.locator("h3")).to_have_text("赵**", timeout=6000)
    expect(card.get_by_role("status")).to_contain_text("重新遮蔽")
    for secret in (NAME, PHONE, "3号楼", "周志强"):
        assert secret not in page.content()
    assert [step for _, step, _ in grants(module_clone)] == ["granted", "read", "read"]
    with psycopg.connect(module_clone.database_url) as conn:
        assert audit.verify(conn).faults == []


def test_when_the_server_is_away_the_record_closes_all_the_same(official: Page, module_clone: Stores) -> None:
    page = official
    card_of(page)
    card = page.locator(".wg-card-care")
    card.get_by_role("button", name="查看姓名").click()
    card.get_by_label("查看理由").fill("核对联系电话")
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute("DELETE FROM care_grant")
    card.get_by_role("button", name="查看 10 分钟").click()
    expect(card.locator("h3")).to_have_text(NAME)
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute("UPDATE care_grant SET expires_at = now() + interval '2 s'")
    page.keyboard.press("Escape")
    page.mouse.click(*at(page, *centre(1, 1, 1)))
    expect(card.locator("h3")).to_have_text(NAME)
    page.context.set_offline(True)
    expect(card).to_contain_text("重新遮蔽", timeout=6000)
    assert NAME not in page.content() and PHONE not in page.content()


def test_a_visit_is_written_down_and_the_marker_goes(browser: Browser, url: str) -> None:
    page = near(browser, url, OFFICIAL, "lang=en")
    page.wait_for_function("wangge.map.main.board?.hits.some((hit) => hit.kind === 'care')", timeout=10_000)
    page.mouse.click(*at(page, *centre(1, 1, 1)))
    card = page.locator(".wg-card-care")
    card.get_by_role("button", name="Record a visit").click()
    card.get_by_label("Outcome").select_option("needs_help")
    card.get_by_label("Note").fill("常年上访")
    card.get_by_role("button", name="Save").click()
    expect(card).to_contain_text("nothing about belief")
    card.get_by_label("Note").fill("轮椅坏了，已联系社区")
    card.get_by_role("button", name="Save").click()
    expect(card.get_by_role("status")).to_contain_text("Saved. Next visit")
    expect(card).to_contain_text("Needs help")
    expect(card).not_to_contain_text("轮椅")
    page.wait_for_function(
        "wangge.map.main.board?.hits.some((hit) => hit.kind === 'care' && hit.detail === 'Visit due within 7 days')"
    )
    leave(page)


def test_a_record_is_entered_from_the_card_of_its_grid(
    browser: Browser, url: str, module_clone: Stores
) -> None:
    page = near(browser, url, CLERK)
    page.evaluate(f"wangge.map.open('area', {grid_no(1, 1, 2)})")
    page.get_by_role("button", name="登记关爱对象").click()
    dialog = page.get_by_role("dialog", name="登记关爱对象")
    expect(dialog.get_by_label("姓名", exact=True)).to_be_focused()
    dialog.get_by_role("button", name="登记", exact=True).click()
    expect(dialog).to_contain_text("请填写姓名")
    dialog.get_by_label("姓名", exact=True).fill("钱七")
    dialog.get_by_label("类别").select_option("disabled")
    dialog.get_by_label("身份证号").fill("12345")
    dialog.get_by_role("button", name="登记", exact=True).click()
    expect(dialog).to_contain_text("身份证号应为 18 位")
    picture(page, "care-entry.png")
    dialog.get_by_label("身份证号").fill("")
    dialog.get_by_label("包联人 民警 姓名").fill("孙民警")
    dialog.get_by_role("button", name="登记", exact=True).click()
    expect(page.locator(".wg-card-care h3")).to_have_text("钱**")
    expect(dialog).to_have_count(0)
    with psycopg.connect(module_clone.database_url) as conn:
        found = conn.execute(
            "SELECT category, area_no, name_masked FROM care_record ORDER BY id DESC LIMIT 1"
        ).fetchone()
    assert found == ("disabled", grid_no(1, 1, 2), "钱**")
    leave(page)


def test_the_register_is_a_masked_table_and_its_export_asks_for_a_reason(
    official: Page, module_clone: Stores
) -> None:
    page = official
    page.evaluate(f"wangge.map.open('area', {grid_no(1, 1, 0)})")
    page.get_by_role("button", name="走访名册").click()
    register = page.get_by_role("dialog", name="走访名册")
    expect(register.get_by_role("button", name="赵**")).to_be_visible()
    assert NAME not in page.content()
    picture(page, "care-register.png")
    register.get_by_label("走访状态").select_option("ended")
    expect(register).to_contain_text("没有符合条件的记录")
    register.get_by_label("走访状态").select_option("")
    register.get_by_role("button", name="导出 Excel").click()
    register.get_by_role("button", name="导出 Excel").click()
    expect(register).to_contain_text("请写明理由")
    register.get_by_label("导出理由").fill("月度走访安排")
    with page.expect_download() as download:
        register.get_by_role("button", name="导出 Excel").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    assert Path(download.value.path()).read_bytes()[:2] == b"PK"
    expect(register.get_by_role("status")).to_contain_text("账号、时间和理由")
    with psycopg.connect(module_clone.database_url) as conn:
        rows = conn.execute("SELECT actor_name, reason FROM audit WHERE action = 'care_exported'").fetchall()
    assert rows == [(OFFICIAL.name, "月度走访安排")]
    register.get_by_role("button", name="赵**").click()
    expect(page.locator(".wg-card-care h3")).to_have_text("赵**")
    expect(register).to_have_count(0)


def test_others_see_counts_and_no_layer_of_visits(browser: Browser, url: str) -> None:
    page = near(browser, url, DISPATCHER, "layers=%2Bcare")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(f"wangge.map.open('area', {grid_no(1, 1, 1)})")
    expect(page.locator(".wg-card-area")).to_contain_text("<3")
    for name in ("登记关爱对象", "走访名册"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    assert page.evaluate("wangge.map.spec('visits') === undefined")
    page.wait_for_function(
        "wangge.map.main.board?.hits.some((hit) => hit.title.includes('<3'))", timeout=10_000
    )
    assert not [one for one in asked if "/api/care" in one or "care/visits" in one]
    leave(page)
