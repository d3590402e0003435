"""The words of the screens in both languages, read from the catalogues in locale/."""

from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po

FOLDER = Path(__file__).resolve().parent.parent / "locale"
FILES = {"zh-CN": "zh_CN.po", "en": "en.po"}
LANGUAGES = tuple(FILES)

Words = dict[str, str | list[str]]


@cache
def words(lang: str) -> Words:
    """All words of a language by key; a plural is a list [one, other]. KeyError: no such language."""
    with (FOLDER / FILES[lang]).open("rb") as file:
        catalogue = read_po(file)
    found: Words = {}
    for message in catalogue:
        if isinstance(message.id, str):
            if message.id:
                found[message.id] = str(message.string)
        else:
            forms = list(message.string)
            found[message.id[0]] = [forms[0], forms[-1]]
    return found


def t(lang: str, key: str, **params: Any) -> str:
    """The word of that key with its `{names}` filled in; the parameter `n` chooses between one and many.

    An unknown key comes back as itself: a screen with one odd word is better than none (tests find it first).
    """
    word = words(lang).get(key, key)
    if isinstance(word, list):
        word = word[0] if params.get("n") == 1 else word[1]
    return word.format(**params) if params else word


def language_of(asked: str | None, default: str) -> str:
    """The language of a page: what its address asks for, else the default of the settings."""
    return asked if asked in FILES else default
