"""GET /api/heat: tickets counted per fine cell, as compact binary, for any time window and filter."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Query, Request, Response

from api.codings import best_coding
from api.gate import Seer
from api.router import Router
from services.access import scope_for
from services.heat import FAR_FUTURE, Filter
from services.runtime import Runtime


def router(runtime: Runtime) -> Router:
    """The route, below /api."""
    routes = Router(prefix="/api", tags=["Map"])
    zone = ZoneInfo(runtime.profile.time_zone)

    def seconds(moment: datetime | None, otherwise: int) -> int:
        if moment is None:
            return otherwise
        return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp())

    @routes.get("/heat")
    def heat(
        request: Request,
        viewer: Seer,
        *,
        within: Annotated[
            str | None, Query(description="Code of an area; all that you may see without it.")
        ] = None,
        start: Annotated[
            datetime | None, Query(alias="from", description="Reported at this time or later.")
        ] = None,
        end: Annotated[datetime | None, Query(alias="to", description="Reported before this time.")] = None,
        category: Annotated[
            list[str] | None, Query(description="Codes of classes or subclasses; all without.")
        ] = None,
        channel: Annotated[list[str] | None, Query(description="Codes of channels; all without.")] = None,
    ) -> Response:
        """Binary, little-endian: "WGH1", u32 exponent, x0, y0, width, height, u32 cells, u32 tickets, f64 version,
        f64 since (seconds since 1970 of the first ticket); then LEB128 numbers: the gaps between the indices of cells
        that hold tickets, then their counts. Cells are squares of web Mercator, 2^exponent around the world, row by
        row from the north-west cell (x0, y0). A time without a zone is the place's local time. 503 while loading.
        """
        scope = scope_for(runtime.pool, viewer, within)
        wanted = Filter(
            seconds(start, 0),
            seconds(end, FAR_FUTURE),
            tuple(sorted(set(category or ()))),
            tuple(sorted(set(channel or ()))),
        )
        coding = best_coding(request)
        headers = {
            "Cache-Control": "private, no-cache",
            "Vary": "Accept-Encoding, Cookie",
            "Content-Encoding": coding,
        }
        if coding == "identity":
            del headers["Content-Encoding"]
        return Response(
            runtime.heat.body(scope, wanted, coding), media_type="application/octet-stream", headers=headers
        )

    return routes
