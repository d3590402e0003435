"""Routers as all of /api uses them: guarded, with the answers that any route may give, and cheap to build.

FastAPI builds a route when it is declared, and once more when its router is included with something that holds for all.
What holds for all is said here instead, so that app.py takes the routes as they are; and the shape of errors, which
every route names half a dozen times, is referred to rather than made into a model of each. What remains to be built of
a route, the parsing of its parameters and body, is built when it is first asked for or described. Together they were
most of a start.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from threading import RLock
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute
from starlette.routing import compile_path, get_name

from api.errors import Error
from api.gate import guard

Responses = Mapping[int | str, dict[str, Any]]
ERROR = {"application/json": {"schema": {"$ref": f"#/components/schemas/{Error.__name__}"}}}
ANY: Responses = {
    "4XX": {"model": Error, "description": "Refused; the body says why."},
    "5XX": {"model": Error, "description": "Not possible at the moment."},
}


_building = RLock()  # requests come in on one thread, the description may be asked for on another


class Route(APIRoute):
    """A route that knows its path and methods from the start, and all else once anything else of it is asked."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        """As FastAPI's."""
        self._build = partial(super().__init__, path, endpoint, **given)
        self.path, self.endpoint = path, endpoint
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self.methods = {method.upper() for method in given.get("methods") or ("GET",)}
        self.name = given.get("name") or get_name(endpoint)

    def __getattr__(self, name: str) -> Any:
        """Build it. Raises AttributeError for what a built route has not, and what FastAPI raises for a wrong one."""
        with _building:
            build = self.__dict__.pop("_build", None)
            if build:
                build()
        return object.__getattribute__(self, name)


class Router(APIRouter):
    """Routes behind the guard."""

    def __init__(
        self,
        *,
        responses: Responses | None = None,
        dependencies: Sequence[Dependency] | None = None,
        route_class: type[APIRoute] = Route,
        **given: Any,
    ) -> None:
        """As FastAPI's; `responses` and `dependencies` are added to those of all routes."""
        super().__init__(
            responses=_referring({**ANY, **(responses or {})}),
            dependencies=[Depends(guard), *(dependencies or ())],
            route_class=route_class,
            **given,
        )

    def add_api_route(
        self, path: str, endpoint: Callable[..., Any], *, responses: Responses | None = None, **given: Any
    ) -> None:
        """As FastAPI's, which its decorators call."""
        super().add_api_route(path, endpoint, responses=_referring(responses or {}), **given)


def take(app: FastAPI, router: APIRouter) -> None:
    """Have the app serve its routes as they are; FastAPI's `include_router` would build each a second time.

    Raises LookupError for a router that nothing guards.
    """
    if not any(one.dependency is guard for one in router.dependencies):
        raise LookupError(f"{router.routes} come without the guard; api/router.py has a Router with it")
    app.router.routes.extend(router.routes)


def _referring(responses: Responses) -> dict[int | str, dict[str, Any]]:
    """The same answers, with a reference in the place of the shape of errors."""
    return {
        status: {**{key: value for key, value in told.items() if key != "model"}, "content": ERROR}
        if told.get("model") is Error
        else told
        for status, told in responses.items()
    }
