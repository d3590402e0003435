"""/api/desks…: whom to call back, what was tried, and the ledgers of all desks."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Path, Query, Response
from pydantic import AwareDatetime, Field

from api.care import PRINTED, REFUSALS, XLSX, Body, Within, _not_kept
from api.desk_words import say_of
from api.gate import Seer
from api.router import Router
from geodata.queries import desks as queries
from geodata.scope import Hat
from services.access import Right, Viewer, opened
from services.care.errors import NotForThem
from services.care.sealing import Seals
from services.desks import UnknownDesk, call_backs, ledgers
from services.desks.call_backs import Call, Outcome
from services.desks.ledgers import Asked, Ledger
from services.intake import reporter
from services.runtime import Runtime
from services.tickets import number

FIGURE_DAYS = 30
WORDS = ("title", "description", "address", "worker", "result")  # of people, for who may read them
TicketId = Annotated[int, Path(ge=1, lt=2**63, description="Id of a ticket.")]
Some = Annotated[int, Query(ge=1, le=200)]
From = Annotated[int, Query(ge=0, le=call_backs.MOST)]
Code = Annotated[str | None, Query(max_length=40, pattern=PRINTED)]
Card = dict[str, Any]
LEDGER_RIGHTS: dict[Ledger, Right] = {  # besides the right of taking tables away
    "call_backs": Right.TICKETS_CALL_BACK,
    "supervision": Right.TICKETS_SUPERVISE,
    "consultations": Right.TICKETS_SUPERVISE,
    "mediation": Right.MEDIATE,
}


class AttemptIn(Body):
    """A call that reached nobody."""

    outcome: Outcome
    again_at: AwareDatetime | None = Field(None, description="When to try again; else as the profile says.")


class ExportIn(Body):
    """What to take away, and why."""

    ledger: Ledger
    since: AwareDatetime
    until: AwareDatetime
    reason: str = Field(min_length=5, max_length=200)
    within: str | None = Field(None, max_length=40)
    lang: str = Field("zh-CN", pattern="^(zh-CN|en)$")


def router(runtime: Runtime) -> Router:
    """The routes; times are milliseconds since 1970."""
    routes = Router(
        prefix="/api/desks", tags=["Desks"], responses=REFUSALS, dependencies=[Depends(_not_kept)]
    )
    profile, pool, zone = runtime.profile, runtime.pool, ZoneInfo(runtime.profile.time_zone)
    seals = Seals.of(runtime.settings)

    @routes.get("/call-backs")
    def call_back_desk(
        viewer: Seer, within: Within = None, state: call_backs.State | None = None,
        reason: Code = None, limit: Some = 100, offset: From = 0,
    ) -> Card:  # fmt: skip
        """Who is to be called, in the order of what is to be done next; figures of the last 30 days."""
        now = datetime.now(UTC)
        since = now - timedelta(days=FIGURE_DAYS)
        with opened(pool, viewer, within) as (conn, _):
            desk = call_backs.desk(conn, profile, now)
            figures = queries.figures(conn, since)
        rows = [
            one
            for one in desk.calls
            if (one.state == state if state else one.state != "given_up")
            and (reason is None or one.ticket.reason == reason)
        ]
        return {
            "as_of": ms(now),
            "rows": [_call(profile.time_zone, viewer, one) for one in rows[offset : offset + limit]],
            "total": len(rows),
            "states": desk.states,
            "reasons": desk.reasons,
            "figures": {**figures._asdict(), "since": ms(since), "days": FIGURE_DAYS},
        }

    @routes.get("/call-backs/{ticket_id}")
    def call_back_case(ticket_id: TicketId, viewer: Seer) -> Card:
        """A ticket as the desk sees it: why it is to be called (null when not), all calls so far, and its facts."""
        now = datetime.now(UTC)
        with opened(pool, viewer) as (conn, _):
            told = facts_of(profile.time_zone, viewer, queries.facts(conn, ticket_id), ticket_id)
            call = call_backs.one_call(conn, profile, ticket_id, now)
            calls = queries.attempts(conn, ticket_id)
        rate = profile.desks.call_back.rate_of(told["channel"], told["category"])
        return {
            "as_of": ms(now),
            "ticket": told,
            "call": None if call is None else _call(profile.time_zone, viewer, call),
            "draw": round(call_backs.draw(ticket_id), 4),
            "rate": rate,
            "most_attempts": profile.desks.call_back.most_attempts,
            "attempts": [attempt_told(viewer, one) for one in calls],
        }

    @routes.post("/call-backs/{ticket_id}/attempts", status_code=201)
    def attempt(ticket_id: TicketId, body: AttemptIn, viewer: Seer) -> Card:
        """Write down that nobody answered. An answer is the ticket's own command call_back."""
        with opened(pool, viewer) as (conn, _):
            again = call_backs.in_vain(conn, profile, viewer, ticket_id, body.outcome, again_at=body.again_at)
        return {"again_at": None if again is None else ms(again)}

    @routes.post("/call-backs/{ticket_id}/reporter")
    def who_reported(ticket_id: TicketId, viewer: Seer) -> Card:
        """Name and number of who reported a ticket that is to be called back; each look stands in the audit."""
        with opened(pool, viewer) as (conn, _):
            if call_backs.one_call(conn, profile, ticket_id) is None:
                raise UnknownDesk(f"The ticket {ticket_id} is not to be called back.")
        with opened(pool, viewer, hat="care") as (conn, _):
            try:
                found = reporter.opened(conn, viewer, seals, ticket_id)
            except reporter.NoReporter as error:
                raise UnknownDesk(str(error)) from None
        return {"name": found.name, "phone": found.phone, "email": found.email}

    @routes.post("/export", response_class=Response, responses={200: {"content": {XLSX: {}}}})
    def take_away(body: ExportIn, viewer: Seer) -> Response:
        """A ledger as XLSX, watermarked with account, time and reason on every page, and audited.

        It needs the right of its desk besides that of taking tables away; parties stay masked.
        """
        now = datetime.now(UTC)
        asked = Asked(body.ledger, body.since, body.until, body.reason)
        hat: Hat | None = "care" if body.ledger == "mediation" else None
        with opened(pool, viewer, body.within, hat) as (conn, _):
            if not viewer.may(LEDGER_RIGHTS[body.ledger]):
                raise NotForThem("Your role does not include this ledger.")
            book = ledgers.export(conn, viewer, asked, say=say_of(profile, body.lang), zone=zone, now=now)
        name = f'attachment; filename="{body.ledger}-{now.astimezone(zone):%Y%m%d-%H%M}.xlsx"'
        return Response(
            book, media_type=XLSX, headers={"Content-Disposition": name, "Cache-Control": "no-store"}
        )

    return routes


