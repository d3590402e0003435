"""Health, readiness, measures, the shape of errors, and that every route is described."""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

import api.errors
from api.trace import Trace
from app import create_app
from geodata.servers import Stores
from services.tickets import TRANSITIONS
from settings import ROOT, Settings
from tests.viewers import county, sessions_of

DOCUMENT = (ROOT / "docs/reference/http.md").read_text()


@asynccontextmanager
async def serving(stores: Stores) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app that has started."""
    app = create_app(Settings(place="zoucheng"), stores)
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client


def client_of(app: FastAPI) -> httpx.AsyncClient:
    """A client of that app, in this process."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", timeout=20)


@pytest.fixture(scope="module")
def app(module_clone: Stores) -> FastAPI:
    """The app, not started: what needs no store."""
    return create_app(Settings(place="zoucheng"), module_clone)


async def test_alive_and_ready(clone: Stores) -> None:
    async with serving(clone) as client:
        assert (await client.get("/api/health")).json()["status"] == "alive"
        answer = await client.get("/api/ready")
        assert answer.status_code == 200
        checks = answer.json()["checks"]
        assert checks["postgis"]["said"].startswith("PostGIS 3")
        assert checks["redis"] == {"ok": True, "said": "PONG"}
        token = sessions_of(clone).open(county("administrator"), ip="", agent="")
        measures = (await client.get("/api/metrics", cookies={"wangge_session": token})).text
        assert 'wangge_http_requests_total{method="GET",route="/api/ready",status="200"}' in measures
        assert "wangge_pool_available" in measures


async def test_not_ready_says_why(clone: Stores) -> None:
    with psycopg.connect(clone.database_url) as conn:
        conn.execute("DELETE FROM _yoyo_migration WHERE migration_id LIKE '0005%'")
    away = Stores(clone.database_url, "unix:///nowhere/redis.sock", clone.key_prefix)
    async with serving(away) as client:
        answer = await client.get("/api/ready")
        assert answer.status_code == 503
        body = answer.json()
        assert body["ready"] is False
        assert body["checks"]["postgis"]["ok"] is True
        assert "not migrated: 0005" in body["checks"]["schema"]["said"]
        assert body["checks"]["redis"]["ok"] is False
        assert (await client.get("/api/health")).status_code == 200


async def test_without_a_database_it_starts_and_says_so() -> None:
    nowhere = Stores("postgresql:///none?host=/nowhere", "unix:///nowhere/redis.sock", "wangge:none:")
    async with serving(nowhere) as client:
        answer = await client.get("/api/ready")
        assert answer.status_code == 503
        assert answer.json()["checks"]["postgis"]["ok"] is False


async def test_unknown_addresses_and_methods_below_api_are_errors_in_json(app: FastAPI) -> None:
    async with client_of(app) as client:
        for method, path, status in (
            ("GET", "/api/nope", 404), ("GET", "/api/", 404), ("DELETE", "/api/health", 405),
        ):  # fmt: skip
            answer = await client.request(method, path)
            assert (answer.status_code, set(answer.json())) == (status, {"error"})
            assert set(answer.json()["error"]) == {"code", "message", "details"}


async def test_the_root_leads_to_the_wall_with_its_parameters(app: FastAPI) -> None:
    async with client_of(app) as client:
        assert (await client.get("/?lang=en")).headers["location"] == "/wall/?lang=en"
        assert (await client.get("/area")).headers["location"] == "/area/"


async def test_a_request_id_is_kept_or_made(app: FastAPI) -> None:
    async with client_of(app) as client:
        kept = await client.get("/api/health", headers={"X-Request-ID": "desk-7.42"})
        assert kept.headers["x-request-id"] == "desk-7.42"
        made = await client.get("/api/health", headers={"X-Request-ID": "two\twords"})
        assert re.fullmatch(r"[0-9a-f]{16}", made.headers["x-request-id"])


