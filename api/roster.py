"""/api/roster: who is on duty on a day, entering a turn and taking one out."""

from datetime import date
from typing import Annotated, Any

from fastapi import Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api.errors import Error, refusal
from api.gate import Seer
from api.router import Router
from services import roster
from services.access import Right, opened
from services.roster import BadTurn, NewTurn, UnknownTurn
from services.runtime import Runtime

Number = Annotated[int, Path(ge=1, le=2**62, description="Its number in the list.")]


class Words(BaseModel):
    """A post's name."""

    code: str
    name: str
    name_en: str


class TurnOut(BaseModel):
    """A turn of duty; who has it is left out for those who may not see people, a wall among them."""

    id: int | None = None
    area_no: int
    area_code: str
    area: str
    level: str
    role: Words
    date: date
    from_: str = Field(serialization_alias="from", validation_alias="from", description="Local time.")
    to: str = Field(description="Local time; not after `from`: on the next day.")
    now: bool = Field(description="On duty at this moment, nobody standing in.")
    generated: bool
    name: str | None = None
    phone: str | None = None
    substitute_for: str | None = None
    source: str | None = None


class DutyOut(BaseModel):
    """A post that is held at this moment; who holds it is left out for those who may not see people. Times in ms."""

    area_no: int
    area: str
    level: str
    role: Words
    since: int | None = None
    until: int = Field(description="When the turn, or that of who stands in, changes.")
    generated: bool
    name: str | None = None
    phone: str | None = None
    substitute_for: str | None = None


class PostOut(Words):
    """A post of this place, and the level of area that it usually serves."""

    level: str


class DayOut(BaseModel):
    """The turns that begin on a day, wider areas first; the posts that a turn may be of."""

    rows: list[TurnOut]
    on_duty: list[DutyOut] = Field(
        description="At this moment, turns of the day before included; without `on` only."
    )
    posts: list[PostOut]


class Entered(BaseModel):
    """The new turn."""

    id: int


BAD: dict[int | str, dict[str, Any]] = {
    404: {"model": Error, "description": "There is no such area."},
    422: {"model": Error, "description": "A field is not as described, or the turn cannot be."},
}
UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": Error, "description": "There is no such turn."}}


def router(runtime: Runtime) -> Router:
    """The routes, below /api/roster."""
    routes = Router(prefix="/api/roster", tags=["Roster"])
    posts = [
        PostOut(code=post.code, name=post.name, name_en=post.name_en, level=post.level)
        for post in runtime.profile.posts
    ]

    @routes.get("")
    def day(
        viewer: Seer,
        within: Annotated[
            str | None, Query(description="Code of an area; all that you may see without it.", max_length=40)
        ] = None,
        on: Annotated[date | None, Query(description="Local day; today without it.")] = None,
    ) -> DayOut:
        """The turns of a day."""
        with opened(runtime.pool, viewer, within) as (conn, scope):
            here, people = (scope.lo, scope.hi), viewer.may(Right.PEOPLE)
            rows = roster.day(conn, *here, on, runtime.profile, people=people)
            held = [] if on else roster.reachable(conn, here, runtime.profile, people=people)
        return DayOut(
            rows=[TurnOut.model_validate(row) for row in rows],
            on_duty=[DutyOut.model_validate(row) for row in held],
            posts=posts,
        )

    @routes.post("", status_code=201, response_model=Entered, responses=BAD)
    def enter(turn: NewTurn, viewer: Seer) -> Response:
        """Enter a turn of duty, or somebody who stands in for another; recorded."""
        try:
            with opened(runtime.pool, viewer) as (conn, _):
                number = roster.add(conn, viewer, turn, runtime.profile)
        except BadTurn as error:
            return refusal(422, "bad_turn", str(error), error.details)
        return JSONResponse({"id": number}, 201)

    @routes.delete("/{turn_id}", status_code=204, responses=UNKNOWN)
    def take_out(turn_id: Number, viewer: Seer) -> Response:
        """Take a turn out, with those who stood in for it; recorded."""
        try:
            with opened(runtime.pool, viewer) as (conn, _):
                roster.remove(conn, viewer, turn_id)
        except UnknownTurn as error:
            return refusal(404, "unknown_turn", str(error))
        return Response(status_code=204)

    return routes
