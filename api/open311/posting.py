"""POST /open311/v2/requests: a report from anybody or from a client, as a form, with pictures where it has some."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Header, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from api.body import limited_body
from api.open311.asker import Askers
from api.open311.formats import Form, answer
from api.router import Router
from services import pictures
from services.access import Viewer, opened
from services.care.sealing import Seals
from services.intake.take import take
from services.open311.catalogue import check_jurisdiction
from services.open311.errors import Refused
from services.open311.reports import posted, report_of
from services.pictures import Drawn
from services.runtime import Runtime
from services.tickets import Report, number

FORM_BYTES = 64 * 1024
MOST_FILES, MOST_FIELDS = 3, 100
MOST_BYTES = pictures.MOST_BYTES + FORM_BYTES  # all pictures of a request together
DRAWN_AT_ONCE = 2
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=100,
        description="The sender's own key: the same request with it does nothing again; GET tokens/{key} finds it.",
    ),
]
TEXT = {"type": "string"}
FORM = {
    "type": "object",
    "required": ["service_code"],
    "properties": {
        **{
            name: TEXT
            for name in (
                "api_key", "jurisdiction_id", "service_code", "lat", "long", "address_string", "address_id", "email",
                "device_id", "account_id", "first_name", "last_name", "phone", "description", "media_url",
            )
        },
    },
}  # fmt: skip
FILES = {**FORM, "properties": {**FORM["properties"], "media": {"type": "string", "format": "binary"}}}  # type: ignore[dict-item]
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {"schema": FORM},
            "multipart/form-data": {"schema": FILES},
        },
    }
}
CREATED: dict[int | str, dict[str, Any]] = {
    200: {"description": "Known already by its Idempotency-Key."},
    201: {"description": "Filed."},
}


def add(routes: Router, runtime: Runtime, askers: Askers) -> None:
    """Offer the route."""
    profile, seals, store = runtime.profile, Seals.of(runtime.settings), pictures.Store(runtime.settings)
    room = asyncio.Semaphore(DRAWN_AT_ONCE)

    def filed(viewer: Viewer, report: Report, drawn: list[Drawn], key: str | None) -> tuple[str, bool]:
        with opened(runtime.pool, viewer) as (conn, _):
            ticket, created = take(conn, profile, seals, viewer, report, key=key, source="open311")
            if created:
                kept = [pictures.keep(conn, store, viewer, one).id for one in drawn]
                pictures.claim(conn, ticket, kept)
        return number(ticket.id, ticket.reported_at, profile.time_zone), created

    @routes.post("/v2/requests.{form}", status_code=201, openapi_extra=BODY, responses=CREATED)
    async def file_request(request: Request, form: Form, key: Key = None) -> Response:
        """File a request. Its place is `lat` and `long`, or what `address_string` or `address_id` names."""
        await askers.count_report(request)
        fields, files = await form_of(request.headers, await limited_body(request, MOST_BYTES))
        given = {**{name: [value] for name, value in request.query_params.items()}, **fields}
        check_jurisdiction(profile, next(iter(given.get("jurisdiction_id", [])), None))
        viewer = await askers.reporter(request, next(iter(given.get("api_key", [])), None))
        report = report_of(profile, fields)
        drawn = []
        for one in files:
            async with room:
                drawn.append(await run_in_threadpool(pictures.redraw, one))
        told, created = await run_in_threadpool(filed, viewer, report, drawn, key)
        return answer(form, "service_requests", posted(told), 201 if created else 200)


async def form_of(headers: Headers, body: bytes) -> tuple[dict[str, list[str]], list[bytes]]:
    """The fields of a form and its files. Raises Refused 400."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    fields: dict[str, list[str]] = {}
    files: list[bytes] = []
    if kind == "application/x-www-form-urlencoded":
        try:
            pairs = parse_qsl(
                body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
            )
        except ValueError:
            raise Refused(400, f"The body is no form in UTF-8 with {MOST_FIELDS} fields at most.") from None
        for name, value in pairs:
            fields.setdefault(name, []).append(value)
        return fields, files
    if kind != "multipart/form-data":
        raise Refused(400, "Content-Type: application/x-www-form-urlencoded or multipart/form-data")

    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        form = await MultiPartParser(
            headers, whole(), max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=FORM_BYTES
        ).parse()
    except (MultiPartException, UnicodeDecodeError, KeyError) as error:
        raise Refused(400, f"The form cannot be read: {getattr(error, 'message', 'it is damaged')}") from None
    try:
        for name, part in form.multi_items():
            if isinstance(part, UploadFile):
                if content := await part.read():
                    files.append(content)
            else:
                fields.setdefault(name, []).append(part)
    finally:
        await form.close()
    return fields, files
