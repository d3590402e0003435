"""One line of the bench: our figure, the peer's, and whether the bar holds."""

from dataclasses import asdict, dataclass
from math import ceil
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """What one measure found.

    `ours` and `peer` are in `unit`; either is None when it could not be measured in this run, and `note` says why.
    `holds` is None when nothing in this run can tell. A stored figure never stands in a column: a bar taken from
    literature is named in `bar` or `note`.
    """

    measure: str
    ours: float | None
    peer: float | None
    unit: str
    bar: str
    holds: bool | None
    peer_name: str
    less_is_better: bool = True
    n: int = 0
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer we are (above 1 = better)."""
        if not self.ours or not self.peer:
            return None
        return self.peer / self.ours if self.less_is_better else self.ours / self.peer

    def as_json(self) -> dict[str, Any]:
        """The fields of `--json`; figures have four significant digits."""
        row = asdict(self) | {"ratio": self.ratio}
        for key in ("ours", "peer", "ratio"):
            if row[key] is not None:
                row[key] = float(f"{row[key]:.4g}")
        first = ("measure", "ours", "peer", "ratio", "bar", "holds")
        return {key: row[key] for key in first} | {k: v for k, v in row.items() if k not in first}


class Missing(Exception):
    """Something that a measurement needs is not on this machine; the message names it."""


class Wrong(Exception):
    """The run measured something else than it meant to; the message says what happened. Counts as missed."""


def percentile(values: list[float], share: float) -> float:
    """The value below which that share (0..1) of the values lies, nearest rank."""
    ranked = sorted(values)
    return ranked[max(0, ceil(share * len(ranked) - 1e-9) - 1)]


def median(values: list[float]) -> float:
    """The middle value."""
    return percentile(values, 0.5)
