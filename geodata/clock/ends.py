"""Ends of limits for a whole column of starts; without pauses, as services.clock.due works them out one by one."""

from collections.abc import Sequence

import numpy as np

from geodata.clock.worktime import MINUTE_US, Micros, Table, Worktime, table_of
from profiles.clock import Amount

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
YEAR_US = 365.25 * DAY_US


def ends(limit: Sequence[Amount], starts: Micros, worktime: Worktime) -> Micros:
    """When the limit is over for each start (microseconds since 1970 UTC), its parts one after another."""
    if not len(starts):
        return starts
    first = 1970 + int(starts.min() // YEAR_US) - 1
    last = 1970 + int(starts.max() // YEAR_US) + 2
    while True:
        table = table_of(worktime, first, last)
        at, reach = starts, int(table.midnights[-1])
        for part in limit:
            found = _end(part, at, table, worktime)
            if found is None or int(found.max()) >= reach:
                break
            at = np.maximum(found, at)  # a part of a day that counts from its morning may be over already
        else:
            return at
        last += 2 + (last - first)  # a very long limit


def units_us(part: Amount, day_us: int) -> int:
    """The part's amount in microseconds of its own time; `day_us` is the working time of a working day."""
    unit = {
        "natural_hours": HOUR_US,
        "natural_days": DAY_US,
        "working_hours": HOUR_US,
        "working_days": day_us,
    }
    return round(part.amount * unit[part.unit])


def _end(part: Amount, at: Micros, table: Table, worktime: Worktime) -> Micros | None:
    """The end of one part; None when the table is too short for it."""
    amount = units_us(part, worktime.day_us)
    counting = worktime.clock.counting(part)
    if part.unit == "natural_hours" or (part.unit == "natural_days" and counting == "running"):
        return at + amount
    day = table.day_of(at)
    if part.unit == "natural_days":
        whole, rest = divmod(amount, DAY_US)
        last = day + (counting == "next_day") + whole
        if int(last.max()) + 1 >= len(table.midnights):
            return None
        minutes = (
            table.midnights[last + 1] - table.midnights[last]
        ) // MINUTE_US  # 1440, unless the clocks change
        found: Micros = table.midnights[last] - (-rest * minutes // 1440)
        return found
    reading = table.read(at)
    if part.unit == "working_days" and counting == "next_day":
        reading = table.worked[day + 1]
    elif part.unit == "working_days" and counting == "same_day":
        reading = reading // worktime.day_us * worktime.day_us
    reading = reading + amount
    if int(np.max(reading)) > int(table.worked[-1]):
        return None
    return table.when(reading)
