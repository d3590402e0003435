"""/api/notices: where status call-backs go, those that were given up, and sending these again."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import HTTPException, Path, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api.errors import Error
from api.gate import Seer
from api.router import Router
from services import notices
from services.access import Viewer, opened
from services.runtime import Runtime


class Address(BaseModel):
    """Where a system wants to be told."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    url: str = Field(min_length=1, max_length=500, description="https://host/path")


class NewTarget(Address):
    """Which system is told where."""

    kind: Literal["client", "webhook"]
    name: str = Field(min_length=1, max_length=80, description="Of the client, or of the webhook channel.")


class RegisteredOut(BaseModel):
    """A new target; the secret that signs what it is sent is shown this once."""

    id: int
    secret: str


class TargetOut(BaseModel):
    """A target, how many notices wait for it and how many were given up."""

    id: int
    kind: str
    name: str
    url: str
    created_at: datetime
    created_by: str
    waiting: int
    dead: int


class DeadOut(BaseModel):
    """A notice that was given up after all its tries."""

    id: UUID
    target_id: int
    kind: str
    name: str
    url: str
    ticket_id: int
    event: str
    status: str
    created_at: datetime
    dead_at: datetime
    tries: int
    answer: int | None = Field(description="HTTP status of the last answer; null when there was none.")
    error: str | None


def _refusals(*codes: tuple[int, str]) -> dict[int | str, dict[str, Any]]:
    return {code: {"model": Error, "description": words} for code, words in codes}


BAD = _refusals(
    (404, "You do not see the whole place."), (422, "No such system, or no address to be called.")
)
NO_TARGET = _refusals((404, "There is no such target."))
NO_NOTICE = _refusals((404, "There is no such notice that was given up."))
OWN = _refusals((403, "Only other systems, with a token, have call-backs of their own."))


def router(runtime: Runtime) -> Router:
    """The routes of status call-backs."""
    routes = Router(prefix="/api/notices", tags=["Call-backs out"])

    @routes.get("/targets")
    def targets(viewer: Seer) -> list[TargetOut]:
        """Where call-backs go."""
        with opened(runtime.pool, viewer, hat="access") as (conn, _):
            return [TargetOut.model_validate(row._asdict()) for row in notices.targets(conn, viewer)]

    @routes.post("/targets", status_code=201, response_model=RegisteredOut, responses=BAD)
    def register(target: NewTarget, viewer: Seer) -> Response:
        """Tell a system there from now on, instead of where it was told before; recorded."""
        with opened(runtime.pool, viewer, hat="access") as (conn, _):
            made = notices.register(conn, viewer, target.kind, target.name, target.url, runtime.settings)
        return JSONResponse(made._asdict(), 201)

    @routes.delete("/targets/{target_id}", status_code=204, responses=NO_TARGET)
    def end(target_id: int = Path(ge=1, lt=2**63), *, viewer: Seer) -> Response:
        """Tell nobody there any more; recorded."""
        with opened(runtime.pool, viewer, hat="access") as (conn, _):
            notices.end(conn, viewer, target_id)
        return Response(status_code=204)

    @routes.put("/own", response_model=RegisteredOut, responses=OWN | BAD)
    def register_own(address: Address, viewer: Seer) -> Response:
        """For another system with its token: tell me there what becomes of the tickets that I sent; recorded."""
        _own(viewer)
        with opened(runtime.pool, viewer, hat="access") as (conn, _):
            made = notices.register(conn, viewer, "client", viewer.name, address.url, runtime.settings)
        return JSONResponse(made._asdict())

    @routes.delete("/own", status_code=204, responses=OWN | NO_TARGET)
    def end_own(viewer: Seer) -> Response:
        """For another system with its token: tell me no more; recorded."""
        _own(viewer)
        with opened(runtime.pool, viewer, hat="access") as (conn, _):
            own = [
                row
                for row in notices.targets(conn, viewer)
                if (row.kind, row.name) == ("client", viewer.name)
            ]
            if not own:
                raise notices.UnknownTarget("you are told nowhere")
            notices.end(conn, viewer, own[0].id)
        return Response(status_code=204)

    @routes.get("/dead")
    def dead(viewer: Seer) -> list[DeadOut]:
        """What was given up, newest first; 500 at most."""
        with opened(runtime.pool, viewer, hat="access") as (conn, _):
            return [DeadOut.model_validate(row._asdict()) for row in notices.dead(conn, viewer)]

    @routes.post("/{notice_id}/again", status_code=202, responses=NO_NOTICE)
    def again(notice_id: UUID, viewer: Seer) -> Response:
        """Send it again, with all its tries."""
        with opened(runtime.pool, viewer, hat="access") as (conn, _):
            notices.again(conn, viewer, notice_id)
        return Response(status_code=202)

    return routes


def _own(viewer: Viewer) -> None:
    if viewer.kind != "client" or viewer.id <= 0:
        raise HTTPException(403, "Only other systems, with a token, have call-backs of their own.")
