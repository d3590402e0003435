"""What a layer of the map is: the description that the browser draws from (wangge.config.layers)."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["tiles", "fill", "heat", "lines", "counts", "symbols", "workers", "names"]
Group = Literal["ground", "things", "lines"]
Shape = Literal[
    "ring", "diamond", "triangle", "camera", "person", "heart", "heart_open", "dot", "line", "text"
]


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of each grid that can colour it. Classes are fixed: a colour means the same at every zoom and on every
    screen. `floors` are the least values of the classes from the second on (the first is "none"); `column` is the
    value's place in the grids of the live feed.
    """

    id: str
    title: str
    unit: str
    column: int
    floors: tuple[float, ...]
    labels: tuple[str, ...]
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class LegendRow:
    """A symbol beside a word; `token` is the colour's name in tokens.css."""

    shape: Shape
    token: str
    title: str
    faded: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer. Words are keys of the catalogues, colours are names of tokens, zooms are for a desk screen (a wall of
    twice the size shows the same at one step more).
    """

    id: str
    title: str
    kind: Kind
    group: Group
    source: str | None = None
    min_zoom: float = 0
    max_zoom: float = 22
    shown: bool = True
    fixed: bool = False  # cannot be switched off
    opacity: float = 1.0
    tokens: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    legend: tuple[LegendRow, ...] = ()
    card: str | None = None  # kind of the card that a click opens
    card_fields: tuple[str, ...] = ()
    icon: Shape | None = None
    right: str | None = None  # whoever lacks it is not offered the layer

    def as_config(self) -> dict[str, Any]:
        """Plain values for the browser."""
        return asdict(self)
