"""Coordinates that are no degrees: which projected system they would fit, told by the known outline of the place."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pyproj import Transformer

from geodata.importing.outlines import known_outline
from geodata.importing.report import ImportRefused, refusal
from geodata.importing.vectors import AreaFile, extent
from profiles import Profile

FEET = {"feet": 0.3048, "US survey feet": 1200 / 3937}
# CGCS2000, Xi'an 1980 and Beijing 1954 in 3-degree zones (with and without the zone number in the easting), UTM, web Mercator
CANDIDATES = (
    *range(4513, 4555), *range(4491, 4513), *range(2349, 2391), *range(2401, 2443), *range(32643, 32654), 3857,
)  # fmt: skip


def why_no_degrees(file: AreaFile, path: Path, profile: Profile | None, subject: str) -> ImportRefused:
    """The refusal of a file that does not say what its coordinates are, with the systems that would fit the place."""
    box = extent(file.stated)
    value = None if box is None else f"{box[0]:.1f}, {box[1]:.1f} to {box[2]:.1f}, {box[3]:.1f}"
    fits = fitting_systems(file, profile) if profile else []
    hint = "Ask whoever made the file, and say it: --crs EPSG:…"
    if fits:
        hint += " By the outline of the place these would fit: " + "; ".join(fits) + "."
    return refusal(
        subject, path.name, "a coordinate system; the coordinates are not longitude and latitude", hint, value
    )


def fitting_systems(file: AreaFile, profile: Profile) -> list[str]:
    """Up to four systems, as text, that put the middle of the file inside the outline of the place."""
    box, outline = extent(file.stated), known_outline(profile)
    if box is None or outline is None:
        return []
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    west, south, east, north = outline.bounds
    fits = []
    for scale, unit in (
        (1.0, ""),
        *((scale, f" after turning {name} into metres") for name, scale in FEET.items()),
    ):
        for epsg, lon, lat in _places(x * scale, y * scale):
            if west <= lon <= east and south <= lat <= north:
                fits.append(f"EPSG:{epsg}{unit}")
        if fits:
            break
    return fits[:4]


def _places(x: float, y: float) -> Iterator[tuple[int, float, float]]:
    """Where each candidate puts a point, in degrees."""
    for epsg in CANDIDATES:
        try:
            transformer = Transformer.from_crs(epsg, 4326, always_xy=True)
            lon, lat = transformer.transform(x, y)
        except Exception:  # noqa: S112
            continue
        if np.isfinite(lon) and np.isfinite(lat):
            yield epsg, lon, lat
