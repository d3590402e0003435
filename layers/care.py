"""People owed care: a masked count a grid and nothing else."""

from layers.spec import Layer, LegendRow

LAYER = Layer(
    id="care",
    title="map.layer.care",
    kind="counts",
    group="things",
    source="/api/map/care",
    min_zoom=13,
    shown=False,
    tokens={"mark": "--tx-2", "ground": "--map-halo"},
    legend=(LegendRow("heart", "--tx-2", "map.legend.care"),),
    icon="heart",
)
