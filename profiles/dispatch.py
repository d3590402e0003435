"""A place's rules of dispatch as data: whose ground comes first, how far is far, how much is enough, what weighs."""

from typing import Literal

from pydantic import Field, field_validator

from profiles.part import Part

WorkerKind = Literal["full_time", "part_time", "professional"]
# By OpenStreetMap's classes, for somebody on an electric scooter or in a car in town; nobody takes a toll motorway.
SPEEDS_KMH = {
    "motorway": 0.0, "trunk": 45.0, "primary": 35.0, "secondary": 30.0, "tertiary": 28.0, "unclassified": 25.0,
    "road": 20.0, "residential": 20.0, "living_street": 15.0, "service": 15.0, "track": 12.0, "cycleway": 15.0,
    "path": 8.0, "pedestrian": 5.0, "footway": 5.0, "steps": 3.0,
}  # fmt: skip


class Weights(Part):
    """How much each part of the score counts beside the others; 0 leaves a part out."""

    ground: int = Field(30, ge=0, le=100, description="Whose grid or whose thing it is.")
    way: int = Field(25, ge=0, le=100, description="Minutes to the spot.")
    load: int = Field(15, ge=0, le=100, description="Tickets in hand against what the worker may hold.")
    skill: int = Field(10, ge=0, le=100, description="Whether it is the worker's trade.")
    position: int = Field(5, ge=0, le=100, description="Age of the position.")
    shift: int = Field(5, ge=0, le=100, description="How much of the shift is left.")
    fairness: int = Field(5, ge=0, le=100, description="Tickets handed to the worker today.")
    refused: int = Field(5, ge=0, le=100, description="Whether the worker refused this ticket before.")


class Ground(Part):
    """Shares of the part `ground`: whose the matter is."""

    own: float = Field(ge=0, le=1, description="The worker of the grid.")
    wider: float = Field(ge=0, le=1, description="Duty in a wider area that holds the spot.")
    community: float = Field(ge=0, le=1, description="Another grid of the same community.")
    town: float = Field(ge=0, le=1, description="Another grid of the same town.")
    owner: float = Field(ge=0, le=1, description="A professional worker of the trade that owns it.")
    department: float = Field(ge=0, le=1, description="The department that owns it.")


class PostRule(Part):
    """Matters that a holder of a post may take."""

    roles: list[str] = Field(min_length=1, description="Codes of posts.")
    categories: list[str] = Field(min_length=1, description="Codes of subclasses, or of whole classes.")


class Roads(Part):
    """How fast one gets along roads, where the place has imported its roads."""

    speeds_kmh: dict[str, float] = Field(
        default=SPEEDS_KMH,
        validate_default=True,
        description="Door to door, stops included, by class of road; those that are named stand above the defaults. "
        "0: nobody goes along such a road.",
    )
    walk_kmh: float = Field(4.5, gt=0, le=10, description="On foot, to the road and from it.")
    reach_m: float = Field(500, gt=0, le=5000, description="Farther from any road, the straight line counts.")

    @field_validator("speeds_kmh")
    @classmethod
    def _above_the_defaults(cls, speeds: dict[str, float]) -> dict[str, float]:
        if not all(0 <= speed <= 130 for speed in speeds.values()):
            raise ValueError("speeds are from 0 to 130 km/h")
        return SPEEDS_KMH | speeds


class Dispatch(Part):
    """Who may be given a ticket, and who is the first to be asked."""

    weights: Weights = Field(default_factory=Weights, description="Until the place sets its own.")
    components: list[str] = Field(
        default_factory=list,
        description="Categories, or classes of them, of things that somebody owns (部件): first the owner, then the "
        "ground. All others are events (事件): first the ground, then the owner.",
    )
    component: Ground = Field(
        default_factory=lambda: Ground(own=0.5, wider=0.4, community=0.3, town=0.1, owner=1, department=0.8),
        description="Shares for a component: 先属主后属地.",
    )
    event: Ground = Field(
        default_factory=lambda: Ground(own=1, wider=0.7, community=0.5, town=0.2, owner=0.6, department=0.5),
        description="Shares for an event: 先属地后属主.",
    )
    trades: list[str] = Field(
        default=["water", "power", "gas", "heat", "telecom"],
        description="Departments that have professional workers; their matters want that skill.",
    )
    posts: list[PostRule] = Field(default_factory=list)
    capacity: dict[WorkerKind, int] = Field(
        default={"full_time": 5, "part_time": 3, "professional": 8},
        description="Tickets that a worker of that kind may hold at once.",
    )
    detour: float = Field(1.3, ge=1, le=5, description="The way is so many times the straight line.")
    speed_kmh: float = Field(24, gt=0, le=120, description="How fast a worker gets there, on the average.")
    roads: Roads = Field(default_factory=Roads, description="Where roads were imported: docs/guide/roads.md.")
    far_minutes: float = Field(30, gt=0, le=600, description="So far off, the part `way` gives nothing.")
    fresh_position_s: int = Field(60, ge=1, description="Up to this age a position counts in full.")
    oldest_position_s: int = Field(1800, ge=60, description="With an older position nobody is proposed.")
    shift_left_minutes: float = Field(
        60, gt=0, description="With so much of the shift left, it counts in full."
    )
    plan_fairness_m: float = Field(
        300, ge=0, description="In a plan, metres that a ticket in hand or taken today weighs."
    )
    plan_most: int = Field(500, ge=1, le=5000, description="Tickets that one plan places at the most.")
    most_a_day: int = Field(10, ge=1, description="So many tickets in a day, and `fairness` gives nothing.")
    refused_hours: float = Field(
        24, ge=0, description="For so long after refusing a ticket a worker is not proposed for it."
    )

    @field_validator("capacity")
    @classmethod
    def _every_kind(cls, capacity: dict[WorkerKind, int]) -> dict[WorkerKind, int]:
        if set(capacity) != {"full_time", "part_time", "professional"} or min(capacity.values()) < 1:
            raise ValueError("capacity names full_time, part_time and professional, each 1 or more")
        return capacity

    def capacity_of(self, kind: str) -> int:
        """How many tickets a worker of that kind may hold at once."""
        return self.capacity[kind]  # type: ignore[index]

    def is_component(self, category: str) -> bool:
        """Whether a category is of things that somebody owns (部件), and not of what happens (事件)."""
        return category.startswith(tuple(self.components))

    def ground(self, category: str) -> Ground:
        """The shares of the part `ground` for that category."""
        return self.component if self.is_component(category) else self.event

    def posts_for(self, category: str) -> list[str]:
        """Codes of the posts whose holders may take a ticket of that category."""
        return sorted(
            {
                role
                for rule in self.posts
                if category.startswith(tuple(rule.categories))
                for role in rule.roles
            }
        )
