"""/api/care…: the register of people owed care, masked; opened for a reason; visits written down; export."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, HTTPException, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from api.errors import Error
from api.gate import Seer
from api.router import Router
from geodata.queries import areas
from geodata.queries import care as queries
from geodata.scope import Db
from profiles import Named
from screens.words import LANGUAGES, t
from services.access import Viewer, opened
from services.access.limits import Limits
from services.care import export, opening, register, visits
from services.care.contents import Contact
from services.care.entry import Entry
from services.care.plan import Outcome, State, state_of
from services.care.register import Sight
from services.care.sealing import Seals
from services.runtime import Runtime

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Number = Annotated[int, Path(ge=1, le=10**15, description="Its number in the register.")]
Within = Annotated[
    str | None, Query(description="Code of an area; all that one may see without it.", max_length=40)
]
OPENINGS = (30, 600)  # records that one account may open: at once, seconds in which as many come back
Card = dict[str, Any]
Text = Annotated[str, Field(max_length=200)]
Day = date

REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {"model": Error, "description": words}
    for code, words in (
        (401, "Nobody is signed in."),
        (403, "The role does not include this."),
        (404, "There is no such record, or it lies outside of one's areas."),
        (422, "A field is not as described; details name it and what is expected."),
    )
}
TOO_MANY: dict[int | str, dict[str, Any]] = {
    429: {"model": Error, "description": "Too many records opened by one account; see Retry-After."}
}


PRINTED = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"  # PostgreSQL refuses a NUL in a text, and nobody types the others


class Body(BaseModel):
    """A body holds what is described and nothing else."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @field_validator("*", mode="after")
    @classmethod
    def _printed(cls, value: Any) -> Any:
        if isinstance(value, str) and not re.match(PRINTED, value):
            raise ValueError("has control characters")
        return value


class Reason(Body):
    """Why a record is opened."""

    reason: str = Field(min_length=5, max_length=200, examples=["Visit this afternoon: checking the address"])


class ContactIn(Body):
    """One of the five contacts (五包一)."""

    role: str = Field("", max_length=40, description="Code of a contact of the place's profile.")
    name: str = Field("", max_length=40)
    phone: str = Field("", max_length=40)


class RecordIn(Body):
    """A person owed care, as entered."""

    name: str = Field(min_length=1, max_length=60)
    category: str = Field(max_length=40, description="Code of a care category of the place's profile.")
    area: str = Field(max_length=40, description="Code of a grid.")
    phone: str | None = Field(None, max_length=40)
    id_number: str | None = Field(None, max_length=18, description="18 digits; never shown in full again.")
    building: Text | None = None
    lon: float | None = Field(None, ge=-180, le=180, description="Degrees, of the registered building.")
    lat: float | None = Field(None, ge=-90, le=90)
    contacts: list[ContactIn] = Field([], max_length=5)
    every_days: int = Field(30, ge=1, le=366, description="Days between two visits.")
    last_visit_on: Day | None = None
    next_visit_on: Day | None = None


class RecordChange(Body):
    """Fields to change; those that are not named stay as they are."""

    name: str | None = Field(None, min_length=1, max_length=60)
    category: str | None = Field(None, max_length=40)
    area: str | None = Field(None, max_length=40)
    phone: str | None = Field(None, max_length=40)
    id_number: str | None = Field(None, max_length=18)
    building: Text | None = None
    lon: float | None = Field(None, ge=-180, le=180)
    lat: float | None = Field(None, ge=-90, le=90)
    contacts: list[ContactIn] | None = Field(None, max_length=5)
    every_days: int | None = Field(None, ge=1, le=366)
    next_visit_on: Day | None = None
    ended_on: Day | None = Field(None, description="Care has ended; the record is deleted some time after.")


class VisitIn(Body):
    """A visit that was made."""

    outcome: Outcome
    visited_on: Day | None = Field(None, description="Local day; today without it.")
    note: str | None = Field(None, max_length=200, description="What was done or is needed; no opinions.")


class ExportIn(Reason):
    """What to take away, and why."""

    within: str | None = Field(None, max_length=40)
    state: State | None = None
    category: str | None = Field(None, max_length=40)
    lang: str = Field("zh-CN", pattern="^(zh-CN|en)$")


