"""A place's own named steps of a ticket's way, and what in a ticket's history brings it from one to the next."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from profiles.clock import Step
from profiles.part import Label, Named, Part


class Given(Part):
    """Which tickets are meant: those that are one of each list that is not empty; "" is a ticket without one."""

    channels: list[str] = Field(default_factory=list)
    categories: list[str] = Field(
        default_factory=list, description="Codes of subclasses or of whole classes."
    )
    severities: list[str] = Field(default_factory=list)
    natures: list[str] = Field(default_factory=list)
    risks: list[str] = Field(default_factory=list)

    def fits(self, ticket: Any) -> bool:
        """Whether a ticket (its channel, category, severity, nature, risk) is meant."""
        if self.categories and not any(ticket.category.startswith(code) for code in self.categories):
            return False
        own = (
            (self.channels, ticket.channel), (self.severities, ticket.severity), (self.natures, ticket.nature),
            (self.risks, ticket.risk),
        )  # fmt: skip
        return all(not listed or (value or "") in listed for listed, value in own)


class When(Part):
    """Something that happened: an event, and values that it must have carried. A bare word is an event alone."""

    event: str = Field(description="report, a command, or patrol and found, which the report tells of.")
    carried: dict[str, list[Any]] = Field(default_factory=dict, description="Field → any of these values.")

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, given: Any) -> Any:
        return {"event": given} if isinstance(given, str) else given

    def fits(self, kind: str, data: Mapping[str, Any]) -> bool:
        """Whether an event of that kind and with those data is meant."""
        return kind == self.event and all(data.get(field) in values for field, values in self.carried.items())


class Stage(Named):
    """One named step. A ticket stands in it while its state is one of `states` and none of `done` has happened."""

    states: list[str] = Field(
        default_factory=list, description="Canonical states in which it may be the current one."
    )
    done: list[When] = Field(description="What completes it.")
    begun: list[When] = Field(
        default_factory=list,
        description="Of a step beside the way, such as supervision: what opens it. It stays open until done.",
    )
    stays: bool = Field(False, description="Once done it is not to be done again when the ticket goes back.")
    blocks: bool = Field(
        True, description="Whether an open step beside the way keeps the ones after it waiting."
    )
    only: Given = Field(default_factory=Given, description="Tickets that have this step; without it all.")
    by: Label | None = Field(None, description="Who does it, in the place's words.")
    step: Step | None = Field(None, description="The step of the clock that says until when.")


class Track(Named):
    """The steps in order, for the tickets that it is meant for."""

    only: Given = Field(default_factory=Given)
    roles: dict[str, list[str]] = Field(
        default_factory=dict, description="Command → roles that may give it on this track; above the loop's."
    )
    words: dict[str, Label] = Field(
        default_factory=dict, description="Command → what it is called on this track."
    )
    stages: list[Stage] = Field(min_length=2)
