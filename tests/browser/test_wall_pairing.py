"""A wall in a real Chromium: paired by its code, every byte that it gets free of people, blank when revoked."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import psycopg
import pytest
import redis
from fastapi import FastAPI
from playwright.sync_api import Browser, Error, Page, WebSocket, expect
from psycopg.types.json import Jsonb
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.rules import PUBLIC, RULES
from app import create_app
from geodata.servers import Stores
from services.access import RIGHTS
from settings import Settings
from tests.browser.chromium import WAITS, empty_page, leave, signed_in
from tests.live_app import same_port, served
from tests.small_place import centre, grid_no
from tests.viewers import client_args, county, sessions_of

pytestmark = pytest.mark.browser
STATION = "37088301001320000001"
READY = "window.wangge?.map?.main?.layers?.size === 36 && wangge.map.values.size === 36"

# Every word and number of a person that the database holds begins with one of these.
WHO = "NAME-"
PHONE = "1397770"
SAID = ("TITLE-", "DESCRIPTION-", "ADDRESS-", "SOURCE-", "ACTOR-", "NOTE-", "BUILDING-", "SEALED-", "REASON-")
FRAME = "frame"
SECRETS = (WHO, PHONE, *SAID)


class Ear:
    """ASGI middleware around everything: notes every byte sent to who has no session of an account."""

    def __init__(self, app: ASGIApp, heard: list[tuple[str, int, bytes]]) -> None:
        self.app, self.heard = app, heard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or b"wangge_session=" in dict(scope["headers"]).get(b"cookie", b""):
            await self.app(scope, receive, send)
            return
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        where = f"{scope.get('method', 'WS')} {scope['path']}?{scope['query_string'].decode()}"
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            head = b"\n".join(name + b": " + value for name, value in message.get("headers", ()))
            text = message.get("text") or message.get("reason") or ""
            body = message.get("bytes") or message.get("body") or text.encode()
            self.heard.append((where, status, head + body))
            await send(message)

        await self.app(scope, receive, noted)


def seed(stores: Stores) -> dict[str, int]:
    """One of everything that has a person in it, in names that no other text has; returns the ids."""
    x, y = centre(1, 1, 1)
    no, now = grid_no(1, 1, 1), datetime.now(UTC)
    with psycopg.connect(stores.database_url) as conn:
        conn.execute(
            "UPDATE worker SET name = 'NAME-WORKER-' || id, phone = '1397770' || lpad(id::text, 4, '0')"
        )
        worker_id = int(one(conn, "SELECT id FROM worker WHERE area_no = %s", no))
        for i in range(6):
            ticket_id = int(
                one(
                    conn,
                    """
                    INSERT INTO ticket (reported_at, source_id, channel_id, category_id, title, description, address,
                                        geom, location, area_no, status, due_at, dispatched_at, worker_id)
                    SELECT %s, 'SOURCE-' || %s, 1, id, 'TITLE-' || %s, 'DESCRIPTION-NAME-' || %s, 'ADDRESS-' || %s,
                           ST_SetSRID(ST_MakePoint(%s, %s), 4326), 'exact', %s, 'in_progress', %s, %s, %s
                    FROM category WHERE code = '01001' RETURNING id
                    """,
                    now - timedelta(hours=i), i, i, i, i, x + i * 0.0002, y, no, now + timedelta(hours=2 - i),
                    now - timedelta(hours=i), worker_id,
                )
            )  # fmt: skip
            conn.execute(
                "INSERT INTO ticket_event (ticket_id, kind, status, version, actor, note, area_no)"
                " VALUES (%s, 'dispatched', 'dispatched', 2, 'ACTOR-NAME-1', 'NOTE-1', %s)",
                (ticket_id, no),
            )
        post_id = int(
            one(
                conn,
                """
                INSERT INTO key_person (kind, code, name, role, area_no, geom, phone, generated)
                VALUES ('post', 'P1', 'NAME-POST-1', 'party_secretary', %s, ST_SetSRID(ST_MakePoint(%s, %s), 4326),
                        '13977700099', false) RETURNING id
                """,
                no, x, y,
            )
        )  # fmt: skip
        conn.execute(
            "INSERT INTO video_station (id, name, site_kind, area_no, geom, generated)"
            " VALUES (%s, 'hall', 'hall', %s, ST_SetSRID(ST_MakePoint(%s, %s), 4326), true)",
            (STATION, no, x, y),
        )
        conn.execute(
            "INSERT INTO roster (area_no, role, on_date, from_time, to_time, name, phone, source, generated)"
            " VALUES (%s, 'party_secretary', (now() AT TIME ZONE 'Asia/Shanghai')::date, '00:00', '00:00',"
            " 'NAME-ROSTER-1', '13977700098', 'SOURCE-roster', false)",
            (no,),
        )
        for i in range(4):
            conn.execute(
                """
                INSERT INTO care_record (code, category, area_no, building, geom, name_masked, name_sealed,
                                         phone_sealed, key_id, every_days, next_visit_on, started_on, generated)
                VALUES ('C' || %s, 'elderly_alone', %s, 'BUILDING-' || %s, ST_SetSRID(ST_MakePoint(%s, %s), 4326),
                        'Q**', 'SEALED-NAME', 'SEALED-PHONE', 1, 7, current_date - 3, current_date - 90, false)
                """,
                (i, no, i, x, y),
            )
        conn.execute(
            "INSERT INTO account (login, name, role, created_by)"
            " VALUES ('name-account', 'NAME-ACCOUNT', 'operator', 'x')"
        )
        conn.execute(
            "INSERT INTO outbox (kind, area_no, body) VALUES ('areas', %s, %s)", (grid_no(0, 0, 0), Jsonb({}))
        )
    return {"ticket_id": ticket_id, "worker_id": worker_id, "post_id": post_id, "no": no}


def one(conn: Any, query: str, *values: Any) -> Any:
    return conn.execute(query, values).fetchone()[0]


def app_with_ear(stores: Stores, heard: list[tuple[str, int, bytes]]) -> FastAPI:
    app = create_app(Settings(live_interval_ms=50), stores)
    app.add_middleware(Ear, heard=heard)  # added last: outermost
    return app


@pytest.fixture(scope="module")
def ids(module_clone: Stores) -> dict[str, Any]:
    """What has a person in it."""
    return seed(module_clone) | {"within": "370883001"}


@pytest.fixture(scope="module")
def heard() -> list[tuple[str, int, bytes]]:
    """What was sent to who has no session of an account."""
    return []


@pytest.fixture(scope="module")
def serving() -> Iterator[ExitStack]:
    """What serves; who closes it takes the server away."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def url(
    module_clone: Stores, serving: ExitStack, ids: dict[str, Any], heard: list[tuple[str, int, bytes]]
) -> str:
    return serving.enter_context(served(app_with_ear(module_clone, heard), same_port()))


