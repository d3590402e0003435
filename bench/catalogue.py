"""The measures, by the row of the product's list of bars; each is one file with a function measure(context)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

from bench.result import Missing, Result

if TYPE_CHECKING:
    from bench.context import Context


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure's number, the name it is asked for by, its module, and what it holds against what."""

    row: int
    name: str
    module: str
    title: str
    long: bool = False  # takes so long that it is only run when it is asked for

    def run(self, context: Context) -> list[Result]:
        """Its results; one that says what is missing when the product's own part cannot be measured."""
        module = import_module(f"bench.{self.module}")
        try:
            return cast(list[Result], module.measure(context))
        except Missing as error:
            return [
                Result(f"{self.row} {self.title}", None, None, "", "", None, "", note=f"missing: {error}")
            ]
        except Exception as error:
            note = f"failed: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            return [Result(f"{self.row} {self.title}", None, None, "", "", False, "", note=note)]


CATALOGUE = (
    Measure(1, "first-bytes", "m01_first_bytes", "first map: bytes and speed of all grids"),
    Measure(2, "first-paint", "m02_first_paint", "first map: navigation to all polygons painted"),
    Measure(3, "recolour", "m03_recolour", "live recolour to pixels"),
    Measure(4, "workers", "m04_workers", "4,000 workers at 800 positions a second"),
    Measure(5, "heat", "m05_heat", "heat of 1.14 million tickets"),
    Measure(6, "positions", "m06_positions", "positions taken in"),
    Measure(7, "fan-out", "m07_fanout", "fan-out to 500 screens"),
    Measure(8, "event-to-pixel", "m08_event_to_pixel", "event to pixel"),
    Measure(9, "candidates", "m09_candidates", "best candidates of 4,000 workers"),
    Measure(10, "plan", "m10_plan", "plan of 200 tickets for 4,000 workers"),
    Measure(12, "placing", "m12_placing", "grid of 1.14 million points"),
    Measure(13, "import", "m13_import", "import of 1.14 million tickets"),
    Measure(14, "callbacks", "m14_callbacks", "round trip of Dash callbacks"),
    Measure(15, "scope", "m15_scope", "what the scope costs on the hot reads"),
    Measure(16, "list", "m16_list", "a page and a search of the list of tickets"),
    Measure(17, "action", "m17_action", "an assignment on every other open screen"),
    Measure(18, "soak", "m18_soak", "a tab over eight hours of dispatching", long=True),
    Measure(19, "full-load", "m19_full_load", "an assignment on every display under full load", long=True),
)


def chosen(asked: list[str]) -> Iterator[Measure]:
    """The measures of these names or row numbers, in the catalogue's order; without any all but the long ones.

    KeyError if one is unknown.
    """
    known = {str(measure.row): measure for measure in CATALOGUE} | {
        measure.name: measure for measure in CATALOGUE
    }
    wanted = {known[name].row for name in asked} or {measure.row for measure in CATALOGUE if not measure.long}
    yield from (measure for measure in CATALOGUE if measure.row in wanted)
