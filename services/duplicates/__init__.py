"""Tickets that may say the same: how alike they are, which to offer, and the voices kept with the one that goes on."""

from services.duplicates.finding import Candidate, Draft, likely, likely_of, told
from services.duplicates.likeness import Likeness, Said, alike, likeness
from services.duplicates.voices import Voice, voices

__all__ = [
    "Candidate", "Draft", "Likeness", "Said", "Voice", "alike", "likely", "likely_of", "likeness", "told", "voices",
]  # fmt: skip
