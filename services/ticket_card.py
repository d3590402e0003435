"""A ticket's card at a desk: its course, clock, steps, people and pictures, its place's past, and the commands."""

from datetime import UTC, datetime, timedelta
from typing import Any

from geodata.queries import areas, cards, ticket_events
from geodata.queries import ticket_card as queries
from geodata.queries.ticket_events import TicketEvent
from geodata.queries.tickets import Ticket
from geodata.scope import Db
from profiles import Profile
from services import loop, pictures, tickets
from services.access.viewer import Viewer
from services.ticket_clock import clock_of
from services.tickets.forms import Option, form_of, told

SPOT_M = 50.0
SPOT_DAYS = 365
SPOT_ROWS = 8
WORKERS = 60
CALLS = frozenset({"dispatch", "transfer", "whistle", "sign"})  # commands that ask for workers
Card = dict[str, Any]


def card(
    conn: Db, profile: Profile, viewer: Viewer, ticket_id: int, *, people: bool, now: datetime | None = None
) -> Card:
    """The card; words and names only with `people`. Times are milliseconds since 1970. Raises UnknownTicket."""
    now = now or datetime.now(UTC)
    ticket = tickets.read(conn, ticket_id)
    row = cards.ticket(conn, ticket_id, people=people)
    if row is None:
        raise tickets.UnknownTicket(f"no ticket with the id {ticket_id}")
    events = ticket_events.events_of(conn, ticket_id)
    words = {
        "title": row.title,
        "description": row.description,
        "source_id": row.source_id,
        "address": row.address,
    }
    return {
        "as_of": now,
        "ticket": {
            **_plain(ticket),
            "number": tickets.number(ticket.id, ticket.reported_at, profile.time_zone),
            "generated": row.generated,
            "path": [step._asdict() for step in areas.path(conn, ticket.area.no)],
            **(words if people else {}),
        },
        "clock": clock_of(conn, profile, row, now),
        "stages": loop.shown(conn, profile, ticket, people=people),
        "holders": _holders(conn, ticket, people),
        "history": [_event(event, people) for event in events],
        "pictures": [_picture(one) for one in pictures.of_ticket(conn, ticket_id)] if people else [],
        "spot": _spot(conn, ticket, now),
        "commands": _commands(conn, profile, viewer, ticket, events),
    }


def _plain(ticket: Ticket) -> Card:
    plain = ticket._asdict() | {"area": ticket.area._asdict()}
    for words in ("title", "address", "source_id"):
        del plain[words]
    return plain


def _picture(picture: pictures.Picture) -> Card:
    return {
        "id": str(picture.id), "width": picture.width, "height": picture.height, "sent_by": picture.sent_by,
        "sent_at": picture.sent_at,
    }  # fmt: skip


def _event(event: TicketEvent, people: bool) -> Card:
    shown = event._asdict()
    if not people:
        for words in ("actor", "note", "before", "after", "data"):
            del shown[words]
    return shown


def _holders(conn: Db, ticket: Ticket, people: bool) -> list[Card]:
    """Who leads and who joins, with a worker's name and phone for who may see people."""
    shown = []
    for party in ticket.parties or _as_parties(ticket):
        of = {"worker": queries.worker_of, "post": queries.post_of}.get(party["kind"]) if people else None
        found = of(conn, party["code"]) if of else None
        shown.append(party | ({"name": found[0], "phone": found[1]} if found else {}))
    return shown


def _as_parties(ticket: Ticket) -> list[Card]:
    """The holders of a ticket that came with a file."""
    given = (("department", ticket.department), ("worker", ticket.worker))
    return [{"kind": kind, "code": code, "part": "lead"} for kind, code in given if code]


def _spot(conn: Db, ticket: Ticket, now: datetime) -> Card | None:
    """What was reported at the same place; None for a ticket that has no point of its own."""
    if ticket.lon is None or ticket.lat is None or ticket.location != "exact":
        return None
    since = now - timedelta(days=SPOT_DAYS)
    spot, latest = queries.at_spot(
        conn, ticket.id, ticket.category, ticket.lon, ticket.lat, SPOT_M, since, SPOT_ROWS
    )
    return {
        "radius_m": SPOT_M,
        "days": SPOT_DAYS,
        **spot._asdict(),
        "latest": [one._asdict() for one in latest],
    }


def _commands(
    conn: Db, profile: Profile, viewer: Viewer, ticket: Ticket, events: list[TicketEvent]
) -> list[Card]:
    """The commands that the viewer may give now, each with the place's own word and its form."""
    allowed = tickets.allowed(profile, viewer, ticket, events[-1] if events else None)
    workers: list[Option] = []
    if any(one.command in CALLS for one in allowed):
        workers = [
            Option(one.code, *[f"{one.name} · {one.area} · {one.open_tickets}"] * 2)
            for one in queries.workers_near(conn, ticket.area.no, WORKERS)
        ]
    own = loop.words(profile, ticket, [one.command for one in allowed])
    return [
        {
            "command": one.command,
            "word": own.get(one.command),
            "fields": [told(field) for field in form_of(profile, viewer, ticket, one, workers)],
        }
        for one in allowed
    ]
