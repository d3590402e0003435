"""Routers as all of /api uses them: guarded, with the answers that any route may give, and cheap to build.

FastAPI builds a route when it is declared, and once more when its router is included with something that holds for all.
What holds for all is said here instead, so that app.py takes the routes as they are; and the shape of errors, which
every route names half a dozen times, is referred to rather than made into a model of each. Together they were two
thirds of a start.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.params import Depends as Dependency

from api.errors import Error
from api.gate import guard

Responses = Mapping[int | str, dict[str, Any]]
ERROR = {"application/json": {"schema": {"$ref": f"#/components/schemas/{Error.__name__}"}}}
ANY: Responses = {
    "4XX": {"model": Error, "description": "Refused; the body says why."},
    "5XX": {"model": Error, "description": "Not possible at the moment."},
}


class Router(APIRouter):
    """Routes behind the guard."""

    def __init__(
        self,
        *,
        responses: Responses | None = None,
        dependencies: Sequence[Dependency] | None = None,
        **given: Any,
    ) -> None:
        """As FastAPI's; `responses` and `dependencies` are added to those of all routes."""
        super().__init__(
            responses=_referring({**ANY, **(responses or {})}),
            dependencies=[Depends(guard), *(dependencies or ())],
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
