"""Claims: who is deciding a ticket now, as a lease that is renewed while they work, given up, or taken over."""

from datetime import timedelta
from typing import NamedTuple

from geodata.outbox import add_event
from geodata.queries import claims as queries
from geodata.queries import ticket_events
from geodata.queries.claims import Claim, Word
from geodata.scope import Db
from services import tickets
from services.access.viewer import Viewer
from services.dispatch.errors import Claimed
from services.dispatch.telling import is_mine, name_of
from services.intake.masking import masked
from services.tickets import BadReport, NotAllowed
from services.tickets.states import ENDED

# Commands of the desk: what somebody is deciding is not decided by another way meanwhile. Whoever whistles on the spot
# does not wait for a desk.
DECIDES = frozenset({"accept", "reject", "cancel", "merge", "dispatch", "transfer", "recall"})


class Taken(NamedTuple):
    """A claim of one's own; `lost` is whose it was until now, if it was taken over."""

    claim: Claim
    lost: Claim | None = None


def take(
    conn: Db, viewer: Viewer, ticket_id: int, lease: timedelta, *, over: bool = False, word: str | None = None
) -> Taken:
    """Take or renew the claim of an open ticket; with `over` from somebody else, who gets the word.

    Raises UnknownTicket, NotAllowed (it has ended), Claimed, BadReport (a take-over without a word).
    """
    ticket = tickets.read(conn, ticket_id)
    if ticket.status in ENDED:
        raise NotAllowed(
            "claim", ticket.status, [], f"the ticket is {ticket.status}: there is nothing to decide"
        )
    before = next(iter(queries.live(conn, [ticket_id], lock=True)), None)
    lost = None if before is None or is_mine(before, viewer) else before
    if lost is not None and not over:
        raise Claimed(lost, viewer)
    if lost is not None and not (word or "").strip():
        raise BadReport("word", word, "a word to whom it is taken from")
    me = (viewer.kind, viewer.name, name_of(conn, viewer))
    claim = queries.take(conn, ticket_id, ticket.area.no, me, lease, over=lost is not None)
    if claim is None:  # somebody was quicker than our look, and may have given it up again
        require_free(conn, viewer, ticket_id)
        return take(conn, viewer, ticket_id, lease, over=over, word=word)
    if lost is not None:
        queries.say(conn, lost, me, masked((word or "").strip()))
    if before is None or lost is not None:  # a renewal is no news
        queries.forget_old(conn)
        _tell(conn, claim)
    return Taken(claim, lost)


def give_up(conn: Db, viewer: Viewer, ticket_id: int) -> bool:
    """Give one's own claim up; whether there was one. Raises UnknownTicket."""
    area_no = tickets.read(conn, ticket_id).area.no
    held = queries.release(conn, ticket_id, viewer.kind, viewer.name)
    if held:
        add_event(conn, "desk", area_no, {"desk": "claim", "id": ticket_id})
    return held


def require_free(conn: Db, viewer: Viewer, ticket_id: int) -> None:
    """Refuse to decide what somebody else is deciding. Raises Claimed."""
    for claim in queries.live(conn, [ticket_id]):
        if not is_mine(claim, viewer):
            raise Claimed(claim, viewer)


def require_decidable(conn: Db, viewer: Viewer, ticket_id: int, command: str, key: str | None) -> None:
    """Refuse a command of the desk about what somebody else is deciding; what was done before is only told again.

    For the ways that do not go over the desk: a ticket's own routes, commands for many. Raises Claimed.
    """
    if command in DECIDES and (key is None or ticket_events.event_of_key(conn, viewer.name, key) is None):
        require_free(conn, viewer, ticket_id)


def listed(conn: Db) -> list[Claim]:
    """All claims in scope that run."""
    return queries.live(conn)


def words(conn: Db, viewer: Viewer) -> list[Word]:
    """What was said in the last day to the viewer by those who took a claim over, newest first."""
    return queries.words_to(conn, viewer.kind, viewer.name)


def _tell(conn: Db, claim: Claim) -> None:
    add_event(conn, "desk", claim.area_no, {"desk": "claim", "id": claim.ticket_id})
