"""How alike two reports are, from 0 to 100: by place, time, category and words; and why, in keys of words."""

import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from rapidfuzz import fuzz

WEIGHTS = {"place": 0.30, "time": 0.15, "category": 0.20, "words": 0.35}
SAME_SPOT_M = 15.0  # nearer than a phone knows
AT_THE_RIM = 0.2  # what a place as far as the radius counts
IN_THE_GRID, IN_THE_AREA = 0.7, 0.4  # what it counts that both are of the same grid, or of a wider area
HALF_LIFE_H = 168.0  # reports a week apart count half as much as those of one hour
ALIKE_WORDS = 0.4  # above it, words are a reason
_CHINESE = re.compile("[\\u3400-\\u9fff\\uf900-\\ufaff]+")
_WORD = re.compile(r"[^\W_]+")


class Said(NamedTuple):
    """What of a report is compared."""

    title: str
    description: str | None
    category: str | None
    parent: str | None  # code of the category's class
    at: datetime
    area_level: str | None = None


class Likeness(NamedTuple):
    """How alike two reports are: 0 … 100, hours between them, and the reasons as keys of words with parameters."""

    percent: int
    hours_apart: float
    reasons: tuple[tuple[str, dict[str, Any]], ...]


def likeness(
    one: Said, other: Said, *, distance_m: float | None, radius_m: float, same_grid: bool, area: str
) -> Likeness:
    """Compare two reports; `distance_m` is None where one of them has no point of its own.

    Then it counts that both are of the same grid, or of `area` at least.
    """
    reasons: list[tuple[str, dict[str, Any]]] = []
    if distance_m is None:
        place = IN_THE_GRID if same_grid else IN_THE_AREA
        reasons.append(("duplicates.same_area", {"area": area}))
    elif distance_m <= SAME_SPOT_M:
        place = 1.0
        reasons.append(("duplicates.same_spot", {}))
    else:
        place = 1.0 - (1.0 - AT_THE_RIM) * min(distance_m / radius_m, 1.0)
        reasons.append(("duplicates.near", {"metres": round(distance_m)}))
    hours = abs((one.at - other.at).total_seconds()) / 3600
    time = 0.5 ** (hours / HALF_LIFE_H)
    apart = (
        ("duplicates.hours", {"n": round(hours)})
        if hours < 48
        else ("duplicates.days", {"n": round(hours / 24)})
    )
    reasons.append(apart)
    category = 0.0
    if one.category is not None and one.category == other.category:
        category = 1.0
        reasons.append(("duplicates.same_kind", {"category": other.category}))
    elif one.parent is not None and one.parent == other.parent:
        category = 0.5
        reasons.append(("duplicates.same_class", {"category": other.parent}))
    words = alike(one.title, one.description, other.title, other.description)
    if words >= ALIKE_WORDS:
        reasons.append(("duplicates.same_words", {"percent": round(words * 100)}))
    if one.category is None:  # a draft without one is compared by the rest
        known = 1.0 - WEIGHTS["category"]
        score = (WEIGHTS["place"] * place + WEIGHTS["time"] * time + WEIGHTS["words"] * words) / known
    else:
        score = (
            WEIGHTS["place"] * place
            + WEIGHTS["time"] * time
            + WEIGHTS["category"] * category
            + WEIGHTS["words"] * words
        )
    return Likeness(round(score * 100), round(hours, 1), tuple(reasons))


def alike(title: str, description: str | None, other_title: str, other_description: str | None) -> float:
    """How alike two texts are, 0 … 1: by pairs of neighbouring characters in Chinese, by words elsewhere.

    The greater of: all they share of what they say; a title that stands in the other's text, given it is long enough.
    """
    one, other = plain(f"{title} {description or ''}"), plain(f"{other_title} {other_description or ''}")
    pairs, other_pairs = tokens(one), tokens(other)
    if not pairs or not other_pairs:
        return 0.0
    shared = (fuzz.token_set_ratio(pairs, other_pairs) + fuzz.token_sort_ratio(pairs, other_pairs)) / 200
    short, long = sorted((plain(title), plain(other_title)), key=len)
    titles = fuzz.ratio(short, long) / 100
    inside = 0.0
    if len(short) >= 6:
        inside = 0.9 * fuzz.partial_ratio(short, other if short == plain(title) else one) / 100
    return max(shared, titles, inside)


@lru_cache(4096)
def plain(text: str) -> str:
    """The text without what people write differently: width, case, punctuation, spaces between Chinese characters."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


@lru_cache(4096)
def tokens(text: str) -> str:
    """Words apart by spaces; of a run of Chinese each pair of neighbours, as it has no spaces."""
    found: list[str] = []
    for word in text.split():
        at = 0
        for run in _CHINESE.finditer(word):
            found += [word[at : run.start()]] if run.start() > at else []
            chars = run[0]
            found += [chars[i : i + 2] for i in range(len(chars) - 1)] or [chars]
            at = run.end()
        found += [word[at:]] if at < len(word) else []
    return " ".join(found)
