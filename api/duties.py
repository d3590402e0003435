"""/api/duties: the responsibility list and the task list of each grid, and entering what was done of them."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api.errors import Error, refusal
from api.gate import Seer
from api.router import Router
from services.access import Right, opened
from services.loop import BadDuty, DoneAlready, DoneDuty, NewDuty, duties
from services.runtime import Runtime

Number = Annotated[int, Path(ge=1, le=2**62, description="The number after # of an item of the grid's own.")]
GridCode = Annotated[str, Path(min_length=1, max_length=40, description="Code of a grid.")]


class DutyOut(BaseModel):
    """An item on a grid's list, in the period that today lies in."""

    item: str = Field(
        description="A code of the place's list, or # and the number of an item of the grid's own."
    )
    kind: str
    name: str
    name_en: str | None
    every: str
    first_day: date
    last_day: date
    done_at: datetime | None
    done_by: str | None = Field(
        None, description="Left out, as are the words, for those who may not see people."
    )
    words: str | None = None


class ListsOut(BaseModel):
    """The lists of a grid."""

    area_no: int
    area_code: str
    area: str
    rows: list[DutyOut]


class ShareOut(BaseModel):
    """How much of a list is done in the current periods."""

    done: int
    owed: int


class GridOut(BaseModel):
    """How far a grid is with its lists."""

    area_no: int
    area_code: str
    area: str
    responsibility: ShareOut
    task: ShareOut


class ProgressOut(BaseModel):
    """How far the grids are, together and each."""

    responsibility: ShareOut
    task: ShareOut
    rows: list[GridOut]


class Added(BaseModel):
    """The new item."""

    item: str


BAD: dict[int | str, dict[str, Any]] = {
    404: {"model": Error, "description": "There is no such grid or item."},
    422: {"model": Error, "description": "A field is not as described."},
}
DONE: dict[int | str, dict[str, Any]] = {409: {"model": Error, "description": "It was entered already."}}


def router(runtime: Runtime) -> Router:
    """The routes, below /api/duties."""
    routes = Router(prefix="/api/duties", tags=["Loops"])
    profile = runtime.profile

    @routes.get("")
    def progress(
        viewer: Seer,
        within: Annotated[
            str | None, Query(description="Code of an area; all that you may see without it.", max_length=40)
        ] = None,
    ) -> ProgressOut:
        """How far the grids are with their lists in the current periods."""
        with opened(runtime.pool, viewer, within) as (conn, _):
            found = duties.progress(conn, profile)
        rows = [
            GridOut(
                area_no=row.grid.no,
                area_code=row.grid.code,
                area=row.grid.name,
                responsibility=_share([row.responsibility]),
                task=_share([row.task]),
            )
            for row in found
        ]
        return ProgressOut(
            responsibility=_share([row.responsibility for row in found]),
            task=_share([row.task for row in found]),
            rows=rows,
        )

    @routes.get("/{area}", responses=BAD)
    def lists(area: GridCode, viewer: Seer) -> ListsOut:
        """The lists of a grid, and what of them is done."""
        with opened(runtime.pool, viewer) as (conn, _):
            grid, found = duties.lists(conn, profile, area)
        people = viewer.may(Right.PEOPLE)
        rows = [_out(duty, people) for duty in found]
        return ListsOut(area_no=grid.no, area_code=grid.code, area=grid.name, rows=rows)

    @routes.post("", status_code=201, response_model=Added, responses=BAD)
    def add(new: NewDuty, viewer: Seer) -> Response:
        """Put an item on the list of one grid."""
        try:
            with opened(runtime.pool, viewer) as (conn, _):
                item = duties.add(conn, profile, viewer, new)
        except BadDuty as error:
            return refusal(422, "bad_duty", str(error), error.details)
        return JSONResponse({"item": item}, 201)

    @routes.post("/done", status_code=201, response_model=DutyOut, responses=BAD | DONE)
    def finish(done: DoneDuty, viewer: Seer) -> Response:
        """Enter that an item was done in its current period."""
        try:
            with opened(runtime.pool, viewer) as (conn, _):
                duty = duties.finish(conn, profile, viewer, done)
        except DoneAlready as error:
            return refusal(409, "done_already", str(error))
        return JSONResponse(_out(duty, viewer.may(Right.PEOPLE)).model_dump(mode="json"), 201)

    @routes.delete("/{item_id}", status_code=204, responses=BAD)
    def end(item_id: Number, viewer: Seer) -> Response:
        """Take an item of the grid's own off its list from today on; what was done of it stays."""
        with opened(runtime.pool, viewer) as (conn, _):
            duties.end(conn, profile, item_id)
        return Response(status_code=204)

    return routes


def _share(shares: list[duties.Share]) -> ShareOut:
    return ShareOut(done=sum(share.done for share in shares), owed=sum(share.owed for share in shares))


def _out(duty: duties.Duty, people: bool) -> DutyOut:
    done = duty.done
    return DutyOut(
        item=duty.item,
        kind=duty.kind,
        name=duty.name,
        name_en=duty.name_en,
        every=duty.every,
        first_day=duty.period.first,
        last_day=duty.period.last,
        done_at=done and done.done_at,
        done_by=done.done_by if done and people else None,
        words=done.words if done and people else None,
    )
