"""Writing down what happened: one event, and its row in the outbox, in the transaction that changes the ticket."""

from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from geodata.outbox import add_event
from geodata.queries.ticket_events import NewEvent, append
from geodata.queries.tickets import Ticket
from geodata.scope import Db
from profiles import Profile
from services import alarms
from services.access.viewer import Viewer

SOURCES = {"account": "screen", "client": "api", "system": "job", "wall": "screen"}


class Said(NamedTuple):
    """What came with a command besides its effect."""

    note: str | None = None
    data: dict[str, Any] | None = None
    key: str | None = None
    digest: bytes | None = None
    source: str | None = None  # by default what the viewer's kind tells
    undoes: int | None = None


def number(ticket_id: int, reported_at: datetime, time_zone: str) -> str:
    """A ticket's number as people read it: the local day of its report, then its id."""
    return f"{reported_at.astimezone(ZoneInfo(time_zone)):%Y%m%d}-{ticket_id}"


def record(
    conn: Db,
    profile: Profile,
    viewer: Viewer,
    ticket: Ticket,
    kind: str,
    at: datetime,
    changed: tuple[dict[str, Any] | None, dict[str, Any]],
    was: str | None,
    said: Said,
) -> int:
    """Append the event of a ticket that is now as given, tell the live stream, and return the event's id."""
    before, after = changed
    event = append(
        conn,
        NewEvent(
            ticket_id=ticket.id,
            at=at,
            kind=kind,
            was=was,
            status=ticket.status,
            version=ticket.version,
            actor=viewer.name,
            actor_role=viewer.role,
            source=said.source or SOURCES[viewer.kind],
            ip=viewer.ip or None,
            note=said.note,
            area_no=ticket.area.no,
            before=before,
            after=after,
            data=said.data,
            key=said.key,
            digest=said.digest,
            undoes=said.undoes,
        ),
    )
    add_event(conn, "ticket", ticket.area.no, _news(profile, ticket, kind, at, was))
    alarms.hear(conn, profile, viewer, ticket, kind, at, said.data, after)
    return event


def _news(profile: Profile, ticket: Ticket, kind: str, at: datetime, was: str | None) -> dict[str, Any]:
    """What every screen may know of it: no words and no people."""
    return {
        "id": ticket.id,
        "number": number(ticket.id, ticket.reported_at, profile.time_zone),
        "version": ticket.version,
        "kind": kind,
        "status": ticket.status,
        "was": was,
        "area_no": ticket.area.no,
        "category": ticket.category,
        "channel": ticket.channel,
        "lon": ticket.lon,
        "lat": ticket.lat,
        "at": at.isoformat(),
        "reported_at": ticket.reported_at.isoformat(),
        "due_at": ticket.due_at and ticket.due_at.isoformat(),
        "closed_at": ticket.closed_at and ticket.closed_at.isoformat(),
    }
