"""GET /api/search: areas by name, code or pinyin initials."""

from typing import Annotated, Any

from fastapi import Query

from api.gate import Seer
from api.router import Router
from services.access import opened
from services.runtime import Runtime
from services.search import search_areas


def router(runtime: Runtime) -> Router:
    """The route, below /api."""
    routes = Router(prefix="/api", tags=["Map"])

    @routes.get("/search")
    def search(
        q: Annotated[
            str, Query(description="Part of a name, or the beginning of a code or of pinyin initials.")
        ],
        viewer: Seer,
        within: Annotated[
            str | None, Query(description="Code of an area; all that you may see without it.")
        ] = None,
    ) -> list[dict[str, Any]]:
        """At most 12 areas, best first, each with the names of the areas that hold it."""
        with opened(runtime.pool, viewer, within) as (conn, _):
            return [found._asdict() for found in search_areas(conn, q)]

    return routes
