"""/api/loop: a place's own steps, words and lists; and where a ticket stands on its way."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, Field

from api.errors import Error
from api.gate import Seer
from api.router import Router
from geodata.queries.loop import areas_of
from profiles import Level
from profiles.part import Label
from services import loop, tickets
from services.access import Right, opened
from services.loop import lists
from services.runtime import Runtime

Within = Annotated[
    str | None, Query(description="Code of an area; all that you may see without it.", max_length=40)
]
TicketId = Annotated[int, Path(ge=1, le=2**63 - 1)]
UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Error, "description": "There is no such thing here."}
}


class Words(BaseModel):
    """Something with a code and a name in both languages."""

    code: str
    name: str
    name_en: str


class StageOut(Words):
    """A step; `who` does it in the place's words, `by` and `role` did it."""

    standing: str = Field(
        description="done, current, waiting, skipped, or unneeded (supervision that nobody called)."
    )
    who: Label | None
    at: datetime | None = Field(description="When it was done.")
    role: str | None
    by: str | None = Field(None, description="Left out for those who may not see people.")
    since: datetime | None = Field(description="Of a step beside the way: when it was opened.")
    times: int = Field(description="How often it was done, redone ones included.")
    due: datetime | None
    late: bool = Field(description="Whether it was done after that.")


class CourseOut(BaseModel):
    """Where a ticket stands on its place's own way."""

    id: int
    version: int
    status: Words
    way: Words
    assumed: Label | None = Field(
        description="What to say beside the category where the place's catalogue is made up."
    )
    current: list[str] = Field(description="Codes of the steps that it stands in.")
    ended: str | None = Field(description="merged, rejected or cancelled, when it ended off the way.")
    stages: list[StageOut]


class TrackOut(Words):
    """A track: its steps, and what commands are called on it."""

    words: dict[str, Label]
    stages: list[Words]


class LoopOut(BaseModel):
    """What this place calls things, and what its commands carry."""

    ways: list[TrackOut] = Field(
        validation_alias="tracks", description="The first that is meant for a ticket counts."
    )
    words: dict[str, Label] = Field(description="Command → what it is called here.")
    statuses: dict[str, Label]
    needs: dict[str, list[str]] = Field(description="Command → fields that it must carry here.")
    first: dict[str, list[str]] = Field(description="Command → commands that must have been given before.")
    roles: dict[str, list[str]] = Field(
        description="Command → roles that may give it; others: by right alone."
    )
    severities: list[Words]
    natures: list[Words]
    risks: list[Words]
    work_kinds: list[Words]
    supervisions: list[Words]
    tiers: list[Words]
    rounds: list[Words]


class MatterOut(Words):
    """A matter on the second level, with its limit."""

    limit: float
    limit_unit: str
    department: str | None


class ClassOut(Words):
    """A class of matters."""

    kinds: list[MatterOut]


class CatalogueOut(BaseModel):
    """All matters on two levels; `source` says when the list is made up."""

    count: int
    assumed: bool
    source: Label | None
    classes: list[ClassOut]


class LevelOut(Words):
    """A warning level and how many tickets stand on it."""

    count: int


class AreaOut(BaseModel):
    """How many tickets of an area stand on each level."""

    no: int
    code: str
    name: str
    counts: dict[str, int]


class TicketRow(BaseModel):
    """An open ticket of a list."""

    id: int
    number: str
    reported_at: datetime
    status: str
    category: str
    channel: str
    title: str | None = Field(None, description="Left out for those who may not see people.")
    area_no: int
    area: str
    due_at: datetime | None
    level: str | None = None
    department: str | None = None
    escalation: int | None = None
    supervision: str | None = None


class WarningsOut(BaseModel):
    """The warning lists: levels rising, the areas below, and at most 500 tickets, the highest level first."""

    levels: list[LevelOut]
    areas: list[AreaOut]
    rows: list[TicketRow]


class LedgerOut(Words):
    """A ledger."""

    open: int
    overdue: int = Field(description="Of those that are open.")
    closed: int = Field(description="In the last 30 days.")


