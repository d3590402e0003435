"""GET /api/search: areas by name, code or pinyin initials."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from geodata.scope import EVERYTHING, scoped
from services.access import scope_of
from services.runtime import Runtime
from services.search import search_areas


def router(runtime: Runtime) -> APIRouter:
    """The route, below /api."""
    routes = APIRouter(prefix="/api", tags=["Map"])

    @routes.get("/search")
    def search(
        q: Annotated[
            str, Query(description="Part of a name, or the beginning of a code or of pinyin initials.")
        ],
        within: Annotated[
            str | None, Query(description="Code of an area; the whole place without it.")
        ] = None,
    ) -> list[dict[str, Any]]:
        """At most 12 areas, best first, each with the names of the areas that hold it."""
        with scoped(runtime.pool, EVERYTHING) as conn:
            scope = scope_of(conn, within)
        with scoped(runtime.pool, scope) as conn:
            return [found._asdict() for found in search_areas(conn, q)]

    return routes
