"""Taking an assignment back: one's own within a minute while nobody has signed, anybody's by recalling the ticket."""

from geodata.outbox import add_event
from geodata.queries import claims as claimed
from geodata.queries import ticket_events
from geodata.queries.tickets import Ticket
from geodata.scope import Db
from profiles import Profile
from services import tickets
from services.access.viewer import Viewer
from services.dispatch import claims
from services.dispatch.assign import ASSIGN, told_who_was_quicker, write_down
from services.tickets import ORDERS, NotAllowed

TAKEN_BACK = ASSIGN | {"recall"}  # what the desk undoes; the engine could undo more


def undo(
    conn: Db, profile: Profile, viewer: Viewer, ticket_id: int, version: int, *, key: str | None = None
) -> Ticket:
    """Take one's own last assignment or recall back; in the caller's transaction.

    Raises UnknownTicket, TooLate, NotAllowed (over a minute ago, signed for, somebody else's, no assignment).
    """
    order = ORDERS["undo"].model_validate({"version": version})
    with told_who_was_quicker(conn, profile, viewer, ticket_id, version):
        if key is None or ticket_events.hold_key(conn, viewer.name, key) is None:
            _require_assignment(conn, ticket_id)
        done = tickets.perform(conn, profile, viewer, ticket_id, "undo", order, key=key)
    if not done.replayed:
        write_down(conn, viewer, done.ticket, "undo")
    return done.ticket


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


def _require_assignment(conn: Db, ticket_id: int) -> None:
    ticket = tickets.read(conn, ticket_id)
    last = ticket_events.last_event(conn, ticket_id)
    if last is not None and last.kind in TAKEN_BACK:
        return
    signed = last is not None and last.kind == "sign"
    why = "it has been signed for: recall it" if signed else "the last thing that happened is no assignment"
    raise NotAllowed("undo", ticket.status, ["recall"] if signed else [], why)