class OpenLimit:
    """A dependency of the route: who opens one record after another copies the register unseen by its watermark."""

    def __init__(self, runtime: Runtime) -> None:
        self._limits = Limits(runtime.redis, runtime.stores.key_prefix)

    def __call__(self, viewer: Seer) -> None:
        """Raises HTTPException 429 with Retry-After (seconds)."""
        if wait_s := self._limits.take("care-open", f"{viewer.kind} {viewer.id}", *OPENINGS):
            words = f"Too many records opened; try again in {wait_s} seconds."
            raise HTTPException(429, words, {"Retry-After": str(wait_s)})


def router(runtime: Runtime) -> Router:
    """The routes; days are local days of the place (YYYY-MM-DD), times are milliseconds since 1970."""
    routes = Router(tags=["People under care"], responses=REFUSALS, dependencies=[Depends(_not_kept)])
    profile, settings, zone = runtime.profile, runtime.settings, ZoneInfo(runtime.profile.time_zone)
    seals = Seals.of(settings)

    def today() -> date:
        return datetime.now(zone).date()

    def card(conn: Db, viewer: Viewer, care_id: int) -> Card:
        sight = register.seen(conn, viewer, care_id, seals, today())
        return {
            **_facts(sight, profile.care, profile.contacts),
            "path": [step._asdict() for step in areas.path(conn, sight.row.area_no)],
            "visits": [_visit(one, sight.opened is not None) for one in queries.visits(conn, care_id, 5)],
            "open_minutes": settings.care_open_minutes,
            "as_of": _ms(datetime.now(UTC)),
        }

    @routes.get("/api/care")
    def listed(
        viewer: Seer,
        within: Within = None,
        state: State | None = None,
        category: Annotated[str | None, Query(max_length=40, pattern=PRINTED)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        after: Annotated[
            int | None, Query(ge=1, le=10**15, description="`after` of the page before.")
        ] = None,
    ) -> Card:
        """The register, masked, those to be visited first before others; without a state all whose care goes on."""
        with opened(runtime.pool, viewer, within, "care") as (conn, _):
            day = today()
            page = register.listed(conn, day, state=state, category=category, limit=limit, after=after)
            names = queries.grid_names(conn, [row.area_no for row in page.rows])
        rows = [{**_row(row, day), "area": names.get(row.area_no)} for row in page.rows]
        return {"rows": rows, "total": page.total, "after": page.after}

    @routes.get("/api/map/care/visits")
    def due(viewer: Seer, within: Within = None) -> Card:
        """Visits that are due within a week or overdue, as masked markers; 5,000 at most."""
        with opened(runtime.pool, viewer, within, "care") as (conn, _):
            found = visits.due(conn, today())
        rows = [
            [one.marker.id, round(one.marker.lon, 6), round(one.marker.lat, 6), one.marker.category, one.state,
             one.marker.area_no]
            for one in found
        ]  # fmt: skip
        columns = ["id", "lon", "lat", "category", "state", "area_no"]
        return {"as_of": _ms(datetime.now(UTC)), "columns": columns, "rows": rows}

    @routes.get("/api/care/{care_id}")
    def seen(care_id: Number, viewer: Seer) -> Card:
        """One record, masked; open while a grant of one's own lasts, and each such look stands in the audit."""
        with opened(runtime.pool, viewer, hat="care") as (conn, _):
            return card(conn, viewer, care_id)

    @routes.post("/api/care/{care_id}/open", responses=TOO_MANY, dependencies=[Depends(OpenLimit(runtime))])
    def open_record(care_id: Number, body: Reason, viewer: Seer) -> Card:
        """Open a record to oneself for some minutes (setting care_open_minutes). The reason stands in the audit."""
        with opened(runtime.pool, viewer, hat="care") as (conn, _):
            opening.open_record(conn, viewer, care_id, body.reason, settings.care_open_minutes)
            return card(conn, viewer, care_id)

    @routes.post("/api/care", status_code=201)
    def add(body: RecordIn, viewer: Seer) -> Card:
        """Enter a record; the answer shows it masked."""
        entry = Entry(**{**body.model_dump(exclude={"contacts"}), "contacts": _contacts(body.contacts)})
        with opened(runtime.pool, viewer, hat="care") as (conn, _):
            return card(conn, viewer, register.add(conn, viewer, entry, seals, profile, today()))

    @routes.patch("/api/care/{care_id}")
    def change(care_id: Number, body: RecordChange, viewer: Seer) -> Card:
        """Change fields of a record, or end it with `ended_on`."""
        changes = body.model_dump(exclude_unset=True)
        if "contacts" in changes:
            changes["contacts"] = _contacts(body.contacts or [])
        with opened(runtime.pool, viewer, hat="care") as (conn, _):
            register.change(conn, viewer, care_id, changes, seals, profile, today())
            return card(conn, viewer, care_id)

    @routes.post("/api/care/{care_id}/visits", status_code=201)
    def visit(care_id: Number, body: VisitIn, viewer: Seer) -> Card:
        """Write a visit down; the next one moves on by the plan, unless nobody was there."""
        with opened(runtime.pool, viewer, hat="care") as (conn, _):
            day = today()
            visits.record_visit(
                conn,
                viewer,
                care_id,
                visited_on=body.visited_on or day,
                outcome=body.outcome,
                note=body.note,
                today=day,
            )
            return card(conn, viewer, care_id)

    @routes.post("/api/care/export", response_class=Response, responses={200: {"content": {XLSX: {}}}})
    def take_away(body: ExportIn, viewer: Seer) -> Response:
        """The register, opened, as XLSX with a watermark of account, time and reason on every page."""
        now = datetime.now(zone)
        with opened(runtime.pool, viewer, body.within, "care") as (conn, _):
            book = export.export(
                conn, viewer, body.reason,
                words=_headings(body.lang),
                categories={one.code: _name(one, body.lang) for one in profile.care},
                roles={one.code: _name(one, body.lang) for one in profile.contacts},
                seals=seals, state=body.state, category=body.category, now=now,
            )  # fmt: skip
        name = f'attachment; filename="care-{now:%Y%m%d-%H%M}.xlsx"'
        return Response(
            book, media_type=XLSX, headers={"Content-Disposition": name, "Cache-Control": "no-store"}
        )

    return routes


async def _not_kept(response: Response) -> None:
    """No cache keeps what is told of people."""
    response.headers["Cache-Control"] = "no-store"


def _facts(sight: Sight, categories: list[Named], roles: list[Named]) -> Card:
    row, grant = sight.row, sight.opened
    known = {one.code: one for one in roles}
    contacts = [
        {**one, "role": _word(known.get(one["role"]), one["role"])} for one in sight.fields["contacts"]
    ]
    category = next((one for one in categories if one.code == row.category), None)
    return {
        "kind": "care",
        "id": row.id,
        "code": row.code,
        "category": {"code": row.category, **_word(category, row.category)},
        "area_no": row.area_no,
        "state": sight.state,
        **{name: sight.fields[name] for name in ("name", "phone", "id_number", "building")},
        "contacts": contacts,
        "every_days": row.every_days,
        "last_visit_on": row.last_visit_on,
        "next_visit_on": row.next_visit_on,
        "started_on": row.started_on,
        "ended_on": row.ended_on,
        "generated": row.generated,
        "open_until": None if grant is None else _ms(grant.until),
        "reason": None if grant is None else grant.reason,
    }


def _row(row: queries.CareRow, today: date) -> Card:
    told = row._asdict()
    told["name"] = told.pop("name_masked")
    return {**told, "state": state_of(row.next_visit_on, row.ended_on, today)}


def _visit(row: queries.VisitRow, is_open: bool) -> Card:
    """A visit; the note only with the record open."""
    return {
        "visited_on": row.visited_on,
        "outcome": row.outcome,
        "visited_by": row.visited_by,
        "note": row.note if is_open else None,
    }


def _contacts(told: list[ContactIn]) -> tuple[Contact, ...]:
    return tuple(Contact(one.role, one.name, one.phone) for one in told)


def _headings(lang: str) -> dict[str, str]:
    assert lang in LANGUAGES
    names = [
        *export.COLUMNS,
        *(f"state.{state}" for state in ("overdue", "due", "later", "ended")),
    ]
    told = {name: t(lang, f"care.{name}" if "." in name else f"care.export.{name}") for name in names}
    return told | {"watermark": t(lang, "care.watermark")}


def _word(named: Named | None, code: str) -> dict[str, str]:
    return {"name": named.name if named else code, "name_en": named.name_en if named else code}


def _name(named: Named, lang: str) -> str:
    return named.name_en if lang == "en" else named.name


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
