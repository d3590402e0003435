"""The map as a component: Leaflet from dash-leaflet, drawn on by assets/20-map…js from wangge.config."""

from collections.abc import Mapping
from typing import Any, Literal

import dash_leaflet as dl
from dash import html

from settings import Settings

MAP_ID = "map"
INSET_ID = "map-inset"
TIANDITU = (
    "https://t{s}.tianditu.gov.cn/vec_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=vec&STYLE=default"
    "&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk="
)
TIANDITU_ATTRIBUTION = "© 天地图"  # its licence asks for this name
TIANDITU_SERVERS = "01234567"

Role = Literal["main", "inset"]


def map_config(settings: Settings) -> dict[str, Any]:
    """What the map needs from the settings: wangge.config.map."""
    return {"basemap": basemap(settings)}


def basemap(settings: Settings) -> dict[str, Any] | None:
    """The base map of the settings: an XYZ source first, else Tianditu (CGCS2000, needs no shift), else none."""
    if settings.basemap_url:
        return {
            "url": settings.basemap_url,
            "datum": settings.basemap_datum,
            "attribution": settings.basemap_attribution,
            "subdomains": "abc",
        }
    if settings.tianditu_key:
        return {
            "url": TIANDITU + settings.tianditu_key,
            "datum": "wgs84",
            "attribution": TIANDITU_ATTRIBUTION,
            "subdomains": TIANDITU_SERVERS,
        }
    return None


def map_view(
    config: Mapping[str, Any], role: Role = "main", bounds: tuple[float, float, float, float] | None = None
) -> html.Div:
    """The map, filling its parent. An inset shows the same layers of an extract (west, south, east, north in degrees)
    without controls. The view is set by the browser: from the address of the page, else the area asked for.
    """
    inset = role == "inset"
    area = config.get("area") or config["root"]
    box = bounds or area["bounds"]
    return html.Div(
        dl.Map(
            # Keep this list in its order: a prepended child makes dash-leaflet create everything anew.
            children=[] if inset else [dl.ScaleControl(position="bottomright", imperial=False, maxWidth=110)],
            id=INSET_ID if inset else MAP_ID,
            className="wg-map",
            preferCanvas=True,
            zoomControl=False,
            attributionControl=False,
            zoomSnap=0.05,
            wheelPxPerZoomLevel=90,
            minZoom=5,
            maxZoom=19,
            dragging=not inset,
            keyboard=not inset,
            trackResize=True,
            trackViewport=False,  # the browser keeps the view; with True each move would set props
            zoomAnimation=True,
            inertia=True,
        ),
        className=f"wg-map-frame wg-map-{role}",
        **{"data-role": role, "data-bounds": ",".join(str(part) for part in box)},
    )
