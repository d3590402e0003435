"""Coordinates that are no degrees: which projected system they would fit, told by the known outline of the place."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyproj import Proj

from geodata.importing.report import ImportRefused, refusal
from geodata.importing.vectors import AreaFile, extent

UNITS_M = {"": 1.0, "feet": 0.3048, "US survey feet": 1200 / 3937}


def why_no_degrees(file: AreaFile, path: Path, outline: Any, subject: str) -> ImportRefused:
    """The refusal of a file that does not say what its coordinates are, with the systems that would fit the place."""
    box = extent(file.stated)
    value = None if box is None else f"{box[0]:.1f}, {box[1]:.1f} to {box[2]:.1f}, {box[3]:.1f}"
    fits = fitting_systems(file, outline) if outline is not None else []
    hint = "Ask whoever made the file, and say it: --crs EPSG:…"
    if fits:
        hint += " By the known outline it would be: " + "; or ".join(fits) + "."
    return refusal(
        subject, path.name, "a coordinate system; the coordinates are not longitude and latitude", hint, value
    )


def fitting_systems(file: AreaFile, outline: Any) -> list[str]:
    """Systems, as text, that put the middle of the file inside the bounds of the outline."""
    box = extent(file.stated)
    if box is None:
        return []
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    west, south, east, north = outline.bounds
    for unit, metres in UNITS_M.items():
        fits = []
        for epsg, system in _systems((west + east) / 2):
            lon, lat = system(x * metres, y * metres, inverse=True)
            if west <= lon <= east and south <= lat <= north:
                fits.append(f"EPSG:{epsg}" + (f" after turning {unit} into metres" if unit else ""))
        if fits:
            return fits
    return []


def _systems(lon: float) -> Iterator[tuple[int, Proj]]:
    """The systems in use about a longitude: CGCS2000 in 3- and 6-degree zones with and without the zone's number in the
    easting (Xi'an 1980 and Beijing 1954 lie within 150 m of these), UTM, web Mercator."""
    for zone in range(round(lon / 3) - 1, round(lon / 3) + 2):
        if 25 <= zone <= 45:
            yield 4534 + zone - 25, _gauss_krueger(zone * 3, 500_000)
            yield 4513 + zone - 25, _gauss_krueger(zone * 3, zone * 1_000_000 + 500_000)
    six = int(lon // 6) + 1
    if 13 <= six <= 23:
        yield 4502 + six - 13, _gauss_krueger(six * 6 - 3, 500_000)
        yield 4491 + six - 13, _gauss_krueger(six * 6 - 3, six * 1_000_000 + 500_000)
    yield 32600 + int((lon + 180) // 6) + 1, Proj(proj="utm", zone=int((lon + 180) // 6) + 1, ellps="WGS84")
    yield 3857, Proj("EPSG:3857")


def _gauss_krueger(meridian: int, easting: int) -> Proj:
    return Proj(proj="tmerc", lat_0=0, lon_0=meridian, k=1, x_0=easting, y_0=0, ellps="GRS80")
