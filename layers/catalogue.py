"""The layers of the map, from the ground up; a new layer is one file and one line here."""

from typing import Any

from layers import basemap, care, grids, heat, names, outlines, posts, stations, tickets, workers
from layers.spec import Layer

LAYERS: tuple[Layer, ...] = (
    basemap.LAYER,
    grids.LAYER,
    heat.LAYER,
    outlines.COMMUNITIES,
    outlines.TOWNS,
    outlines.COUNTIES,
    care.COUNTS,
    posts.LAYER,
    stations.LAYER,
    care.VISITS,
    tickets.LAYER,
    workers.LAYER,
    names.LAYER,
)


def as_config() -> list[dict[str, Any]]:
    """All layers as plain values for wangge.config.layers."""
    return [layer.as_config() for layer in LAYERS]
