"""Numbers as people of a language read them; assets/00-core.js does the same in the browser."""

from screens.words import t

MINUS = "\u2212"
FEW = 30  # a rate on fewer cases is set in regular weight


def integer(value: int, lang: str) -> str:
    """1,043 with separators; from 100,000 on in units of ten thousand where the language counts so."""
    if lang == "zh-CN" and abs(value) >= 100_000:
        return f"{value / 10_000:,.1f}{t(lang, 'unit.wan')}"
    return f"{value:,}"


def signed(value: float, digits: int = 0) -> str:
    """A difference with its sign: +56, −9 (a true minus), ±0."""
    rounded = round(value, digits) + 0.0
    sign = "+" if rounded > 0 else MINUS if rounded < 0 else "±"
    return f"{sign}{abs(rounded):,.{digits}f}"


def percent(n: int, d: int, digits: int = 1) -> str | None:
    """n / d in per cent without the sign: 98.4; None where there is nothing to divide by.

    Rounded down where rounding would claim 100 % of an incomplete whole, up where it would claim none.
    """
    if d == 0:
        return None
    value = round(100 * n / d, digits)
    step = 10**-digits
    if n < d and value >= 100:
        value = 100 - step
    elif n > 0 and value <= 0:
        value = step
    return f"{value:.{digits}f}"


def share(n: int, d: int, lang: str) -> str:
    """Numerator and denominator: 835 / 934."""
    return f"{integer(n, lang)} / {integer(d, lang)}"
