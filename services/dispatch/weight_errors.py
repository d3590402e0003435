"""Why weights or a leave are refused."""

from services.care.errors import NotForThem

__all__ = ["BadLeave", "BadWeights", "NotForThem", "StaleWeights", "UnknownLeave"]


class BadWeights(ValueError):
    """The weights rank nobody."""


class StaleWeights(Exception):
    """Somebody else set the weights meanwhile."""

    def __init__(self, now: int, given: int, by: str | None) -> None:
        super().__init__(f"The weights are at version {now}, not {given}; read them again.")
        self.details = [{"field": "version", "given": given, "expected": now, "by": by}]


class BadLeave(ValueError):
    """A leave that ends before it begins, overlaps another one, or names nobody."""


class UnknownLeave(LookupError):
    """There is no leave of that id, or it lies outside of the scope: the same answer for both."""
