"""/api/notices: who registers which address, who sees what was given up."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import psycopg
import pytest

import api.notices
from geodata.servers import Stores
from services.access import Viewer
from settings import Settings
from tests.live_app import make_app, served
from tests.viewers import county, of_town

URL = "https://hotline.county.example/told"


def served_as(stores: Stores, viewer: Viewer) -> Iterator[httpx.Client]:
    app = make_app(stores, Settings(secret="s" * 40), viewer)
    app.include_router(api.notices.router(app.state.runtime))
    with served(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def admin(module_clone: Stores) -> Iterator[httpx.Client]:
    with psycopg.connect(module_clone.database_url) as conn:
        conn.execute(
            "INSERT INTO api_client (name, token_sha256, created_by) VALUES ('city', sha256('x'), 't')"
        )
    yield from served_as(module_clone, county("administrator"))


@pytest.fixture(scope="module")
def system(module_clone: Stores) -> Iterator[httpx.Client]:
    yield from served_as(module_clone, replace(county("client"), name="city", id=5))


def test_an_administrator_registers_and_ends(admin: httpx.Client) -> None:
    made = admin.post("/api/notices/targets", json={"kind": "client", "name": "city", "url": URL})
    assert made.status_code == 201 and len(made.json()["secret"]) > 40
    (listed,) = admin.get("/api/notices/targets").json()
    assert (listed["id"], listed["url"], listed["waiting"], listed["dead"]) == (made.json()["id"], URL, 0, 0)
    assert "secret" not in listed
    assert admin.get("/api/notices/dead").json() == []
    assert admin.delete(f"/api/notices/targets/{listed['id']}").status_code == 204
    gone = admin.delete(f"/api/notices/targets/{listed['id']}")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "unknown_target")


def test_a_client_registers_itself(admin: httpx.Client, system: httpx.Client) -> None:
    made = system.put("/api/notices/own", json={"url": URL})
    assert made.status_code == 200 and made.json()["secret"]
    (listed,) = admin.get("/api/notices/targets").json()
    assert (listed["kind"], listed["name"], listed["created_by"]) == ("client", "city", "city")
    assert system.delete("/api/notices/own").status_code == 204
    assert system.delete("/api/notices/own").status_code == 404


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"url": "http://hotline.county.example/"}, "bad_target"), ({"url": "https://"}, "bad_target"),
        ({"name": "nobody"}, "bad_target"), ({"kind": "account"}, "invalid"), ({"url": ""}, "invalid"),
        ({"extra": 1}, "invalid"), ({"url": "https://a:b@example.com/"}, "bad_target"),
        ({"kind": "webhook"}, "bad_target"),
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_system_is_refused(admin: httpx.Client, change: dict, code: str) -> None:
    answer = admin.post("/api/notices/targets", json={"kind": "client", "name": "city", "url": URL} | change)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
    assert answer.json()["error"]["details"]


def test_a_notice_that_is_not_there_is_404(admin: httpx.Client) -> None:
    answer = admin.post("/api/notices/00000000-0000-4000-8000-000000000000/again")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_notice")
    assert admin.post("/api/notices/nothing/again").status_code == 422


def test_an_administrator_of_a_part_sees_none(module_clone: Stores) -> None:
    for part in served_as(module_clone, of_town(1, "administrator")):
        assert part.get("/api/notices/targets").json() == []
        answer = part.post("/api/notices/targets", json={"kind": "client", "name": "city", "url": URL})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_target")