def _call(time_zone: str, viewer: Viewer, call: Call) -> Card:
    told = call.ticket._asdict()
    for name in ("reported_at", "since", "last_at", "again_at"):
        told[name] = ms(told[name])
    if not viewer.may(Right.PEOPLE):
        told["title"] = None
    told |= {"draw": round(call.ticket.draw, 4), "due": ms(call.due), "state": call.state}
    return told | {"number": number(call.ticket.id, call.ticket.reported_at, time_zone)}


def facts_of(time_zone: str, viewer: Viewer, found: dict[str, Any] | None, ticket_id: int) -> Card:
    """What a board tells of a ticket; words of people for who may read them. Raises UnknownDesk for None."""
    if found is None:
        raise UnknownDesk(f"There is no ticket with the id {ticket_id}.")
    told = {name: ms(value) if isinstance(value, datetime) else value for name, value in found.items()}
    if not viewer.may(Right.PEOPLE):
        told |= dict.fromkeys(WORDS)
    return told | {"number": number(found["id"], found["reported_at"], time_zone)}


def attempt_told(viewer: Viewer, one: queries.Attempt) -> Card:
    """A call; what was said for who may read words of people."""
    told = one._asdict() | {"at": ms(one.at), "again_at": ms(one.again_at)}
    return told if viewer.may(Right.PEOPLE) else told | {"comment": None}


def ms(moment: datetime | None) -> int | None:
    """Milliseconds since 1970."""
    return None if moment is None else round(moment.timestamp() * 1000)