class LedgersOut(BaseModel):
    """The ledgers by grade of risk; rows of the one asked for, due first, at most 500."""

    ledgers: list[LedgerOut]
    rows: list[TicketRow]


def router(runtime: Runtime) -> Router:
    """The routes: below /api/loop, and the steps of a ticket below /api/tickets."""
    routes = Router(tags=["Loops"])
    profile = runtime.profile

    @routes.get("/api/loop")
    def whole(viewer: Seer) -> LoopOut:
        """The place's own steps and words, and what its commands carry."""
        own = profile.loop
        return LoopOut.model_validate(
            own.model_dump()
            | {"statuses": {code: label.model_dump() for code, label in profile.statuses.items()}}
        )

    @routes.get("/api/loop/catalogue")
    def catalogue(viewer: Seer) -> CatalogueOut:
        """The matters that tickets are about, on two levels, each with its limit."""
        told = profile.loop.catalogue
        classes = [ClassOut.model_validate(row.model_dump()) for row in profile.categories]
        return CatalogueOut(
            count=sum(len(row.kinds) for row in classes),
            assumed=told is not None and told.assumed,
            source=None if told is None else Label(name=told.name, name_en=told.name_en),
            classes=classes,
        )

    @routes.get("/api/loop/warnings", responses=UNKNOWN)
    def warnings(
        viewer: Seer,
        within: Within = None,
        level: Annotated[str | None, Query(max_length=40, description="Rows of this level only.")] = None,
        by: Annotated[Level, Query(description="Level of the areas that are counted.")] = "town",
    ) -> WarningsOut:
        """The warning lists on their levels: how many by area, and the tickets."""
        people = viewer.may(Right.PEOPLE)
        with opened(runtime.pool, viewer, within) as (conn, _):
            found = lists.warnings(conn, profile, by, level)
            places = areas_of(conn, by)
        codes = [row.code for row in found.levels]
        return WarningsOut(
            levels=[LevelOut(**_named(row), count=found.total(row.code)) for row in found.levels],
            areas=[
                AreaOut(
                    no=no, code=code, name=name, counts={key: found.counts.get((no, key), 0) for key in codes}
                )
                for no, code, name in places
            ],
            rows=[
                _row(runtime, row._asdict() | {"level": codes[row.level - 1]}, people) for row in found.rows
            ],
        )

    @routes.get("/api/loop/ledgers", responses=UNKNOWN)
    def ledgers(
        viewer: Seer,
        within: Within = None,
        risk: Annotated[str | None, Query(max_length=40, description="Rows of this ledger.")] = None,
    ) -> LedgersOut:
        """The ledgers of risk: how many tickets each holds, and the open ones of one of them."""
        people = viewer.may(Right.PEOPLE)
        with opened(runtime.pool, viewer, within) as (conn, _):
            found = lists.ledgers(conn, profile, risk)
        return LedgersOut(
            ledgers=[
                LedgerOut(**_named(row.risk), open=row.open, overdue=row.overdue, closed=row.closed)
                for row in found
            ],
            rows=[_row(runtime, ticket._asdict(), people) for row in found for ticket in row.rows],
        )

    @routes.get("/api/tickets/{ticket_id}/stages", responses=UNKNOWN)
    def stages(ticket_id: TicketId, viewer: Seer) -> CourseOut:
        """Where a ticket stands on the place's own way: which steps are done, by whom, which is current, which wait."""
        with opened(runtime.pool, viewer) as (conn, _):
            ticket = tickets.read(conn, ticket_id)
            told = loop.shown(conn, profile, ticket, people=viewer.may(Right.PEOPLE))
        return CourseOut.model_validate(told)

    return routes


def _row(runtime: Runtime, row: dict[str, Any], people: bool) -> TicketRow:
    number = tickets.number(row["id"], row["reported_at"], runtime.profile.time_zone)
    return TicketRow.model_validate(row | {"number": number, "title": row["title"] if people else None})


def _named(thing: Any) -> dict[str, str]:
    return {"code": thing.code, "name": thing.name, "name_en": thing.name_en}
