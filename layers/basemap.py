"""The base map below everything: none by default, or tiles by setting, moved to our datum."""

from layers.spec import Layer

LAYER = Layer(id="basemap", title="map.layer.basemap", kind="tiles", group="ground", opacity=0.55)
