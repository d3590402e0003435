"""/api/incidents…: several tickets of one cause, gathered, handed on and closed together."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import orjson
from fastapi import Depends, Header, Path, Query, Response
from pydantic import Field

from api.care import REFUSALS, XLSX, Body, Within, _not_kept
from api.desks import Card, ms
from api.errors import Error, named
from api.gate import Seer
from api.incident_words import say_of
from api.router import Router
from geodata.queries import incidents as queries
from services import incidents
from services.access import Right, opened
from services.incidents import suggestions, together, view
from services.incidents.export import export
from services.incidents.keeping import MOST_TICKETS, Change, NewIncident
from services.incidents.together import Answer, Closing, Handing
from services.runtime import Runtime
from services.tickets.orders import Party, Satisfaction

Id = Annotated[int, Field(ge=1, lt=2**63)]
Ids = Annotated[list[Id], Field(max_length=MOST_TICKETS)]
IncidentId = Annotated[int, Path(ge=1, lt=2**63, description="Id of an incident.")]
Title = Annotated[str, Field(min_length=1, max_length=200)]
Kind = Annotated[
    str | None, Field(max_length=40, description="Code of a category or of one of its subclasses.")
]
Shape = Annotated[
    dict[str, Any] | None,
    Field(description="GeoJSON Polygon or MultiPolygon, degrees, at most 2,000 points."),
]
STALE: dict[int | str, dict[str, Any]] = {
    409: {
        "model": Error,
        "description": "Somebody was quicker, a ticket is in another incident, or it is closed.",
    }
}


class IncidentIn(Body):
    """An incident to open: a ticket at least, or a perimeter."""

    title: Title
    tickets: Ids = Field(default_factory=list)
    kind: Kind = None
    perimeter: Shape = None


class ChangeIn(Body):
    """What to change; null takes kind or perimeter away."""

    version: int = Field(ge=1, lt=2**31, description="The version that the sender has seen.")
    title: Title | None = None
    kind: Kind = None
    perimeter: Shape = None
    add: Ids = Field(default_factory=list)
    remove: Ids = Field(default_factory=list)


class SeenIn(Body):
    """A ticket and the version that the sender has seen."""

    id: Id
    version: int = Field(ge=1, lt=2**31)


class AssignIn(Body):
    """To whom its tickets go."""

    to: Party
    joint: list[Party] = Field([], max_length=10, description="Who helps.")
    via: together.Via = Field("dispatch", description="With transfer also those that somebody has already.")
    note: str | None = Field(None, max_length=1000)
    tickets: list[SeenIn] | None = Field(
        None, max_length=MOST_TICKETS, description="These, as seen; all open ones, as they are, without it."
    )


class CloseIn(Body):
    """How its tickets end."""

    version: int = Field(ge=1, lt=2**31, description="The version of the incident that the sender has seen.")
    result: str | None = Field(
        None, min_length=1, max_length=2000, description="Handles those in work first."
    )
    satisfaction: Satisfaction | None = None


def router(runtime: Runtime) -> Router:
    """The routes; times are milliseconds since 1970."""
    routes = Router(
        prefix="/api/incidents", tags=["Dispatch"], responses=REFUSALS, dependencies=[Depends(_not_kept)]
    )
    profile, pool = runtime.profile, runtime.pool

    @routes.get("")
    def listed(
        viewer: Seer, within: Within = None, state: Literal["open", "closed", "all"] = "open",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Card:  # fmt: skip
        """Incidents of one's areas, open ones first, the newest first."""
        with opened(pool, viewer, within) as (conn, _):
            rows = queries.listed(conn, state, limit)
        people = viewer.may(Right.PEOPLE)
        return {"as_of": ms(datetime.now(UTC)), "rows": [view.row_of(row, people) for row in rows]}

    @routes.get("/suggestions")
    def suggested(
        viewer: Seer, within: Within = None, hours: Annotated[float, Query(ge=0.25, le=168)] = 24
    ) -> Card:
        """Open tickets that may have one cause, by place, time, category and words; bursts first."""
        now = datetime.now(UTC)
        with opened(pool, viewer, within) as (conn, _):
            rows = suggestions.suggestions(conn, profile, viewer, now, hours)
        return {"as_of": ms(now), "hours": hours, "rows": rows}

    @routes.post("", status_code=201, responses=STALE)
    def open_one(body: IncidentIn, viewer: Seer) -> Card:
        """Gather tickets in an incident; each stands in one open incident at most."""
        now = datetime.now(UTC)
        with opened(pool, viewer) as (conn, _):
            new = NewIncident(body.title, body.tickets, body.kind, body.perimeter)
            number = incidents.opened_incident(conn, profile, viewer, new, now)
            return view.one(conn, profile, viewer, number, now)

    @routes.get("/{incident_id}")
    def one(incident_id: IncidentId, viewer: Seer) -> Card:
        """An incident: its tickets, and the grids, households, people, posts, stations and workers inside."""
        with opened(pool, viewer) as (conn, _):
            return view.one(conn, profile, viewer, incident_id, datetime.now(UTC))

    @routes.patch("/{incident_id}", responses=STALE)
    def change(incident_id: IncidentId, body: ChangeIn, viewer: Seer) -> Card:
        """Change its title, kind or perimeter, add tickets or take some out."""
        now = datetime.now(UTC)
        given = body.model_dump(include=body.model_fields_set & {"title", "kind", "perimeter"})
        with opened(pool, viewer) as (conn, _):
            wanted = Change(body.version, given, body.add, body.remove)
            incidents.change(conn, profile, viewer, incident_id, wanted, now)
            return view.one(conn, profile, viewer, incident_id, now)

    @routes.post("/{incident_id}/assign", responses=STALE)
    def assign(
        incident_id: IncidentId, body: AssignIn, viewer: Seer,
        key: Annotated[
            str | None,
            Header(alias="Idempotency-Key", min_length=1, max_length=70, description="As for one command."),
        ] = None,
    ) -> Card:  # fmt: skip
        """Hand its open tickets to somebody, each by itself; what is refused says why and stops nobody."""
        seen = None if body.tickets is None else {one.id: one.version for one in body.tickets}
        wanted = Handing(body.to, body.joint, body.note, body.via, seen)
        answers = together.assign_all(pool, profile, viewer, incident_id, wanted, datetime.now(UTC), key=key)
        return {
            "done": sum(one.ticket is not None for one in answers),
            "rows": [_answer(one) for one in answers],
        }

    @routes.post("/{incident_id}/close", responses=STALE)
    def close(incident_id: IncidentId, body: CloseIn, viewer: Seer) -> Card:
        """End its tickets as far as their states allow, and the incident once all have ended."""
        wanted = Closing(body.version, body.result, body.satisfaction)
        answers, left = together.close_all(pool, profile, viewer, incident_id, wanted, datetime.now(UTC))
        return {"closed": not left, "left": left, "rows": [_answer(one) for one in answers]}

    @routes.get("/{incident_id}/export", response_class=Response, responses={200: {"content": {XLSX: {}}}})
    def take_away(
        incident_id: IncidentId, viewer: Seer, lang: Annotated[Literal["zh-CN", "en"], Query()] = "zh-CN"
    ) -> Response:
        """All that is known of it as XLSX, watermarked and audited; for dispatchers who may take tables away."""
        now = datetime.now(UTC)
        with opened(pool, viewer) as (conn, _):
            say, english = say_of(profile, lang), lang == "en"
            book = export(conn, profile, viewer, incident_id, say=say, english=english, now=now)
        stamp = now.astimezone(ZoneInfo(profile.time_zone))
        name = f'attachment; filename="incident-{incident_id}-{stamp:%Y%m%d-%H%M}.xlsx"'
        return Response(
            book, media_type=XLSX, headers={"Content-Disposition": name, "Cache-Control": "no-store"}
        )

    return routes


def _answer(one: Answer) -> Card:
    """A ticket's own answer, a refusal as the route of a single command would say it."""
    if one.ticket is not None:
        return {"id": one.ticket_id, "ok": True, "version": one.ticket.version, "status": one.ticket.status}
    refused = named(one.error, "/api/incidents") if one.error else None
    told: Card = orjson.loads(bytes(refused.body))["error"] if refused else {"code": "error", "message": ""}
    return {"id": one.ticket_id, "ok": False, **told}
