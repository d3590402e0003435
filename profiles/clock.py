"""A place's clock as data: working hours, ways of counting, limits by step, warning, pauses and escalation."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from pydantic import Field, field_validator

from profiles.part import Named, Part

Unit = Literal["natural_hours", "natural_days", "working_hours", "working_days"]
# What "n days" means: next_day = the day of the start does not count, n whole days after it; same_day = it is day 1;
# running = n times a day's length from the moment on.
Counting = Literal["next_day", "same_day", "running"]
Step = Literal["take_up", "sign", "respond", "progress", "handle", "call_back"]
MINUTES = 24 * 60
_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


class Amount(Part):
    """So much of one unit; a limit is one or several of them, one after another."""

    amount: float = Field(gt=0, le=3660)
    unit: Unit
    counting: Counting | None = Field(None, description="Above the clock's own way, for days.")


class Rule(Part):
    """A limit for tickets that are all that it names; what it does not name may be anything."""

    step: Step
    category: str | None = Field(
        None, description="Code of a subclass, or of a class for all of its subclasses."
    )
    channel: str | None = None
    severity: str | None = None
    nature: str | None = Field(None, description="consultation, help, complaint … (12345).")
    limit: list[Amount] = Field(min_length=1)
    source: str = Field("", description="Where the limit comes from; empty = assumed.")

    @property
    def names(self) -> float:
        """How much it names: one for each condition, a class of categories a little less than a subclass."""
        named = [self.category, self.channel, self.severity, self.nature]
        return sum(1.0 for value in named if value) - (
            0.5 if self.category and len(self.category) == 2 else 0
        )

    def fits(self, step: str, given: Mapping[str, str | None]) -> bool:
        """Whether a ticket of that category, channel, severity and nature falls under it."""
        if step != self.step or (self.category and not (given["category"] or "").startswith(self.category)):
            return False
        own = (("channel", self.channel), ("severity", self.severity), ("nature", self.nature))
        return all(value is None or given[name] == value for name, value in own)


class Level(Named):
    """A level of escalation and how long after the deadline it is reached."""

    after: list[Amount] = Field(default_factory=list, description="After the deadline; empty = at once.")


class Escalation(Part):
    """When a late or often returned ticket goes one level up."""

    most_redos: int = Field(3, ge=0, description="More redos than this raise the level by one.")
    most_transfers: int = Field(3, ge=0, description="More transfers than this raise the level by one.")
    levels: list[Level] = Field(default_factory=list)


class Clock(Part):
    """How time is counted here."""

    calendar: Literal["china", "weekdays"] = "china"
    hours: list[str] = Field(
        default=["08:30-12:00", "13:30-17:30"],
        min_length=1,
        description="Spans of a working day, local time.",
    )
    working_days: Counting = "next_day"
    natural_days: Counting = "running"
    warn_share: float = Field(
        0.8, gt=0, lt=1, description="Early warning once this share of the limit is used."
    )
    grace_minutes: float = Field(0, ge=0, description="From due to overdue.")
    pause_most_days: float = Field(30, gt=0, description="All pauses of a ticket together, natural days.")
    limits: list[Rule] = Field(default_factory=list)
    escalation: Escalation = Field(default_factory=Escalation)

    @field_validator("hours")
    @classmethod
    def _in_order(cls, hours: list[str]) -> list[str]:
        end = -1
        for begin, until in _minutes(hours):
            if not end < begin < until <= MINUTES:
                raise ValueError("spans such as 08:30-12:00, in order, apart, within a day")
            end = until
        return hours

    @cached_property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The spans of a working day in minutes after local midnight."""
        return _minutes(self.hours)

    def counting(self, part: Amount) -> Counting:
        """How that part counts its days."""
        return part.counting or (self.working_days if part.unit == "working_days" else self.natural_days)

    def rule(self, step: Step, given: Mapping[str, str | None]) -> Rule | None:
        """The rule that names most of what is given; of equals the first."""
        fitting = [rule for rule in self.limits if rule.fits(step, given)]
        return max(fitting, key=lambda rule: rule.names, default=None)


def _minutes(hours: list[str]) -> tuple[tuple[int, int], ...]:
    found = [_SPAN.fullmatch(span) for span in hours]
    if not all(found):
        raise ValueError("spans such as 08:30-12:00")
    parts = [[int(text) for text in match.groups()] for match in found if match]
    return tuple((h * 60 + m, to_h * 60 + to_m) for h, m, to_h, to_m in parts)
