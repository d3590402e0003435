"""GET /api/figures: the panels' figures of one area, or of the whole place."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from geodata.scope import EVERYTHING, scoped
from services.access import scope_of
from services.indicators import Figures, figures
from services.runtime import Runtime


def router(runtime: Runtime) -> APIRouter:
    """The route, below the prefix of the API."""
    routes = APIRouter(prefix="/api", tags=["Figures"])

    @routes.get("/figures")
    def read(
        within: Annotated[
            str | None, Query(description="Code of an area; the whole place without it.")
        ] = None,
    ) -> Figures:
        """What came in, stands open, is late and was closed, with rates as n/d and the child areas."""
        with scoped(runtime.pool, EVERYTHING) as conn:
            scope = scope_of(conn, within)
        with scoped(runtime.pool, scope) as conn:
            return figures(conn, scope, runtime.profile, datetime.now(UTC))

    return routes
