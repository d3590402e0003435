"""Cards of the map in a real Chromium: who is on duty now, how a deadline came about; at a desk and on a wall."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

import profiles
from app import create_app
from geodata.clock.worktime import worktime_of
from geodata.servers import Stores
from services.clock.due import due_of
from settings import Settings
from tests.browser.chromium import leave, open_page
from tests.live_app import same_port, served
from tests.small_place import centre, grid_no
from tests.viewers import DISPATCHER, county, of_community, of_town

pytestmark = pytest.mark.browser
GRID = grid_no(1, 1, 1)
PROFILE = profiles.load("zoucheng")
DISPATCHED = datetime(2026, 2, 12, 15, 0, tzinfo=ZoneInfo(PROFILE.time_zone))
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


@pytest.fixture(scope="module")
def url(module_clone: Stores) -> Iterator[str]:
    """A leader of the town, somebody standing in for them, and a mediator of the community, all day; a late ticket."""
    limit = PROFILE.limit("handle", category="01007")  # five working days
    due = due_of(limit, DISPATCHED, worktime_of(PROFILE))
    lon, lat = centre(1, 1, 1)
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    turns = (
        (grid_no(1, 0, 0), "duty_leader", "甲一丰", "12000000001", None),
        (grid_no(1, 0, 0), "duty_leader", "乙二平", "120 0000 0002", "甲一丰"),
        (grid_no(1, 1, 0), "mediator", "丙三安", None, None),
    )
    with psycopg.connect(module_clone.database_url) as conn:
        for area, role, name, phone, instead in turns:
            conn.execute(
                "INSERT INTO roster (area_no, role, on_date, from_time, to_time, name, phone, substitute_for, source,"
                " generated) VALUES (%s, %s, %s, '00:00', '24:00', %s, %s, %s, 'tests', true)",
                (area, role, today, name, phone, instead),
            )
        conn.execute(  # a wall that is not paired is ended within seconds
            "INSERT INTO wall_screen (id, name, area_no, created_by) OVERRIDING SYSTEM VALUE"
            " VALUES (1, 'Hall', %s, 'tests')",
            (grid_no(1, 0, 0),),
        )
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
    with served(create_app(Settings(), module_clone), same_port()) as address:
        yield address


def explained(page: Page, lang: str) -> None:
    """The open card of the ticket says how its deadline came about."""
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


def test_a_desk_reads_who_is_on_duty_and_how_a_deadline_came_about(browser: Browser, url: str) -> None:
    page = open_page(browser, f"{url}/area/?card=area:{GRID}&lang=en", 1440, 900)
    duty = page.locator(".wg-card .wg-duty li")
    expect(duty).to_have_count(2)
    expect(duty.nth(0)).to_contain_text("Duty leader")
    expect(duty.nth(0)).to_contain_text("乙二平")
    expect(duty.nth(0)).to_contain_text("for 甲一丰")
    expect(duty.nth(0)).to_contain_text("until 00:00")
    link = duty.nth(0).locator("a")
    expect(link).to_have_attribute("href", "tel:12000000002")
    link.focus()
    expect(link).to_be_focused()
    expect(duty.nth(1)).to_contain_text("丙三安")
    expect(duty.nth(1).locator("a")).to_have_count(0)
    # a dispatcher may not change the roster, and is not offered it
    expect(page.get_by_role("button", name="Change the roster")).to_have_count(0)
    page.evaluate(f"wangge.map.open('area', {grid_no(2, 1, 1)})")
    expect(page.locator(".wg-card .wg-duty")).to_contain_text("names nobody for now")
    page.evaluate("wangge.map.open('ticket', 71)")
    explained(page, "en")
    leave(page)


def test_a_turn_is_entered_and_taken_out_from_the_card(browser: Browser, url: str) -> None:
    """By keyboard alone, as the clerk of a community."""
    card = f"{url}/area/?card=area:{grid_no(1, 2, 0)}&lang=en"
    page = open_page(browser, card, 1440, 900, viewer=of_community(1, 2))
    change = page.get_by_role("button", name="Change the roster")
    change.focus()
    page.keyboard.press("Enter")
    form = page.locator(".wg-roster")
    expect(form).to_contain_text("Nobody is on the roster")
    expect(form.locator("[name=date]")).to_be_focused()
    form.locator("[name=name]").focus()
    page.keyboard.press("Enter")
    expect(form.locator('[data-field="name"] .wg-error')).to_contain_text("Give a name")
    expect(form.locator("[name=role]")).to_have_value("mediator")
    form.locator("[name=from]").fill("00:00")
    form.locator("[name=to]").fill("00:00")
    form.locator("[name=name]").fill("丁四海")
    form.locator("[name=phone]").fill("call me")
    page.keyboard.press("Enter")
    expect(form.locator('[data-field="phone"] .wg-error')).to_contain_text("3 to 30 digits")
    form.locator("[name=phone]").fill("12000000004")
    page.keyboard.press("Enter")
    expect(form.get_by_role("status")).to_have_text("Added: 丁四海.")
    form.locator("[name=substitute_for]").select_option("丁四海")
    form.locator("[name=name]").fill("戊五湖")
    page.keyboard.press("Enter")
    expect(form.locator(".wg-turns li")).to_have_count(2)
    form.get_by_role("button", name="Done").click()
    duty = page.locator(".wg-card .wg-duty li")
    expect(duty).to_have_count(1)
    expect(duty).to_contain_text("戊五湖")
    expect(duty).to_contain_text("for 丁四海")
    page.get_by_role("button", name="Change the roster").click()
    page.get_by_role("button", name="Take 丁四海 off the roster").click()
    expect(page.locator(".wg-roster")).to_contain_text("Nobody is on the roster")
    page.keyboard.press("Escape")
    expect(page.locator(".wg-duty")).to_contain_text("names nobody for now")
    leave(page)


def test_without_the_right_to_see_people_the_deadline_and_the_post_are_told(
    browser: Browser, url: str
) -> None:
    page = open_page(browser, f"{url}/area/?card=ticket:71", 1440, 900, viewer=county("analyst"))
    explained(page, "zh-CN")
    page.evaluate(f"wangge.map.open('area', {GRID})")
    expect(page.locator(".wg-duty li")).to_have_count(2)
    expect(page.locator(".wg-duty")).to_contain_text("值班领导")
    assert "乙二平" not in page.content() and "12000" not in page.locator(".wg-duty").inner_html()
    leave(page)


def test_a_wall_names_nobody_and_opens_how_a_deadline_came_about(browser: Browser, url: str) -> None:
    viewer = replace(of_town(1, "wall"), kind="wall", id=1, view={"lang": "zh-CN", "tour": False})
    wall = open_page(browser, f"{url}/wall/?card=area:{GRID}&tour=off", 1920, 1080, viewer=viewer)
    expect(wall.locator(".wg-duty li")).to_have_count(2)
    for word in ("甲一丰", "乙二平", "丙三安", "12000000001", "tel:"):
        assert word not in wall.content()
    wall.wait_for_function("wangge.map?.main?.layers?.size >= 18", timeout=20_000)
    wall.evaluate("wangge.map.open('ticket', 71)")
    wall.locator(".wg-clock summary").click()
    expect(wall.locator(".wg-clock ol li")).to_have_count(8)
    assert "said" not in wall.locator(".wg-card").inner_text()
    assert DISPATCHER.name not in wall.locator(".wg-card").inner_text()
    leave(wall)
