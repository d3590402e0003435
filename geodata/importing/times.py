"""Times as files write them (Chinese or ISO text, Excel serials, epochs, Arrow times) as UTC, a column at once."""

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.importing.words import words

UTC_US = pa.timestamp("us", "UTC")
Mask = NDArray[np.bool_]
EXCEL_DAY_ZERO = np.datetime64("1899-12-30", "us")
EXCEL_FROM, EXCEL_TO = 10_000.0, 90_000.0  # 1927 to 2146
DAY_US = 86_400_000_000


def parse_times(column: pa.Array, zone: ZoneInfo) -> tuple[pa.Array, Mask]:
    """UTC microseconds (null where empty or not understood) and a mask of the rest; without a zone: `zone`'s."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    kind = column.type
    if pa.types.is_null(kind):
        return pa.nulls(len(column), UTC_US), np.zeros(len(column), bool)
    if pa.types.is_timestamp(kind):
        exact = column.cast(pa.timestamp("us", kind.tz), safe=False)
        return (exact.cast(UTC_US) if kind.tz else _localize(exact, zone)), np.zeros(len(column), bool)
    if pa.types.is_date(kind):
        return _localize(column.cast(pa.timestamp("us")), zone), np.zeros(len(column), bool)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _numbers(column, zone)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _texts(column.cast(pa.string()), zone)
    return pa.nulls(len(column), UTC_US), _filled(column)


def parse_dates(column: pa.Array, zone: ZoneInfo) -> tuple[pa.Array, Mask]:
    """Local dates (date32), and a mask of what was not understood."""
    if pa.types.is_date(column.type):
        return column.cast(pa.date32()), np.zeros(len(column), bool)
    times, bad = parse_times(column, zone)
    local = pc.local_timestamp(pc.cast(times, pa.timestamp("us", zone.key)))
    return local.cast(pa.date32(), safe=False), bad


def _filled(column: pa.Array) -> Mask:
    return np.asarray(column.is_valid())


def _localize(naive: pa.Array, zone: ZoneInfo) -> pa.Array:
    """Local wall-clock time as UTC; an hour that occurs twice is the earlier, one that a clock skips is moved on."""
    there = pc.assume_timezone(naive, zone.key, ambiguous="earliest", nonexistent="latest")
    return there.cast(UTC_US)


def _numbers(column: pa.Array, zone: ZoneInfo) -> tuple[pa.Array, Mask]:
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    filled = _filled(column)
    numbers = np.where(filled, column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64), 0.0)
    finite = np.isfinite(numbers)
    serial = finite & (numbers >= EXCEL_FROM) & (numbers < EXCEL_TO)
    seconds = finite & (numbers >= 1e9) & (numbers < 2e9)
    millis = finite & (numbers >= 1e12) & (numbers < 2e12)
    whole = (
        finite
        & (numbers == np.floor(numbers))
        & (numbers >= 19_000_101)
        & ~seconds
        & ~millis
        & (numbers < 1e14)
    )
    whole &= (numbers < 1e8) | (numbers >= 1e13)  # 20240501, or 20240501123000
    local_us = np.where(serial, np.round(numbers * 86_400) * 1_000_000, 0).astype(
        np.int64
    ) + EXCEL_DAY_ZERO.astype(np.int64)
    utc_us = np.where(millis, numbers * 1_000, np.where(seconds, numbers * 1_000_000, 0)).astype(np.int64)
    by_serial = _localize(pa.array(local_us, mask=~serial).cast(pa.timestamp("us")), zone)
    by_epoch = pa.array(utc_us, mask=~(seconds | millis)).cast(UTC_US)
    digits = pa.array(np.where(whole, numbers, 0).astype(np.int64), mask=~whole).cast(pa.string())
    by_digits, odd = _texts(digits, zone)
    return pc.coalesce(by_serial, by_epoch, by_digits), filled & (~(serial | seconds | millis | whole) | odd)


def _texts(column: pa.Array, zone: ZoneInfo) -> tuple[pa.Array, Mask]:
    trimmed = pc.utf8_trim_whitespace(column)
    trimmed = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
    filled = _filled(trimmed)
    result = pa.nulls(len(column), UTC_US)
    understood = np.zeros(len(column), bool)
    known = words()["time"]
    for pattern in (known["pattern"], known["packed"]):
        if not (filled & ~understood).any():
            break
        parts = pc.extract_regex(trimmed, pattern)
        times, good = _from_parts(parts, zone)
        result = pc.coalesce(result, times)
        understood |= good
    if (filled & ~understood).any():  # a number that stands as text: an Excel serial or an epoch
        numeric = pc.match_substring_regex(trimmed, r"^\d{5}(\.\d+)?$|^1\d{9}$|^1\d{12}$").fill_null(False)
        numbers = pc.if_else(numeric, trimmed, pa.scalar(None, pa.string())).cast(pa.float64())
        times, bad = _numbers(numbers, zone)
        result = pc.coalesce(result, times)
        understood |= _filled(numbers) & ~bad
    return result, filled & ~understood


def _from_parts(parts: pa.StructArray, zone: ZoneInfo) -> tuple[pa.Array, Mask]:
    """Times from the named groups of a pattern; a 31 April or an hour 25 is not understood."""
    matched = _filled(parts)
    names = {parts.type.field(index).name for index in range(parts.type.num_fields)}

    def text(name: str) -> pa.Array:
        """One named group; "" where it did not take part."""
        return parts.field(name).fill_null("") if name in names else pa.array([""] * len(parts))

    def number(name: str, width: int = 0) -> NDArray[np.int64]:
        digits = text(name)
        if width:  # a fraction: .5 means 500 000
            digits = pc.utf8_slice_codeunits(pc.utf8_rpad(digits, width, "0"), 0, width)
        return np.asarray(pc.if_else(pc.equal(digits, ""), "0", digits).cast(pa.int64()))

    year, month, day = number("y"), number("mo"), number("d")
    hour, minute, second, micro = number("h"), number("mi"), number("s"), number("us", 6)
    after = np.zeros(len(parts), bool)
    before = np.zeros(len(parts), bool)
    for group in ("half", "after"):
        after |= np.asarray(pc.is_in(text(group), pa.array(words()["time"]["afternoon"])))
        before |= np.asarray(pc.is_in(text(group), pa.array(words()["time"]["morning"])))
    hour = np.where(after & (hour < 12), hour + 12, np.where(before & (hour == 12), 0, hour))
    year_ok = (year >= 1900) & (year <= 2200) & (month >= 1) & (month <= 12)
    months = np.where(year_ok, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
    midnight = (hour == 24) & (minute == 0) & (second == 0)  # 24:00 ends the day
    good = (
        matched
        & year_ok
        & (day >= 1)
        & (day <= length)
        & ((hour < 24) | midnight)
        & (minute < 60)
        & (second < 60)
    )
    whole = months.astype("datetime64[D]").astype(np.int64) + day - 1
    us = whole * DAY_US + ((hour * 60 + minute) * 60 + second) * 1_000_000 + micro
    naive = pa.array(np.where(good, us, 0), mask=~good)
    offset = text("zone")
    zoned = np.asarray(pc.not_equal(offset, ""))
    local = _localize(pc.if_else(pa.array(~zoned), naive, None).cast(pa.timestamp("us")), zone)
    if not zoned.any():
        return local, good
    shift = _offset_us(offset)
    absolute = pa.array(np.where(good & zoned, us - shift, 0), mask=~(good & zoned)).cast(UTC_US)
    return pc.coalesce(absolute, local), good


def _offset_us(offset: pa.Array) -> NDArray[np.int64]:
    """+08:00 as microseconds; Z and UTC as 0."""
    shifts: dict[Any, int] = {}
    for text in pc.unique(offset).to_pylist():
        digits = (text or "").replace(":", "")
        sign = -1 if digits.startswith("-") else 1
        shifts[text] = (
            sign * (int(digits[1:3]) * 60 + int(digits[3:5])) * 60_000_000
            if digits[:1] in "+-" and digits
            else 0
        )
    encoded = offset.dictionary_encode()
    table = np.array([shifts[text] for text in encoded.dictionary.to_pylist()], np.int64)
    result: NDArray[np.int64] = table[np.asarray(encoded.indices)]
    return result
