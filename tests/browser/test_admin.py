"""The admin screen in a real browser, by keyboard alone."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import psycopg
import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from geodata.pool import make_pool
from geodata.scope import EVERYTHING, scoped
from geodata.servers import Stores
from services.access import SYSTEM, Viewer, accounts, walls
from tests.browser.chromium import leave, open_page, signed_in
from tests.viewers import browser_cookies as cookies
from tests.viewers import county, of_town, sessions_of

pytestmark = pytest.mark.browser
SIZE = (1440, 900)
CUT = """() => [...document.querySelectorAll(".ag-header-cell-text, .tabs a, .tools *, #filters label > span")]
    .filter((node) => node.scrollWidth > node.clientWidth + 1 && node.clientWidth)
    .map((node) => node.textContent)"""
UNLABELLED = """() => [...document.querySelectorAll("dialog :is(input:not([type=radio]), select)")]
    .filter((node) => !node.labels.length).map((node) => node.outerHTML)"""


@pytest.fixture(scope="module")
def administrator(module_clone: Stores) -> Viewer:
    """An account of the whole place, which is there in the list."""
    with make_pool(module_clone.app_url, size=1) as pool, scoped(pool, EVERYTHING, "access") as conn:
        accounts.add_account(conn, SYSTEM, "root.admin", "李军", "administrator", ["370883"])
        account_id = accounts.find_account(conn, "root.admin")
    return replace(county("administrator"), id=account_id, name="root.admin")


def tab(browser: Browser, url: str, viewer: Viewer, name: str = "", lang: str = "zh-CN") -> Page:
    """A tab whose table has come."""
    page = open_page(browser, f"{url}/admin/{name}?lang={lang}", *SIZE, viewer=viewer)
    page.wait_for_selector(".ag-row, .ag-overlay-no-rows-center")
    return page


def expect_fit(page: Page) -> None:
    """A tab has no scrollbar, no word that is cut and no key without words."""
    size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert tuple(size) == SIZE
    assert "admin." not in page.locator("body").inner_text()
    assert page.evaluate(CUT) == []


def expect_labels(page: Page) -> None:
    """Every field of the forms by which something is added has a label."""
    for form in page.evaluate("Object.keys(wangge.config.forms)"):
        if form.endswith("_add") or form == "wall_pair":
            page.locator(f".tools [data-form={form}]").click()
            assert page.evaluate(UNLABELLED) == [], form
            page.keyboard.press("Escape")


def over_to_the_side(page: Page, first: str) -> None:
    """Enter leads from a row to the first of what can be done with it; a row that just came may take the focus back."""
    button = page.locator("#side button").first
    expect(button).to_have_text(first)
    for _ in range(5):
        page.keyboard.press("Enter")
        with suppress(AssertionError):
            expect(button).to_be_focused(timeout=2000)
            return
    pytest.fail(f"{first} is not reached by Enter")


def focused(page: Page) -> str:
    """The text of what has the focus."""
    return str(page.evaluate("document.activeElement.textContent.trim()"))


def press_until(page: Page, key: str, wanted: str, most: int = 40) -> None:
    """Press a key until what has the focus bears these words, and shows it."""
    for _ in range(most):
        page.keyboard.press(key)
        if focused(page) == wanted:
            style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert style != "none", f"the focus on {wanted} cannot be seen"
            return
    pytest.fail(f"{wanted} is not reached by {key}")


def column(page: Page, field: str) -> list[str]:
    """The texts of a column, from its top."""
    rows = page.locator(".ag-center-cols-container .ag-row").all()
    placed = sorted((int(row.get_attribute("row-index") or 0), row) for row in rows)
    return [row.locator(f"[col-id={field}]").inner_text() for _, row in placed]


@pytest.fixture(scope="class")
def asked() -> list[str]:
    """What the page of the accounts asks the server for until it is there."""
    return []


@pytest.fixture(scope="class")
def page(browser: Browser, url: str, administrator: Viewer, asked: list[str]) -> Iterator[Page]:
    """The administrator's accounts."""
    page = signed_in(browser, url, *SIZE, viewer=administrator)
    page.on("request", ask := lambda request: asked.append(request.url))
    page.goto(f"{url}/admin/?lang=zh-CN")
    page.wait_for_selector(".ag-row")
    page.remove_listener("request", ask)
    yield page
    leave(page)


