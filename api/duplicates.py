"""Likely duplicates of a ticket or of a draft, and the voices that a merged ticket keeps."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from api.errors import Error
from api.gate import Seer
from api.router import Router
from profiles import Profile
from screens.words import t
from services import duplicates, tickets
from services.access import Right, Viewer, opened
from services.duplicates import Candidate, Draft, Voice
from services.runtime import Runtime

Lang = Annotated[str | None, Query(pattern="^(zh-CN|en)$", description="Language of the reasons' words.")]


class Reason(BaseModel):
    """Why it is offered."""

    key: str
    text: str


class CandidateOut(BaseModel):
    """A ticket that is likely the same. Its words are given to who may see people."""

    id: int
    number: str
    version: int
    status: str
    channel: str
    category: str
    reported_at: datetime
    closed_at: datetime | None
    area_no: int
    area: str
    location: str
    lon: float | None
    lat: float | None
    title: str | None = None
    address: str | None = None
    distance_m: float | None = Field(description="Metres; null where one of the two has no exact point.")
    hours_apart: float = Field(description="Between the two reports.")
    likeness: int = Field(description="0 … 100.")
    reasons: list[Reason]


class VoiceOut(BaseModel):
    """What somebody said: the ticket's own report, or one that was merged into it."""

    id: int
    number: str
    channel: str
    source_id: str | None
    reported_at: datetime
    title: str
    description: str | None
    address: str | None
    area_no: int
    area: str
    merged_into: int | None = Field(
        description="The ticket that it was merged into; null for the ticket itself."
    )
    merged_at: datetime | None
    merged_by: str | None


UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": Error, "description": "There is no such ticket."}}
BAD: dict[int | str, dict[str, Any]] = {422: {"model": Error, "description": "A field is not as described."}}


def router(runtime: Runtime) -> Router:
    """The routes of duplicates."""
    routes = Router(tags=["Tickets"])
    profile, default = runtime.profile, runtime.settings.language

    @routes.post("/api/duplicates", responses=BAD)
    def of_draft(draft: Draft, viewer: Seer, lang: Lang = None) -> list[CandidateOut]:
        """Tickets that likely say what a report says that is not filed yet, the most alike first; ten at most."""
        with opened(runtime.pool, viewer) as (conn, _):
            found = duplicates.likely(conn, profile, draft, datetime.now(UTC))
        return [_candidate(profile, viewer, one, lang or default) for one in found]

    @routes.get("/api/tickets/{ticket_id}/duplicates", responses=UNKNOWN)
    def of_ticket(ticket_id: int, viewer: Seer, lang: Lang = None) -> list[CandidateOut]:
        """Tickets that likely say what this one says, the most alike first; ten at most."""
        with opened(runtime.pool, viewer) as (conn, _):
            found = duplicates.likely_of(conn, profile, _checked(ticket_id), datetime.now(UTC))
        return [_candidate(profile, viewer, one, lang or default) for one in found]

    @routes.get("/api/tickets/{ticket_id}/voices", responses=UNKNOWN)
    def voices(ticket_id: int, viewer: Seer) -> list[VoiceOut]:
        """All who said it: the ticket's own report and those merged into it, in the order in which they came."""
        with opened(runtime.pool, viewer) as (conn, _):
            return [_voice(profile, one) for one in duplicates.voices(conn, _checked(ticket_id))]

    return routes


def _checked(ticket_id: int) -> int:
    if not 0 < ticket_id < 2**63:
        raise tickets.UnknownTicket(f"no ticket with the id {ticket_id}")
    return ticket_id


def _candidate(profile: Profile, viewer: Viewer, one: Candidate, lang: str) -> CandidateOut:
    ticket = one.ticket
    words = {"title": ticket.title, "address": ticket.address} if viewer.may(Right.PEOPLE) else {}
    return CandidateOut(
        **{name: getattr(ticket, name) for name in _TOLD},
        **words,
        number=tickets.number(ticket.id, ticket.reported_at, profile.time_zone),
        distance_m=None if one.distance_m is None else round(one.distance_m, 1),
        hours_apart=one.likeness.hours_apart,
        likeness=one.likeness.percent,
        reasons=[_reason(profile, reason, lang) for reason in one.likeness.reasons],
    )


def _reason(profile: Profile, reason: tuple[str, dict[str, Any]], lang: str) -> Reason:
    key, chinese, english = duplicates.told(profile, reason)
    return Reason(key=key, text=t(lang, key, **(english if lang == "en" else chinese)))


def _voice(profile: Profile, one: Voice) -> VoiceOut:
    number = tickets.number(one.id, one.reported_at, profile.time_zone)
    return VoiceOut.model_validate(one._asdict() | {"number": number})


_TOLD = (
    "id", "version", "status", "channel", "category", "reported_at", "closed_at", "area_no", "area", "location",
    "lon", "lat",
)  # fmt: skip
