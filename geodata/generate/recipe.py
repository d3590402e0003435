"""What a profile's [generate] table may say: how many of what the generated place has."""

from pydantic import BaseModel, ConfigDict, Field

from profiles import Profile

Point = tuple[float, float]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Zone(_Table):
    """A development zone carved out of its neighbours: the committees (12-digit codes) that it takes over."""

    code: str
    name: str
    take: list[str] = Field(min_length=1)


class People(_Table):
    """Numbers of workers, posts, party organisations and care records."""

    workers: int = Field(description="Grid workers; spread evenly, at least one a grid.")
    professional: int = Field(0, description="Professional workers on top: water, power, gas, heat, telecom.")
    part_time_share: float = Field(0.12, ge=0, le=1)
    party_in_towns: bool = Field(True, description="Whether branches are in urban grids only.")
    grid_branches: int = 0
    building_groups: int = 0
    member_households: int = 0
    building_leaders: int = 0
    care: int = 0
    care_weights: dict[str, float] = Field(
        default_factory=dict, description="Care category → relative number."
    )


class Video(_Table):
    """Numbers of video stations by kind of site, and how many really stream."""

    stations: int
    streaming: int
    sites: dict[str, int]


class Recipe(_Table):
    """The whole [generate] table."""

    seed: int
    outlines: list[str] = Field(
        min_length=1, description="Codes of the real county outlines that it lies in."
    )
    urban_grids: int
    rural_grids: int
    special_grids: dict[str, int] = Field(default_factory=dict, description="Committee code → special grids.")
    population: int
    urban_population_share: float = Field(gt=0, lt=1)
    urban_grid_km2: float = Field(0.075, gt=0, description="Usual size of an urban grid.")
    tickets_per_day: float = Field(gt=0)
    city_hall: Point = Field(description="The default point that careless senders use.")
    topics: dict[int, str] = Field(default_factory=dict, description="Month → category of its 每月一题.")
    worse_towns: dict[str, float] = Field(default_factory=dict, description="Town code → odds of being late.")
    worse_departments: dict[str, float] = Field(
        default_factory=dict, description="Department → odds of being late."
    )
    late_rate: float = Field(gt=0, lt=0.5, description="Usual share of tickets handled after their deadline.")
    seats: dict[str, Point] = Field(default_factory=dict, description="Town code → its seat, where known.")
    cores: dict[str, Point] = Field(
        default_factory=dict, description="County code → middle of its built-up area."
    )
    zones: list[Zone] = Field(default_factory=list)
    people: People
    video: Video


def recipe_of(profile: Profile) -> Recipe:
    """The profile's [generate] table, checked; pydantic.ValidationError names what is wrong."""
    return Recipe.model_validate(profile.generate)
