"""What can go wrong with a care record, each with a sentence for whoever asked."""

from services.cards import UnknownThing

Details = list[dict[str, str]]


class UnknownCare(UnknownThing):
    """There is no such record, or it lies outside of what the asker may see: the same answer."""

    def __init__(self, care_id: int) -> None:
        super().__init__(f"There is no care record with the number {care_id}.")


class BadCare(ValueError):
    """Something that was entered cannot stand; `details` name each field and what is expected of it."""

    def __init__(self, details: Details) -> None:
        super().__init__("; ".join(f"{one['where']}: {one['message']}" for one in details))
        self.details = details


class NotForThem(PermissionError):
    """Only a person with an account opens, exports or writes care records: no wall, no other system."""
