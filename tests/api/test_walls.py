"""Walls over HTTP: a screen without a session gets a code, an administrator pairs it, and what it may not reach."""

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
import redis

from api.gate import WALL
from api.walls import BEGINS
from app import create_app
from geodata.servers import Stores
from services.access.tokens import digest_of
from settings import Settings
from tests.live_app import served
from tests.small_place import grid_no
from tests.viewers import client_args, county, of_town


@pytest.fixture
def screen(url: str, module_clone: Stores) -> Iterator[httpx.Client]:
    """A screen that nobody knows."""
    with redis.Redis.from_url(module_clone.redis_url) as counted:
        for key in counted.scan_iter(f"{module_clone.key_prefix}limit:*"):
            counted.delete(key)
    with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
        yield client


@pytest.fixture
def chief(url: str) -> Iterator[httpx.Client]:
    """An administrator of the whole place."""
    with httpx.Client(**client_args(url, county("administrator"))) as client:
        yield client


def paired(screen: httpx.Client, chief: httpx.Client, **changed: Any) -> int:
    begun = screen.post("/api/walls/pairing").json()
    asked = {"code": begun["code"], "name": "Hall", "area": "370883001", "view": {"lang": "en"}} | changed
    answer = chief.post("/api/walls", json=asked)
    assert answer.status_code == 201, answer.text
    claimed = screen.post("/api/walls/pairing/claim", json={"secret": begun["secret"]})
    assert claimed.json()["state"] == "paired"
    return int(answer.json()["id"])


def test_from_a_code_to_the_map(screen: httpx.Client, chief: httpx.Client) -> None:
    page = screen.get("/wall/")
    assert page.status_code == 200
    assert "pairing.js" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert screen.get("/api/figures").status_code == 401

    begun = screen.post("/api/walls/pairing")
    assert (begun.status_code, begun.headers["cache-control"]) == (201, "no-store")
    secret = {"secret": begun.json()["secret"]}
    pending = screen.post("/api/walls/pairing/claim", json=secret)
    assert pending.json()["state"] == "pending"
    assert 590 <= pending.json()["left_s"] <= 600
    assert "set-cookie" not in pending.headers

    asked = {
        "code": begun.json()["code"],
        "name": "Hall",
        "area": "370883001",
        "view": {"lang": "en", "tour": False},
    }
    assert chief.post("/api/walls", json=asked).status_code == 201
    claimed = screen.post("/api/walls/pairing/claim", json=secret)
    assert claimed.json()["state"] == "paired"
    cookie = claimed.headers["set-cookie"].lower()
    assert cookie.startswith(f"{WALL}=")
    for part in ("httponly", "samesite=lax", "path=/", f"max-age={90 * 86_400}"):
        assert part in cookie
    assert claimed.json() == {"state": "paired", "left_s": 0}  # the token is in the cookie alone
    assert screen.post("/api/walls/pairing/claim", json=secret).json()["state"] == "expired"

    assert screen.get("/api/figures").json()["area_no"] == grid_no(1, 0, 0)
    shown = screen.get("/wall/").text
    assert '"kind":"wall"' in shown
    assert '<html lang="en"' in shown
    assert '"tour":"off"' in shown


def test_over_https_the_cookie_is_for_this_host_alone(clone: Stores) -> None:
    with served(create_app(Settings(secure_cookies=True), clone)) as url:
        args = client_args(url, county("administrator"))
        session = args["cookies"].pop("wangge_session")
        args["headers"]["Cookie"] = f"__Host-wangge_session={session}"
        with httpx.Client(base_url=url, trust_env=False) as screen, httpx.Client(**args) as chief:
            begun = screen.post("/api/walls/pairing").json()
            asked = {"code": begun["code"], "name": "Hall", "area": "370883"}
            assert chief.post("/api/walls", json=asked).status_code == 201
            claimed = screen.post("/api/walls/pairing/claim", json={"secret": begun["secret"]})
            assert claimed.headers["set-cookie"].startswith("__Host-wangge_wall=")
            assert "secure" in claimed.headers["set-cookie"].lower()


def test_a_wall_reads_its_area_and_nothing_else(screen: httpx.Client, chief: httpx.Client) -> None:
    paired(screen, chief)
    assert screen.get("/api/figures", params={"within": "370883001001"}).status_code == 200
    for code in ("370883002", "370883", "nowhere"):
        assert screen.get("/api/figures", params={"within": code}).status_code == 404
    assert screen.get("/area/").status_code in (303, 403)
    for method, path in (
        ("POST", "/api/tickets"), ("POST", "/api/tickets/1/dispatch"), ("GET", "/api/tickets/1"),
        ("GET", "/api/metrics"),
        ("GET", "/api/walls"), ("POST", "/api/walls"), ("DELETE", "/api/walls/1"),
    ):  # fmt: skip
        assert screen.request(method, path, json={}).status_code == 403, (method, path)


def test_every_feed_of_a_wall_works_in_its_own_role(screen: httpx.Client, chief: httpx.Client) -> None:
    paired(screen, chief)
    for path in (
        "/api/figures", "/api/live/snapshot", "/api/live/poll", "/api/map/areas/grid", "/api/map/stations",
        "/api/map/posts", "/api/map/care", "/api/map/tickets?bbox=116,35,118,36", "/api/search?q=1",
        f"/api/cards/area/{grid_no(1, 1, 1)}",
    ):  # fmt: skip
        answer = screen.get(path)
        assert answer.status_code == 200, (path, answer.text)


