"""/api/pictures: sending a picture in, and showing those of tickets to who may see people."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from api.body import limited_body
from api.errors import Error
from api.gate import Seer
from api.intake_limit import IntakeLimit
from api.router import Router
from services import pictures, tickets
from services.access import Right, Viewer, opened
from services.pictures import MOST_BYTES, Picture, UnknownPicture
from services.runtime import Runtime

AT_ONCE = 2  # pictures drawn at the same time by one process
WAITING = 20  # more than so many are asked to come again
FORM_BYTES = 64 * 1024  # of a form around the picture
SHARE = 10  # as many tickets may come in as pictures
TYPE = "image/jpeg"


class PictureOut(BaseModel):
    """A picture as it is kept: a JPEG, upright, without metadata."""

    id: UUID
    ticket_id: int | None = Field(
        description="null until a command ties it to a ticket; a day later it is gone."
    )
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    bytes: int
    sent_by: str
    sent_at: datetime
    url: str
    thumbnail_url: str = Field(description="At most 320 pixels wide and high.")


def _refusals(*codes: tuple[int, str]) -> dict[int | str, dict[str, Any]]:
    return {code: {"model": Error, "description": words} for code, words in codes}


BAD = _refusals(
    (400, "The form is none."),
    (413, "More bytes, pixels, memory or time than a picture needs."),
    (415, "No JPEG, PNG, WebP or HEIC, whatever its name says."),
    (422, "Cut off or damaged, or the form has no picture."),
    (429, "Too many from one sender; Retry-After says when to go on."),
    (503, "Too many at once, or the store is away; try again."),
)
UNKNOWN = _refusals((404, "There is no such picture."), (410, "Its file is not there any more."))
SHOWN: dict[int | str, dict[str, Any]] = {200: {"content": {TYPE: {}}, "description": "The picture."}}
TAKEN = {
    "requestBody": {
        "required": True,
        "content": {
            **{
                kind: {"schema": {"type": "string", "format": "binary"}}
                for kind in (TYPE, "image/png", "image/webp", "image/heic", "application/octet-stream")
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"picture": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


def router(runtime: Runtime) -> Router:
    """The routes of pictures."""
    routes = Router(tags=["Pictures"])
    store = pictures.Store(runtime.settings)
    most = max(1, runtime.settings.intake_per_minute // SHARE)
    room, waiting = asyncio.Semaphore(AT_ONCE), 0

    async def redrawn(data: bytes) -> pictures.Drawn:
        nonlocal waiting
        if waiting >= WAITING:
            raise HTTPException(
                503, "Too many pictures come in at this moment; try again.", {"Retry-After": "3"}
            )
        waiting += 1
        try:
            async with room:
                return await run_in_threadpool(pictures.redraw, data)
        finally:
            waiting -= 1

    def kept(viewer: Viewer, drawn: pictures.Drawn) -> PictureOut:
        with opened(runtime.pool, viewer) as (conn, _):
            return _out(pictures.keep(conn, store, viewer, drawn))

    def shown(request: Request, viewer: Viewer, picture_id: UUID, *, thumb: bool) -> Response:
        _may_read(viewer)
        with opened(runtime.pool, viewer) as (conn, _):
            row = pictures.one(conn, viewer, picture_id)
        headers = {
            "ETag": f'"{row.sha256.hex()[:32]}{"t" if thumb else ""}"',
            "Cache-Control": "private, no-cache",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        try:
            return Response(store.get(row.sha256, thumb=thumb), media_type=TYPE, headers=headers)
        except pictures.Missing:
            raise HTTPException(410, "The file of this picture is not there.") from None

    @routes.post(
        "/api/pictures",
        dependencies=[Depends(IntakeLimit(runtime, "pictures", most))],
        status_code=201,
        response_model=PictureOut,
        responses=BAD,
        openapi_extra=TAKEN,
    )
    async def send(request: Request, viewer: Seer) -> Response:
        """Send a picture in, as the body or as the file of a form; its id goes into `pictures` of a command.

        It is drawn anew: no metadata, no place, no camera; at most 2560 pixels a side. Without a ticket it is deleted
        after a day.
        """
        body = await limited_body(request, MOST_BYTES + FORM_BYTES)
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            body = await _file_of(request.headers, body)
        drawn = await redrawn(body)
        return JSONResponse((await run_in_threadpool(kept, viewer, drawn)).model_dump(mode="json"), 201)

    @routes.get("/api/pictures/{picture_id}", response_class=Response, responses=UNKNOWN | SHOWN)
    def picture(request: Request, picture_id: UUID, viewer: Seer) -> Response:
        """A picture of a ticket in your areas, or one of your own that is tied to none."""
        return shown(request, viewer, picture_id, thumb=False)

    @routes.get("/api/pictures/{picture_id}/thumb", response_class=Response, responses=UNKNOWN | SHOWN)
    def thumbnail(request: Request, picture_id: UUID, viewer: Seer) -> Response:
        """The same, at most 320 pixels wide and high."""
        return shown(request, viewer, picture_id, thumb=True)

    @routes.get("/api/tickets/{ticket_id}/pictures", responses=_refusals((404, "There is no such ticket.")))
    def of_ticket(ticket_id: int, viewer: Seer) -> list[PictureOut]:
        """The pictures of a ticket in the order in which they came."""
        _may_read(viewer)
        if not 0 < ticket_id < 2**63:
            raise tickets.UnknownTicket(f"no ticket with the id {ticket_id}")
        with opened(runtime.pool, viewer) as (conn, _):
            tickets.read(conn, ticket_id)
            return [_out(row) for row in pictures.of_ticket(conn, ticket_id)]

    return routes


def _may_read(viewer: Viewer) -> None:
    """Pictures show people: who sees them may see people (the route's rule) and read tickets."""
    if viewer.kind == "wall" or not viewer.may(Right.TICKETS_READ):
        raise UnknownPicture("no such picture")


async def _file_of(headers: Headers, body: bytes) -> bytes:
    """The one file of a form. Raises HTTPException 400 and 422."""

    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        form = await MultiPartParser(headers, whole(), max_files=1, max_fields=8).parse()
    except MultiPartException as error:
        raise HTTPException(400, f"The form cannot be read: {error.message}") from None
    try:
        for part in form.values():
            if isinstance(part, UploadFile):
                return await part.read()
    finally:
        await form.close()
    raise HTTPException(422, "The form has no file in it.")


def _out(row: Picture) -> PictureOut:
    url = f"/api/pictures/{row.id}"
    return PictureOut.model_validate(row._asdict() | {"url": url, "thumbnail_url": f"{url}/thumb"})
