"""Where a ticket belongs: from its point to the smallest area that covers it, or from a name to the area named."""

from datetime import UTC, datetime

import numpy as np

from geodata.datum import Datum, to_wgs84
from geodata.queries import tickets as queries
from geodata.queries.live import place_bounds
from geodata.queries.tickets import Area
from geodata.scope import Db
from services.intake.address import find_place
from services.tickets.errors import BadReport

FAR_DEGREES = 0.5  # about 50 km around the place


def in_wgs84(lon: float, lat: float, datum: Datum) -> tuple[float, float]:
    """The point in EPSG:4326 (degrees)."""
    if datum == "wgs84":
        return lon, lat
    lons, lats = to_wgs84(np.array([lon]), np.array([lat]), datum)
    return float(lons[0]), float(lats[0])


def place(conn: Db, lon: float | None, lat: float | None) -> tuple[Area, str]:
    """The area of a point (EPSG:4326) and how well the place is known; without a point the whole place.

    Raises BadReport for a point far outside of the place.
    """
    if lon is None or lat is None:
        return root(conn), "none"
    area = queries.area_at(conn, lon, lat)
    if area is not None and area.level == "grid":
        return area, "shared_point" if queries.is_shared_point(conn, lon, lat) else "exact"
    if area is None:
        bounds = place_bounds(conn)
        if bounds is not None:
            west, south, east, north = bounds
            if not west - FAR_DEGREES <= lon <= east + FAR_DEGREES:
                raise BadReport("lon", lon, f"{west - FAR_DEGREES:.2f} … {east + FAR_DEGREES:.2f}")
            if not south - FAR_DEGREES <= lat <= north + FAR_DEGREES:
                raise BadReport("lat", lat, f"{south - FAR_DEGREES:.2f} … {north + FAR_DEGREES:.2f}")
    return area or root(conn), "outside"


def by_name(conn: Db, code: str | None, address: str | None) -> tuple[Area, str]:
    """The area of that code, else the one that the address names, else the whole place; no point in any case.

    Raises BadReport for an unknown code.
    """
    if code is not None:
        area = queries.area_of_code(conn, code)
        if area is None:
            raise BadReport("area", code, "the code of an area of yours")
        return area, "by_name"
    found = find_place(conn, address) if address else None
    if found is None:
        return root(conn), "none"
    return Area(found.no, found.code, found.name, found.level), "by_name"


def root(conn: Db) -> Area:
    """The whole place, for what has no grid; who sees only a part of it may not file there."""
    found = queries.root_area(conn)
    if found is None:
        raise BadReport("lon, lat", None, "a point inside of your areas")
    return found


def iso(moment: datetime) -> str:
    """The moment as JSON holds it, in UTC."""
    return moment.astimezone(UTC).isoformat()
