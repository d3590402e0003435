"""GET /api/dispatch/queue: what a dispatcher has to decide next, and why it stands where it does."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query

from api.gate import Seer
from api.router import Router
from api.ticket_list import ANSWERS, Several
from geodata.queries import dispatch_queue as queries
from geodata.queries.dispatch_queue import Asker, Tab
from geodata.scope import scoped
from services.access import Right, scope_for
from services.dispatch import queue as service
from services.dispatch.queue import Asked, Queue
from services.dispatch.sharing import Shared
from services.runtime import Runtime


def router(runtime: Runtime) -> Router:
    """The route; times are milliseconds since 1970."""
    routes = Router(prefix="/api/dispatch", tags=["Dispatch"], responses=ANSWERS)
    profile, shared = runtime.profile, Shared[tuple[Queue, datetime]]()

    @routes.get("/queue")
    def queue(
        viewer: Seer,
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
        within: Annotated[str | None, Query(max_length=40, description="Code of an area.")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 60,
        offset: Annotated[int, Query(ge=0, le=5000)] = 0,
    ) -> dict[str, Any]:
        """A page of a tab in the order of what must be decided next: first what waits for a decision, by the moment
        until which it must be made, moved forward by severity, refusals and escalation; then the rest by its own limit.
        `total` and the facets count what the filters let through, a facet all but its own; `counts` and `figures`
        the whole queue."""
        asked = Asked(
            tab, q, _several(town), _several(channel), _several(category), _several(status), _several(severity),
            bbox, polygon, limit, offset,
        )  # fmt: skip
        scope = scope_for(runtime.pool, viewer, within)
        asker = Asker(viewer.kind, viewer.name)

        def read() -> tuple[Queue, datetime]:
            now = datetime.now(UTC)
            with scoped(runtime.pool, scope) as conn:
                return service.queue(conn, profile, viewer, asked, now), now

        whose = asker if tab == "mine" else None
        found, now = shared.get((scope.key, viewer.may(Right.PEOPLE), asked, whose), read)
        with scoped(runtime.pool, scope) as conn:
            counts = found.counts._asdict() | {"mine": queries.mine(conn, asker)}
        rows = [service.told(profile, viewer, found, place, now) for place in found.places]
        return {
            "as_of": service.ms(now),
            "total": found.total,
            "counts": {name: counts[name] for name in ("decide", "unsigned", "mine", "open")},
            "figures": {name: counts[name] for name in ("waiting", "handling", "soon", "overdue")},
            "facets": found.facets,
            "towns": found.towns,
            "rows": [row for row in rows if row is not None],
        }

    return routes


def _several(text: str | None) -> tuple[str, ...]:
    return tuple(part for part in (text or "").split(",") if part)
