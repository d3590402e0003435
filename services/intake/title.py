"""A title for what came without one: the first sentence of its words."""

import re

from services.intake.masking import masked
from services.intake.reporter import Reporter

LONGEST = 60  # characters
_ENDS = re.compile(r"[\n\u3002!?\uff01\uff1f\uff1b;]")


def title_of(words: str, reporter: Reporter | None) -> str:
    """The first sentence, cut where it is long; empty for empty words.

    It is masked before it is cut: half of a number would be found by no mask.
    """
    shown = masked(words, reporter.words() if reporter else ())
    first = next((part.strip() for part in _ENDS.split(shown) if part.strip()), "")
    return first if len(first) <= LONGEST else f"{first[: LONGEST - 1]}…"
