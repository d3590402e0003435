"""When limits that start at many moments are over, worked out for whole columns at once."""

from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from geodata.clock.ends import ends
from geodata.clock.worktime import EPOCH, Worktime, micros
from profiles.clock import Amount


class Started(NamedTuple):
    """A limit that began at a moment (aware); an empty one never ends."""

    limit: tuple[Amount, ...]
    at: datetime


def ends_of(started: Sequence[Started], worktime: Worktime) -> list[datetime | None]:
    """The end (UTC) of each, without pauses; None for an empty limit."""
    groups: dict[Hashable, list[int]] = {}
    for number, one in enumerate(started):
        groups.setdefault(one.limit, []).append(number)
    found: list[datetime | None] = [None] * len(started)
    for numbers in groups.values():
        limit = started[numbers[0]].limit
        if not limit:
            continue
        over = ends(limit, np.array([micros(started[n].at) for n in numbers], dtype=np.int64), worktime)
        for number, at in zip(numbers, over.tolist(), strict=True):
            found[number] = EPOCH + timedelta(microseconds=at)
    return found
