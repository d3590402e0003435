"""Posts: who is asked for what, and how to reach them where a screen may show people."""

from layers.spec import Layer, LegendRow

LAYER = Layer(
    id="posts",
    title="map.layer.posts",
    kind="symbols",
    group="things",
    source="/api/map/posts",
    min_zoom=13,
    shown=False,
    tokens={"mark": "--tx-2", "duty": "--accent", "ground": "--map-halo"},
    legend=(
        LegendRow("person", "--tx-2", "map.legend.post"),
        LegendRow("person", "--accent", "map.legend.post_on_duty"),
    ),
    card="post",
    card_fields=("role", "duty", "name", "phone"),
    icon="person",
)
