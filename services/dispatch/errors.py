"""Why the dispatchers' desk refuses something: each tells who has the ticket, since when, and who was quicker."""

from typing import Any

from geodata.queries.claims import Claim
from geodata.queries.tickets import Ticket
from services.access.viewer import Viewer
from services.cards import UnknownThing
from services.dispatch.telling import claim_told
from services.tickets import StaleVersion


class Claimed(Exception):
    """Somebody else is deciding the ticket; details say who, since when and until when."""

    def __init__(self, claim: Claim, viewer: Viewer) -> None:
        super().__init__(f"somebody is deciding ticket {claim.ticket_id}; take it over with a word, or wait")
        self.details = [claim_told(claim, viewer)]


class TooLate(StaleVersion):
    """Somebody was quicker; details say what they did, when, and who has the ticket now."""

    def __init__(self, ticket: Ticket, given: int, said: dict[str, Any]) -> None:
        super().__init__(ticket, given)
        self.details = [self.details[0] | said]


class NoCandidate(Exception):
    """Nobody can take the ticket now; its candidates say who was left out, and why."""

    def __init__(self, ticket_id: int) -> None:
        super().__init__(
            f"nobody can take ticket {ticket_id} now; see who was left out of its candidates, and why"
        )
        self.details = [{"ticket_id": ticket_id}]


class UnknownBulk(UnknownThing):
    """No bulk of the asker's has that key, or it is too long ago to be taken back."""
