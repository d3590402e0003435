"""What a search for candidates works on and finds."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from geodata.queries.dispatch_matter import Matter
from profiles import Profile
from services.dispatch.crew import Wish
from services.dispatch.reasons import Reason
from services.dispatch.score import Scale, Score
from services.dispatch.travel import By, Method


class Candidate(NamedTuple):
    """Somebody who could take the ticket; None where it does not apply to a post or a department."""

    kind: str
    code: str
    name: str
    role: str
    trade: str | None
    score: Score
    reasons: list[Reason]
    area_no: int | None
    area: str | None
    own_grid: bool
    on_shift: bool | None
    distance_m: float | None = None
    minutes: float | None = None
    position_age_s: int | None = None
    load: int | None = None
    capacity: int | None = None
    lon: float | None = None
    lat: float | None = None
    by: By | None = None  # how the minutes were measured

    @property
    def key(self) -> str:
        """Kind and code, unlike those of all others."""
        return f"{self.kind}:{self.code}"


class LeftOut(NamedTuple):
    """Somebody who might be expected among the candidates, and why they are not."""

    key: str
    name: str
    why: Reason
    lon: float | None
    lat: float | None


class Found(NamedTuple):
    """The candidates of a ticket; `radius_m` holds all those listed that have a place."""

    ticket: Matter
    weights_version: int
    method: Method
    radius_m: float | None
    rows: list[Candidate]
    refused: set[str]
    left_out: list[LeftOut]
    left_out_counts: dict[str, int]


class Asked(NamedTuple):
    """What the search works on."""

    profile: Profile
    ticket: Matter
    scale: Scale
    refused: dict[str, datetime]
    more: Mapping[str, int]
    wish: Wish
    now: datetime
    local: datetime  # the same moment in the place