class TestAccounts:
    """One page for these; the next test has it with its scripts compiled."""

    def test_the_map_is_not_loaded(self, page: Page, asked: list[str]) -> None:
        assert any("/assets/admin." in one for one in asked)
        (later,) = (one for one in asked if "async-" in one)
        assert re.search(r"/async-community\.v[^/]+m[0-9]+\.js$", later), (
            "all of the table may be kept for ever"
        )
        assert not [one for one in asked if "leaflet" in one or "/api/" in one]

    def test_add_an_account_and_see_its_first_password_once(self, page: Page, module_clone: Stores) -> None:
        press_until(page, "Tab", "添加账号")
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("首次密码由系统生成")
        assert page.evaluate(UNLABELLED) == []
        page.keyboard.press("Enter")  # nothing is filled in: each field says so, and the first has the focus
        expect(dialog.locator(".error:not(:empty)")).to_have_count(4)
        page.keyboard.type("周强")
        page.keyboard.press("Tab")
        page.keyboard.type("ROOT.admin")
        page.keyboard.press("Tab")
        for _ in range(3):
            page.keyboard.press("ArrowDown")
        expect(dialog.get_by_label("角色")).to_have_value("town_official")
        expect(dialog).to_contain_text("说明事由后看关爱对象")
        page.keyboard.press("Tab")
        page.keyboard.type("千泉")
        expect(page.locator("[role=listbox] [role=option]").first).to_contain_text("千泉街道")
        page.keyboard.press("Enter")
        expect(dialog.locator(".chips")).to_contain_text("千泉街道")
        press_until(page, "Tab", "添加")
        page.keyboard.press("Enter")
        expect(dialog.locator(".error:not(:empty)")).to_have_text("这个登录名已有人用")
        expect(dialog.get_by_label("登录名")).to_be_focused()
        dialog.get_by_label("登录名").fill("zhou.qiang")
        page.keyboard.press("Enter")
        secret = page.locator("output.secret")
        expect(secret).to_be_visible()
        first = secret.inner_text()
        assert len(first) >= 12
        page.keyboard.press("Escape")
        expect(secret).to_be_visible()  # it would be lost
        press_until(page, "Tab", "已保存好，关闭")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.locator("#said")).to_have_text("已添加“周强”")
        expect(page.locator("#side h2")).to_contain_text("周强")
        assert "周强" in column(page, "name")
        expect(page.locator("#side")).to_contain_text("千泉街道")
        assert first not in page.content()
        assert first not in str(page.evaluate("JSON.stringify(window.dash_clientside || {})"))
        with psycopg.connect(module_clone.database_url) as conn:
            row = conn.execute(
                "SELECT password_hash, must_change FROM account WHERE login = 'zhou.qiang'"
            ).fetchone()
        assert row is not None
        assert first not in row[0]
        assert row[1] is True

    def test_walk_the_rows_disable_and_enable(self, page: Page) -> None:
        page.keyboard.press("/")
        page.keyboard.type("root")
        expect(page.locator(".ag-center-cols-container .ag-row")).to_have_count(1)
        page.locator("#search").fill("zhou")
        press_until(page, "Tab", "姓名")
        page.keyboard.press("ArrowDown")
        expect(page.locator("#side h2")).to_contain_text("周强")
        over_to_the_side(page, "修改账号")
        press_until(page, "Tab", "停用账号", 4)
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("“周强”将立即退出")
        assert focused(page) == "取消", "what destroys is not one key away"
        press_until(page, "Tab", "停用", 2)
        page.keyboard.press("Enter")
        expect(page.locator(".ag-row .state.off")).to_have_text("已停用")
        expect(page.locator("#side")).to_contain_text("启用账号")
        page.locator("#side [data-form=account_enable]").press("Enter")
        page.keyboard.press("Enter")
        expect(page.locator(".ag-row .state.off")).to_have_count(0)
        expect_fit(page)


