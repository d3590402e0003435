"""/api/rounds: the rounds that areas make in each period, which are missing, and entering one."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api.errors import Error, refusal
from api.gate import Seer
from api.router import Router
from services.access import Right, opened
from services.loop import BadRound, MadeAlready, NewRound, rounds
from services.runtime import Runtime


class LowerOut(BaseModel):
    """The rounds of the next narrower kind in the area: made, of so many owed until now."""

    kind: str
    made: int
    owed: int


class LineOut(BaseModel):
    """An area and its round of the period. `found` are tickets of the period, `open` and `overdue` those of now."""

    area_no: int
    area_code: str
    area: str
    state: Literal["done", "done_late", "missing", "waiting"]
    done_at: datetime | None
    done_by: str | None = Field(
        None, description="Left out, as are the words, for those who may not see people."
    )
    words: str | None = None
    figures: dict[str, Any] | None = Field(None, description="As they stood when it was made.")
    generated: bool
    found: int
    closed: int
    open: int
    overdue: int
    patrols: int = Field(description="Workers who were about, by day.")
    lower: LowerOut | None = None


class SheetOut(BaseModel):
    """The rounds of one kind and period: made (some late), of so many owed, and missing since they were due."""

    kind: str
    name: str
    name_en: str
    level: str
    first_day: date
    last_day: date
    due: datetime
    owed: int
    done: int
    done_late: int
    missing: int
    rows: list[LineOut]


BAD: dict[int | str, dict[str, Any]] = {
    422: {"model": Error, "description": "The place has no such round, or a field is not as described."}
}
MADE: dict[int | str, dict[str, Any]] = {409: {"model": Error, "description": "It was made already."}}


def router(runtime: Runtime) -> Router:
    """The routes, below /api/rounds."""
    routes = Router(prefix="/api/rounds", tags=["Loops"])
    profile = runtime.profile

    @routes.get("", response_model=SheetOut, responses=BAD)
    def sheet(
        viewer: Seer,
        kind: Annotated[str, Query(max_length=40, description="Code of a round: see /api/loop.")],
        on: Annotated[date | None, Query(description="A local day of the period; today without it.")] = None,
        within: Annotated[
            str | None, Query(description="Code of an area; all that you may see without it.", max_length=40)
        ] = None,
    ) -> Any:
        """Who has made the round of that period, what it found, and who owes it still."""
        people = viewer.may(Right.PEOPLE)
        try:
            with opened(runtime.pool, viewer, within) as (conn, _):
                found = rounds.sheet(conn, profile, kind, on)
        except BadRound as error:
            return refusal(422, "bad_round", str(error), error.details)
        return SheetOut(
            kind=found.kind.code,
            name=found.kind.name,
            name_en=found.kind.name_en,
            level=found.kind.level,
            first_day=found.period.first,
            last_day=found.period.last,
            due=found.due,
            owed=len(found.lines),
            done=found.count("done", "done_late"),
            done_late=found.count("done_late"),
            missing=found.count("missing"),
            rows=[_line(line, people) for line in found.lines],
        )

    @routes.post("", status_code=201, response_model=LineOut, responses=BAD | MADE)
    def make(new: NewRound, viewer: Seer) -> Response:
        """Enter that an area has made its round; the figures of its period are kept with it as they stand now."""
        try:
            with opened(runtime.pool, viewer) as (conn, _):
                line = rounds.make(conn, profile, viewer, new)
        except BadRound as error:
            return refusal(422, "bad_round", str(error), error.details)
        except MadeAlready as error:
            return refusal(409, "made_already", str(error))
        return JSONResponse(_line(line, viewer.may(Right.PEOPLE)).model_dump(mode="json"), 201)

    return routes


def _line(line: rounds.Line, people: bool) -> LineOut:
    told = line.row._asdict() | {"state": line.state}
    told["lower"] = line.lower and LowerOut(kind=line.lower.kind, made=line.lower.made, owed=line.lower.owed)
    return LineOut.model_validate(told if people else told | {"done_by": None, "words": None})
