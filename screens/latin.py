"""Chinese place names for readers of English: pinyin, with the kind of place translated."""

import re
from collections.abc import Iterable
from functools import lru_cache

from screens.words import t


@lru_cache(maxsize=20_000)
def latin(lang: str, name: str, short: bool = False) -> str:
    """The name in that language: as it is in Chinese; pinyin and the translated kind of place in English.

    `short` leaves out kinds that are written as a word of their own (a blank comes before it in the catalogue).
    """
    if lang != "en":
        return name
    for chinese, english in _endings(lang):
        if name.endswith(chinese):
            spare = short and english.startswith(" ") and name != chinese
            return (_pinyin(name.removesuffix(chinese)) + ("" if spare else english)).strip()
    return _pinyin(name)


def grid_name(lang: str, name: str, community: str) -> str:
    """What a grid is called beside its community, whose name mostly begins its own: its number, or that it is alone."""
    own = name.removeprefix(community)
    if lang != "en":
        return own or name
    number = re.search(r"(\d+)\D*$", own)
    word = t(lang, "grid.number", number=number[1]) if number else t(lang, "grid.only")
    return word[:1].upper() + word[1:]


def latin_names(lang: str, rows: Iterable[tuple[int, str]], short: bool = False) -> list[tuple[int, str]]:
    """The same for many areas, by number."""
    return [(no, latin(lang, name, short)) for no, name in rows]


def _endings(lang: str) -> list[tuple[str, str]]:
    """The catalogue's table of endings, 'ending>translation' parted by bars; the first that fits holds."""
    pairs = (pair.partition(">") for pair in t(lang, "name.endings").split("|"))
    return [(ending, translation) for ending, _, translation in pairs]


def _pinyin(name: str) -> str:
    """Syllables run together within a word, digits and Latin letters apart: 第3 → 3, 孟家楼 → Mengjialou."""
    from pypinyin import lazy_pinyin  # its tables are a tenth of a start

    return " ".join("".join(lazy_pinyin(part)).capitalize() for part in re.split(r"(\d+)", name) if part)
