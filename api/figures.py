"""GET /api/figures: the panels' figures of one area, or of the whole place."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query

from api.gate import Seer
from api.router import Router
from services.access import opened
from services.indicators import Figures, figures
from services.runtime import Runtime


def router(runtime: Runtime) -> Router:
    """The route, below the prefix of the API."""
    routes = Router(prefix="/api", tags=["Figures"])

    @routes.get("/figures")
    def read(
        viewer: Seer,
        within: Annotated[
            str | None, Query(description="Code of an area; all that you may see without it.")
        ] = None,
    ) -> Figures:
        """What came in, stands open, is late and was closed, with rates as n/d and the child areas."""
        with opened(runtime.pool, viewer, within) as (conn, scope):
            return figures(conn, scope, runtime.profile, datetime.now(UTC))

    return routes
