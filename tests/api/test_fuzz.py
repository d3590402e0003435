"""No request, however made, is answered with a 500 or a traceback: every route by its description, every callback.

WANGGE_FUZZ_CASES says how many cases a route gets, WANGGE_FUZZ_TABLE a folder for what was answered
(./wangge fuzz sets both, and prints the table). The requests go straight into the application; those that only a
socket can carry are at the end.
"""

import os
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.rules import RULES
from callbacks.rules import RULES as CALLBACKS
from geodata.servers import Stores
from tests.api.fuzzing.callbacks import Callback
from tests.api.fuzzing.requests import Requests
from tests.api.fuzzing.site import Site, opened
from tests.viewers import client_args

CASES = int(os.environ.get("WANGGE_FUZZ_CASES", "2"))
TABLE = os.environ.get("WANGGE_FUZZ_TABLE")
SEED = int(os.environ.get("WANGGE_FUZZ_SEED", "20260101"))
pytestmark = [
    pytest.mark.timeout(0 if TABLE else 120),
    pytest.mark.filterwarnings("ignore:Do not use the `random` module"),  # schemathesis does
]


@pytest.fixture(scope="module")
def site(module_clone: Stores) -> Iterator[Site]:
    with opened(module_clone) as made:
        yield made
        if TABLE:
            made.keep(Path(TABLE) / f"{uuid.uuid4().hex}.json")


@pytest.fixture(scope="module")
def schema(site: Site) -> Any:
    """The description as schemathesis understands it, which takes a second to import."""
    import schemathesis

    return schemathesis.openapi.from_dict(site.description)


ROUTES = sorted(
    (method, path)
    for method, path in RULES
    if method != "WS" and path.startswith(("/api/", "/open311/")) and path != "/api/docs"
)


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda part: part)
def test_routes(site: Site, schema: Any, method: str, path: str) -> None:
    """By the OpenAPI description: what it allows, and what it does not; signed in, and not."""
    try:
        operation = schema[path][method]
    except LookupError:
        pytest.skip("not in the description")
    requests = Requests(operation, SEED, CASES)
    site.ask(f"{method} {path}", site.able(RULES[method, path]), requests.make(CASES))
    site.ask(f"{method} {path}", None, requests.make(max(CASES // 4, 2)))


@pytest.mark.parametrize("output", sorted(CALLBACKS))
def test_callbacks(site: Site, output: str) -> None:
    """Bodies as the page sends them with any value in them, with any part of them missing or replaced, and no body."""
    name, screen = next((n, s) for n, s in site.screens.items() if output in s.callback_map)
    callback = Callback(name, output, screen.callback_map[output], SEED)
    site.ask(f"callback {output}"[:64], site.able(CALLBACKS[output]), callback.make(CASES * 2))
    site.ask(f"callback {output}"[:64], None, callback.make(max(CASES // 4, 2)))


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
