"""No request, however made, is answered with a 500 or a traceback: every route by its description, every callback.

WANGGE_FUZZ_CASES says how many cases a route gets (./wangge fuzz sets it, and prints the table).
"""

import inspect
import json
import os
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import psycopg
import pytest
import redis
import schemathesis
from dash import Dash
from fastapi import FastAPI
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject
from schemathesis.generation.modes import GenerationMode
from starlette.routing import Mount

from api.rules import PUBLIC, RULES
from app import create_app
from callbacks.admin import accounts, audit, clients, devices, sessions, walls
from callbacks.rules import RULES as CALLBACKS
from geodata.scope import EVERYTHING
from geodata.servers import Stores
from screens.page import EXTENSION
from services.access import RIGHTS, Viewer
from services.access.roles import Right
from settings import Settings
from tests.live_app import served
from tests.viewers import client_args, county

CASES = int(os.environ.get("WANGGE_FUZZ_CASES", "3"))
LOUD = "WANGGE_FUZZ_CASES" in os.environ
SEED = int(os.environ.get("WANGGE_FUZZ_SEED", "20260101"))
ROLES = [role for role in RIGHTS if role not in ("wall", "client")]
pytestmark = pytest.mark.timeout(0 if LOUD else 120)


@dataclass
class Site:
    """The running app, and what became of the requests so far."""

    url: str
    stores: Stores
    description: dict[str, Any]
    screens: dict[str, Dash]
    accounts: dict[str, Viewer]
    table: dict[str, Counter[int]] = field(default_factory=dict)

    def client(self, viewer: Viewer | None) -> httpx.Client:
        """Signed in as that viewer, or nobody."""
        if viewer is None:
            return httpx.Client(base_url=self.url, trust_env=False, timeout=20)
        return httpx.Client(**client_args(self.url, viewer))

    def ask(self, name: str, client: httpx.Client, **request: Any) -> None:
        """Send one request and look at its answer; limits of rates are lifted, as they would hide the rest."""
        for _ in range(2):
            try:
                answer = client.request(**request)
            except (httpx.InvalidURL, UnicodeEncodeError, httpx.LocalProtocolError, ValueError):
                return  # no client sends this
            if answer.status_code != 429:
                break
            self.lift()
        self.table.setdefault(name, Counter())[answer.status_code] += 1
        said = f"{name}: {answer.status_code} {answer.text[:300]}\n{request}"
        assert answer.status_code < 500 or answer.status_code == 503, said
        assert "Traceback" not in answer.text and 'File "/' not in answer.text, said
        if answer.status_code >= 400 and answer.headers.get("content-type", "").startswith(
            "application/json"
        ):
            if "/open311/" in name:  # the specification's own shape
                assert all(set(one) == {"code", "description"} for one in answer.json()), said
            else:
                assert set(answer.json()["error"]) == {"code", "message", "details"}, said

    def lift(self) -> None:
        """Forget what was counted, and what was locked."""
        with redis.Redis.from_url(self.stores.redis_url) as client:
            for key in client.scan_iter(f"{self.stores.key_prefix}limit:*"):
                client.delete(key)


@pytest.fixture(scope="module")
def site(module_clone: Stores) -> Iterator[Site]:
    app = create_app(Settings(log_level="error", open_intake=True), module_clone)
    flask = carried(app)
    with served(app) as url:
        made = Site(
            url,
            module_clone,
            app.openapi(),
            flask.extensions[EXTENSION],
            accounts_of(module_clone.database_url),
        )
        yield made
        if LOUD:
            print_table(made.table)


def carried(app: FastAPI) -> Flask:
    """The server of the screens, behind whatever stands in front of it."""
    waiting: list[Any] = [route.app for route in app.routes if isinstance(route, Mount)]
    while not isinstance(waiting[-1], Flask):
        inside = waiting.pop()
        waiting += [part for part in vars(inside).values() if callable(part) and hasattr(part, "__dict__")]
    return waiting[-1]


def accounts_of(database_url: str) -> dict[str, Viewer]:
    """A real account of every role, for the whole place."""
    found = {}
    with psycopg.connect(database_url) as conn:
        for role in ROLES:
            row = conn.execute(
                "INSERT INTO account (login, name, role, password_hash, created_by)"
                " VALUES (%s, %s, %s, 'x', 'tests') RETURNING id",
                (f"fuzz-{role}", role, role),
            ).fetchone()
            assert row is not None
            found[role] = replace(county(role), id=row[0], name=f"fuzz-{role}", scope=EVERYTHING)
    return found


