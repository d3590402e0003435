"""Alarms as data: which severities make themselves heard when, how, and how long somebody has to acknowledge them."""

from typing import Literal, get_args

from pydantic import Field, model_validator

from profiles.part import Part

# A ticket came, was not decided or signed in time, is nearly or over its limit; like ones came in a burst.
AlarmKind = Literal["arrived", "undecided", "unsigned", "near", "late", "burst"]
ALARM_KINDS: tuple[AlarmKind, ...] = get_args(AlarmKind)
Sound = Literal["none", "soft", "urgent"]


class Notice(Part):
    """How alarms of some kinds and severities are given."""

    kinds: list[AlarmKind] = Field(min_length=1)
    severities: list[str] = Field(default_factory=list, description="Codes; empty = any, also ungraded ones.")
    sound: Sound = "soft"
    acknowledge_minutes: float = Field(
        10, gt=0, le=1440, description="If nobody does, it goes one level up, each time after so long."
    )
    levels: int = Field(2, ge=0, le=5, description="How often.")

    def fits(self, kind: str, severity: str | None) -> bool:
        """Whether an alarm of that kind and severity is given in this way."""
        return kind in self.kinds and (not self.severities or severity in self.severities)


def _usual() -> list[Notice]:
    return [
        Notice(kinds=["arrived", "undecided", "unsigned", "near", "late"], severities=["urgent"], sound="urgent",
               acknowledge_minutes=3),
        Notice(kinds=["near", "late"], severities=["complex"], sound="none", acknowledge_minutes=30, levels=1),
        Notice(kinds=["undecided", "unsigned", "burst"]),
    ]  # fmt: skip


class Alarms(Part):
    """What makes itself heard; the first notice that fits counts, and what fits none is silent."""

    notices: list[Notice] = Field(default_factory=_usual)

    @model_validator(mode="after")
    def _reachable(self) -> "Alarms":
        for number, one in enumerate(self.notices):
            before = [earlier for earlier in self.notices[:number] if not earlier.severities]
            if hidden := [kind for kind in one.kinds if any(kind in earlier.kinds for earlier in before)]:
                raise ValueError(
                    f"notice {number + 1} can never count for {', '.join(hidden)}: an earlier one does"
                )
        return self

    def notice(self, kind: str, severity: str | None) -> Notice | None:
        """How an alarm of that kind and severity is given; None: not at all."""
        return next((one for one in self.notices if one.fits(kind, severity)), None)
