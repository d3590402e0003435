"""The dispatch queue as data: how soon a ticket is to be decided, and what moves it forward in the order."""

from pydantic import Field

from profiles.part import Part


class Queue(Part):
    """The order of what must be decided next."""

    decide_minutes: float = Field(
        10,
        gt=0,
        le=10_000,
        description="From report, or coming back, to dispatch; where the clock has no limit for taking up.",
    )
    soon_share: float = Field(
        0.25, gt=0, lt=1, description="Once so little of a step's time is left, it is due soon."
    )
    grade_minutes: float = Field(
        30,
        ge=0,
        description="A ticket is treated as due so much sooner for each grade of severity above the first.",
    )
    refused_minutes: float = Field(15, ge=0, description="… for each time that it was refused or sent back.")
    escalated_minutes: float = Field(30, ge=0, description="… for each level of escalation.")
    shift_hours: float = Field(8, gt=0, le=24, description="How long a shift usually is.")