def unpaired(browser: Browser, url: str, query: str = "", width: int = 1920, height: int = 1080) -> Page:
    """A screen that shows a code."""
    motion = "no-preference" if "home_s" in query else "reduce"  # on tour
    page = empty_page(browser, url, width, height, reduced_motion=motion, **WAITS)
    page.goto(f"{url}/wall/?{query}")
    expect(page.locator("body[data-code]:not([data-code=''])")).to_be_attached()
    return page


def until(page: Page, expression: str, seconds: float = 20) -> None:
    """Wait for an expression to hold; playwright's own way evaluates text in the page, which its policy forbids."""
    end = time.monotonic() + seconds
    while True:
        with suppress(Error):  # the page is just replaced by another
            if page.evaluate(f"!!({expression})"):
                return
        assert time.monotonic() < end, f"never: {expression}"
        page.wait_for_timeout(100)


def code_on(page: Page) -> str:
    return str(page.locator("body").get_attribute("data-code"))


def confirm(url: str, code: str, area: str = "370883", lang: str = "zh-CN") -> int:
    with httpx.Client(**client_args(url, county("administrator"))) as chief:
        asked = {"code": code, "name": "Hall", "area": area, "view": {"lang": lang, "tour": True}}
        answer = chief.post("/api/walls", json=asked)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])


def revoke(url: str, wall_id: int) -> None:
    with httpx.Client(**client_args(url, county("administrator"))) as chief:
        assert chief.delete(f"/api/walls/{wall_id}").status_code == 204


def addresses(ids: dict[str, int]) -> Iterator[tuple[str, str, str]]:
    """Every route of the rules as it is named there, with real ids, bare and with all that one may ask for."""
    more = (
        f"people=true&people=1&q=NAME&text=NAME&bbox=116,35,118,36&within={ids['within']}&format=csv&limit=100"
        "&since=2020-01-01&until=2099-01-01&open=true&reason=REASON"
    )
    for method, path in RULES:
        if method == "WS" or path.startswith(("/api/walls/pairing", "/api/positions/owntracks")):
            continue  # the last asks a browser for a password, which nobody answers here
        for level in ("city", "county", "town", "community", "grid") if "{level}" in path else ("",):
            filled = path.replace("{level}", level).replace("{station_id}", STATION)
            filled = re.sub(r"\{(\w+)(:\w+)?\}", lambda found: str(ids.get(found[1], 1)), filled)
            yield method, path, filled
            yield method, path, f"{filled}?{more}"


