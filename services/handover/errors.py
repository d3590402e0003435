"""Why a handover refuses something; each carries what a client needs to mend it."""

from services.cards import UnknownThing


class UnknownHandover(UnknownThing):
    """There is no such handover, note or ticket, or it lies outside of one's areas: the same answer."""


class BadHandover(ValueError):
    """A field cannot stand; details say which and what is expected."""

    def __init__(self, field: str, given: object, expected: object) -> None:
        super().__init__(f"{field} is not acceptable: {given}")
        self.details = [{"field": field, "given": given, "expected": expected}]


class NotSigned(Exception):
    """It cannot be signed, taken back or given as things stand; details say who did what and when."""

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.details = [details] if details else []
