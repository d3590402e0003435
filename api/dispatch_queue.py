"""GET /api/dispatch/queue…: what a dispatcher has to decide next, why it stands where it does, where all of it lies."""

from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import Depends, Query, Response

from api.gate import Seer
from api.router import Router
from api.ticket_list import ANSWERS, Several
from geodata.queries import dispatch_queue as queries
from geodata.queries.dispatch_queue import Asker, Tab
from geodata.scope import scoped
from services.access import Right, scope_for
from services.dispatch import queue as service
from services.dispatch.queue import Asked, Queue, Spot, Spots
from services.dispatch.sharing import Lately, Shared
from services.runtime import Runtime

SPOTS_S = 3.0  # a map of the whole queue may be so old: fifty screens then ask for one


def asked_for(
    tab: Annotated[
        Tab,
        Query(
            description="decide: to be handed out, or handed out and not signed in time; unsigned; mine: claimed"
            " or handed out by me; all: every open ticket."
        ),
    ] = "decide",
    q: Annotated[
        str | None,
        Query(
            max_length=100,
            pattern=r"^[^\x00-\x1f]*$",
            description="Words of a ticket, its number, a category, a town or community.",
        ),
    ] = None,
    town: Several = None,
    channel: Several = None,
    category: Several = None,
    status: Several = None,
    severity: Several = None,
    bbox: Annotated[str | None, Query(max_length=120, description="west,south,east,north.")] = None,
    polygon: Annotated[str | None, Query(max_length=20_000, description="lon,lat;lon,lat;…")] = None,
) -> Asked:
    """The tab and the filters of a question."""
    return Asked(
        tab, q, _several(town), _several(channel), _several(category), _several(status), _several(severity),
        bbox, polygon,
    )  # fmt: skip


Filters = Annotated[Asked, Depends(asked_for)]
Within = Annotated[str | None, Query(max_length=40, description="Code of an area.")]


def router(runtime: Runtime) -> Router:
    """The routes; times are milliseconds since 1970."""
    routes = Router(prefix="/api/dispatch", tags=["Dispatch"], responses=ANSWERS)
    profile, shared = runtime.profile, Shared[tuple[Queue, datetime, Asker, int]]()
    lately = Lately[bytes](SPOTS_S)

    @routes.get("/queue", response_model=dict[str, Any])
    def queue(
        viewer: Seer,
        filters: Filters,
        within: Within = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 60,
        offset: Annotated[int, Query(ge=0, le=5000)] = 0,
    ) -> Response:
        """A page of a tab in the order of what must be decided next: first what waits for a decision, by the moment
        until which it must be made, moved forward by severity, refusals and escalation; then the rest by its own limit.
        `total` and the facets count what the filters let through, a facet all but its own; `counts` and `figures`
        the whole queue."""
        asked = filters._replace(limit=limit, offset=offset)
        scope = scope_for(runtime.pool, viewer, within)
        asker = Asker(viewer.kind, viewer.name)

        def read() -> tuple[Queue, datetime, Asker, int]:
            now = datetime.now(UTC)
            with scoped(runtime.pool, scope) as conn:
                found = service.queue(conn, profile, viewer, asked, now)
                return found, now, asker, queries.mine(conn, asker)

        whose = asker if asked.tab == "mine" else None
        found, now, counted_for, mine = shared.get((scope.key, viewer.may(Right.PEOPLE), asked, whose), read)
        if counted_for != asker:  # the rest is the same for all who ask
            with scoped(runtime.pool, scope) as conn:
                mine = queries.mine(conn, asker)
        counts = found.counts._asdict() | {"mine": mine}
        rows = [service.told(profile, viewer, found, place, now) for place in found.places]
        answer = {
            "as_of": service.ms(now),
            "total": found.total,
            "counts": {name: counts[name] for name in ("decide", "unsigned", "mine", "open")},
            "figures": {name: counts[name] for name in ("waiting", "handling", "soon", "overdue")},
            "facets": found.facets,
            "towns": {town.code: town.name for town in found.towns},
            "town_numbers": {town.code: town.no for town in found.towns},
            "rows": [row for row in rows if row is not None],
        }
        return Response(orjson.dumps(answer), media_type="application/json")

    @routes.get("/queue/spots", response_model=dict[str, Any])
    def spots(viewer: Seer, filters: Filters, within: Within = None) -> Response:
        """Where all tickets lie that the filters let through, for a map: each an array of `columns`, in the order of
        the queue. `nowhere` counts those without a place; `cut` says that there were more than 5,000. The answer may
        be three seconds old, see `as_of`."""
        scope = scope_for(runtime.pool, viewer, within)

        def read() -> bytes:
            now = datetime.now(UTC)
            with scoped(runtime.pool, scope) as conn:
                found = service.spots(conn, profile, viewer, filters, now)
            return orjson.dumps(_spots(found, now))

        whose = Asker(viewer.kind, viewer.name) if filters.tab == "mine" else None
        found = lately.get((scope.key, viewer.may(Right.PEOPLE), filters, whose), read)
        return Response(found, media_type="application/json")

    return routes


def _spots(found: Spots, now: datetime) -> dict[str, Any]:
    return {
        "as_of": service.ms(now),
        "total": found.total,
        "nowhere": found.nowhere,
        "cut": found.cut,
        "columns": Spot._fields,
        "rows": [tuple(row) for row in found.rows],
    }


def _several(text: str | None) -> tuple[str, ...]:
    return tuple(part for part in (text or "").split(",") if part)
