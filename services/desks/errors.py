"""Why a desk refuses something; each carries what a client needs to mend it."""

from services.cards import UnknownThing


class UnknownDesk(UnknownThing):
    """There is no such ticket or consultation on a desk, or it lies outside of one's areas: the same answer."""


class StaleDesk(Exception):
    """Somebody else changed it meanwhile; read it again."""

    def __init__(self, given: int, version: int) -> None:
        super().__init__(f"it is at version {version}, not {given}; read it again")
        self.details = [{"field": "version", "given": given, "expected": version}]


class BadDesk(ValueError):
    """A field cannot stand; details say which and what is expected."""

    def __init__(self, field: str, given: object, expected: object) -> None:
        super().__init__(f"{field} is not acceptable: {given}")
        self.details = [{"field": field, "given": given, "expected": expected}]
