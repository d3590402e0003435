"""POST /api/webhooks/{name}: other systems send what they took in, signed with a key of their own."""

import secrets
import time
from typing import Annotated, Any

from fastapi import Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool

from api.body import json_of, limited_body
from api.errors import Error, refusal
from api.gate import ANYBODY
from api.intake_limit import IntakeLimit
from api.router import Router
from geodata.queries import intake as queries
from geodata.queries.intake import Sender
from geodata.scope import EVERYTHING, scoped
from services.access import Viewer, opened
from services.care.sealing import Seals
from services.intake import signing
from services.intake.forms import FORMS
from services.intake.senders import key_of
from services.intake.take import take
from services.runtime import Runtime
from services.tickets import number

BODY_BYTES = 64 * 1024
FAULTS_PER_MINUTE = 60  # of one address that signs nothing right
Signed = Annotated[str, Header(max_length=200)]


class TakenOut(BaseModel):
    """What became of a message."""

    id: int
    number: str
    status: str
    created: bool
    category: str
    area: str
    location: str


ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": TakenOut, "description": "Known already by its number; nothing was changed."},
    **{
        code: {"model": Error, "description": words}
        for code, words in (
            (400, "The body is no JSON."),
            (
                401,
                "Nobody of that name, the signature is not theirs, or the time is more than 5 minutes off.",
            ),
            (413, "The body is too large."),
            (422, "A field is not as described; details name it and what is expected."),
            (429, "Too many from one sender; Retry-After says when to go on."),
            (503, "A store is away; try again."),
        )
    },
}


def router(runtime: Runtime) -> Router:
    """The route."""
    routes = Router(prefix="/api/webhooks", tags=["Tickets"])
    profile, seals = runtime.profile, Seals.of(runtime.settings)
    sent = IntakeLimit(runtime, "webhook")
    faults = IntakeLimit(runtime, "webhook-faults", FAULTS_PER_MINUTE)
    nobody = secrets.token_bytes(32)

    def sender_of(name: str, timestamp: str, given: str, body: bytes) -> Sender | None:
        """Who signed the body, if it is the sender of that name. Raises BadSignature, WrongKey."""
        with scoped(runtime.pool, EVERYTHING, "access") as conn:
            found = queries.sender(conn, name) if name.isprintable() else None
        signing.check(key_of(seals, found) if found else nobody, timestamp, given, body, time.time())
        return found

    def filed(sender: Sender, message: Any) -> Response:
        viewer = _viewer(sender)
        report = message.report(profile, sender.channel)
        with opened(runtime.pool, viewer) as (conn, _):
            ticket, created = take(conn, profile, seals, viewer, report, source=viewer.name)
        told = TakenOut(
            id=ticket.id,
            number=number(ticket.id, ticket.reported_at, profile.time_zone),
            status=ticket.status,
            created=created,
            category=ticket.category,
            area=ticket.area.code,
            location=ticket.location,
        )
        return JSONResponse(told.model_dump(), 201 if created else 200)

    @routes.post(
        "/{name}", status_code=201, response_model=TakenOut, responses=ANSWERS, openapi_extra=_body()
    )
    async def take_in(
        name: str,
        request: Request,
        timestamp: Annotated[Signed, Header(alias=signing.TIMESTAMP)] = "",
        given: Annotated[Signed, Header(alias=signing.SIGNATURE)] = "",
    ) -> Response:
        """Take in a message of the hotline, the petition system, the net or a group chat, as docs/reference/intake.md
        describes it; its number makes it one ticket, however often it is sent."""
        body = await limited_body(request, BODY_BYTES)
        try:
            sender = await run_in_threadpool(sender_of, name, timestamp, given, body)
        except signing.BadSignature as error:
            await faults.count(request, ANYBODY)
            return refusal(401, "bad_signature", str(error))
        if sender is None:  # not reached with the key of nobody, but a sender must be there
            raise HTTPException(401, "Nobody of that name sends here.")
        await sent.count(request, _viewer(sender))
        try:
            message = FORMS[sender.form].model_validate(json_of(body))
            return await run_in_threadpool(filed, sender, message)
        except ValidationError as error:
            details = [
                {
                    "field": ".".join(map(str, fault["loc"])) or "body",
                    "given": "" if fault["type"] == "missing" else str(fault["input"])[:100],
                    "expected": fault["msg"],
                }
                for fault in error.errors(include_url=False, include_context=False)
            ]
            return refusal(422, "bad_report", "A field is not as described; see details.", details)

    return routes


def _viewer(sender: Sender) -> Viewer:
    """Who stands in the ticket's history."""
    return Viewer("client", sender.id, f"webhook:{sender.name}", "client", EVERYTHING)


def _body() -> dict[str, Any]:
    schemas = []
    for form in FORMS.values():
        schema = form.model_json_schema(ref_template="{model}")
        parts = schema.pop("$defs", {})
        schemas.append(_inlined(schema, parts))
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"oneOf": schemas}}}}
    }


def _inlined(node: Any, parts: dict[str, Any]) -> Any:
    """The schema without references, as OpenAPI takes it within a route."""
    if isinstance(node, dict):
        if "$ref" in node:
            return _inlined(parts[node["$ref"]], parts)
        return {name: _inlined(value, parts) for name, value in node.items()}
    return [_inlined(value, parts) for value in node] if isinstance(node, list) else node
