"""How a deadline came about, on a ticket's card in a real Chromium, in both languages and on a wall."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from playwright.sync_api import Browser, expect

import profiles
from app import create_app
from geodata.clock.worktime import worktime_of
from geodata.servers import Stores
from services.clock.due import due_of
from settings import Settings
from tests.browser.chromium import chromium, leave, open_page
from tests.live_app import same_port, served
from tests.small_place import centre, grid_no
from tests.viewers import DISPATCHER, county

pytestmark = pytest.mark.browser
PROFILE = profiles.load("zoucheng")
DISPATCHED = datetime(2026, 2, 12, 15, 0, tzinfo=ZoneInfo(PROFILE.time_zone))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    limit = PROFILE.limit("handle", category="01007")  # five working days
    due = due_of(limit, DISPATCHED, worktime_of(PROFILE))
    lon, lat = centre(1, 1, 1)
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute("SELECT ensure_months('ticket', %s, %s)", (DISPATCHED.date(), DISPATCHED.date()))
        conn.execute(
            """
            INSERT INTO ticket (id, reported_at, channel_id, category_id, title, geom, location, area_no, status,
                                dispatched_at, signed_at, due_at)
            SELECT 71, %s, 1, id, 'said', ST_SetSRID(ST_MakePoint(%s, %s), 4326), 'exact', %s, 'in_progress', %s, %s, %s
            FROM category WHERE code = '01007'
            """,
            (DISPATCHED, lon, lat, grid_no(1, 1, 1), DISPATCHED, DISPATCHED + timedelta(hours=1), due),
        )
        conn.execute(  # a wall that is not paired is ended within seconds
            "INSERT INTO wall_screen (id, name, area_no, created_by) OVERRIDING SYSTEM VALUE"
            " VALUES (1, 'Hall', %s, 'tests')",
            (grid_no(1, 0, 0),),
        )
    with served(create_app(Settings(), module_clone), same_port()) as address:
        yield address


SUMMARY = {"zh-CN": "期限怎么算出来的", "en": "How the deadline came about"}
WORDS = {
    "zh-CN": ["5 个工作日（派遣次日起算）", "派遣当日不计", "调休上班（春节）", "放假（春节）", "已超期"],
    "en": [
        "5 working days (from the day after dispatch)",
        "Day of dispatch, not counted",
        "Make-up day (Spring Festival)",
        "Holiday (Spring Festival)",
        "Overdue",
    ],
}


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_the_card_explains_the_deadline(browser: Browser, url: str, lang: str) -> None:
    page = open_page(browser, f"{url}/area/?card=ticket:71&lang={lang}", 1440, 900)
    clock = page.locator(".wg-card-ticket .wg-clock")
    expect(clock.locator("summary")).to_contain_text(SUMMARY[lang])
    expect(clock.locator("ol")).to_be_hidden()
    clock.locator("summary").click()
    lines = clock.locator("ol li")
    expect(lines).to_have_count(8)  # the day of dispatch, five days, the holiday, due
    for word in WORDS[lang]:
        expect(clock).to_contain_text(word)
    expect(lines.nth(3)).to_contain_text("24:00")
    expect(lines.nth(7)).to_contain_text("17:30")
    leave(page)


def test_a_wall_may_open_it(browser: Browser, url: str) -> None:
    wall = replace(county("wall"), kind="wall", id=1, view={"lang": "zh-CN", "tour": False})
    page = open_page(browser, f"{url}/wall/?tour=off&card=ticket:71", 1920, 1080, viewer=wall)
    page.wait_for_function("wangge.map?.main?.layers?.size === 36", timeout=20_000)
    page.evaluate("wangge.map.open('ticket', 71)")
    page.locator(".wg-clock summary").click()
    expect(page.locator(".wg-clock ol li")).to_have_count(8)
    assert "said" not in page.locator(".wg-card").inner_text()
    assert DISPATCHER.name not in page.locator(".wg-card").inner_text()
    leave(page)
