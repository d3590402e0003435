"""What each command of a case carries: one model a command, the same over HTTP and from the screen."""

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from geodata.importing.care_shapes import PHONE

Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Side = Literal["applicant", "respondent", "other"]
Reason = Annotated[str, StringConstraints(min_length=2, max_length=200)]
Room = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Plain(BaseModel):
    """A body holds what is described and nothing else."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class PartyIn(Plain):
    """Somebody in the dispute; sealed at once."""

    side: Side
    name: str = Field(min_length=1, max_length=60)
    phone: str | None = Field(None, max_length=40)

    @model_validator(mode="after")
    def _number(self) -> "PartyIn":
        if self.phone and not re.match(PHONE, self.phone):
            raise ValueError("a telephone number of digits")
        return self


class Receive(Plain):
    """A dispute is brought."""

    area: Code = Field(description="Code of the area where it is: a grid, or what is known.")
    category: Code = Field(description="Code of a category of disputes.")
    parties: list[PartyIn] = Field(min_length=1, max_length=10)
    matter: Words | None = Field(None, description="What it is about; sealed.")
    ticket: int | None = Field(None, gt=0, lt=2**63, description="Id of the ticket that it came from.")
    tier: int = Field(1, ge=1, le=3)
    room: Room | None = None


class Order(Plain):
    """A command to a case that the sender has seen at some version."""

    version: int = Field(ge=1, lt=2**31, description="The version that the sender has seen.")


class Reasoned(Order):
    """A command that nobody gives without saying why; names of the parties are masked in it."""

    reason: Reason


class Accept(Order):
    """Take it up."""


class Decline(Reasoned):
    """It is not for mediation."""


class Assign(Order):
    """Who mediates, and where."""

    room: Room | None = None
    post: int | None = Field(
        None, gt=0, lt=2**63, description="Id of a post holder (a mediator, a lawyer …)."
    )
    worker: Code | None = Field(None, description="Code of an active worker.")

    @model_validator(mode="after")
    def _somebody_or_somewhere(self) -> "Assign":
        if self.post is not None and self.worker is not None:
            raise ValueError("either a post or a worker mediates")
        if self.post is None and self.worker is None and self.room is None:
            raise ValueError("a room, a post or a worker")
        return self


class PlanSession(Order):
    """Set a meeting."""

    planned_at: AwareDatetime
    room: Room | None = None


class HoldSession(Order):
    """Say what came of a meeting."""

    session: int = Field(ge=1, le=99, description="Its number.")
    held_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    outcome: Literal["agreed", "continued", "absent"]

    @model_validator(mode="after")
    def _in_order(self) -> "HoldSession":
        if self.ended_at is not None and self.ended_at < self.held_at:
            raise ValueError("a meeting ends after it began")
        return self


class Settle(Order):
    """They agreed."""

    agreement: Words = Field(description="What was agreed; sealed.")
    form: Literal["oral", "written", "confirmed"] = Field(description="confirmed = by a court.")
    perform_by: date | None = Field(None, description="Local day by which it is to be performed.")


class MoveUp(Reasoned):
    """To the next tier."""


class Fail(Reasoned):
    """They did not agree."""


class Withdraw(Reasoned):
    """Taken back."""


class Perform(Order):
    """The agreement was performed."""

    performed_on: date


class Breach(Reasoned):
    """The agreement was not performed."""


ORDERS: dict[str, type[Order]] = {
    "accept": Accept, "decline": Decline, "assign": Assign, "plan_session": PlanSession, "hold_session": HoldSession,
    "settle": Settle, "move_up": MoveUp, "fail": Fail, "withdraw": Withdraw, "perform": Perform, "breach": Breach,
}  # fmt: skip
NAMES: dict[type[Order], str] = {kind: name for name, kind in ORDERS.items()}
