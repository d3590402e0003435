"""Tickets that say the same: which one goes on for them, and what they are told when that one ends or opens again.

`merged_into` is the ticket that one was merged into at that time; merged on, they form a tree, and the ticket at its
root is the master of all. Taking one out takes along what was merged into it, and nothing else changes.
"""

from geodata.queries import merging as queries
from geodata.queries import tickets
from geodata.queries.tickets import Ticket
from geodata.scope import Db, widened
from services.tickets.case import Case
from services.tickets.errors import BadReport
from services.tickets.record import Said, record
from services.tickets.states import VOID

CLOSED_WITH, REOPENED_WITH = "closed_with", "reopened_with"
NOTICED = "another ticket that you may see"


def hold(conn: Db, command: str) -> None:
    """Let mergings happen one after another, before any of them holds a ticket: two at once could make a circle."""
    if command == "merge":
        queries.hold(conn)


def master_for(case: Case, ticket_id: int) -> Ticket:
    """The ticket, locked, that the case's one goes into when `ticket_id` was named: its master. Raises BadReport."""
    found = tickets.read_ticket(case.conn, ticket_id)
    while found is not None and found.id != case.ticket.id and found.merged_into is not None:
        found = tickets.read_ticket(case.conn, found.merged_into)
    if found is None or ticket_id == case.ticket.id:
        raise BadReport("into", ticket_id, NOTICED)
    if found.id == case.ticket.id:
        raise BadReport("into", ticket_id, "a ticket that was not merged into this one")
    locked = tickets.read_ticket(case.conn, found.id, lock=True)
    if locked is None or locked.status in VOID:
        raise BadReport("into", ticket_id, "a ticket that goes on: not merged, rejected or cancelled")
    return locked


def cascade(case: Case, after: Ticket, said: Said) -> list[int]:
    """Write into the history of every ticket merged into this one that it has ended with it, or is open again with it.

    Those of other areas are told too. Returns their ids; the sender of each is told by what follows from its events.
    """
    before = case.ticket
    if "merged" in (before.status, after.status) or (before.closed_at is None) == (after.closed_at is None):
        return []
    kind = REOPENED_WITH if after.closed_at is None else CLOSED_WITH
    told = Said(data={"master": after.id, "status": after.status}, source=said.source)
    ids = []
    with widened(case.conn):
        for ticket_id in queries.below(case.conn, after.id):
            follower = tickets.read_ticket(case.conn, ticket_id, lock=True)
            if follower is None or follower.status != "merged":
                continue  # it was taken out meanwhile
            follower = follower._replace(version=follower.version + 1)
            tickets.update_ticket(case.conn, follower, {})
            record(
                case.conn,
                case.profile,
                case.viewer,
                follower,
                kind,
                case.now,
                ({}, {}),
                follower.status,
                told,
            )
            ids.append(ticket_id)
    return ids
