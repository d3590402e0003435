"""The score of a candidate: parts, each with its points of how many, that add up to it."""

from collections.abc import Callable
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
    stands: dict[str, float]  # shares of the part `ground`, by relation and by owner


def scale_of(profile: Profile, weights: Weights, category: str) -> Scale:
    """The scale for tickets of that category."""
    ground = profile.dispatch.ground(category)
    given = {name: getattr(weights, name) for name in PARTS}
    return Scale(profile.dispatch, ground, given, {"none": 0.0, **vars(ground)})


def total(scale: Scale, facts: Facts) -> float:
    """The score alone, 0 to 100, not rounded: to choose whose parts are worth telling."""
    return weigher(scale)(facts)


def weigher(scale: Scale) -> Callable[[Facts], float]:
    """What gives `total` for one after the other: `shares` by their weights, added up at once."""
    rules, stands = scale.rules, scale.stands
    far, enough, most = rules.far_minutes, rules.shift_left_minutes, rules.most_a_day
    fresh, oldest = rules.fresh_position_s, rules.oldest_position_s
    w_ground, w_way, w_load, w_skill, w_position, w_shift, w_fairness, w_refused = scale.weights.values()

    def weighed(facts: Facts) -> float:
        stand, owner, minutes, age_s, left_s, load, capacity, skill, today, refused = facts
        ground = stands[stand]
        points, whole = w_ground * (max(ground, stands[owner]) if owner else ground), w_ground + w_refused
        if minutes is not None:
            points += w_way * _down(minutes, 0, far)
            whole += w_way
        if load is not None:
            points += w_load * _down(load, 0, capacity)
            whole += w_load
        if skill is not None:
            points += w_skill * skill
            whole += w_skill
        if age_s is not None:
            points += w_position * _down(age_s, fresh, oldest)
            whole += w_position
        if left_s is not None:
            points += w_shift * min(1.0, left_s / 60 / enough)
            whole += w_shift
        if today is not None:
            points += w_fairness * _down(today, 0, most)
            whole += w_fairness
        return 100 * (points if refused else points + w_refused) / (whole or 1)

    return weighed


def scored(scale: Scale, facts: Facts) -> Score:
    """The score with its parts."""
    given, gets = scale.weights.values(), shares(scale, facts)
    whole = sum([weight for weight, share in zip(given, gets, strict=True) if share is not None])
    parts = tuple(
        [
            Part(name, _points(weight, whole, share), _of_hundred(weight, whole), value)
            for name, weight, share, value in zip(PARTS, given, gets, _values(scale, facts), strict=True)
            if weight and share is not None
        ]
    )
    return Score(round(sum([part.points for part in parts]), 1), parts)


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
    most_of = {
        "ground": max(ground.town, ground.wider, ground.owner) if skilled else ground.town,
        "way": _down(minutes, 0, scale.rules.far_minutes),
        "skill": 1 if skilled else GENERAL if of_trade else PLAIN,
    }
    most = sum(weight * most_of.get(name, 1) for name, weight in weights.items())
    return 100 * most / (sum(weights.values()) or 1)


def ground_of(ground: Ground, facts: Facts) -> tuple[float, str]:
    """The share of the part `ground`, and what gives it."""
    territory: float = 0.0 if facts.relation == "none" else getattr(ground, facts.relation)
    ownership: float = getattr(ground, facts.owner) if facts.owner else 0.0
    return (ownership, facts.owner) if facts.owner and ownership >= territory else (territory, facts.relation)


def shares(scale: Scale, facts: Facts) -> tuple[float | None, ...]:
    """Of each of PARTS how much of its points are given, 0 to 1; None where it does not apply."""
    rules, stands = scale.rules, scale.stands
    stand, owner, minutes, age_s, left_s, load, capacity, skill, today, refused = facts
    ground = stands[stand]
    return (
        max(ground, stands[owner]) if owner else ground,
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