async def test_text_is_compressed_as_the_client_wishes(app: FastAPI) -> None:
    async with client_of(app) as client:
        plain = await client.get("/api/openapi.json", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        for wish, coding in (("gzip, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip")):
            answer = await client.get("/api/openapi.json", headers={"Accept-Encoding": wish})
            assert answer.headers["content-encoding"] == coding
            assert answer.content == plain.content
        small = await client.get("/api/health", headers={"Accept-Encoding": "br"})
        assert "content-encoding" not in small.headers


async def test_an_uncaught_exception_tells_nothing_but_an_id(caplog: pytest.LogCaptureFixture) -> None:
    broken = FastAPI()
    broken.add_middleware(Trace)
    api.errors.install(broken)

    @broken.get("/boom")
    def boom() -> None:
        raise ZeroDivisionError("secret")

    async with client_of(broken) as client:
        answer = await client.get("/boom", headers={"X-Request-ID": "find-me"})
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert answer.json()["error"]["details"] == [{"request_id": "find-me"}]
    assert "secret" not in answer.text


def test_each_error_class_of_the_table_has_a_sane_answer() -> None:
    for kind, (status, code, _) in api.errors.TABLE.items():
        assert 400 <= status < 600, kind
        assert re.fullmatch(r"[a-z_]+", code)
        assert f"`{code}`" in DOCUMENT, f"{code} is missing in docs/reference/http.md"


def _by_template(route: str) -> str:
    """The routes of a ticket's commands are documented as one; docs/reference/tickets.md has the commands."""
    start, _, last = route.rpartition("/")
    commands = start == "POST /api/tickets/{ticket_id}" and last in TRANSITIONS
    return f"{start}/{{command}}" if commands else route


def test_each_route_is_described_in_words(app: FastAPI) -> None:
    description = app.openapi()
    tags = {tag["name"] for tag in description["tags"]}
    for path, methods in description["paths"].items():
        for method, route in methods.items():
            where = f"{method.upper()} {path}"
            assert route.get("description"), f"{where} has no docstring"
            assert set(route["tags"]) <= tags, where
            assert "4XX" in route["responses"] or any(key.startswith("4") for key in route["responses"]), (
                where
            )
            assert f"`{_by_template(where)}`" in DOCUMENT, f"{where} is missing in docs/reference/http.md"


def test_nothing_is_documented_that_does_not_exist(app: FastAPI) -> None:
    known = {
        _by_template(f"{m.upper()} {path}")
        for path, methods in app.openapi()["paths"].items()
        for m in methods
    }
    documented = set(re.findall(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) [^`]+)`", DOCUMENT, flags=re.MULTILINE))
    assert documented - {"GET /api/openapi.json"} <= known


@pytest.mark.parametrize("path", ["/api/openapi.json", "/api/docs"])
async def test_the_description_is_made_beside_the_event_loop(
    app: FastAPI, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first time it takes more than half a second, in which nobody else would be answered."""
    asked_in: list[int] = []
    openapi = app.openapi

    def made() -> dict[str, Any]:
        asked_in.append(threading.get_ident())
        return openapi()

    monkeypatch.setattr(app, "openapi", made)
    async with client_of(app) as client:
        answer = await client.get(path)
    assert answer.status_code == 200 and "/api/tickets" in answer.text
    assert len(asked_in) == 1 and asked_in != [threading.get_ident()]


async def test_the_description_is_made_once_for_all_who_ask_meanwhile(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def slow(**_about: Any) -> dict[str, Any]:
        made.append("")
        time.sleep(0.2)
        return {"paths": {}}

    monkeypatch.setattr("fastapi.applications.get_openapi", slow)
    monkeypatch.setattr(app, "openapi_schema", None)
    async with client_of(app) as client:
        answers = await asyncio.gather(*(client.get("/api/openapi.json") for _ in range(3)))
    assert [answer.json() for answer in answers] == [{"paths": {}}] * 3
    assert len(made) == 1


async def test_the_page_of_the_description_needs_no_other_server(app: FastAPI) -> None:
    async with client_of(app) as client:
        page = await client.get("/api/docs")
    assert page.status_code == 200
    assert "/api/tickets" in page.text
    assert not re.findall(r"(?:src|href)=[\"']?https?:", page.text)
