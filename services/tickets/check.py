"""Whether tickets are what their history says: no version lost or doubled, no forbidden step, the row the fold."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from geodata.queries import ticket_events
from geodata.queries import tickets as queries
from geodata.queries.ticket_events import TicketEvent
from geodata.queries.tickets import Ticket
from geodata.scope import Db
from services.tickets.fold import Broken, fold, state_of
from services.tickets.states import TRANSITIONS

OWN = frozenset({"report", "imported"})  # events that no command makes


class Fault(NamedTuple):
    """What is wrong with a ticket, in English."""

    ticket_id: int
    sentence: str


def faults(conn: Db) -> Iterator[Fault]:
    """The faults of all tickets in scope that commands have changed; none is what is expected."""
    for ticket_id in ticket_events.commanded_tickets(conn):
        ticket = queries.read_ticket(conn, ticket_id)
        if ticket is not None:
            for sentence in faults_of(ticket, ticket_events.events_of(conn, ticket_id)):
                yield Fault(ticket_id, sentence)


def faults_of(ticket: Ticket, events: list[TicketEvent]) -> Iterator[str]:
    """The faults of one ticket with all of its events, oldest first."""
    for before, after in pairwise(events):
        if after.version != before.version + 1:
            yield f"version {before.version} is followed by {after.version}"
        if after.kind not in OWN and after.was != before.status:
            yield f"{after.kind} began at {after.was}, but the ticket was {before.status}"
    if events and events[-1].version != ticket.version:
        yield f"the row has version {ticket.version}, its last event {events[-1].version}"
    for event in events:
        if event.kind not in OWN and event.was not in TRANSITIONS[event.kind].before:
            yield f"{event.kind} is not allowed for a ticket that is {event.was}"
    state = state_of(ticket)
    try:
        wrong = {name: value for name, value in fold(events).items() if state[name] != value}
    except Broken as broken:
        yield str(broken)
        return
    for name, value in wrong.items():
        yield f"{name} is {state[name]!r} in the row and {value!r} by its events"
