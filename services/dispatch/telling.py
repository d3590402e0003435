"""What the dispatchers' desk tells of claims, holders and of who was quicker; names for who may see people."""

from datetime import datetime
from typing import Any

from geodata.queries import claims as queries
from geodata.queries import ticket_card
from geodata.queries.claims import Claim, Word
from geodata.queries.ticket_events import TicketEvent
from geodata.queries.tickets import Ticket
from geodata.scope import Db
from profiles import Profile
from services.access import Right, Viewer

Told = dict[str, Any]


def ms(moment: datetime | None) -> int | None:
    """Milliseconds since 1970."""
    return None if moment is None else round(moment.timestamp() * 1000)


def is_mine(claim: Claim, viewer: Viewer) -> bool:
    """Whether the viewer holds that claim; two windows of one account are one holder."""
    return (claim.holder_kind, claim.holder) == (viewer.kind, viewer.name)


def claim_told(claim: Claim, viewer: Viewer) -> Told:
    """A claim as screens get it."""
    return {
        "ticket_id": claim.ticket_id,
        "by": claim.holder,
        "by_name": claim.holder_name if viewer.may(Right.PEOPLE) else None,
        "mine": is_mine(claim, viewer),
        "since": ms(claim.since),
        "until": ms(claim.until),
    }


def word_told(word: Word, viewer: Viewer) -> Told:
    """A word as its receiver gets it."""
    people = viewer.may(Right.PEOPLE)
    return {
        "id": word.id,
        "ticket_id": word.ticket_id,
        "by": word.said_by,
        "by_name": word.by_name if people else None,
        "word": word.word if people else None,
        "at": ms(word.at),
    }


def name_of(conn: Db, viewer: Viewer) -> str:
    """What colleagues call the viewer: an account's name, another system's own."""
    return (queries.account_name(conn, viewer.name) if viewer.kind == "account" else None) or viewer.name


def holder_of(conn: Db, profile: Profile, viewer: Viewer, ticket: Ticket) -> Told | None:
    """Who has the ticket: {kind, code, name, name_en}; None while nobody does."""
    lead = next((party for party in ticket.parties if party["part"] == "lead"), None)
    kind, code = (lead["kind"], lead["code"]) if lead else _of_row(ticket)
    if code is None:
        return None
    if kind == "department":
        names = next(
            ((one.name, one.name_en) for one in profile.departments if one.code == code), (code, code)
        )
    else:
        of = ticket_card.worker_of if kind == "worker" else ticket_card.post_of
        found = of(conn, code) if viewer.may(Right.PEOPLE) else None
        names = (found[0], found[0]) if found else (code, code)
    return {"kind": kind, "code": code, "name": names[0], "name_en": names[1]}


def last_told(conn: Db, viewer: Viewer, event: TicketEvent | None) -> Told:
    """Who did what last, and when."""
    if event is None:
        return {"last": None, "by": None, "by_name": None, "at": None}
    named = queries.account_name(conn, event.actor) or event.actor
    people = viewer.may(Right.PEOPLE)
    return {"last": event.kind, "by": event.actor, "by_name": named if people else None, "at": ms(event.at)}


def _of_row(ticket: Ticket) -> tuple[str, str | None]:
    """The holder of a ticket that came with a file: a row without parties."""
    return ("worker", ticket.worker) if ticket.worker else ("department", ticket.department)