def test_revoked_means_unknown_at_once(screen: httpx.Client, chief: httpx.Client) -> None:
    wall_id = paired(screen, chief, name="Lobby")
    assert screen.get("/api/figures").status_code == 200
    listed = {wall["id"]: wall for wall in chief.get("/api/walls").json()}
    assert listed[wall_id]["name"] == "Lobby"
    assert listed[wall_id]["view"] == {"lang": "en", "tour": True}
    assert chief.delete(f"/api/walls/{wall_id}").status_code == 204
    assert screen.get("/api/figures").status_code == 401
    assert screen.post("/api/walls/renew").status_code == 401
    assert "pairing.js" in screen.get("/wall/").text
    assert chief.delete(f"/api/walls/{wall_id}").json()["error"]["code"] == "unknown_wall"


def test_renewal(screen: httpx.Client, chief: httpx.Client, module_clone: Stores) -> None:
    paired(screen, chief)
    assert screen.post("/api/walls/renew").json() == {"renewed": False}
    old = screen.cookies[WALL]
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute(
            "UPDATE wall_token SET expires_at = now() + interval '59 days' WHERE token_sha256 = %s",
            (digest_of(old),),
        )
    answer = screen.post("/api/walls/renew")
    assert answer.json() == {"renewed": True}
    assert screen.cookies[WALL] != old
    assert screen.get("/api/figures").status_code == 200
    assert (
        screen.get("/api/figures", headers={"Cookie": f"{WALL}={old}"}).status_code == 200
    )  # for ten minutes
    assert chief.post("/api/walls/renew").status_code == 403


def test_only_administrators_pair_and_only_their_areas(
    url: str, screen: httpx.Client, chief: httpx.Client
) -> None:
    code = screen.post("/api/walls/pairing").json()["code"]
    asked = {"code": code, "name": "Hall", "area": "370883002"}
    with httpx.Client(**client_args(url, of_town(1, "administrator"))) as own:
        assert own.post("/api/walls", json=asked).json()["error"]["code"] == "unknown_area"
        other = paired(screen, chief, area="370883002")
        assert other not in {wall["id"] for wall in own.get("/api/walls").json()}
        assert own.delete(f"/api/walls/{other}").status_code == 404
    with httpx.Client(**client_args(url, county("dispatcher"))) as dispatcher:
        assert dispatcher.post("/api/walls", json=asked).status_code == 403
        assert dispatcher.get("/api/walls").status_code == 403
    assert screen.__class__(base_url=url, trust_env=False).post("/api/walls", json=asked).status_code == 401


def test_wrong_codes_are_refused_and_counted(screen: httpx.Client, chief: httpx.Client) -> None:
    asked = {"code": "3333-3333", "name": "Hall", "area": "370883"}
    first = chief.post("/api/walls", json=asked)
    assert (first.status_code, first.json()["error"]["details"][0]["field"]) == (422, "code")
    last = [chief.post("/api/walls", json=asked) for _ in range(10)][-1]
    assert last.status_code == 429
    assert int(last.headers["retry-after"]) > 0


def test_an_address_begins_so_many_pairings_only(screen: httpx.Client) -> None:
    answers = [screen.post("/api/walls/pairing").status_code for _ in range(BEGINS[0] + 1)]
    assert answers == [201] * BEGINS[0] + [429]


@pytest.mark.parametrize("body", [{}, {"secret": ""}, {"secret": "x" * 101}, {"secret": 5}, [], None])
def test_a_claim_that_is_none(screen: httpx.Client, body: Any) -> None:
    assert screen.post("/api/walls/pairing/claim", json=body).status_code == 422


def test_another_site_cannot_use_the_cookie(screen: httpx.Client, chief: httpx.Client) -> None:
    paired(screen, chief)
    answer = screen.post("/api/walls/renew", headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403


def test_the_demo_pairs_by_itself(clone: Stores) -> None:
    with served(create_app(Settings(demo=True), clone)) as url:
        first = httpx.Client(base_url=url, trust_env=False, timeout=20, follow_redirects=True)
        assert '"kind":"wall"' in first.get("/wall/?lang=en").text
        assert first.get("/api/figures").json()["area_no"] == grid_no(0, 0, 0)
        with httpx.Client(**client_args(url, county("administrator"))) as chief:
            (demo,) = chief.get("/api/walls").json()
            assert demo["demo"] is True
            chief.delete(f"/api/walls/{demo['id']}")
        assert "pairing.js" in first.get("/wall/").text
        second = httpx.Client(base_url=url, trust_env=False, timeout=20, follow_redirects=True)
        assert '"kind":"wall"' in second.get("/wall/").text
        token = second.cookies["wangge_wall"]
    with served(create_app(Settings(), clone)) as url:  # anybody could have had that token
        kept = httpx.Client(base_url=url, trust_env=False, timeout=20, cookies={"wangge_wall": token})
        assert kept.get("/api/figures").status_code == 401
        assert "pairing.js" in kept.get("/wall/").text
