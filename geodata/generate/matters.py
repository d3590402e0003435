"""How each kind of generated ticket behaves over the year, the day, the channels and the ground, as tables."""

import tomllib
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import profiles
from geodata.generate.recipe import Recipe
from profiles import Kind, Profile

Floats = NDArray[np.float64]
FILE = profiles.FOLDER / "data" / "matters.toml"

# relative tickets in each hour of the day
_HOURS = {
    "day": [3, 2, 1, 1, 2, 4, 14, 50, 108, 142, 128, 104, 62, 64, 108, 112, 98, 78, 44, 26, 16, 11, 8, 5],
    "office": [1, 1, 0, 0, 0, 1, 4, 20, 110, 150, 130, 100, 40, 50, 115, 125, 105, 60, 20, 10, 7, 5, 3, 2],
    "early": [3, 2, 2, 2, 6, 20, 60, 110, 130, 110, 80, 60, 45, 45, 65, 70, 65, 70, 50, 30, 20, 12, 8, 5],
    "evening": [6, 3, 2, 2, 3, 6, 18, 40, 70, 80, 70, 60, 50, 45, 60, 65, 70, 85, 100, 105, 90, 60, 30, 14],
    "night": [40, 22, 12, 8, 6, 8, 15, 30, 45, 50, 45, 42, 55, 45, 40, 42, 45, 50, 60, 75, 90, 105, 110, 75],
}
_WEEK = np.array([1.10, 1.07, 1.05, 1.03, 1.04, 0.88, 0.83])
_EASE = [1.0, 0.52, 0.38, 0.32, 0.3, 0.3, 0.34, 0.4, 0.5, 0.62, 0.76, 0.9]  # months after a topic's month
_SPELLS = 1.02  # what spells of bad weather add to a year
_BURSTS = {
    "heat": 2.4,
    "burst": 1.8,
    "drains": 2.6,
    "ditch": 1.8,
    "power": 1.7,
    "pothole": 1.3,
    "building_noise": 1.6,
}


@dataclass(frozen=True)
class Matters:
    """One row a kind, in the profile's order."""

    kinds: list[Kind]
    per_day: Floats  # (k,) usual tickets a day, of the year's mean
    months: Floats  # (k, 12), mean 1
    topic: Floats  # (k,) month of its 每月一题, 0 for none
    burst: Floats  # (k,) how much a bad spell of weather multiplies it
    hours: Floats  # (k, 24) cumulative shares of the hours
    channels: Floats  # (k, c) cumulative shares of the channels
    urban: Floats  # (k,) relative rate a head in urban grids
    rural: Floats
    pace: Floats  # (k,) usual part of the limit that handling takes
    late: Floats  # (k,) odds of being late against the place's usual
    trade: list[str]  # of the worker that it needs, or ""
    words: list[list[str]]

    def rate(self, day: date, seed: int) -> Floats:
        """Tickets expected of each kind on a day."""
        spell = np.random.default_rng([seed, 30, day.isocalendar().year, day.isocalendar().week])
        hit = spell.random(len(self.kinds)) < 0.16
        today = np.random.default_rng([seed, 31, day.toordinal()])
        noise = today.lognormal(0, 0.05) * today.lognormal(0, 0.07, len(self.kinds))
        expected: Floats = (
            self.per_day
            * self.season(day)
            * self.topic_factor(day)
            * _WEEK[day.weekday()]
            * noise
            * np.where(hit, self.burst, 1)
        )
        return expected

    def season(self, day: date) -> Floats:
        """The month's weight, gliding from the middle of one month to the middle of the next."""
        at = day.month - 1 + (day.day - 15) / 30
        low = int(np.floor(at))
        part = at - low
        return (1 - part) * self.months[:, low % 12] + part * self.months[:, (low + 1) % 12]

    def topic_factor(self, day: date) -> Floats:
        """A kind that was a month's topic is reported less and less for months, until it is forgotten."""
        since = (day.month - self.topic + (day.day - 1) / 31) % 12
        eased = np.interp(since, np.arange(13), [*_EASE, 1.0])
        return np.where(self.topic > 0, eased, 1.0)


@cache
def behaviours() -> dict[str, dict[str, Any]]:
    """profiles/data/matters.toml."""
    with FILE.open("rb") as file:
        return tomllib.load(file)


def matters_of(profile: Profile, recipe: Recipe) -> Matters:
    """The tables for a place; KeyError for a matter that the file does not know."""
    known = behaviours()
    kinds = [k for c in profile.categories for k in c.kinds]
    like = [known[k.matter] for k in kinds]
    share = np.array(
        [
            c.share / sum(x.share for x in profile.categories) * k.share / sum(x.share for x in c.kinds)
            for c in profile.categories
            for k in c.kinds
        ]
    )
    topic = {code: month for month, code in recipe.topics.items()}
    urban, rural = (np.array([float(m[where]) for m in like]) for where in ("urban", "rural"))
    reach = urban * recipe.urban_population_share + rural * (1 - recipe.urban_population_share)
    share = share * np.clip(reach / np.maximum(urban, rural), 0.15, 1)  # a rural matter is rare in a city
    share /= share.sum()
    months = np.array([m.get("months", [1] * 12) for m in like], dtype=float)
    plain = Matters(
        kinds=kinds,
        per_day=share,
        months=months / months.mean(axis=1, keepdims=True),
        topic=np.array([float(topic.get(k.code, 0)) for k in kinds]),
        burst=np.array([_BURSTS.get(k.matter, 1.0) for k in kinds]),
        hours=_cumulative(np.array([_blend(m["hours"]) for m in like])),
        channels=_cumulative(_channels(profile, like, share)),
        urban=urban,
        rural=rural,
        pace=np.array([float(m.get("pace", 0.4)) for m in like]),
        late=np.array([float(m.get("late", 1.0)) for m in like]),
        trade=[str(m.get("trade", "")) for m in like],
        words=[list(m["words"]) for m in like],
    )
    # the topics and spells of weather change the year's sum: bring its mean to the wished-for number
    year = days_between(date(2025, 1, 1), date(2025, 12, 31))
    mean = np.mean([(share * plain.season(day) * plain.topic_factor(day)).sum() for day in year])
    return replace(plain, per_day=share * recipe.tickets_per_day / float(mean) / _SPELLS)


def _blend(name: str) -> Floats:
    own, day = (np.array(_HOURS[n], dtype=float) for n in (name, "day"))
    blend: Floats = 0.6 * own / own.sum() + 0.4 * day / day.sum()
    return blend


def _channels(profile: Profile, like: list[dict[str, Any]], share: Floats) -> Floats:
    """Probability of each channel by kind; over all kinds the channels have the profile's shares (raking)."""
    wanted = np.array([c.share for c in profile.channels], dtype=float)
    wanted /= wanted.sum()
    factor = np.array(
        [[float(m.get("channels", {}).get(c.code, 1.0)) for c in profile.channels] for m in like]
    )
    table = factor * wanted
    for _ in range(40):
        table /= table.sum(axis=1, keepdims=True)
        table *= wanted / (share @ table)
    raked: Floats = table / table.sum(axis=1, keepdims=True)
    return raked


def _cumulative(table: Floats) -> Floats:
    run = np.cumsum(table, axis=1)
    shares: Floats = run / run[:, -1:]
    return shares


def days_between(first: date, last: date) -> list[date]:
    """All days from first to last, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
