"""The page of signing in in a real Chromium: by keyboard alone, through every step, in both languages."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyotp
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from app import create_app
from geodata.pool import make_pool
from geodata.queries import accounts as queries
from geodata.scope import EVERYTHING, Db, scoped
from geodata.servers import Stores
from services.access import SYSTEM, accounts, passwords
from services.access.demo import make_demo_accounts
from settings import Settings
from tests.browser.chromium import empty_page, leave
from tests.live_app import same_port, served

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    with served(create_app(Settings(secret="s" * 40), module_clone), same_port()) as address:
        yield address


@contextmanager
def page_of(browser: Browser, url: str) -> Iterator[Page]:
    """A page of its own cookies that fails the test when its script does."""
    page = empty_page(browser, url, 1440, 900)

    def heard(said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            pytest.fail(said.text)

    page.on("console", heard)
    page.goto(url)
    yield page
    page.remove_listener("console", heard)
    leave(page)


@contextmanager
def hat(stores: Stores) -> Iterator[Db]:
    with make_pool(stores.app_url, 2) as pool, scoped(pool, EVERYTHING, "access") as conn:
        yield conn


def add(stores: Stores, login: str, role: str = "dispatcher", *, first: bool = False) -> str:
    with hat(stores) as conn:
        given = accounts.add_account(conn, SYSTEM, login, "测试员", role, ["370883001"])
        if not first:
            found = accounts.find_account(conn, login)
            queries.set_password(conn, found, passwords.hash_of(PASSWORD), must_change=False)
    return given if first else PASSWORD


def typed(page: Page, *texts: str) -> None:
    """Texts with a tab between them and Enter behind the last, nothing but keys."""
    for number, text in enumerate(texts):
        if number:
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.classList.contains('eye')"):
                page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")


@contextmanager
def led_to(page: Page, address: str) -> Iterator[None]:
    """What is done leads to that page, and its answer is good; the first test looks at what it shows."""
    with page.expect_response(address, timeout=20_000) as answer:
        yield
        page.wait_for_url(address, wait_until="commit")
    assert answer.value.status == 200


def test_in_by_keyboard_and_back_to_the_page_that_was_asked_for(
    browser: Browser, url: str, module_clone: Stores
) -> None:
    add(module_clone, "keys")
    with page_of(browser, f"{url}/area/370883001?period=week") as page:
        expect(page).to_have_url(re.compile("/sign-in"))
        expect(page.get_by_label("账号")).to_be_focused()
        typed(page, "keys", "not it")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("账号或密码不对")
        expect(page.get_by_label("密码", exact=True)).to_be_focused()
        expect(page.get_by_label("密码", exact=True)).to_have_attribute("aria-invalid", "true")
        typed(page, PASSWORD)
        page.wait_for_url("**/area/370883001?period=week")
        expect(page.locator("h1")).to_have_text("钢山街道")
        page.goto(f"{url}/sign-in")
        expect(page.locator("#own")).to_contain_text("keys")
        page.get_by_role("button", name="退出登录").press("Enter")
        expect(page.get_by_label("账号")).to_be_focused()
        page.goto(f"{url}/area/")
        expect(page).to_have_url(re.compile("/sign-in"))


def test_a_first_password_is_changed_on_the_way_in(browser: Browser, url: str, module_clone: Stores) -> None:
    first = add(module_clone, "fresh", first=True)
    with page_of(browser, f"{url}/sign-in?lang=en") as page:
        typed(page, "fresh", first)
        expect(page.get_by_role("heading", name="Choose your own password")).to_be_visible()
        new = page.get_by_label("New password", exact=True)
        expect(new).to_be_focused()
        typed(page, "short", "short")
        expect(page.get_by_role("alert")).to_contain_text("at least 12 characters")
        new.fill("a sentence of my own")
        page.get_by_label("New password once more").fill("another one")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("differ")
        page.get_by_label("New password once more").fill("a sentence of my own")
        with led_to(page, "**/area/370883001?lang=en"):
            page.keyboard.press("Enter")
    with page_of(browser, f"{url}/sign-in") as page, led_to(page, "**/area/370883001"):
        typed(page, "fresh", "a sentence of my own")


def test_an_administrator_sets_up_the_second_factor_and_uses_it(
    browser: Browser, url: str, module_clone: Stores
) -> None:
    add(module_clone, "boss", "administrator")
    with page_of(browser, f"{url}/sign-in") as page:
        typed(page, "boss", PASSWORD)
        expect(page.get_by_alt_text("身份验证器的二维码")).to_be_visible()
        assert page.evaluate("document.getElementById('qr').naturalWidth") > 0
        key = page.locator("#key").inner_text().replace(" ", "")
        expect(page.locator("#in-first")).to_be_focused()
        typed(page, "000000")
        expect(page.get_by_role("alert")).to_contain_text("动态口令不对")
        page.reload()  # the session waits for the second factor, the password is asked for again
        expect(page.get_by_role("heading", name="绑定身份验证器")).to_be_visible()
        typed(page, PASSWORD)
        expect(page.locator("#in-first")).to_be_focused()
        key = page.locator("#key").inner_text().replace(" ", "")
        codes = pyotp.TOTP(key)
        import time

        now = int(time.time())
        with led_to(page, "**/area/370883001"):
            typed(page, codes.at(now))
    with page_of(browser, f"{url}/sign-in") as page:
        typed(page, "boss", PASSWORD)
        expect(page.get_by_role("heading", name="输入动态口令")).to_be_visible()
        with led_to(page, "**/area/370883001"):
            typed(page, codes.at(now + 30))


def test_the_demo_shows_its_accounts_and_fills_them_in(browser: Browser, clone: Stores) -> None:
    with hat(clone) as conn:
        made = make_demo_accounts(conn)
    demo = create_app(Settings(secret="s" * 40, demo=True), clone)
    with served(demo) as url, page_of(browser, f"{url}/sign-in") as page:
        expect(page.locator(".demo")).to_contain_text("密码公开")
        assert page.locator(".demo tbody tr").count() == len(made) == 9
        page.get_by_role("button", name="填入镇街干部的账号和密码").press("Enter")
        expect(page.get_by_label("账号", exact=True)).to_have_value("demo-town-official")
        with led_to(page, "**/area/370883001"):
            page.keyboard.press("Enter")


def test_the_language_is_switched_and_kept(browser: Browser, url: str) -> None:
    with page_of(browser, f"{url}/sign-in?to=/area/370883002") as page:
        page.get_by_role("link", name="English").press("Enter")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        assert "to=%2Farea%2F370883002" in page.url
        page.get_by_role("button", name="Show the password").press("Enter")
        expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