def test_pair_a_wall_by_its_code_and_unpair_it(
    browser: Browser, url: str, administrator: Viewer, module_clone: Stores
) -> None:
    client = redis.Redis.from_url(module_clone.redis_url)
    pairing = walls.begin(client, module_clone.key_prefix)
    page = tab(browser, url, administrator, "walls", "en")
    expect(page.locator(".rows")).to_contain_text("No walls.")
    press_until(page, "Tab", "Pair wall")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    assert page.evaluate(UNLABELLED) == []
    page.keyboard.type("3333-3333" if pairing.code != "3333-3333" else "4444-4444")
    page.keyboard.press("Tab")
    page.keyboard.type("East wall")
    page.keyboard.press("Tab")
    page.keyboard.type("370883002")
    expect(page.locator("[role=listbox] [role=option]").first).to_contain_text("Qianquan")
    page.keyboard.press("Enter")
    press_until(page, "Tab", "Pair")
    page.keyboard.press("Enter")
    expect(dialog.locator(".error:not(:empty)")).to_contain_text("No wall shows this code")
    code = dialog.get_by_label("Code")
    expect(code).to_be_focused()
    code.fill(pairing.code.lower().replace("-", " "))
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text("Paired East wall")
    expect(page.locator("#side h2")).to_contain_text("East wall")
    assert column(page, "name") == ["East wall"]
    assert column(page, "place") == ["Qianquan"]
    expect(page.locator("#side")).to_contain_text("370883002")
    with make_pool(module_clone.app_url, size=1) as pool:
        claim = walls.claim(pool, client, module_clone.key_prefix, pairing.secret, 90)
        assert claim.state == "paired"
        page.locator("#side [data-form=wall_revoke]").press("Enter")
        press_until(page, "Tab", "Unpair", 2)
        page.keyboard.press("Enter")
        expect(page.locator(".ag-row .state.off")).to_have_text("Revoked")
        with scoped(pool, EVERYTHING, "access") as conn, pytest.raises(walls.UnknownWall):
            walls.renew(conn, claim.token or "", 90)
    expect_fit(page)
    client.close()
    leave(page)


