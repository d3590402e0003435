"""Grid workers: single dots from town zoom on, a count a town before; faded with age, then gone."""

from layers.spec import Layer, LegendRow

LAYER = Layer(
    id="workers",
    title="map.layer.workers",
    kind="workers",
    group="things",
    min_zoom=12,
    tokens={"dot": "--map-worker", "ring": "--map-halo"},
    numbers={"fade_from_s": 60, "stale_from_s": 300, "gone_after_s": 900},
    legend=(
        LegendRow("dot", "--map-worker", "map.legend.worker"),
        LegendRow("dot", "--map-worker", "map.legend.worker_stale", faded=True),
    ),
    card="worker",
    card_fields=("code", "worker_kind", "shift", "position_age"),
    icon="dot",
)
