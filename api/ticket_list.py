"""GET /api/tickets and what belongs to the list: commands for many, filters kept, export."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import orjson
from fastapi import Header, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.errors import Error, named
from api.gate import Seer
from api.router import Router
from profiles import Profile
from screens.words import t
from services.access import opened
from services.runtime import Runtime
from services.ticket_list import bulk, export, listing, saved
from services.ticket_list.asked import FLAGS, GROUPS, LOCATED, SORTS, Asked
from services.tickets import number
from services.tickets.states import STATUSES

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Row = dict[str, Any]
Id = Annotated[int, Field(ge=1, lt=2**63)]
Several = Annotated[str | None, Query(max_length=1000, description="Several with a comma between.")]
Day = Annotated[date | None, Query(description="Local day, YYYY-MM-DD, inside.")]
ANSWERS: dict[int | str, dict[str, Any]] = {
    code: {"model": Error, "description": words}
    for code, words in (
        (403, "The role does not include this."),
        (404, "There is no such area or filter, or it lies outside of one's areas."),
        (422, "A filter or field is not as described; details name it and what is expected."),
    )
}


class PageOut(BaseModel):
    """A page of the list."""

    rows: list[Row] = Field(description="Tickets; times are milliseconds since 1970.")
    next: str | None = Field(description="`after` of the next page; null = this is the last.")
    total: int = Field(description="How many there are; at least, where `more` is true.")
    more: bool
    late: int = Field(description="How many of them are overdue.")
    looked_at: int | None = Field(description="Only the newest so many were sorted or searched; null = all.")
    as_of: int


class Body(BaseModel):
    """A body holds what is described and nothing else."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ItemIn(Body):
    """A ticket and the version that the sender has seen."""

    id: Id
    version: int = Field(ge=1, lt=2**31)


class BulkIn(Body):
    """One command for many tickets."""

    command: str = Field(max_length=40, examples=["accept"])
    order: dict[str, Any] = Field({}, description="What the command carries, without the version.")
    tickets: list[ItemIn] = Field(min_length=1, max_length=bulk.MOST)


class OfferIn(Body):
    """Tickets that were chosen."""

    ids: list[Id] = Field(min_length=1, max_length=bulk.MOST)


class ExportIn(Body):
    """The list to take away."""

    filters: Asked = Asked()
    lang: Literal["zh-CN", "en"] = "zh-CN"


class FilterIn(Body):
    """A list to keep."""

    name: str = Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$")
    filters: Asked
    share: str | None = Field(None, max_length=40, description="Code of the area that has it too.")


