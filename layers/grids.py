"""Grids filled by a chosen measure with fixed classes."""

from layers.spec import Layer, Measure

COUNTS = (1.0, 2.0, 3.0, 5.0, 8.0)
MEASURES = (
    Measure("open", "map.measure.open", "map.unit.tickets", 1, COUNTS, ("0", "1", "2", "3–4", "5–7", "≥8")),
    Measure(
        "overdue", "map.measure.overdue", "map.unit.tickets", 2, (1, 2, 3, 4, 6), ("0", "1", "2", "3", "4–5", "≥6")
    ),
    Measure(
        "per_1000", "map.measure.per_1000", "map.unit.tickets_per_1000", 3, (0.001, 2, 4, 8, 16),
        ("0", "<2", "2–4", "4–8", "8–16", "≥16"),
    ),
    Measure(
        "patrol_days", "map.measure.patrol_days", "map.unit.days", 4, (1, 2, 3, 7, 14),
        ("0", "1", "2", "3–6", "7–13", "≥14"), unknown="map.measure.never",
    ),
)  # fmt: skip

LAYER = Layer(
    id="grids",
    title="map.layer.grids",
    kind="fill",
    group="ground",
    source="/api/map/areas/grid",
    fixed=True,
    measures=MEASURES,
    tokens={
        "class0": "--ramp-0", "class1": "--ramp-1", "class2": "--ramp-2", "class3": "--ramp-3", "class4": "--ramp-4",
        "class5": "--ramp-5", "unknown": "--bg-2", "line": "--map-grid", "line_only": "--line-2",
    },
    numbers={
        "line_width": 0.6,
        "line_width_close": 1.0,
        "close_zoom": 14,
        "full_detail_zoom": 14,
    },
    card="area",
    card_fields=("open", "overdue", "reported_today", "per_1000", "last_patrol_at", "households", "population"),
)  # fmt: skip
