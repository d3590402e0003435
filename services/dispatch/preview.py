"""What other weights would change: the first candidate of each ticket that waits, now and then."""

from datetime import datetime
from typing import NamedTuple

from geodata.queries import candidates as queries
from geodata.scope import Db
from profiles import Profile
from profiles.dispatch import Weights
from services.dispatch import candidates
from services.dispatch.found import Candidate
from services.dispatch.weight_errors import BadWeights

MOST = 120  # tickets looked at: each takes some milliseconds
EXAMPLES = 12


class Change(NamedTuple):
    """A ticket with another first candidate; None = nobody can take it."""

    ticket_id: int
    reported_at: datetime
    title: str
    was: Candidate | None
    now: Candidate | None


class Preview(NamedTuple):
    """Of `total` waiting tickets, `tickets` were looked at and `changed` have another first candidate."""

    total: int
    tickets: int
    changed: int
    examples: list[Change]


def preview(conn: Db, profile: Profile, weights: Weights, now: datetime) -> Preview:
    """Compare the weights with those in force over the open tickets in scope that nobody holds, the next due first.

    Raises BadWeights when all are 0.
    """
    if not any(weights.model_dump().values()):
        raise BadWeights("All weights are 0: then nobody comes first. Give at least one part more.")
    waiting, total = queries.unassigned(conn, MOST)
    changes: list[Change] = []
    for ticket_id in waiting:
        before = candidates.find(conn, profile, ticket_id, now, limit=1)
        after = candidates.best(conn, profile, ticket_id, now, using=weights)
        was = before.rows[0] if before.rows else None
        if (was and was.key) != (after and after.key):
            ticket = before.ticket
            changes.append(Change(ticket.id, ticket.reported_at, ticket.title, was, after))
    return Preview(total, len(waiting), len(changes), changes[:EXAMPLES])
