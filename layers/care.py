"""People owed care: a masked count a grid for everybody, markers of due visits for those whose duty it is."""

from layers.spec import Layer, LegendRow

COUNTS = Layer(
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

VISITS = Layer(
    id="visits",
    title="map.layer.visits",
    kind="symbols",
    group="things",
    source="/api/map/care/visits",
    min_zoom=12.5,
    tokens={"overdue": "--late", "due": "--soon", "ground": "--map-halo"},
    legend=(
        LegendRow("heart", "--late", "map.legend.visit_overdue"),
        LegendRow("heart_open", "--soon", "map.legend.visit_due"),
    ),
    card="care",
    card_fields=("category", "last_visit_on", "next_visit_on", "contacts"),
    icon="heart",
    right="care.markers",
)
