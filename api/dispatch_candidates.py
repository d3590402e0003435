"""GET /api/dispatch/tickets/{id}/candidates: who could take it, the best first, why, and who is left out."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Query

from api.care import REFUSALS, _not_kept
from api.desks import Card, TicketId, ms
from api.gate import Seer
from api.router import Router
from profiles import Profile
from profiles.part import Named
from services.access import Right, Viewer, opened
from services.dispatch import candidates
from services.dispatch.found import Candidate, Found
from services.runtime import Runtime

Limit = Annotated[int, Query(ge=1, le=20, description="How many candidates.")]


def router(runtime: Runtime) -> Router:
    """The route; times are milliseconds since 1970, places degrees in EPSG:4326."""
    routes = Router(
        prefix="/api/dispatch", tags=["Dispatch"], responses=REFUSALS, dependencies=[Depends(_not_kept)]
    )
    profile, pool = runtime.profile, runtime.pool

    @routes.get("/tickets/{ticket_id}/candidates")
    def ticket_candidates(ticket_id: TicketId, viewer: Seer, limit: Limit = 5) -> Card:
        """Who could take the ticket, the best first, with the parts of the score and reasons; who is left out, and why.

        Names for who may see people. 409 for a ticket that has ended.
        """
        now = datetime.now(UTC)
        with opened(pool, viewer) as (conn, _):
            found = candidates.find(conn, profile, ticket_id, now, limit=limit)
        return {"as_of": ms(now), **_told(profile, viewer, found)}

    return routes


def _told(profile: Profile, viewer: Viewer, found: Found) -> Card:
    people = viewer.may(Right.PEOPLE)
    kind = profile.kind(found.ticket.category)
    owner = kind.department if kind else None
    return {
        "version": found.ticket.version,
        "weights_version": found.weights_version,
        "method": found.method,
        "factor": profile.dispatch.detour,
        "speed_kmh": profile.dispatch.speed_kmh,
        "component": profile.dispatch.is_component(found.ticket.category),
        "radius_m": _whole(found.radius_m),
        "rows": [
            {"rank": rank, **row_told(profile, row, people=people)} for rank, row in enumerate(found.rows, 1)
        ],
        "departments": [
            {**named(one), "owner": one.code == owner, "refused": one.code in found.refused}
            for one in sorted(profile.departments, key=lambda one: one.code != owner)
        ],
        "left_out": [
            {
                "key": one.key,
                "name": one.name if people else None,
                "why": one.why.key,
                "args": one.why.args,
                "lon": one.lon,
                "lat": one.lat,
            }
            for one in found.left_out
        ],
        "left_out_counts": found.left_out_counts,
    }


def row_told(profile: Profile, row: Candidate, *, people: bool) -> Card:
    """A candidate as JSON; the name of a person only with `people`."""
    known: list[Named] = [*profile.posts, *profile.departments]
    words: dict[str, Any] = {one.code: named(one) for one in known}
    return {
        "key": row.key,
        "kind": row.kind,
        "code": row.code,
        "name": row.name if people or row.kind == "department" else None,
        "role": row.role,
        "role_words": words.get(row.role) if row.kind == "post" else None,
        "trade": words.get(row.trade) if row.trade else None,
        "score": row.score.score,
        "parts": [part._asdict() for part in row.score.parts],
        "reasons": [reason._asdict() for reason in row.reasons],
        "distance_m": _whole(row.distance_m),
        "minutes": None if row.minutes is None else round(row.minutes, 1),
        "by": row.by,
        "position_age_s": row.position_age_s,
        "on_shift": row.on_shift,
        "load": row.load,
        "capacity": row.capacity,
        "lon": row.lon,
        "lat": row.lat,
        "area_no": row.area_no,
        "area": row.area,
        "own_grid": row.own_grid,
    }


def named(one: Named) -> dict[str, str]:
    """Code and names."""
    return {"code": one.code, "name": one.name, "name_en": one.name_en}


def _whole(metres: float | None) -> int | None:
    return None if metres is None else round(metres)
