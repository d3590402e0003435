"""Values that programs, people and attackers send, drawn from one random source: the same number, the same values."""

from random import Random
from typing import Any

# What the small place knows (areas, a worker, languages, periods), so that requests come as far as the rows.
KNOWN = [
    "370883", "370883001", "370883001001", "370883001001001", "370883002002009", "W1001001001", "zh-CN", "en",
    "grid", "town", "county", "low", "full", "day", "week", "month", "year", "2026-01-01", "2026-02-30",
    "2026-01-01T00:00:00Z", "2026-01-01T00:00:00+08:00", "administrator", "dispatcher", "true", "今天",
    "117.005,35.405",
]  # fmt: skip
TEXTS = [
    "", " ", "0", "-1", "1e308", "NaN", "Infinity", "null", "\x00", "a\x00b", "\ud800", "\u202e", "\ufffe", "'; --",
    "%00", "%", "%_\\", "../../etc/passwd", "<script>", "=1+1", "{}", "[]", "💥" * 50, "x" * 5_000, "9" * 400,
    "0001-01-01", "9999-12-31", "9999-12-31T23:59:59+14:00", "24:00", "-271821-04-20", "1970-01-01T00:00:00",
    "00000000-0000-0000-0000-000000000000",
]  # fmt: skip
NUMBERS: list[int | float] = [
    0, 1, 2, 3, 7, -1, 30, 255, 32_767, 32_768, 2**31 - 1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 10**30,
    1_001_001_001, 1_001_000_000, 0.5, -0.0, 1e-320, 1e308, 35.405, 117.005, float("nan"), float("inf"), float("-inf"),
]  # fmt: skip
ALPHABET = "abcxyz0189 _-./:%?&=+,;'\"\\\n\t\u00e9\u0130\u4e2d\u7f51\u683c\u200b\U0001f4a5"


def text(chance: Random) -> str:
    """Known, odd, or any letters."""
    kind = chance.random()
    if kind < 0.4:
        return chance.choice(KNOWN)
    if kind < 0.75:
        return chance.choice(TEXTS)
    if kind < 0.85:
        return str(chance.choice(NUMBERS))
    return "".join(chance.choices(ALPHABET, k=chance.randrange(1, 30)))


def scalar(chance: Random) -> Any:
    """Anything that JSON has without parts."""
    kind = chance.random()
    if kind < 0.1:
        return None
    if kind < 0.2:
        return chance.random() < 0.5
    return chance.choice(NUMBERS) if kind < 0.5 else text(chance)


def anything(chance: Random, depth: int = 3) -> Any:
    """Any JSON, seldom deep."""
    kind = chance.random()
    if depth == 0 or kind < 0.7:
        return scalar(chance)
    if kind < 0.85:
        return [anything(chance, depth - 1) for _ in range(chance.randrange(4))]
    return {text(chance): anything(chance, depth - 1) for _ in range(chance.randrange(4))}


def changed(chance: Random, value: Any) -> Any:
    """The value with one place in it replaced, taken out, added or bent; the value given stays as it is."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key, kind = chance.choice(list(value)), chance.random()
        if kind < 0.12:
            return {name: part for name, part in value.items() if name != key}
        if kind < 0.2:
            return value | {text(chance): anything(chance)}
        return value | {key: changed(chance, value[key])}
    if isinstance(value, list) and value and chance.random() < 0.9:
        at, kind = chance.randrange(len(value)), chance.random()
        if kind < 0.15:
            return value[:at] + value[at + 1 :]
        if kind < 0.3:
            return value[: at + 1] * chance.choice((2, 3, 300)) + value[at:]
        return [*value[:at], changed(chance, value[at]), *value[at + 1 :]]
    if isinstance(value, str) and value and chance.random() < 0.4:
        at = chance.randrange(len(value))
        return (
            value[:at] + chance.choice((text(chance), "", value, chance.choice(ALPHABET))) + value[at + 1 :]
        )
    if isinstance(value, int | float) and not isinstance(value, bool) and chance.random() < 0.4:
        return chance.choice((value + 1, value - 1, -value, value * 1_000, str(value), value / 3))
    return anything(chance)
