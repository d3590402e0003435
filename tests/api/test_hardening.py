"""What every answer says to browsers, and how large a request may be; without a store."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse

from api.body_limit import BodyLimit
from api.hardening import BadOrigin, Harden
from settings import Settings
from tests.live_app import served

Client = Callable[..., httpx.AsyncClient]


@pytest.fixture
def client() -> Client:
    """A client of a small app behind the two middlewares."""

    def make(**given: object) -> httpx.AsyncClient:
        app = FastAPI()

        @app.get("/page")
        def page(request: Request) -> HTMLResponse:
            return HTMLResponse(request.scope["state"]["nonce"])

        @app.get("/api/plain")
        def plain() -> dict[str, int]:
            return {"a": 1}

        @app.get("/api/kept")
        def kept() -> JSONResponse:
            return JSONResponse({}, headers={"Cache-Control": "private, no-cache"})

        @app.get("/script.js")
        def script() -> PlainTextResponse:
            return PlainTextResponse("1")

        @app.post("/size")
        async def size(request: Request) -> int:
            return len(await request.body())

        app.add_middleware(BodyLimit, most_bytes=1000)
        app.add_middleware(Harden, settings=Settings(**given))  # type: ignore[arg-type]
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://t")

    return make


async def test_every_answer_has_the_headers(client: Client) -> None:
    async with client() as http:
        for path in ("/page", "/api/plain", "/script.js", "/nowhere"):
            headers = (await http.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert "camera=()" in headers["permissions-policy"]
            assert headers["cross-origin-opener-policy"] == "same-origin"
            assert headers["x-frame-options"] == "DENY"
            assert "strict-transport-security" not in headers


async def test_a_page_runs_only_what_bears_its_nonce_and_each_page_has_another(client: Client) -> None:
    async with client() as http:
        first, second = await http.get("/page"), await http.get("/page")
    policy = first.headers["content-security-policy"]
    assert f"script-src 'self' 'nonce-{first.text}';" in policy and first.text != second.text
    assert "unsafe-eval" not in policy and "script-src 'self' 'unsafe-inline'" not in policy
    for part in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"):
        assert part in policy


async def test_answers_of_the_api_are_kept_by_nobody_unless_they_say_so(client: Client) -> None:
    async with client() as http:
        assert (await http.get("/api/plain")).headers["cache-control"] == "no-store"
        assert (await http.get("/api/kept")).headers["cache-control"] == "private, no-cache"
        assert (await http.get("/page")).headers["cache-control"] == "no-store"
        assert "cache-control" not in (await http.get("/script.js")).headers
        assert (
            (await http.get("/api/plain")).headers["content-security-policy"].startswith("default-src 'none'")
        )


async def test_hsts_behind_tls_only(client: Client) -> None:
    async with client(secure_cookies=True) as http:
        assert (await http.get("/page")).headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"tianditu_key": "k"}, "img-src 'self' data: https://*.tianditu.gov.cn;"),
        ({"basemap_url": "https://{s}.tiles.example/{z}/{x}/{y}.png"}, "data: https://*.tiles.example;"),
        ({"basemap_url": "http://tiles.example:8080/{z}/{x}/{y}.png"}, "data: http://tiles.example:8080;"),
        ({"basemap_url": "/tiles/{z}/{x}/{y}.png"}, "img-src 'self' data:;"),
        ({"media_origins": ["https://v.example:8443"]}, "connect-src 'self' https://v.example:8443;"),
        ({"media_origins": ["https://v.example:8443"]}, "media-src 'self' blob: https://v.example:8443;"),
    ],
)
async def test_other_servers_come_from_the_settings(
    client: Client, given: dict[str, object], part: str
) -> None:
    async with client(**given) as http:
        headers = (await http.get("/page")).headers
    assert part in headers["content-security-policy"]
    # a provider of tiles checks its key by the origin of the page; nobody else learns even that
    expected = "same-origin" if "media_origins" in given else "strict-origin-when-cross-origin"
    assert headers["referrer-policy"] == expected


@pytest.mark.parametrize(
    "origin", ["https://a; script-src *", "v.example", "https://v.example/path", "x\r\ny: z"]
)
async def test_a_setting_cannot_widen_the_policy(client: Client, origin: str) -> None:
    with pytest.raises(BadOrigin):
        async with client(media_origins=[origin]) as http:
            await http.get("/page")


async def test_bodies_up_to_the_limit(client: Client) -> None:
    def chunks(count: int) -> Iterator[bytes]:
        for _ in range(count):
            yield b"x" * 100

    async def soon(count: int):
        for chunk in chunks(count):
            yield chunk

    async with client() as http:
        assert (await http.post("/size", content=b"x" * 1000)).json() == 1000
        assert (await http.post("/size", content=soon(10))).json() == 1000
        assert (await http.post("/size")).json() == 0
        for content in (b"x" * 1001, soon(11)):
            refused = await http.post("/size", content=content)
            assert refused.status_code == 413 and refused.json()["error"]["code"] == "too_large"
            assert refused.headers["x-content-type-options"] == "nosniff"


def test_a_long_body_is_refused_before_it_was_sent() -> None:
    app = FastAPI()
    app.state.runtime = SimpleNamespace(stores=None)
    app.add_middleware(BodyLimit)

    @app.post("/size")
    async def size(request: Request) -> int:
        return len(await request.body())

    with served(app) as url, httpx.Client(trust_env=False) as http:
        assert http.post(f"{url}/size", content=b"x" * (1 << 20)).json() == 1 << 20
        try:
            answer = http.post(f"{url}/size", content=b"x" * (64 << 20))
            assert answer.status_code == 413
        except (httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
            pass  # the server hung up while we were still sending
