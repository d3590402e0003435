"""Names of areas by zoom, placed by weight and never over one another; towns with their overdue and workers."""

from layers.spec import Layer, LegendRow

LAYER = Layer(
    id="names",
    title="map.layer.names",
    kind="names",
    group="lines",
    tokens={"text": "--map-label", "halo": "--map-halo", "quiet": "--tx-2", "late": "--late"},
    numbers={"town_to": 15, "community_from": 12.5, "grid_from": 14.25},
    legend=(LegendRow("triangle", "--late", "map.legend.overdue"),),
)
