"""What a place says about reports that come in from other systems."""

from pydantic import Field

from profiles.part import Part


class Intake(Part):
    """Where what comes in goes when it does not say so itself."""

    unsorted: str | None = Field(
        None, description="Subclass of what comes without a category; without it such a report is refused."
    )
