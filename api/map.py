"""GET /api/map/…: what the map draws: boundaries, single tickets, stations, posts, care counts."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import HTTPException, Query, Request, Response

from api.codings import best_coding
from api.gate import Seer
from api.router import Router
from geodata.queries import points, stations
from geodata.queries.points import Box
from services.access import opened, scope_for
from services.cards import masked
from services.runtime import Runtime

Level = Literal["city", "county", "town", "community", "grid"]
Within = Annotated[
    str | None, Query(description="Code of an area; all that you may see without it.", max_length=40)
]
MOST_TICKETS = 2000
FOREVER = "private, max-age=31536000, immutable"


def router(runtime: Runtime) -> Router:
    """The routes, below /api/map."""
    routes = Router(prefix="/api/map", tags=["Map"])

    @routes.get("/areas/{level}")
    def areas(
        request: Request,
        level: Level,
        viewer: Seer,
        within: Within = None,
        v: Annotated[
            int | None, Query(description="Revision of the areas: the answer may then be kept for ever.")
        ] = None,
        detail: Annotated[
            Literal["low", "full"], Query(description="low: simplified by about 20 m.")
        ] = "full",
    ) -> Response:
        """All areas of a level as GeoJSON (EPSG:4326); feature.id is the area's number."""
        coding = best_coding(request)
        feed = runtime.feeds.get(
            scope_for(runtime.pool, viewer, within), level, detail, "gzip" if coding == "identity" else coding
        )
        headers = {
            "ETag": feed.etag,
            "Cache-Control": FOREVER if v == feed.revision else "private, no-cache",
            "Vary": "Accept-Encoding, Cookie",
        }
        if request.headers.get("if-none-match") == feed.etag:
            return Response(status_code=304, headers=headers)
        if coding == "identity":
            return Response(feed.plain(), media_type="application/geo+json", headers=headers)
        headers["Content-Encoding"] = feed.coding
        return Response(feed.body, media_type="application/geo+json", headers=headers)

    @routes.get("/tickets")
    def tickets(
        bbox: Annotated[
            str, Query(description="west,south,east,north in degrees", examples=["117,35.4,117.1,35.5"])
        ],
        viewer: Seer,
        within: Within = None,
    ) -> Response:
        """Open tickets in a box, at most 2,000 (the latest to be due first); `cut` says if there were more."""
        box = parse_box(bbox)
        with opened(runtime.pool, viewer, within) as (conn, _):
            found = points.open_tickets(conn, box, MOST_TICKETS + 1)
        rows = [
            [t.id, _degrees(t.lon), _degrees(t.lat), t.status, t.category, t.channel, _ms(t.reported_at), _ms(t.due_at),
             t.area_no]
            for t in found[:MOST_TICKETS]
        ]  # fmt: skip
        columns = ["id", "lon", "lat", "status", "category", "channel", "reported_at", "due_at", "area_no"]
        return _table(columns, rows, cut=len(found) > MOST_TICKETS)

    @routes.get("/stations")
    def all_stations(viewer: Seer, within: Within = None) -> Response:
        """All video stations with the state of their stream as last probed."""
        with opened(runtime.pool, viewer, within) as (conn, _):
            found = stations.stations(conn)
        rows = [
            [s.id, _degrees(s.lon), _degrees(s.lat), s.name, s.site_kind, s.state, s.state_reason, s.area_no]
            for s in found
        ]
        return _table(["id", "lon", "lat", "name", "site_kind", "state", "reason", "area_no"], rows)

    @routes.get("/posts")
    def posts(viewer: Seer, within: Within = None) -> Response:
        """All posts by place and role, and whether the roster has them held now; never the people who hold them."""
        with opened(runtime.pool, viewer, within) as (conn, _):
            found = points.posts(conn, runtime.profile.time_zone)
        rows = [[p.id, _degrees(p.lon), _degrees(p.lat), p.role, p.area_no, int(p.on_duty)] for p in found]
        return _table(["id", "lon", "lat", "role", "area_no", "on_duty"], rows)

    @routes.get("/care")
    def care(viewer: Seer, within: Within = None) -> Response:
        """How many people each grid owes care, a count below 3 as "<3"; nothing else about them."""
        with opened(runtime.pool, viewer, within) as (conn, scope):
            found = points.care(conn, scope.lo, scope.hi)
        return _table(
            ["area_no", "people", "visits_overdue"],
            [[c.area_no, masked(c.people), masked(c.visits_overdue)] for c in found],
        )

    return routes


def parse_box(text: str) -> Box:
    """A box in degrees. Anything else is refused with 422."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise HTTPException(
            422, "bbox must be west,south,east,north in degrees, for example 117,35.4,117.1,35.5."
        ) from None
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise HTTPException(422, "bbox must lie within -180,-90,180,90, with west < east and south < north.")
    return Box(west, south, east, north)


def _table(columns: list[str], rows: list[list[Any]], **more: Any) -> Response:
    body = orjson.dumps({"as_of": _ms(datetime.now(UTC)), "columns": columns, "rows": rows, **more})
    return Response(body, media_type="application/json")


def _degrees(value: float) -> float:
    return round(value, 6)


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
