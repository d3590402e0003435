"""Masks ID numbers, telephone numbers and mail addresses in what people write, before it is stored."""

import re
import tomllib
from collections.abc import Callable, Collection
from datetime import date
from functools import cache
from pathlib import Path

from services.care.masking import masked_name

STARS = "****"
Change = Callable[[re.Match[str]], str | None]
_PLAIN = str.maketrans(
    {chr(0xFF10 + digit): str(digit) for digit in range(10)}
    | {"\uff38": "X", "\uff58": "x", "\uff08": "(", "\uff09": ")", "\uff0d": "-", "\uff0b": "+", "\u3000": " ",
       "\uff20": "@", "\u2013": "-", "\u2014": "-", "\u2212": "-"}
)  # fmt: skip
_GAP = r"[ .\-\u00b7]?"  # what people set between groups of digits
# Province, city and county (GB/T 2260), the day of birth, three digits and the check digit (GB 11643).
_REGION = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])" + rf"(?:{_GAP}[0-9]){{4}}"
_ID_18 = re.compile(rf"(?<![0-9]){_REGION}((?:{_GAP}[0-9]){{8}})(?:{_GAP}[0-9]){{3}}{_GAP}[0-9Xx](?![0-9])")
_ID_15 = re.compile(rf"(?<![0-9]){_REGION}((?:{_GAP}[0-9]){{6}})(?:{_GAP}[0-9]){{3}}(?![0-9])")
_MOBILE = re.compile(rf"(?<![0-9])(?:(?:\+|00)?86{_GAP})?(1{_GAP}[3-9](?:{_GAP}[0-9]){{9}})(?![0-9])")
# Area code and seven or eight digits; behind "117." stand decimals of a degree, not a number of somebody.
_LANDLINE = re.compile(
    r"(?<![0-9])(?<![0-9]{2}\.)((?:\+|00)?86[ \-]?)?(\(?0(?:10|2[0-9]|[3-9][0-9]{2})\)?)([ \-]{0,2})"
    r"[2-8][0-9]{2,3}[ \-]?[0-9]{4}(?![0-9])"
)
_MAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-])([A-Za-z0-9])[A-Za-z0-9._%+\-]{0,63}@"
    r"([A-Za-z0-9](?:[A-Za-z0-9\-]{0,62}\.){1,8}[A-Za-z]{2,24})"
)
# Two-digit years before it are codes of grids (15 digits as well) rather than people born then.
_OLDEST_SHORT = 20


def masked(text: str, names: Collection[str] = ()) -> str:
    """The text with 138****5678 for a mobile, 37****1234 for an ID number, 0537-****67 for a landline.

    ID numbers of 18 digits (with a wrong check digit too: a slip of the pen still names somebody) and of 15 digits,
    written in one piece or in groups, in full-width digits too; mail addresses keep their first letter and host.
    Each of `names` (the reporter's own) becomes its first character and two stars. Masking twice changes nothing.
    """
    plain = text.translate(_PLAIN)  # character by character, so that places in both texts are the same
    for pattern, change in (
        (_ID_18, _id),
        (_ID_15, _id),
        (_MOBILE, _mobile),
        (_LANDLINE, _landline),
        (_local(), _local_number),
        (_MAIL, _mail),
    ):
        text, plain = _replaced(text, plain, pattern, change)
    for name in sorted({name.strip() for name in names}, key=len, reverse=True):
        if len(name) >= 2:
            text = text.replace(name, masked_name(name))
    return text


def published(text: str) -> str:
    """The text as strangers may read it: masked, and with the names by which people introduce themselves cut to 王**.

    What follows a family name after such a word is taken for the given name, two characters at most: a stranger loses
    a character now and then; the ticket itself keeps its words.
    """
    return _introduced().sub(lambda match: f"{match[1]}{masked_name(match[2])}", masked(text))


def _replaced(text: str, plain: str, pattern: re.Pattern[str], change: Change) -> tuple[str, str]:
    """Both texts with what `change` makes of each match; None leaves it."""
    parts: list[str] = []
    plains: list[str] = []
    end = 0
    for match in pattern.finditer(plain):
        instead = change(match)
        if instead is None:
            continue
        parts += (text[end : match.start()], instead)
        plains += (plain[end : match.start()], instead)
        end = match.end()
    if not parts:
        return text, plain
    return "".join((*parts, text[end:])), "".join((*plains, plain[end:]))


def _id(match: re.Match[str]) -> str | None:
    """37****1234, if the day of birth is one."""
    digits = _bare(match[0])
    born = _bare(match[1])
    if len(born) == 6:
        if int(born[:2]) < _OLDEST_SHORT:
            return None
        born = f"19{born}"
    try:
        day = date(int(born[:4]), int(born[4:6]), int(born[6:]))
    except ValueError:
        return None
    latest = date.today().year + 1  # on New Year's Day UTC is a year behind the place
    return f"{digits[:2]}{STARS}{digits[-4:]}" if 1900 <= day.year <= latest else None


def _mobile(match: re.Match[str]) -> str | None:
    """138****5678, if its digits stand in groups as people write a number, or each by itself."""
    groups = [len(group) for group in re.split(r"[ .\-\u00b7]", match[1])]
    if min(groups) < 2 and max(groups) > 1:
        return None
    digits = _bare(match[1])
    return f"{digits[:3]}{STARS}{digits[-4:]}"


def _landline(match: re.Match[str]) -> str:
    """0537-****67: the area code, which tells of a city only, and the last two digits."""
    return f"{match[2]}{match[3]}{STARS}{match[0][-2:]}"


def _local_number(match: re.Match[str]) -> str:
    """The word before it, and the last two digits."""
    return f"{match[1]}{STARS}{match[0][-2:]}"


def _mail(match: re.Match[str]) -> str:
    """w***@example.com."""
    return f"{match[1]}***@{match[2]}"


def _bare(text: str) -> str:
    return re.sub(r"[^0-9Xx]", "", text)


@cache
def _words() -> dict[str, list[str]]:
    found: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("words.toml").read_text())
    return found


@cache
def _introduced() -> re.Pattern[str]:
    """A name behind a word with which people introduce themselves."""
    words = _words()
    before, naming, family = ("|".join(words[name]) for name in ("introducing", "naming", "families"))
    return re.compile(
        rf"((?:{before})(?:{naming})?[ :\uff1a]{{0,2}})((?:{family})[\u3400-\u9fff]{{1,2}})(?!\*)"
    )


@cache
def _local() -> re.Pattern[str]:
    """Seven or eight digits behind a word that says they are a telephone number."""
    words = _words()
    before = "|".join(map(re.escape, words["telephone"]))
    between = "|".join(map(re.escape, words["between"]))
    return re.compile(
        rf"((?:{before})(?:{between})?[ :\uff1a]{{0,3}})[2-8][0-9]{{2,3}}[ \-]?[0-9]{{4}}(?![0-9])",
        re.IGNORECASE,
    )