def answers(url: str, page: Page, questions: list[tuple[str, str, str, str | None]]) -> list[int]:
    """How each is answered to who has this wall's cookies; not asked from the page, whose every byte passes four more
    processes.
    """
    cookies = {str(one.get("name")): str(one.get("value")) for one in page.context.cookies()}
    statuses = []
    with httpx.Client(base_url=url, trust_env=False, timeout=60, cookies=cookies) as wall:
        for method, _, path, body in questions:
            headers = {"Origin": url} | ({"Content-Type": "application/json"} if body else {})
            statuses.append(wall.request(method, path, content=body, headers=headers).status_code)
    return statuses


@pytest.mark.timeout(300)
def test_a_wall_is_paired_shown_and_revoked_and_no_byte_of_it_names_a_person(
    browser: Browser, url: str, ids: dict[str, Any], heard: list[tuple[str, int, bytes]]
) -> None:
    page = unpaired(browser, url, "lang=en&home_s=1&stop_s=10", 1280, 720)

    def listen(opened: WebSocket) -> None:
        opened.on("framereceived", lambda frame: heard.append(framed(frame)))

    page.on("websocket", listen)
    wall_id = confirm(url, code_on(page))
    until(page, READY, 30)
    expect(page.locator("html[data-tour=stop]")).to_be_attached(timeout=20_000)  # on tour

    # What happens meanwhile comes over the WebSocket.
    until(page, "wangge.live.state.mode === 'live'", 40)
    x, y = centre(1, 1, 2)
    with httpx.Client(**client_args(url)) as desk:
        report = {"channel": "grid", "category": "01001", "title": "TITLE-live", "description": "NAME-live",
                  "address": "ADDRESS-live", "source_id": "SOURCE-live", "lon": x, "lat": y}  # fmt: skip
        filed = desk.post("/api/tickets", json=report)
        assert filed.status_code == 201, filed.text
        live_id = filed.json()["id"]
        # What the search below looks for is there to be found: others get it from the same routes.
        shown = "".join(
            desk.get(f"/api/cards/{kind}/{ids[f'{kind}_id']}?people=true").text
            for kind in ("ticket", "worker", "post")
        )
        assert all(
            secret in shown for secret in (WHO, PHONE, "TITLE-", "DESCRIPTION-", "ADDRESS-", "SOURCE-")
        )
    until(page, f"wangge.map.values.get({grid_no(1, 1, 2)})?.[1] >= 1", 40)

    # Its own cards, by the map.
    for kind, number in (
        ("ticket", ids["ticket_id"]), ("ticket", live_id), ("worker", ids["worker_id"]), ("post", ids["post_id"]),
        ("area", ids["no"]), ("area", grid_no(1, 0, 0)), ("station", STATION),
    ):  # fmt: skip
        page.evaluate("([kind, id]) => wangge.map.open(kind, id)", [kind, number])
        expect(page.locator(f".wg-card-{kind}")).to_be_visible()
        assert page.locator(f".wg-card-{kind} h3").inner_text() != ""
    x, y = centre(1, 1, 1)
    spot = page.evaluate(
        "([x, y]) => { const p = wangge.map.main.leaflet.latLngToContainerPoint([y, x]);"
        " const box = wangge.map.main.leaflet.getContainer().getBoundingClientRect();"
        " return [p.x + box.left, p.y + box.top]; }",
        [x, y],
    )
    page.mouse.move(*spot)
    page.mouse.click(*spot)
    page.wait_for_timeout(500)

    # Whatever it asks, with its own cookie.
    words = json.dumps({"reason": "REASON-why", "people": True})
    questions = [(*route, None if route[0] == "GET" else words) for route in addresses(ids)]
    for screen in ("wall", "area", "admin"):
        for path in ("", "370883001", "audit", "_dash-layout", "_dash-dependencies"):
            questions.append(("GET", PUBLIC, f"/{screen}/{path}", None))
        questions.append(("POST", PUBLIC, f"/{screen}/_dash-update-component", "{}"))
    statuses = answers(url, page, questions)
    unexpected = []
    for (method, template, path, _), status in zip(questions, statuses, strict=True):
        right = RULES.get((method, template), PUBLIC)
        refused = right != PUBLIC and right not in RIGHTS["wall"]
        if status >= 500 or (refused and status != 403):
            unexpected.append((method, path, status))
    assert not unexpected

    # The bytes themselves.
    frames = b"".join(body for where, _, body in heard if where == FRAME)
    assert f'"id":{live_id}'.encode() in frames, "the live ticket came, without its words"
    everything = b"".join(body for _, _, body in heard)
    assert f"W{grid_no(1, 1, 1)}".encode() in everything, (
        "a worker's number is there, so the search reads answers"
    )
    for secret in SECRETS:
        found = [where for where, _, body in heard if secret.encode() in body and not repeated(secret, body)]
        assert not found, (secret, found[:5])
    assert not any(secret in page.content() for secret in SECRETS)

    # Revoked.
    at = time.monotonic()
    revoke(url, wall_id)
    expect(page.locator("#ended")).to_be_visible(timeout=5000)
    assert time.monotonic() - at < 5
    assert page.locator("#ended h1").inner_text() == "This screen was unpaired"
    assert page.locator("#map-place").is_hidden()
    before = len(heard)
    page.wait_for_timeout(3000)
    assert not [where for where, _, _ in heard[before:] if where == FRAME or "/api/live" in where]
    expect(page.locator("body[data-code]:not([data-code=''])")).to_be_attached(timeout=10_000)
    page.remove_listener("websocket", listen)
    leave(page)
    heard.clear()


