"""The score of a candidate: parts, each with its points of how many, that add up to it."""

from typing import Any, NamedTuple

from profiles import Profile
from profiles.dispatch import Ground, Weights
from services.dispatch.ground import Relation

PARTS = tuple(Weights.model_fields)
PLAIN = 0.7  # a matter that wants no trade, and a worker for whom nobody says that it is the own one
GENERAL = 0.3  # a matter that wants one, and a worker without: can at least look and cordon off


class Facts(NamedTuple):
    """What is known of a candidate and a ticket; None = this part does not apply to such a candidate."""

    relation: Relation
    owner: str | None = None  # 'owner' (a worker of the trade) or 'department'
    minutes: float | None = None
    age_s: int | None = None
    shift_left_s: int | None = None
    load: int | None = None
    capacity: int = 1
    skill: float | None = None  # 1 = of the own trade, PLAIN, GENERAL
    today: int | None = None
    refused: bool = False


class Part(NamedTuple):
    """One part of a score: points of how many, and what they are given for."""

    name: str
    points: float
    of: float
    value: Any


class Score(NamedTuple):
    """A score from 0 to 100 and its parts."""

    score: float
    parts: tuple[Part, ...]


def scored(profile: Profile, weights: Weights, category: str, facts: Facts) -> Score:
    """The score for a ticket of that category."""
    shares = _shares(profile, profile.dispatch.ground(category), facts)
    applied = {name: getattr(weights, name) for name in PARTS if name in shares and getattr(weights, name)}
    whole = sum(applied.values()) or 1
    parts = tuple(
        Part(
            name,
            round(100 * weight / whole * shares[name][0], 1),
            round(100 * weight / whole, 1),
            shares[name][1],
        )
        for name, weight in applied.items()
    )
    return Score(round(sum(part.points for part in parts), 1), parts)


def best_beyond(
    profile: Profile, weights: Weights, category: str, minutes: float, *, skilled: bool, wants: bool
) -> float:
    """The most that a worker so many minutes off could score who has not been looked at: nobody of the community."""
    ground = profile.dispatch.ground(category)
    shares = {
        "ground": max(ground.town, ground.owner) if skilled else ground.town,
        "way": _down(minutes, 0, profile.dispatch.far_minutes),
        "skill": 1 if skilled or not wants else GENERAL,
    }
    whole = sum(getattr(weights, name) for name in PARTS) or 1
    most: float = sum(getattr(weights, name) * shares.get(name, 1) for name in PARTS)
    return 100 * most / whole


def ground_of(ground: Ground, facts: Facts) -> tuple[float, str]:
    """The share of the part `ground`, and what gives it."""
    territory: float = getattr(ground, facts.relation, 0.0)
    ownership: float = getattr(ground, facts.owner) if facts.owner else 0.0
    return (ownership, facts.owner) if facts.owner and ownership >= territory else (territory, facts.relation)


def _shares(profile: Profile, ground: Ground, facts: Facts) -> dict[str, tuple[float, Any]]:
    rules = profile.dispatch
    shares: dict[str, tuple[float, Any]] = {"ground": ground_of(ground, facts)}
    if facts.minutes is not None:
        shares["way"] = _down(facts.minutes, 0, rules.far_minutes), round(facts.minutes, 1)
    if facts.load is not None:
        shares["load"] = _down(facts.load, 0, facts.capacity), facts.load
    if facts.skill is not None:
        shares["skill"] = facts.skill, facts.skill
    if facts.age_s is not None:
        shares["position"] = _down(facts.age_s, rules.fresh_position_s, rules.oldest_position_s), facts.age_s
    if facts.shift_left_s is not None:
        shares["shift"] = min(1.0, facts.shift_left_s / 60 / rules.shift_left_minutes), facts.shift_left_s
    if facts.today is not None:
        shares["fairness"] = _down(facts.today, 0, rules.most_a_day), facts.today
    shares["refused"] = 0.0 if facts.refused else 1.0, facts.refused
    return shares


def _down(value: float, full: float, none: float) -> float:
    """1 up to `full`, then falling evenly to 0 at `none`."""
    if value <= full:
        return 1.0
    return 0.0 if value >= none else (none - value) / (none - full)
