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
    weights: dict[str, int]  # in the order of PARTS


def scale_of(profile: Profile, weights: Weights, category: str) -> Scale:
    """The scale for tickets of that category."""
    return Scale(
        profile.dispatch, profile.dispatch.ground(category), {name: getattr(weights, name) for name in PARTS}
    )


def total(scale: Scale, facts: Facts) -> float:
    """The score alone, 0 to 100, not rounded: to choose whose parts are worth telling."""
    points, whole = 0.0, 0
    for weight, share in zip(scale.weights.values(), _shares(scale, facts), strict=True):
        if share is not None:
            points += weight * share
            whole += weight
    return 100 * points / (whole or 1)


def scored(scale: Scale, facts: Facts) -> Score:
    """The score with its parts."""
    applied = [
        (name, weight, share, value)
        for (name, weight), share, value in zip(
            scale.weights.items(), _shares(scale, facts), _values(scale, facts), strict=True
        )
        if weight and share is not None
    ]
    whole = sum(weight for _, weight, _, _ in applied) or 1
    parts = tuple(
        Part(name, _points(weight, whole, share), _of_hundred(weight, whole), value)
        for name, weight, share, value in applied
    )
    return Score(round(sum(part.points for part in parts), 1), parts)


@lru_cache(maxsize=8192)  # the same few shares most times, and rounding is what a score costs
def _points(weight: int, whole: int, share: float) -> float:
    return round(100 * weight / whole * share, 1)


@lru_cache(maxsize=512)
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


def _shares(scale: Scale, facts: Facts) -> tuple[float | None, ...]:
    """Of each of PARTS how much of its points are given, 0 to 1; None where it does not apply."""
    rules = scale.rules
    _, _, minutes, age_s, left_s, load, capacity, skill, today, refused = facts
    return (
        ground_of(scale.ground, facts)[0],
        None if minutes is None else _down(minutes, 0, rules.far_minutes),
        None if load is None else _down(load, 0, capacity),
        skill,
        None if age_s is None else _down(age_s, rules.fresh_position_s, rules.oldest_position_s),
        None if left_s is None else min(1.0, left_s / 60 / rules.shift_left_minutes),
        None if today is None else _down(today, 0, rules.most_a_day),
        0.0 if refused else 1.0,
    )


def _values(scale: Scale, facts: Facts) -> tuple[Any, ...]:
    """What the points of each of PARTS are given for."""
    minutes = None if facts.minutes is None else round(facts.minutes, 1)
    return (
        ground_of(scale.ground, facts)[1], minutes, facts.load, facts.skill, facts.age_s, facts.shift_left_s,
        facts.today, facts.refused,
    )  # fmt: skip


def _down(value: float, full: float, none: float) -> float:
    """1 up to `full`, then falling evenly to 0 at `none`."""
    if value <= full:
        return 1.0
    return 0.0 if value >= none else (none - value) / (none - full)
