"""Video stations with the state of their stream, clustered where dense."""

from layers.spec import Layer, LegendRow

LAYER = Layer(
    id="stations",
    title="map.layer.stations",
    kind="symbols",
    group="things",
    source="/api/map/stations",
    min_zoom=11.5,
    tokens={"live": "--map-video", "off": "--map-video", "ground": "--map-halo"},
    legend=(
        LegendRow("camera", "--map-video", "map.legend.station_live"),
        LegendRow("camera", "--map-video", "map.legend.station_off", faded=True),
    ),
    card="station",
    card_fields=("site_kind", "state", "checked_at"),
    icon="camera",
)
