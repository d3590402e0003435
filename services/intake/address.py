"""Finds the area that an address names when no coordinates came with it: by name, and never more exactly than that."""

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from geodata.queries import intake as queries
from geodata.queries.intake import Named
from geodata.scope import Db

LEAST_LETTERS = 5  # of a name in pinyin: shorter ones are in too many words


class Hit(NamedTuple):
    """Where an address names something; `full` = with a suffix that says what it is, not with its stem alone."""

    named: Named
    start: int
    end: int
    full: bool


def find_place(conn: Db, address: str) -> Named | None:
    """The smallest area in scope that the address names without doubt; None if it names none, or only the whole place.

    A community is looked for inside of the town or district that is named too. Names that several areas bear stand
    for what holds them all. Suffixes may be left out, and characters may be others of the same sound.
    """
    text = unicodedata.normalize("NFKC", address).replace(" ", "").replace("\x00", "")
    if len(text) < 2:
        return None
    hits = _outermost(
        [_hit(text, one) for one in queries.areas_named_in(conn, text, _suffixes())]
        + [_hit(text, one) for one in queries.stations_named_in(conn, text)]
    )
    wide = _wide(hits)
    near = _within(hits, wide)
    if not near:
        unread = "".join(
            " " if any(hit.start <= at < hit.end for hit in hits) else c for at, c in enumerate(text)
        )
        near = _by_sound(conn, unread, wide)
    if not near:
        return wide
    found = _common(conn, near)
    if found is None or found.level != "community":
        return found
    community = next(hit.named for hit in near if hit.named.no == found.no)
    grids = queries.grids_named_in(conn, text, community)
    return grids[0] if len(grids) == 1 else found


def _wide(hits: list[Hit]) -> Named | None:
    """The town, else the district, that is named; None if none is, or several."""
    for level in ("town", "county"):
        named = [hit for hit in hits if hit.named.level == level]
        named = [hit for hit in named if hit.full] or named
        if len(named) == 1:
            town = named[0]
            # A road is named after a town more often than a community is wrong about where it lies.
            elsewhere = [hit for hit in hits if hit.named.level in ("community", "grid") and hit.full
                         and not _inside(hit.named, town.named)]  # fmt: skip
            return None if elsewhere and not town.full else town.named
        if named:
            return None
    return None


def _within(hits: list[Hit], wide: Named | None) -> list[Hit]:
    """The places that are named, else the communities, inside of the wider area; whole names go before stems."""
    for level in ("grid", "community"):
        near = [
            hit for hit in hits if hit.named.level == level and (wide is None or _inside(hit.named, wide))
        ]
        if near:
            return [hit for hit in near if hit.full] or near
    return []


def _by_sound(conn: Db, text: str, wide: Named | None) -> list[Hit]:
    """Communities whose name sounds like a part of the text: one character written for another, or pinyin."""
    spoken = " ".join(_sound(part) for part in text.split())
    lo, hi = (wide.no, wide.hi) if wide else (0, 2**62)
    found = []
    for one in queries.communities(conn, lo, hi, _suffixes()):
        if one.level == "community" and len(name := _sound(one.stem)) >= LEAST_LETTERS and name in spoken:
            found.append(Hit(one, 0, len(name), False))
    longest = max((hit.end for hit in found), default=0)
    return [hit for hit in found if hit.end == longest]


def _common(conn: Db, hits: list[Hit]) -> Named | None:
    """The one area that is named, or the smallest that holds all that are; None for the whole place."""
    numbers = {hit.named.no: hit.named for hit in hits}
    if len(numbers) == 1:
        return hits[0].named
    found = queries.narrowest_over(conn, min(numbers), max(one.hi for one in numbers.values()))
    return found if found is not None and found.level in ("county", "town", "community") else None


def _outermost(hits: list[Hit]) -> list[Hit]:
    """Without those whose words are a part of a longer name: the village behind a town's name."""
    return [
        hit
        for hit in hits
        if not any(
            other.start <= hit.start
            and hit.end <= other.end
            and other.end - other.start > hit.end - hit.start
            for other in hits
        )
    ]


def _hit(text: str, one: Named) -> Hit:
    """The whole name, else the stem with any of the suffixes, else the stem."""
    start = text.find(one.name)
    if start >= 0:
        return Hit(one, start, start + len(one.name), True)
    found = re.search(re.escape(one.stem) + _suffix(one.level), text)
    if found:
        return Hit(one, found.start(), found.end(), True)
    start = text.find(one.stem)
    return Hit(one, start, start + len(one.stem), False)


def _inside(one: Named, wide: Named) -> bool:
    return wide.no <= one.no <= wide.hi


@lru_cache(maxsize=20_000)
def _sound(text: str) -> str:
    """Pinyin without tones; latin letters as they are, in lower case."""
    from pypinyin import lazy_pinyin  # its tables are a tenth of a start

    return "".join(re.sub(r"[^a-z0-9]", "", part.lower()) for part in lazy_pinyin(text))


@cache
def _suffixes() -> str:
    """A regular expression of what people leave out at the end of a name."""
    return f"({'|'.join(_suffix(level) for level in _words())})$"


@cache
def _suffix(level: str) -> str:
    """A regular expression of what areas of a level are called; nothing for what is no such area."""
    words = _words().get(level, [])
    return f"(?:{'|'.join(map(re.escape, words))})" if words else "(?!)"


@cache
def _words() -> dict[str, list[str]]:
    found: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("words.toml").read_text())[
        "suffixes"
    ]
    return found
