"""Routes are built when they are first asked for, and then as FastAPI builds them."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import FastAPIError
from fastapi.routing import APIRoute

from api.router import Route


def app_of(router: APIRouter) -> FastAPI:
    """An application of these routes."""
    app = FastAPI()
    app.router.routes.extend(router.routes)
    return app


async def test_nothing_is_built_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    built: Counter[str] = Counter()
    build = APIRoute.__init__

    def counted(self: APIRoute, path: str, *args: object, **given: object) -> None:
        built[path] += 1
        build(self, path, *args, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(APIRoute, "__init__", counted)
    router = APIRouter(prefix="/api", route_class=Route)

    @router.get("/asked/{number}")
    def asked(number: int, more: int = 1) -> int:
        return number + more

    @router.post("/other", name="else")
    def other() -> None: ...

    assert not built
    assert [
        (route.path, route.methods, route.name) for route in router.routes if isinstance(route, Route)
    ] == [
        ("/api/asked/{number}", {"GET"}, "asked"),
        ("/api/other", {"POST"}, "else"),
    ]
    route = router.routes[0]
    assert isinstance(route, Route)
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: id(route.dependant), range(8)))) == 1
    transport = httpx.ASGITransport(app_of(router))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/api/asked/41")).json() == 42
        assert (await client.get("/api/asked/many")).status_code == 422
        assert (await client.post("/api/asked/41")).status_code == 405
        assert built == {"/api/asked/{number}": 1}
        paths = (await client.get("/openapi.json")).json()["paths"]
    assert paths.keys() == {"/api/asked/{number}", "/api/other"}
    assert built == {"/api/asked/{number}": 1, "/api/other": 1}


class Unknown:
    """Nothing that a body could be parsed into."""


def test_a_wrong_route_fails_when_it_is_described() -> None:
    router = APIRouter(route_class=Route)

    @router.get("/wrong")
    def wrong(what: Unknown) -> int:
        return 1

    with pytest.raises(FastAPIError, match="Unknown"):
        app_of(router).openapi()


def test_what_a_route_has_not_is_an_attribute_error() -> None:
    route = Route("/", lambda: 1)
    for _ in range(2):
        with pytest.raises(AttributeError, match="no attribute 'colour'"):
            route.colour  # noqa: B018