def router(runtime: Runtime) -> Router:
    """The routes of the list."""
    routes = Router(prefix="/api", tags=["Tickets"], responses=ANSWERS)
    profile = runtime.profile

    @routes.get("/tickets")
    def listed(
        viewer: Seer,
        q: Annotated[
            str | None,
            Query(max_length=100, description="Words of title, description and address; a number."),
        ] = None,
        area: Annotated[str | None, Query(max_length=40, description="Code of an area.")] = None,
        status: Annotated[
            str | None,
            Query(
                max_length=1000,
                description=f"{', '.join(GROUPS)}, or of {', '.join(STATUSES)}; open by default.",
            ),
        ] = None,
        channel: Several = None,
        category: Several = None,
        severity: Several = None,
        department: Several = None,
        worker: Annotated[str | None, Query(max_length=40)] = None,
        flag: Annotated[
            str | None, Query(max_length=200, description=f"All hold: {', '.join(FLAGS)}.")
        ] = None,
        located: Annotated[str | None, Query(max_length=200, description=f"{', '.join(LOCATED)}.")] = None,
        since: Day = None,
        until: Day = None,
        closed_since: Day = None,
        closed_until: Day = None,
        sort: Annotated[
            str, Query(max_length=20, description=f"{', '.join(SORTS)}; - before it = descending.")
        ] = "due",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        after: Annotated[str | None, Query(max_length=400, description="`next` of the page before.")] = None,
    ) -> PageOut:
        """Tickets in scope: open ones by their deadline, or what the filters say. No page is left out or told twice
        while tickets keep their place in the order."""
        days = {"since": since, "until": until, "closed_since": closed_since, "closed_until": closed_until}
        words = {
            "q": q, "area": area, "status": status, "channel": channel, "category": category,
            "severity": severity, "department": department, "worker": worker, "flag": flag,
            "located": located, "sort": sort,
        }  # fmt: skip
        asked = Asked.of_query(words | {name: day.isoformat() for name, day in days.items() if day})
        now = datetime.now(UTC)
        with opened(runtime.pool, viewer, asked.area) as (conn, scope):
            page = listing.page(conn, profile, viewer, asked, scope, now=now, limit=limit, after=after)
        told = {
            "rows": [listing.told(row, profile) for row in page.rows],
            "as_of": round(now.timestamp() * 1000),
        }
        return PageOut.model_validate({**page._asdict(), **told})

    @routes.post("/tickets/export", response_class=Response, responses={200: {"content": {XLSX: {}}}})
    def take_away(body: ExportIn, viewer: Seer) -> Response:
        """The list, as filtered and at most 5,000 rows, as XLSX with a watermark of account, time and filters."""
        now = datetime.now(UTC)
        with opened(runtime.pool, viewer, body.filters.area) as (conn, scope):
            book = export.export(
                conn, profile, viewer, body.filters, scope, names=_names(profile, body.lang), now=now
            )
        stamp = now.astimezone(ZoneInfo(profile.time_zone))
        headers = {
            "Content-Disposition": f'attachment; filename="tickets-{stamp:%Y%m%d-%H%M}.xlsx"',
            "Cache-Control": "no-store",
        }
        return Response(book, media_type=XLSX, headers=headers)

    @routes.post("/tickets/bulk")
    def give(
        body: BulkIn,
        viewer: Seer,
        key: Annotated[
            str | None,
            Header(alias="Idempotency-Key", min_length=1, max_length=80, description="As for one command."),
        ] = None,
    ) -> Row:
        """One command for up to 200 tickets: each is carried out by itself, and answers by itself."""
        items = [bulk.Item(one.id, one.version) for one in body.tickets]
        answers = bulk.give(runtime.pool, profile, viewer, body.command, body.order, items, key=key)
        rows = [_answer(profile, one) for one in answers]
        return {"done": sum(row["ok"] for row in rows), "rows": rows}

    @routes.post("/tickets/bulk/commands")
    def offered(body: OfferIn, viewer: Seer) -> Row:
        """The commands that the asker may give to some of these tickets, and to how many of them."""
        rows = bulk.offers(runtime.pool, profile, viewer, body.ids)
        return {"commands": [{**row._asdict(), "needs": list(row.needs)} for row in rows]}

    @routes.get("/ticket-filters")
    def kept(viewer: Seer) -> list[Row]:
        """The filters that the account keeps, then those that are shared with its areas."""
        return [row._asdict() for row in saved.kept(runtime.pool, viewer)]

    @routes.post("/ticket-filters", status_code=201)
    def keep(body: FilterIn, viewer: Seer) -> Row:
        """Keep a filter; one of the account's own with the same name is replaced."""
        return {"id": saved.keep(runtime.pool, viewer, body.name, body.filters, body.share)}

    @routes.delete("/ticket-filters/{filter_id}", status_code=204)
    def forget(filter_id: Annotated[int, Path(ge=1, lt=2**63)], viewer: Seer) -> None:
        """Delete one of the account's own filters."""
        saved.forget(runtime.pool, viewer, filter_id)

    return routes


def _answer(profile: Profile, answer: bulk.Answer) -> Row:
    if answer.ticket is not None:
        ticket = answer.ticket.ticket
        told = {"id": ticket.id, "version": ticket.version, "status": ticket.status}
        return {"ok": True, **told, "number": number(ticket.id, ticket.reported_at, profile.time_zone)}
    refused = named(answer.error, "/api/tickets/bulk") if answer.error else None
    told = (
        orjson.loads(bytes(refused.body))["error"]
        if refused
        else {"code": "error", "message": "", "details": []}
    )
    return {"ok": False, "id": answer.id, **told}


def _names(profile: Profile, lang: str) -> export.Names:
    """What everything is called in a file of that language."""

    def word(named: Any) -> str:
        return str(named.name_en if lang == "en" else named.name)

    def words(several: Any) -> dict[str, str]:
        return {one.code: word(one) for one in several}

    return export.Names(
        columns={name: t(lang, f"list.export.{name}") for name in export.COLUMNS},
        statuses={code: word(label) for code, label in profile.statuses.items()},
        categories={
            kind.code: (word(whole), word(kind)) for whole in profile.categories for kind in whole.kinds
        },
        channels=words(profile.channels),
        severities=words(profile.loop.severities),
        departments=words(profile.departments),
        supervisions=words(profile.loop.supervisions),
        satisfactions={
            name: t(lang, f"map.satisfaction.{name}")
            for name in ("satisfied", "fairly", "unsatisfied", "unrated")
        },
        late=t(lang, "list.export.overdue"),
        watermark=t(lang, "list.watermark"),
    )