def print_table(table: dict[str, Counter[int]]) -> None:
    print(f"\n{'route or callback':<64} {'cases':>6}  answers")
    for name, statuses in sorted(table.items()):
        answers = "  ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
        print(f"{name:<64} {statuses.total():>6}  {answers}")
    print(f"{len(table)} routes and callbacks, {sum(map(Counter.total, table.values()))} cases, no 500")


def many(cases: int) -> Any:
    """Hypothesis' settings for so many cases, the same ones every time."""

    def wrap(test: Any) -> Any:
        return seed(SEED)(
            settings(
                max_examples=cases, deadline=None, database=None, suppress_health_check=list(HealthCheck),
                phases=[Phase.generate], print_blob=False,
            )(test)
        )  # fmt: skip

    return wrap


def able(accounts: dict[str, Viewer], right: Right | str) -> Viewer:
    """An account whose role has the right."""
    role = next((role for role in ROLES if right == PUBLIC or right in RIGHTS[role]), "administrator")
    return accounts[role]


ROUTES = sorted(
    (method, path)
    for method, path in RULES
    if method != "WS" and path.startswith(("/api/", "/open311/")) and path != "/api/docs"
)


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda part: part)
def test_routes(site: Site, method: str, path: str) -> None:
    """By the OpenAPI description: what it allows, and what it does not; signed in, and not."""
    schema = schemathesis.openapi.from_dict(site.description)
    try:
        operation = schema[path][method]
    except LookupError:
        pytest.skip("not in the description")
    modes = [operation.as_strategy(generation_mode=GenerationMode.POSITIVE)]
    if operation.body or list(operation.iter_parameters()):
        modes.append(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))

    def ask_as(viewer: Viewer | None, cases: int) -> None:
        @many(cases)
        @given(st.one_of(modes))
        def ask(case: Any) -> None:
            request = case.as_transport_kwargs(base_url=site.url)
            kept = {
                key: request[key] for key in ("method", "url", "params", "json", "data") if key in request
            }
            if isinstance(kept.get("data"), bytes | str):
                kept["content"] = kept.pop("data")
            given_names = ("accept-encoding", "connection")
            own = {
                name: value for name, value in request["headers"].items() if name.lower() not in given_names
            }
            site.ask(f"{method} {path}", client, **kept, headers=own)

        with site.client(viewer) as client:
            ask()

    ask_as(able(site.accounts, RULES[method, path]), CASES)
    ask_as(None, max(CASES // 4, 2))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
    | st.sampled_from(["370883", "370883001001001", "en", "\x00", "'; --", "今天", 2**63, -1]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
NAMES = sorted(
    set(re.findall(r"\.(?:text|texts|number)\(\"(\w+)\"", "".join(
        inspect.getsource(module) for module in (accounts, audit, clients, devices, sessions, walls)
    ))) | {"code", "lang", "period", "do", "act", "id"}
)  # fmt: skip
ACTS = sorted({act for tab in (accounts, clients, devices, sessions, walls) for act in tab.ACTS})
FIELDS = st.dictionaries(
    st.sampled_from(NAMES), JSON | st.sampled_from(ACTS) | st.integers(0, 30).map(str), max_size=6
)


@pytest.mark.parametrize("output", sorted(CALLBACKS))
def test_callbacks(site: Site, output: str) -> None:
    """Bodies as the page sends them with any value in them, with any part of them missing or replaced, and no body."""
    name, screen = next((n, s) for n, s in site.screens.items() if output in s.callback_map)
    callback = screen.callback_map[output]
    several = output.startswith("..")
    parts = output[2:-2].split("...") if several else [output]
    outputs = [dict(zip(("id", "property"), part.rsplit(".", 1), strict=True)) for part in parts]

    def whole(data: DataObject) -> dict[str, Any]:
        def slots(kind: str) -> list[dict[str, Any]]:
            return [{**slot, "value": data.draw(FIELDS | JSON)} for slot in callback[kind]]

        inputs = slots("inputs")
        changed = [f"{slot['id']}.{slot['property']}" for slot in inputs]
        return {
            "output": output, "outputs": outputs if several else outputs[0], "inputs": inputs, "state": slots("state"),
            "changedPropIds": data.draw(st.lists(st.sampled_from(changed), max_size=2)),
        }  # fmt: skip

    def content(data: DataObject) -> bytes:
        how = data.draw(st.sampled_from(["whole", "whole", "whole", "without", "other", "bytes"]))
        if how == "bytes":
            return data.draw(st.binary(max_size=200))
        body = whole(data)
        if how != "whole":
            key = data.draw(st.sampled_from(sorted(body)))
            body.pop(key)
            if how == "other":
                body[key] = data.draw(JSON)
        return json.dumps(body).encode("utf-8", "surrogatepass")

    def ask_as(viewer: Viewer | None, cases: int) -> None:
        @many(cases)
        @given(st.data())
        def ask(data: DataObject) -> None:
            site.ask(
                f"callback {output}"[:64], client, method="POST", url=f"/{name}/_dash-update-component",
                params=data.draw(st.just({}) | st.fixed_dictionaries({"endId": st.text(max_size=20)})),
                content=content(data), headers={"Content-Type": "application/json"},
            )  # fmt: skip

        with site.client(viewer) as client:
            ask()

    ask_as(able(site.accounts, CALLBACKS[output]), CASES * 2)
    ask_as(None, max(CASES // 4, 2))


ODD = [
    b"GET /area/?\xff\xfe HTTP/1.1", b"GET /api/search?q=\xff HTTP/1.1", b"GET /area/%ff%fe HTTP/1.1",
    b"GET /area/%00 HTTP/1.1", b"GET /api/map/areas/grid?within=%00 HTTP/1.1", b"GET //evil.example/.. HTTP/1.1",
    b"GET /area/%2e%2e%2f%2e%2e%2fetc/passwd HTTP/1.1", b"GET /wall/assets/..%2f..%2fsettings.py HTTP/1.1",
    b"GET /area/_dash-component-suites/dash/..%2f..%2fdash.py HTTP/1.1", b"TRACE / HTTP/1.1", b"FOO /area/ HTTP/1.1",
    b"GET /sign-in?to=%00&lang=%ff&error=%0d%0aX:y HTTP/1.1", b"GET /area/?lang=%00%ed%a0%80 HTTP/1.1",
    b"GET /api/cards/area/99999999999999999999 HTTP/1.1", b"GET /" + b"a" * 5000 + b" HTTP/1.1",
    b"GET /area/ HTTP/1.1\r\nCookie: wangge_session=\xff\xfe; \x01=;;;=",
    b"GET /area/ HTTP/1.1\r\nCookie: " + b"=;" * 999,
    b"GET /api/figures HTTP/1.1\r\nAuthorization: Bearer \xff\xfe", b"GET /api/figures HTTP/1.1\r\nAuthorization: \x80",
    b"GET /area/ HTTP/1.1\r\nAccept-Language: \xff\r\nAccept-Encoding: \xff;q=\xff\r\nX-Request-ID: \xff",
    b"GET /area/ HTTP/1.1\r\nIf-None-Match: \xff\r\nRange: bytes=9-1\r\nIf-Modified-Since: never",
    b"POST /api/tickets HTTP/1.1\r\nContent-Type: \xff\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /area/_dash-update-component HTTP/1.1\r\nContent-Length: -5", b"GET /area/ HTTP/1.1\r\nOrigin: http://[::",
    b"POST /api/session HTTP/1.1\r\nOrigin: http://[\r\nContent-Length: 2\r\n\r\n{}",
    b"GET /api/live HTTP/1.1\r\nOrigin: http://[\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
]  # fmt: skip


@pytest.mark.parametrize("request_line", ODD, ids=range(len(ODD)))
def test_odd_requests(site: Site, request_line: bytes) -> None:
    """What no well-behaved client sends, straight into the socket; with a session, so that it goes all the way."""
    args = client_args(site.url, site.accounts["administrator"])
    cookies = "; ".join(f"{name}={value}" for name, value in args["cookies"].items())
    head, _, body = request_line.partition(b"\r\n\r\n")
    known = b"" if b"Cookie:" in head else f"\r\nCookie: {cookies}".encode()
    csrf = f"\r\nX-CSRFToken: {args['headers']['X-CSRFToken']}".encode()
    host, port = site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        close = b"" if b"Upgrade" in head else b"\r\nConnection: close"
        raw.sendall(
            head + b"\r\nHost: " + f"{host}:{port}".encode() + known + csrf + close + b"\r\n\r\n" + body
        )
        answer = b""
        until = time.monotonic() + 10
        while b"\r\n\r\n" not in answer and time.monotonic() < until:
            chunk = raw.recv(65536)
            if not chunk:
                break
            answer += chunk
    assert b"Traceback" not in answer
    status = int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 400
    assert status < 500 or status in (501, 503), answer[:500]
