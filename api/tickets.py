"""POST /api/tickets and what follows: other systems file tickets, move them on and read them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool

from api.body import json_of, limited_body
from api.errors import Error, refusal
from api.gate import Seer
from api.intake_limit import IntakeLimit
from geodata.queries.tickets import Ticket
from services import audit, tickets
from services.access import Viewer, opened
from services.runtime import Runtime
from services.tickets import Report, Step

BODY_BYTES = 64 * 1024
Model = TypeVar("Model", bound=BaseModel)


class AreaOut(BaseModel):
    """The smallest area known: normally the grid."""

    no: int
    code: str
    name: str


class TicketOut(BaseModel):
    """A ticket as the sender needs it to go on."""

    id: int
    number: str
    version: int
    status: str
    channel: str
    category: str
    source_id: str | None
    area: AreaOut
    location: str
    lon: float | None
    lat: float | None
    reported_at: datetime
    dispatched_at: datetime | None
    due_at: datetime | None
    closed_at: datetime | None


REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {"model": Error, "description": words}
    for code, words in (
        (400, "The body is no JSON."),
        (413, "The body is too large."),
        (429, "Too many tickets from one sender; Retry-After says when to go on."),
        (422, "A field is not as described; details name it and what is expected."),
        (503, "A store is away; try again."),
    )
}
UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": Error, "description": "There is no such ticket."}}
STALE: dict[int | str, dict[str, Any]] = {
    409: {"model": Error, "description": "Somebody was quicker, or the step is not allowed."}
}


def router(runtime: Runtime) -> APIRouter:
    """The routes of tickets."""
    routes = APIRouter(prefix="/api/tickets", tags=["Tickets"])

    def filed(viewer: Viewer, report: Report) -> JSONResponse:
        with opened(runtime.pool, viewer) as (conn, _):
            ticket, created = tickets.file_ticket(conn, runtime.profile, report, actor=viewer.name)
        return JSONResponse(_out(runtime, ticket), 201 if created else 200)

    def advanced(viewer: Viewer, ticket_id: int, step: Step) -> JSONResponse:
        with opened(runtime.pool, viewer) as (conn, _):
            ticket = tickets.advance(conn, runtime.profile, ticket_id, step, actor=viewer.name)
            if step.status == "dispatched":
                audit.record(
                    conn, viewer, audit.Action.assignment, object_kind="ticket", object_id=ticket.id,
                    area_no=ticket.area.no, detail={"worker": step.worker},
                )  # fmt: skip
        return JSONResponse(_out(runtime, ticket))

    @routes.post(
        "",
        dependencies=[Depends(IntakeLimit(runtime))],
        status_code=201,
        response_model=TicketOut,
        responses=REFUSALS | {200: {"model": TicketOut, "description": "Known already by its source_id."}},
        openapi_extra=_takes(Report),
    )
    async def file_ticket(request: Request, viewer: Seer) -> Response:
        """File a ticket. Its grid follows from its point, its deadline from its category; answered after the commit."""
        return await _with(Report, request, lambda report: filed(viewer, report))

    @routes.post(
        "/{ticket_id}/advance",
        response_model=TicketOut,
        responses=REFUSALS | UNKNOWN | STALE,
        openapi_extra=_takes(Step),
    )
    async def advance(ticket_id: int, request: Request, viewer: Seer) -> Response:
        """Move a ticket to its next status. `version` is the one last seen: who saw an older one is refused."""
        return await _with(Step, request, lambda step: advanced(viewer, _checked(ticket_id), step))

    @routes.get("/{ticket_id}", responses=UNKNOWN)
    def ticket(ticket_id: int, viewer: Seer) -> TicketOut:
        """A ticket as it is now."""
        with opened(runtime.pool, viewer) as (conn, _):
            return TicketOut(**_out(runtime, tickets.read(conn, _checked(ticket_id)), json=False))

    return routes


async def _with(model: type[Model], request: Request, act: Callable[[Model], Response]) -> Response:
    body = json_of(await limited_body(request, BODY_BYTES))
    try:
        wanted = model.model_validate(body)
    except ValidationError as error:
        details = [
            {
                "field": ".".join(map(str, fault["loc"])) or "body",
                "given": str(fault["input"])[:100],
                "expected": fault["msg"],
            }
            for fault in error.errors(include_url=False, include_context=False)
        ]
        return refusal(422, "bad_report", "A field is not as described; see details.", details)
    return await run_in_threadpool(act, wanted)


def _takes(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _checked(ticket_id: int) -> int:
    """The id if the database can hold it."""
    if not 0 < ticket_id < 2**63:
        raise tickets.UnknownTicket(f"no ticket with the id {ticket_id}")
    return ticket_id


def _out(runtime: Runtime, ticket: Ticket, *, json: bool = True) -> dict[str, Any]:
    number = tickets.number(ticket.id, ticket.reported_at, runtime.profile.time_zone)
    area = {"no": ticket.area.no, "code": ticket.area.code, "name": ticket.area.name}
    out = TicketOut.model_validate(ticket._asdict() | {"number": number, "area": area})
    return out.model_dump(mode="json" if json else "python")