def framed(frame: str | bytes) -> tuple[str, int, bytes]:
    """A frame that the browser got: the server writes most of them past the application."""
    return (FRAME, 0, frame.encode() if isinstance(frame, str) else frame)


def repeated(secret: str, body: bytes) -> bool:
    """Whether an answer only repeats what the wall itself said in its question."""
    return secret == "REASON-" and b'"error"' in body


def test_an_expired_code_gives_way_to_a_new_one(browser: Browser, url: str, module_clone: Stores) -> None:
    page = unpaired(browser, url)
    code = code_on(page)
    with redis.Redis.from_url(module_clone.redis_url) as client:  # ten minutes later
        client.delete(*client.scan_iter(f"{module_clone.key_prefix}pairing:*"))
    expect(page.locator(f"body[data-code]:not([data-code='']):not([data-code='{code}'])")).to_be_attached(
        timeout=8000
    )
    leave(page)


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_the_code_is_as_large_as_the_screen(browser: Browser, url: str, lang: str) -> None:
    page = unpaired(browser, url, f"lang={lang}")
    assert page.locator("html").get_attribute("lang") == lang
    assert page.locator(".code").get_attribute("aria-label") == " ".join(code_on(page).replace("-", ""))
    for width, height in ((1920, 1080), (3840, 2160), (1280, 1024)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        ) == [width, height]
        boxes = [box.bounding_box() for box in page.locator(".code span").all()]
        assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
        assert all(a["x"] + a["width"] <= b["x"] + 1 for a, b in pairwise(boxes))  # type: ignore[index]
        size = page.evaluate("parseFloat(getComputedStyle(document.querySelector('.code')).fontSize)")
        assert size >= 0.12 * width
    leave(page)


def test_who_is_signed_out_is_told_and_led_to_the_sign_in(
    browser: Browser, url: str, module_clone: Stores
) -> None:
    page = signed_in(browser, url, 1440, 900)
    page.goto(f"{url}/area/370883001?lang=en")
    until(page, "wangge.live?.state.mode === 'live'")
    assert sessions_of(module_clone).end_all(1) >= 1
    expect(page.locator("#ended h1")).to_have_text("Signed out", timeout=6000)
    link = page.locator("#ended a")
    expect(link).to_be_focused()
    assert link.get_attribute("href") == "/sign-in?to=%2Farea%2F370883001%3Flang%3Den&lang=en"
    assert page.locator("#area").is_hidden()
    leave(page)


def test_a_code_outlives_the_server_the_screen_goes_on_and_renews_its_token_by_itself(
    browser: Browser, url: str, serving: ExitStack, module_clone: Stores
) -> None:
    page = unpaired(browser, url, "lang=en")
    code = code_on(page)
    serving.close()
    expect(page.locator(".state")).to_have_text(re.compile("does not answer"), timeout=20_000)
    again = socket.create_server(("127.0.0.1", int(url.rpartition(":")[2])))
    serving.enter_context(served(create_app(Settings(live_interval_ms=50), module_clone), again))
    expect(page.locator(".state")).to_have_text(re.compile("^Valid for another"), timeout=20_000)
    assert code_on(page) == code
    with page.add_init_script("Math.random = () => 0;"):  # a renewal that does not wait for those of others
        page.reload()
        expect(page.locator(f"body[data-code='{code}']")).to_be_attached()
        confirm(url, code, lang="en")
        until(page, "window.wangge?.config.viewer?.kind === 'wall'", 30)
        with psycopg.connect(module_clone.database_url) as conn:
            conn.execute("UPDATE wall_token SET expires_at = now() + interval '50 days'")
        old = token_of(page)
        until(page, READY, 30)
        assert page.locator("html").get_attribute("lang") == "en"
        end = time.monotonic() + 60
        while token_of(page) == old:
            assert time.monotonic() < end
            page.wait_for_timeout(200)
    page.reload()
    until(page, READY, 30)
    leave(page)


def token_of(page: Page) -> str:
    return next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "wangge_wall")
