"""Taking an assignment back: one's own within a minute while nobody has signed, anybody's by recalling the ticket."""

from contextlib import suppress
from datetime import timedelta

from geodata.outbox import add_event
from geodata.queries import claims as claimed
from geodata.queries import ticket_events
from geodata.queries import tickets as rows
from geodata.queries.ticket_events import TicketEvent
from geodata.queries.tickets import Ticket
from geodata.scope import Db
from profiles import Profile
from services import tickets
from services.access.viewer import Viewer
from services.dispatch import claims
from services.dispatch.assign import ASSIGN, told_who_was_quicker, write_down
from services.tickets import ORDERS, NotAllowed

TAKEN_BACK = ASSIGN | {"recall"}  # what the desk undoes; the engine could undo more
ONE_BREATH = timedelta(seconds=1)  # an assignment's own taking up and its handing over are one transaction


def undo(
    conn: Db, profile: Profile, viewer: Viewer, ticket_id: int, version: int, *, key: str | None = None
) -> Ticket:
    """Take one's own last assignment or recall back, and the taking up that came with it; in the caller's transaction.

    Moments of the ticket's clock since then stand in no way. Raises UnknownTicket, TooLate, NotAllowed (over a minute
    ago, signed for, somebody else's, no assignment).
    """
    with told_who_was_quicker(conn, profile, viewer, ticket_id, version):
        if key is not None and ticket_events.hold_key(conn, viewer.name, key) is not None:
            return _undo(conn, profile, viewer, ticket_id, version, key)
        last = _assignment(conn, ticket_id)
        now = tickets.read(conn, ticket_id).version if last.version <= version else version
        ticket = _undo(conn, profile, viewer, ticket_id, now, key)
        if _came_with(ticket_events.standing_event(conn, ticket_id), last):
            with suppress(NotAllowed):  # its own minute is over: the ticket stays taken up
                ticket = _undo(conn, profile, viewer, ticket_id, ticket.version, key and f"{key} accept")
    write_down(conn, viewer, ticket, "undo")
    return ticket


def recall(
    conn: Db,
    profile: Profile,
    viewer: Viewer,
    ticket_id: int,
    version: int,
    reason: str,
    *,
    key: str | None = None,
) -> Ticket:
    """Take a ticket back from whoever holds it, to be decided anew; in the caller's transaction.

    Raises UnknownTicket, Claimed, TooLate, NotAllowed (nobody holds it), NotYours.
    """
    order = ORDERS["recall"].model_validate({"version": version, "reason": reason})
    with told_who_was_quicker(conn, profile, viewer, ticket_id, version):
        if key is None or ticket_events.hold_key(conn, viewer.name, key) is None:
            claims.require_free(conn, viewer, ticket_id)
        done = tickets.perform(conn, profile, viewer, ticket_id, "recall", order, key=key)
    if not done.replayed:
        if claimed.release(conn, ticket_id, viewer.kind, viewer.name):
            add_event(conn, "desk", done.ticket.area.no, {"desk": "claim", "id": ticket_id})
        write_down(conn, viewer, done.ticket, "recall")
    return done.ticket


def _undo(
    conn: Db, profile: Profile, viewer: Viewer, ticket_id: int, version: int, key: str | None
) -> Ticket:
    order = ORDERS["undo"].model_validate({"version": version})
    return tickets.perform(conn, profile, viewer, ticket_id, "undo", order, key=key).ticket


def _assignment(conn: Db, ticket_id: int) -> TicketEvent:
    """The assignment or recall that somebody gave last, its ticket locked. Raises UnknownTicket, NotAllowed."""
    ticket = rows.read_ticket(conn, ticket_id, lock=True) or tickets.read(conn, ticket_id)
    last = ticket_events.standing_event(conn, ticket_id)
    if last is not None and last.kind in TAKEN_BACK:
        return last
    signed = last is not None and last.kind == "sign"
    why = "it has been signed for: recall it" if signed else "the last thing that happened is no assignment"
    raise NotAllowed("undo", ticket.status, ["recall"] if signed else [], why)


def _came_with(before: TicketEvent | None, last: TicketEvent) -> bool:
    """Whether what stood before the assignment was the taking up that it did itself."""
    return (
        before is not None
        and before.kind == "accept"
        and (before.actor, before.version) == (last.actor, last.version - 1)
        and last.at - before.at <= ONE_BREATH
    )
