"""Heat of tickets: density on a fixed scale, tickets a square kilometre and day."""

from layers.spec import Layer

TICKS = (0.3, 1, 3, 10, 30, 100)

LAYER = Layer(
    id="heat",
    title="map.layer.heat",
    kind="heat",
    group="ground",
    source="/api/heat",
    fixed=True,
    opacity=0.9,
    tokens={"t1": "--ramp-1", "t2": "--ramp-2", "t3": "--ramp-3", "t4": "--ramp-4", "t5": "--ramp-5"},
    numbers={"least": TICKS[0], "most": TICKS[-1], "radius_px": 15, "least_days": 1},
)
