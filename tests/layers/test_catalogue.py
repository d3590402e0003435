"""The catalogue of layers: complete, in words of both languages, with colours that exist and fixed classes."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import layers
from layers import grids, heat
from layers.catalogue import LAYERS, as_config
from layers.spec import Layer
from screens.words import LANGUAGES, words

ASSETS = Path(__file__).resolve().parents[2] / "assets"


def test_each_file_of_layers_is_in_the_catalogue() -> None:
    defined = set()
    for module in pkgutil.iter_modules(layers.__path__):
        for value in vars(importlib.import_module(f"layers.{module.name}")).values():
            if isinstance(value, Layer):
                defined.add(value.id)
    assert defined == {layer.id for layer in LAYERS}
    assert len(LAYERS) == len(defined), "ids are unique"


def keys() -> Iterator[str]:
    for layer in LAYERS:
        yield layer.title
        yield from (row.title for row in layer.legend)
        for measure in layer.measures:
            yield from (measure.title, f"{measure.title}.per_grid", measure.unit)
            if measure.unknown:
                yield measure.unknown


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_word_is_in_the_catalogues(lang: str) -> None:
    assert set(keys()) <= set(words(lang))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_word_that_the_map_scripts_use_is_in_the_catalogues(lang: str) -> None:
    used = set()
    for path in [*ASSETS.glob("2*-*.js")]:
        used |= set(re.findall(r"""\bt\("(map\.[a-z0-9_.]+)\"""", path.read_text("utf-8")))
    assert len(used) > 60
    assert used <= set(words(lang))


@pytest.mark.parametrize("theme", [".dark", ".light"])
def test_every_colour_is_a_token_of_both_themes(theme: str) -> None:
    text = (ASSETS / "tokens.css").read_text("utf-8") + (ASSETS / "map.css").read_text("utf-8")
    defined = set()
    for block in re.findall(rf"^\{theme}\{{(.*?)\}}", text, re.M | re.S):
        defined |= set(re.findall(r"(--[\w-]+):", block))
    for layer in LAYERS:
        assert {*layer.tokens.values(), *(row.token for row in layer.legend)} <= defined, layer.id


@pytest.mark.parametrize("measure", grids.MEASURES, ids=lambda measure: measure.id)
def test_classes_are_six_ascending_and_labelled(measure: grids.Measure) -> None:
    assert list(measure.floors) == sorted(measure.floors) and measure.floors[0] > 0
    assert len(measure.labels) == len(measure.floors) + 1 == 6


def test_open_tickets_have_the_breaks_of_the_house() -> None:
    assert grids.MEASURES[0].labels == ("0", "1", "2", "3–4", "5–7", "≥8")


def test_heat_has_one_scale() -> None:
    assert heat.LAYER.numbers["least"] == heat.TICKS[0] and heat.LAYER.numbers["most"] == heat.TICKS[-1]


def test_sources_are_our_own_feeds() -> None:
    for layer in as_config():
        assert layer["source"] is None or layer["source"].startswith("/api/")
