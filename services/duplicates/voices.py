"""The voices of a ticket: what everybody said whose report was merged into it, and what it said itself."""

from geodata.queries import duplicates as queries
from geodata.queries.duplicates import Voice
from geodata.scope import Db
from services import tickets

__all__ = ["Voice", "voices"]


def voices(conn: Db, ticket_id: int) -> list[Voice]:
    """The ticket's own words and those of all that were merged into it, directly or through others, oldest first.

    In scope; raises UnknownTicket.
    """
    found = queries.voices(conn, ticket_id)
    if not found:
        raise tickets.UnknownTicket(f"no ticket with the id {ticket_id}")
    return found
