"""A perimeter drawn on the map: a GeoJSON polygon that is looked at before it is kept."""

import math
from collections.abc import Iterator
from typing import Any

import orjson

from geodata.queries import incident_figures as queries
from geodata.scope import Db
from services.incidents.errors import BadIncident

MOST_POINTS = 2000
RING = "a list of at least 4 points, the last like the first"


def checked(conn: Db, given: dict[str, Any]) -> str:
    """The perimeter as GeoJSON text, if it is a valid polygon in degrees (EPSG:4326). Raises BadIncident.

    A line that crosses itself, an open ring, swapped coordinates and too many points are named with their place.
    """
    kind, coordinates = given.get("type"), given.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon") or not isinstance(coordinates, list) or not coordinates:
        raise BadIncident("perimeter", kind, "a GeoJSON Polygon or MultiPolygon with coordinates")
    polygons = [coordinates] if kind == "Polygon" else coordinates
    points = sum(len(list(_points(name, ring))) for name, ring in _rings(polygons))
    if points > MOST_POINTS:
        raise BadIncident("perimeter", points, f"at most {MOST_POINTS} points")
    text = orjson.dumps({"type": "MultiPolygon", "coordinates": polygons}).decode()
    fault = queries.fault_of(conn, text)
    if fault is not None:
        raise BadIncident("perimeter", fault, "a line that does not cross or touch itself")
    return text


def _rings(polygons: list[Any]) -> Iterator[tuple[str, Any]]:
    for number, polygon in enumerate(polygons):
        if not isinstance(polygon, list) or not polygon:
            raise BadIncident(f"perimeter[{number}]", str(polygon)[:60], "a list of rings")
        for at, ring in enumerate(polygon):
            yield f"perimeter[{number}][{at}]", ring


def _points(name: str, ring: Any) -> Iterator[tuple[float, float]]:
    if not isinstance(ring, list) or len(ring) < 4 or ring[0] != ring[-1]:
        raise BadIncident(name, str(ring)[:60], RING)
    if len(ring) > MOST_POINTS:
        raise BadIncident(name, len(ring), f"at most {MOST_POINTS} points")
    for at, point in enumerate(ring):
        if not isinstance(point, list) or len(point) != 2 or not all(map(_is_number, point)):
            raise BadIncident(f"{name}[{at}]", str(point)[:60], "[longitude, latitude] in degrees")
        lon, lat = point
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise BadIncident(
                f"{name}[{at}]", point, "longitude -180 … 180, then latitude -90 … 90: are they swapped?"
            )
        yield float(lon), float(lat)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
