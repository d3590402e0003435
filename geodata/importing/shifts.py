"""Hours and days of a worker's shift as files write them."""

import re

import numpy as np
import pyarrow as pa

from geodata.importing import words
from geodata.importing.fields import Fields

ALL_DAYS = 127  # bit 0 = Monday


def parse_hours(fields: Fields, name: str, default: str) -> pa.Array:
    """Times of day such as 08:00 (24:00 ends the day), `default` where empty."""
    texts = fields.text(name, longest=40).to_pylist()
    bad = np.zeros(len(texts), bool)
    result = []
    for index, text in enumerate(texts):
        match = (
            re.fullmatch(r"(\d{1,2}):(\d{2})(?::\d{2}(?:\.0+)?)?", text.replace("\uff1a", ":"))
            if text
            else None
        )
        hour, minute = (int(match[1]), int(match[2])) if match else (0, 0)
        bad[index] = text is not None and (match is None or hour * 60 + minute > 24 * 60 or minute > 59)
        result.append(default if match is None else f"{hour:02}:{minute:02}")
    fields.complain(name, bad, "a time of day such as 08:00", "")
    return pa.array(result, pa.string())


def parse_days(fields: Fields, name: str) -> pa.Array:
    """Days of the week as bits (Monday 1 … Sunday 64): the number, or names, also as a range. Empty: every day."""
    texts = fields.text(name, longest=100).to_pylist()
    bits = [_days(text) if text else ALL_DAYS for text in texts]
    bad = np.array([found is None for found in bits], bool)
    fields.complain(
        name,
        bad,
        "days of the week",
        "Write mon-fri, mon sat sun, or the number of their bits (mon 1 … sun 64).",
    )
    return pa.array([found or 0 for found in bits], pa.int16())


def _days(text: str) -> int | None:
    if text.isdigit():
        return int(text) if 0 <= int(text) <= ALL_DAYS else None
    spoken = words.words()["days"]
    order = {words.key(word): number for number, names in enumerate(spoken.values()) for word in names}
    order |= {code: number for number, code in enumerate(spoken)}
    result = 0
    for part in re.split(r"[\s,;\u3001\uff0c\uff1b]+", text.strip().lower()):
        ends = [order.get(words.key(end)) for end in re.split(r"[-~\u81f3\u5230]", part)]
        first, last = ends[0], ends[-1]
        if first is None or last is None or len(ends) > 2:
            return None
        for number in range(first, first + (last - first) % 7 + 1):
            result |= 1 << (number % 7)
    return result
