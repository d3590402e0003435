"""What the tests of the dispatcher's screen do at it: new tickets, a word sought, a picture taken."""

import itertools
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
from playwright.sync_api import Page, expect

import profiles
from services.tickets import Report, file_ticket
from tests.small_place import centre
from tests.viewers import DISPATCHER, RUNNING, county, origin

PICTURES = os.environ.get("WANGGE_SCREENSHOTS")  # a folder for pictures of the screen
PROFILE = profiles.load("zoucheng")
OTHER = replace(county("community_clerk"), id=2)
_numbers = itertools.count(1)


def tickets(desk: httpx.Client, count: int = 1, town: int = 1) -> tuple[str, list[dict[str, Any]]]:
    """New tickets that wait for a decision, and the word by which the queue finds just these.

    They come at once: the page that is open asks for its queue once, not once for each of them.
    """
    word = f"试{next(_numbers)}号"
    made = []
    with psycopg.connect(RUNNING[origin(str(desk.base_url))].database_url) as conn:
        for n in range(count):
            lon, lat = centre(town, 1 + n % 2, 1 + n // 2 % 9)
            lon += (n // 18) * 0.002
            report = Report(
                channel="petition", category="01001", title=f"{word}垃圾未清运{n}", lon=lon, lat=lat
            )
            filed = file_ticket(conn, PROFILE, DISPATCHER, report, source="api").ticket
            made.append({"id": filed.id, "version": filed.version, "lon": lon, "lat": lat})
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
