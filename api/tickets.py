"""POST /api/tickets and a route for each command: other systems and workers' phones file tickets and move them on."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool

from api.body import json_of, limited_body
from api.errors import Error, refusal
from api.gate import Seer
from api.intake_limit import IntakeLimit
from api.router import Router
from geodata.queries.ticket_events import events_of, standing_event
from geodata.queries.tickets import Ticket
from services import audit, tickets
from services.access import Viewer, opened
from services.care.sealing import Seals
from services.dispatch import claims
from services.intake.take import take
from services.runtime import Runtime
from services.tickets import ORDERS, TRANSITIONS, Order, Report

BODY_BYTES = 64 * 1024
ASSIGN = frozenset({"dispatch", "transfer", "whistle", "recall"})
Model = TypeVar("Model", bound=BaseModel)
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=100,
        description="The sender's own key: the same request with it does nothing again.",
    ),
]


class AreaOut(BaseModel):
    """The smallest area known: normally the grid."""

    no: int
    code: str
    name: str


class CommandOut(BaseModel):
    """A command that the asker may give now, and the fields that it must carry besides the version."""

    command: str
    needs: list[str]


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
    signed_at: datetime | None
    handled_at: datetime | None
    closed_at: datetime | None
    due_at: datetime | None
    sign_due: datetime | None
    respond_due: datetime | None
    suspended_until: datetime | None
    severity: str | None
    nature: str | None
    risk: str | None
    worker: str | None
    department: str | None
    parties: list[dict[str, Any]]
    tier: int | None
    satisfaction: str | None
    solved: str | None
    supervision: str | None
    supervised_at: datetime | None
    escalation: int
    redos: int
    transfers: int
    registered_no: str | None
    nodes: list[dict[str, Any]]
    work_kind: str | None
    merged_into: int | None
    commands: list[CommandOut] = []


class EventOut(BaseModel):
    """One thing that happened to a ticket: who, when, from where, and the fields that it changed."""

    at: datetime
    kind: str
    was: str | None
    status: str
    version: int
    actor: str
    actor_role: str | None
    source: str | None
    note: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    data: dict[str, Any] | None


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
    409: {"model": Error, "description": "Somebody was quicker, or the command is not allowed."}
}


def router(runtime: Runtime) -> Router:
    """The routes of tickets."""
    routes = Router(prefix="/api/tickets", tags=["Tickets"])
    seals = Seals.of(runtime.settings)

    def filed(viewer: Viewer, report: Report, key: str | None) -> JSONResponse:
        with opened(runtime.pool, viewer) as (conn, _):
            ticket, created = take(conn, runtime.profile, seals, viewer, report, key=key)
        return JSONResponse(_json(runtime, ticket), 201 if created else 200)

    @routes.post(
        "",
        dependencies=[Depends(IntakeLimit(runtime))],
        status_code=201,
        response_model=TicketOut,
        responses=REFUSALS | {200: {"model": TicketOut, "description": "Known already by source_id or key."}},
        openapi_extra=_takes(Report),
    )
    async def file_ticket(request: Request, viewer: Seer, key: Key = None) -> Response:
        """File a ticket. Its grid follows from its point, its deadline from its category; answered after the commit."""
        return await _with(Report, request, lambda report: filed(viewer, report, key))

    @routes.get("/{ticket_id}", responses=UNKNOWN)
    def ticket(ticket_id: int, viewer: Seer) -> TicketOut:
        """A ticket as it is now, with the commands that the asker may give."""
        with opened(runtime.pool, viewer) as (conn, _):
            found = tickets.read(conn, _checked(ticket_id))
            allowed = tickets.allowed(runtime.profile, viewer, found, standing_event(conn, found.id))
        told = _out(runtime, found)
        told.commands = [CommandOut(command=row.command, needs=list(row.needs)) for row in allowed]
        return told

    @routes.get("/{ticket_id}/history", responses=UNKNOWN)
    def history(ticket_id: int, viewer: Seer) -> list[EventOut]:
        """All that happened to a ticket, oldest first."""
        with opened(runtime.pool, viewer) as (conn, _):
            tickets.read(conn, _checked(ticket_id))
            return [EventOut.model_validate(event._asdict()) for event in events_of(conn, ticket_id)]

    for command, order in ORDERS.items():
        if TRANSITIONS[command].right is not None:
            _offer(routes, runtime, command, order)
    return routes


def _offer(routes: Router, runtime: Runtime, command: str, model: type[Order]) -> None:
    """The route of one command."""

    def carried_out(viewer: Viewer, ticket_id: int, order: Order, key: str | None) -> JSONResponse:
        with opened(runtime.pool, viewer) as (conn, _):
            claims.require_decidable(conn, viewer, ticket_id, command, key)
            done = tickets.perform(conn, runtime.profile, viewer, ticket_id, command, order, key=key)
            if command in ASSIGN and not done.replayed:
                audit.record(
                    conn, viewer, audit.Action.assignment, object_kind="ticket", object_id=done.ticket.id,
                    area_no=done.ticket.area.no,
                    detail={"worker": done.ticket.worker, "department": done.ticket.department},
                )  # fmt: skip
        return JSONResponse(_json(runtime, done.ticket))

    async def give(ticket_id: int, request: Request, viewer: Seer, key: Key = None) -> Response:
        return await _with(model, request, lambda order: carried_out(viewer, _checked(ticket_id), order, key))

    routes.add_api_route(
        f"/{{ticket_id}}/{command}",
        give,
        methods=["POST"],
        name=command,
        operation_id=f"ticket_{command}",
        description=model.__doc__,
        response_model=TicketOut,
        responses=REFUSALS | UNKNOWN | STALE,
        openapi_extra=_takes(model),
    )


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
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": _inlined(model)}}}}


@cache
def _inlined(model: type[BaseModel]) -> dict[str, Any]:
    """The model's schema without references, as OpenAPI takes it within a route."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})

    def resolved(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return resolved(parts[node["$ref"].rsplit("/", 1)[1]])
            return {name: resolved(value) for name, value in node.items()}
        return [resolved(value) for value in node] if isinstance(node, list) else node

    inlined: dict[str, Any] = resolved(schema)
    return inlined


def _checked(ticket_id: int) -> int:
    """The id if the database can hold it."""
    if not 0 < ticket_id < 2**63:
        raise tickets.UnknownTicket(f"no ticket with the id {ticket_id}")
    return ticket_id


def _out(runtime: Runtime, ticket: Ticket) -> TicketOut:
    number = tickets.number(ticket.id, ticket.reported_at, runtime.profile.time_zone)
    area = {"no": ticket.area.no, "code": ticket.area.code, "name": ticket.area.name}
    return TicketOut.model_validate(ticket._asdict() | {"number": number, "area": area})


def _json(runtime: Runtime, ticket: Ticket) -> dict[str, Any]:
    return _out(runtime, ticket).model_dump(mode="json", exclude={"commands"})
