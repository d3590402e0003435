"""Why an incident cannot be opened or changed; each carries what a client needs to mend it."""

from collections.abc import Sequence
from typing import Any

from services.cards import UnknownThing


class UnknownIncident(UnknownThing):
    """There is no incident with that id, or it lies outside of one's areas: the same answer for both."""


class BadIncident(ValueError):
    """A field cannot stand; details say which and what is expected."""

    def __init__(self, field: str, given: object, expected: object) -> None:
        super().__init__(f"{field} is not acceptable: {expected}")
        self.details = [{"field": field, "given": given, "expected": expected}]


class InIncident(Exception):
    """A ticket stands in another open incident; details say in which."""

    def __init__(self, found: Sequence[tuple[int, int]]) -> None:
        told = ", ".join(f"{ticket} in incident {incident}" for ticket, incident in found)
        super().__init__(f"a ticket stands in one open incident at most: {told}")
        self.details: list[dict[str, Any]] = [
            {"ticket": ticket, "incident": incident} for ticket, incident in found
        ]


class StaleIncident(Exception):
    """Somebody else changed it meanwhile; read it again."""

    def __init__(self, given: int, version: int) -> None:
        super().__init__(f"it is at version {version}, not {given}; read it again")
        self.details = [{"field": "version", "given": given, "expected": version}]


class IncidentClosed(Exception):
    """It is closed, and stays as it is."""

    def __init__(self, incident_id: int) -> None:
        super().__init__(f"incident {incident_id} is closed; open another one for what comes now")
        self.details: list[dict[str, Any]] = [{"incident": incident_id}]
