"""Chinese place names for readers of English: pinyin, with the kind of place translated."""

import re
from collections.abc import Iterable
from functools import lru_cache

from pypinyin import lazy_pinyin

from screens.words import t


@lru_cache(maxsize=20_000)
def latin(lang: str, name: str) -> str:
    """The name in that language: as it is in Chinese; pinyin and the translated kind of place in English."""
    if lang != "en":
        return name
    for chinese, english in _endings(lang):
        if name.endswith(chinese):
            return f"{_pinyin(name.removesuffix(chinese))}{english}".strip()
    return _pinyin(name)


def latin_names(lang: str, rows: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """The same for many areas, by number."""
    return [(no, latin(lang, name)) for no, name in rows]


def _endings(lang: str) -> list[tuple[str, str]]:
    """The catalogue's table of endings, 'ending>translation' parted by bars; the first that fits holds."""
    pairs = (pair.partition(">") for pair in t(lang, "name.endings").split("|"))
    return [(ending, translation) for ending, _, translation in pairs]


def _pinyin(name: str) -> str:
    """Syllables run together within a word, digits and Latin letters apart: 第3 → 3, 孟家楼 → Mengjialou."""
    return " ".join("".join(lazy_pinyin(part)).capitalize() for part in re.split(r"(\d+)", name) if part)
