"""Words of the field that imports understand (words.toml): headings, values, and what is refused."""

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any


@cache
def words() -> dict[str, Any]:
    """The whole of words.toml."""
    with (Path(__file__).parent / "words.toml").open("rb") as file:
        return tomllib.load(file)


def key(text: str) -> str:
    """A heading or value as it is compared: NFKC, lower case, without spaces, _ and what stands in brackets."""
    plain = unicodedata.normalize("NFKC", text).lower()
    bare = re.sub(r"\([^)]*\)|[\s_*:/\-]", "", plain)
    return bare or re.sub(r"\s", "", plain)


def values(subject: str) -> dict[str, str]:
    """For each known word (compared by `key`) the code it stands for, codes themselves included."""
    known: dict[str, list[str]] = words()["values"][subject]
    return {key(word): code for code, spoken in known.items() for word in (code, *spoken)}


def refused_heading(heading: str) -> str | None:
    """The kind of thing that a heading asks us to keep and that this product refuses; None when it is welcome."""
    plain = unicodedata.normalize("NFKC", heading).lower()
    latin = re.findall(
        r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", unicodedata.normalize("NFKC", heading)).lower()
    )
    for kind, roots in words()["refused"].items():
        for root in roots:
            if any(word.startswith(root) for word in latin) if root.isascii() else root in plain:
                return str(kind)
    return None
