"""Why a report or a command is refused; each carries what a client needs to mend it."""

from collections.abc import Sequence

from geodata.queries.tickets import Ticket


class UnknownTicket(LookupError):
    """There is no ticket of that id, or it lies outside of the scope: the same answer for both."""


class StaleVersion(Exception):
    """Somebody else changed the ticket meanwhile; read it again."""

    def __init__(self, ticket: Ticket, given: int, last: str = "") -> None:
        super().__init__(f"ticket {ticket.id} is at version {ticket.version}, not {given}; read it again")
        self.details = [{"field": "version", "given": given, "expected": ticket.version, "last": last}]


class NotAllowed(Exception):
    """The command is not allowed in the ticket's state; details list those that are."""

    def __init__(self, command: str, status: str, allowed: Sequence[str], why: str = "") -> None:
        super().__init__(why or f"{command} is not allowed for a ticket that is {status}")
        self.details = [{"field": "command", "given": command, "expected": list(allowed) or "nothing"}]


class NotYours(Exception):
    """The viewer's role may not give that command."""


class BadReport(ValueError):
    """A field names something that does not exist here, or lacks; details say which and what is expected."""

    def __init__(self, field: str, given: object, expected: object) -> None:
        super().__init__(f"{field} is not acceptable: {given}")
        self.details = [{"field": field, "given": given, "expected": expected}]
