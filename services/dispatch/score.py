"""The score of a candidate: parts, each with its points of how many, that add up to it."""

from functools import lru_cache
from typing import Any, NamedTuple

from profiles import Profile
from profiles.dispatch import Dispatch, Ground, Weights
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


class Scale(NamedTuple):
    """What the candidates of one ticket are measured by."""

    rules: Dispatch
    ground: Ground
    weights: dict[str, int]


def scale_of(profile: Profile, weights: Weights, category: str) -> Scale:
    """The scale for tickets of that category."""
    return Scale(profile.dispatch, profile.dispatch.ground(category), weights.model_dump())


def total(scale: Scale, facts: Facts) -> float:
    """The score alone, 0 to 100, not rounded: to choose whose parts are worth telling."""
    weights, points, whole = scale.weights, 0.0, 0
    for name, share in _shares(scale, facts).items():
        weight = weights[name]
        points += weight * share
        whole += weight
    return 100 * points / (whole or 1)


def scored(scale: Scale, facts: Facts) -> Score:
    """The score with its parts."""
    shares, values = _shares(scale, facts), _values(scale, facts)
    applied = {name: scale.weights[name] for name in PARTS if name in shares and scale.weights[name]}
    whole = sum(applied.values()) or 1
    parts = tuple(
        Part(
            name,
            round(100 * weight / whole * shares[name], 1),
            _of_hundred(weight, whole),
            values[name],
        )
        for name, weight in applied.items()
    )
    return Score(round(sum(part.points for part in parts), 1), parts)


@lru_cache(maxsize=512)  # the same few weights each time, and rounding is what a score costs
def _of_hundred(weight: int, whole: int) -> float:
    return round(100 * weight / whole, 1)


def best_beyond(scale: Scale, minutes: float, *, skilled: bool, of_trade: bool) -> float:
    """The most that a worker at least so many minutes off, of another community, could score.

    `skilled`: one of those who know the matter; `of_trade`: whether the matter is one of a trade.
    """
    ground, weights = scale.ground, scale.weights
    shares = {
        "ground": max(ground.town, ground.wider, ground.owner) if skilled else ground.town,
        "way": _down(minutes, 0, scale.rules.far_minutes),
        "skill": 1 if skilled else GENERAL if of_trade else PLAIN,
    }
    most = sum(weight * shares.get(name, 1) for name, weight in weights.items())
    return 100 * most / (sum(weights.values()) or 1)


def ground_of(ground: Ground, facts: Facts) -> tuple[float, str]:
    """The share of the part `ground`, and what gives it."""
    territory: float = 0.0 if facts.relation == "none" else getattr(ground, facts.relation)
    ownership: float = getattr(ground, facts.owner) if facts.owner else 0.0
    return (ownership, facts.owner) if facts.owner and ownership >= territory else (territory, facts.relation)


def _shares(scale: Scale, facts: Facts) -> dict[str, float]:
    """Of each part that applies how much of its points are given, 0 to 1."""
    rules = scale.rules
    shares = {"ground": ground_of(scale.ground, facts)[0], "refused": 0.0 if facts.refused else 1.0}
    if facts.minutes is not None:
        shares["way"] = _down(facts.minutes, 0, rules.far_minutes)
    if facts.load is not None:
        shares["load"] = _down(facts.load, 0, facts.capacity)
    if facts.skill is not None:
        shares["skill"] = facts.skill
    if facts.age_s is not None:
        shares["position"] = _down(facts.age_s, rules.fresh_position_s, rules.oldest_position_s)
    if facts.shift_left_s is not None:
        shares["shift"] = min(1.0, facts.shift_left_s / 60 / rules.shift_left_minutes)
    if facts.today is not None:
        shares["fairness"] = _down(facts.today, 0, rules.most_a_day)
    return shares


def _values(scale: Scale, facts: Facts) -> dict[str, Any]:
    """What the points of each part are given for."""
    return {
        "ground": ground_of(scale.ground, facts)[1],
        "way": None if facts.minutes is None else round(facts.minutes, 1),
        "load": facts.load,
        "skill": facts.skill,
        "position": facts.age_s,
        "shift": facts.shift_left_s,
        "fairness": facts.today,
        "refused": facts.refused,
    }


def _down(value: float, full: float, none: float) -> float:
    """1 up to `full`, then falling evenly to 0 at `none`."""
    if value <= full:
        return 1.0
    return 0.0 if value >= none else (none - value) / (none - full)