def test_add_a_device_and_revoke_it(browser: Browser, url: str, administrator: Viewer) -> None:
    page = tab(browser, url, administrator, "devices")
    press_until(page, "Tab", "添加设备")
    page.keyboard.press("Enter")
    assert page.evaluate(UNLABELLED) == []
    page.keyboard.type("W1001001003")
    expect(page.locator("[role=listbox] [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("对讲终端 7")
    page.keyboard.press("Enter")
    image = page.get_by_role("img", name="设置手机的二维码")
    expect(image).to_be_visible()
    assert image.evaluate("node => node.naturalWidth") > 20, "the policy of the page lets it be seen"
    press_until(page, "Tab", "已保存好，关闭")
    page.keyboard.press("Enter")
    expect(page.locator("#side h2")).to_contain_text("对讲终端 7")
    page.locator("#side [data-form=device_revoke]").press("Enter")
    press_until(page, "Tab", "停用", 2)
    page.keyboard.press("Enter")
    expect(page.locator(".ag-row .state.off")).to_have_text("已停用")
    expect_fit(page)
    page.locator("#search").fill("nothing like it")
    expect(page.locator(".rows")).to_contain_text("没有设备")
    leave(page)


def test_add_a_client(browser: Browser, url: str, administrator: Viewer) -> None:
    page = tab(browser, url, administrator, "clients", "en")
    press_until(page, "Tab", "Add client")
    page.keyboard.press("Enter")
    assert page.evaluate(UNLABELLED) == []
    page.keyboard.type("Hotline")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")  # from one year on to no end
    page.keyboard.press("Enter")
    token = page.locator("output.secret").inner_text()
    press_until(page, "Tab", "I have kept it")
    page.keyboard.press("Enter")
    expect(page.locator(".ag-row")).to_contain_text("No end")
    expect_fit(page)
    answer = page.request.get(
        f"{url}/api/tickets/1", headers={"Authorization": f"Bearer {token}", "Cookie": ""}
    )
    assert answer.status == 404, "the token is known: there is no such ticket"
    leave(page)


def test_nobody_disables_their_own_account_and_who_is_ended_is_led_to_the_sign_in(
    browser: Browser, url: str, administrator: Viewer, module_clone: Stores
) -> None:
    with make_pool(module_clone.app_url, size=1) as pool, scoped(pool, EVERYTHING, "access") as conn:
        other = replace(
            county("administrator"), id=accounts.find_account(conn, "zhou.qiang"), name="zhou.qiang"
        )
    page = tab(browser, url, other, lang="en")
    expect_fit(page)
    expect_labels(page)
    page.locator(".ag-row", has_text="zhou.qiang").locator(".ag-cell").first.click()
    expect(page.locator("#side h2")).to_contain_text("you")
    expect(page.locator("#side [data-form=account_disable]")).to_have_count(0)
    theirs = page.context.cookies()

    page.context.clear_cookies()
    page.context.add_cookies(cookies(url, administrator))  # type: ignore[arg-type]
    page.goto(f"{url}/admin/sessions?lang=en")
    expect(page.locator(".ag-row", has_text="root.admin").first).to_contain_text("this session")
    page.locator(".ag-row", has_text="zhou.qiang").locator(".ag-cell").first.click()
    over_to_the_side(page, "End session")
    page.keyboard.press("Enter")
    press_until(page, "Tab", "End", 2)
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text("Ended the session of zhou.qiang")
    expect(page.locator(".ag-row", has_text="zhou.qiang")).to_have_count(0)
    assert sessions_of(module_clone).of(other.id) == []
    expect_fit(page)
    page.context.add_cookies(theirs)  # type: ignore[arg-type]
    page.evaluate("wangge.admin.load()")
    page.wait_for_url(re.compile("/sign-in"))
    leave(page)


def test_search_the_audit_and_verify_its_chain(browser: Browser, url: str, administrator: Viewer) -> None:
    page = tab(browser, url, administrator, "audit", "en")
    page.keyboard.press("/")
    page.keyboard.type("zhou.qiang")
    expect(page.locator("#audit-count")).to_contain_text("rows")
    page.wait_for_function("new URLSearchParams(location.search).get('text') === 'zhou.qiang'")
    page.locator("#filters [name=action]").select_option("account_added")
    expect(page.locator(".ag-center-cols-container .ag-row")).to_have_count(1)
    assert column(page, "object") == ["Account zhou.qiang"]
    press_until(page, "Tab", "Row")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#side")).to_contain_text("Town official")
    expect_fit(page)
    filtered = page.url
    page.locator("#filters [name=actor]").fill("nobody")
    expect(page.locator(".rows")).to_contain_text("No rows meet these conditions")
    button = page.get_by_role("button", name="Verify")
    button.press("Enter")
    expect(page.locator(".chain")).to_contain_text("nothing altered or missing")
    with page.expect_download() as download:
        page.locator("#export").press("Enter")
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert any("account_added" in line for line in lines)
    assert "lang=en" in filtered
    page.goto(filtered.replace("lang=en", "lang=zh-CN"))
    expect(page.locator("#filters [name=text]")).to_have_value("zhou.qiang")
    expect(page.locator(".ag-center-cols-container .ag-row")).to_have_count(1)
    expect_fit(page)
    expect_labels(page)
    leave(page)


def test_a_supervisor_sees_the_audit_and_nothing_else(browser: Browser, url: str) -> None:
    page = tab(browser, url, of_town(1, "supervisor"))
    assert page.locator(".tabs a").all_inner_texts() == ["审计"]
    expect(page.get_by_role("button", name="核验")).to_have_count(0)
    for other in ("accounts", "sessions", "nothing"):
        answer = page.goto(f"{url}/admin/{other}")
        assert answer is not None
        assert answer.status == 403
        expect(page.get_by_role("alert")).to_be_visible()
    page.context.add_cookies(cookies(url, county("dispatcher")))  # type: ignore[arg-type]
    answer = page.goto(f"{url}/admin/")
    assert answer is not None
    assert answer.status == 403
    leave(page)


@pytest.mark.parametrize(("lang", "tabs"), [("zh-CN", ["walls", "clients", "sessions"]), ("en", ["devices"])])
def test_fits_the_screen_in_both_languages(
    browser: Browser, url: str, administrator: Viewer, lang: str, tabs: list[str]
) -> None:
    """The tabs that no other test looks at in this language."""
    page = tab(browser, url, administrator, tabs[0], lang)
    for name in tabs:
        if name != tabs[0]:
            page.goto(f"{url}/admin/{name}?lang={lang}")
            page.wait_for_selector(".ag-row, .ag-overlay-no-rows-center")
        expect_fit(page)
        expect_labels(page)
    leave(page)
