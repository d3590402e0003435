"""Single open tickets when close, and the bloom of a ticket that just came in."""

from layers.spec import Layer, LegendRow

LAYER = Layer(
    id="tickets",
    title="map.layer.tickets",
    kind="symbols",
    group="things",
    source="/api/map/tickets",
    min_zoom=14.5,
    tokens={"late": "--late", "soon": "--soon", "other": "--tx-1", "ring": "--map-halo", "bloom": "--tx-1"},
    numbers={"soon_s": 7200},
    legend=(
        LegendRow("triangle", "--late", "map.legend.late"),
        LegendRow("diamond", "--soon", "map.legend.soon"),
        LegendRow("ring", "--tx-1", "map.legend.open"),
    ),
    card="ticket",
    card_fields=("category", "channel", "status", "reported_at", "due_at"),
    icon="ring",
)
