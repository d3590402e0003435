"""A place's profile: names, codes, channels, categories, deadlines, read from one TOML file; a place is data."""

import tomllib
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from profiles.alarms import Alarms
from profiles.clock import Amount, Clock, Step, Unit
from profiles.desks import Desks
from profiles.dispatch import Dispatch
from profiles.incidents import Incidents
from profiles.intake import Intake
from profiles.loop import Loop
from profiles.open311 import Open311
from profiles.part import Label, Named, Part
from profiles.queue import Queue
from settings import settings

FOLDER = Path(__file__).resolve().parent
Level = Literal["city", "county", "town", "community", "grid"]
LEVELS: tuple[Level, ...] = ("city", "county", "town", "community", "grid")


class Kind(Named):
    """A subclass (小类) of a category with its handling limit."""

    limit: float = Field(gt=0)
    limit_unit: Unit
    share: float = Field(gt=0, description="Relative weight within its class, for generated tickets.")
    department: str | None = Field(None, description="Code of the department that usually handles it.")
    near_m: float = Field(
        200, gt=0, le=5000, description="Reports within so many metres may be of the same matter."
    )
    matter: str = Field(
        "other", description="Key into data/matters.toml: how generated tickets of it behave."
    )


class Category(Named):
    """A class of matters (大类) with its subclasses."""

    share: float = Field(gt=0, description="Relative weight among classes, for generated tickets.")
    kinds: list[Kind] = Field(min_length=1)


class Channel(Named):
    """A source of tickets (来源)."""

    share: float = Field(gt=0, description="Relative weight, for generated tickets.")


class Post(Named):
    """A post (网格长, 调解员, …) with what it is asked for and the level of area it serves."""

    level: Level
    duty: str
    duty_en: str


class CodePattern(Part):
    """How area codes are written: the digits that each level adds, from the top."""

    system: str = Field(description="Name of the code system, stored beside each code.")
    digits: dict[Level, int]
    zeros: dict[Level, int] = Field(
        default_factory=dict,
        description="Zeros that fill up a code of this level; its children leave them out.",
    )

    def length(self, level: Level) -> int:
        """Total digits of a code on this level, filling zeros included."""
        return self.significant(level) + self.zeros.get(level, 0)

    def significant(self, level: Level) -> int:
        """Digits with which the codes of all descendants begin (211000 for a city: 4)."""
        total = 0
        for name, count in self.digits.items():
            total += count
            if name == level:
                return total
        raise ValueError(f"the code pattern has no level {level}")


class SizeRule(Part):
    """Least size of an urban grid (Zoucheng: 200 households or 600 people)."""

    urban_households: int
    urban_population: int


class Profile(Part):
    """All that tells one place from another."""

    key: str
    name: str
    name_en: str
    centre_name: str
    centre_name_en: str
    root_level: Level
    root_code: str
    time_zone: str = "Asia/Shanghai"
    codes: CodePattern
    levels: dict[Level, Label]
    channels: list[Channel]
    categories: list[Category]
    departments: list[Named]
    posts: list[Post]
    care: list[Named]
    sites: list[Named] = Field(description="Kinds of site of a video station.")
    statuses: dict[str, Label]
    clock: Clock = Field(default_factory=Clock, description="Working hours, limits, warning and escalation.")
    desks: Desks = Field(default_factory=Desks, description="Call-backs, supervision, mediation.")
    dispatch: Dispatch = Field(
        default_factory=Dispatch, description="Who is asked first, and what weighs how much."
    )
    loop: Loop = Field(
        default_factory=Loop, description="How tickets go round: grades, tiers, what commands carry."
    )
    queue: Queue = Field(default_factory=Queue, description="The order in which tickets are decided.")
    incidents: Incidents = Field(default_factory=Incidents, description="What is taken for one cause.")
    alarms: Alarms = Field(default_factory=Alarms, description="What makes itself heard, and how.")
    size_rule: SizeRule | None = None
    contacts: list[Named] = Field(default_factory=list, description="The contacts of a care record (五包一).")
    intake: Intake = Field(default_factory=Intake, description="Where reports without a category go.")
    open311: Open311 = Field(
        default_factory=Open311, description="What anybody may report and read through Open311."
    )
    generate: dict[str, Any] = Field(default_factory=dict, description="Read by geodata.generate only.")

    def kind(self, code: str) -> Kind | None:
        """The subclass of category with that code."""
        return self._kinds.get(code)

    def __copy__(self) -> "Profile":
        """A copy may be given other categories, and finds them."""
        copied = super().__copy__()
        copied.__dict__.pop("_kinds", None)
        return copied

    @cached_property
    def _kinds(self) -> dict[str, Kind]:
        """The first of each code."""
        found: dict[str, Kind] = {}
        for category in self.categories:
            for kind in category.kinds:
                found.setdefault(kind.code, kind)
        return found

    def limit(
        self,
        step: Step,
        *,
        category: str,
        channel: str | None = None,
        severity: str | None = None,
        nature: str | None = None,
    ) -> tuple[Amount, ...]:
        """The limit of a step for such a ticket, its parts one after another; empty when it has none.

        The rule of the clock that names most of what the ticket is; of equals the first; the category's own limit
        counts as a last rule of the step `handle` that names its category.
        """
        given = {"category": category, "channel": channel, "severity": severity, "nature": nature}
        kind = self.kind(category) if step == "handle" else None
        rule = self.clock.rule(step, given)
        if kind is not None and (rule is None or rule.names < 1):
            return (Amount(amount=kind.limit, unit=kind.limit_unit),)
        return tuple(rule.limit) if rule is not None else ()


def own_folder() -> Path:
    """Where profiles of one's own places lie (./wangge new-place makes them)."""
    return settings().data / "places"


def names() -> list[str]:
    """Names of the profiles that come with the product, then those of one's own places."""
    own = sorted(path.stem for path in own_folder().glob("*.toml"))
    return [*built_in(), *(name for name in own if name not in built_in())]


def built_in() -> list[str]:
    """Names of the profiles that come with the product."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def load(name: str) -> Profile:
    """The profile of that name, built in or of one's own; FileNotFoundError when there is none."""
    path = FOLDER / f"{name}.toml"
    if not path.exists():
        path = own_folder() / f"{name}.toml"
    with path.open("rb") as file:
        return Profile.model_validate(tomllib.load(file))
