"""Lines of communities, towns and counties, each from its zoom on."""

from layers.spec import Layer

COMMUNITIES = Layer(
    id="communities", title="map.layer.communities", kind="lines", group="lines", source="/api/map/areas/community",
    min_zoom=12.5, tokens={"line": "--map-community"}, numbers={"width": 0.9, "rank": 1},
)  # fmt: skip
TOWNS = Layer(
    id="towns", title="map.layer.towns", kind="lines", group="lines", source="/api/map/areas/town",
    tokens={"line": "--map-town"}, numbers={"width": 1.6, "rank": 2},
)  # fmt: skip
COUNTIES = Layer(
    id="counties", title="map.layer.counties", kind="lines", group="lines", source="/api/map/areas/county",
    fixed=True, tokens={"line": "--map-county"}, numbers={"width": 2.6, "rank": 3},
)  # fmt: skip
