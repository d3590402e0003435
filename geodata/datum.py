"""Conversion between WGS84 (CGCS2000 at map accuracy) and the shifted datums GCJ-02 (Amap, Tencent), BD-09 (Baidu).

The forward formulas are the published ones of GCJ-02 (Krassovsky 1940 ellipsoid, polynomial and sine terms) and BD-09
(a polar offset of GCJ-02). Both are inverted by fixed-point iteration to 1e-10 degrees (0.01 mm), not by the usual
one-step approximation, which is wrong by metres. Outside of the rectangle around China the shift is zero.
"""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Datum = Literal["wgs84", "gcj02", "bd09"]
DATUMS: tuple[Datum, ...] = get_args(Datum)
Degrees = NDArray[np.float64]

AXIS_M = 6378245.0  # Krassovsky 1940, semi-major axis
ECCENTRICITY_2 = 0.00669342162296594323
BAIDU_PI = np.pi * 3000.0 / 180.0
TOLERANCE_DEG = 1e-10
WEST, EAST, SOUTH, NORTH = 72.004, 137.8347, 0.8293, 55.8271  # where GCJ-02 is defined


def to_wgs84(lon: Degrees, lat: Degrees, datum: Datum) -> tuple[Degrees, Degrees]:
    """Longitude and latitude (degrees, arrays of one shape) of any datum as WGS84. NaN stays NaN."""
    if datum == "wgs84":
        return lon, lat
    inverse = _gcj02_to_wgs84 if datum == "gcj02" else _bd09_to_wgs84
    return inverse(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))


def from_wgs84(lon: Degrees, lat: Degrees, datum: Datum) -> tuple[Degrees, Degrees]:
    """WGS84 longitude and latitude (degrees, arrays of one shape) in another datum."""
    if datum == "wgs84":
        return lon, lat
    lon, lat = _wgs84_to_gcj02(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
    return (lon, lat) if datum == "gcj02" else _gcj02_to_bd09(lon, lat)


def _inside(lon: Degrees, lat: Degrees) -> NDArray[np.bool_]:
    return (lon >= WEST) & (lon <= EAST) & (lat >= SOUTH) & (lat <= NORTH)


def _wgs84_to_gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    d_lon, d_lat = _gcj02_shift(lon, lat)
    inside = _inside(lon, lat)
    return np.where(inside, lon + d_lon, lon), np.where(inside, lat + d_lat, lat)


def _gcj02_shift(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """The shift at a WGS84 place, in degrees, without the test for China."""
    x, y = lon - 105.0, lat - 35.0
    sin, pi, root = np.sin, np.pi, np.sqrt(np.abs(x))
    both = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    north = (
        -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + both
        + (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
        + (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    )  # fmt: skip
    east = (
        300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + both
        + (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
        + (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    )  # fmt: skip
    radians = lat / 180.0 * pi
    magic = 1.0 - ECCENTRICITY_2 * sin(radians) ** 2
    meridian_m = (AXIS_M * (1.0 - ECCENTRICITY_2)) / (magic * np.sqrt(magic)) * pi / 180.0
    parallel_m = AXIS_M / np.sqrt(magic) * np.cos(radians) * pi / 180.0
    return east / parallel_m, north / meridian_m


def _gcj02_to_wgs84(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    inside = _inside(lon, lat)
    found = _invert(lambda x, y: _add(_gcj02_shift(x, y), (x, y)), lon, lat)
    return np.where(inside, found[0], lon), np.where(inside, found[1], lat)


def _gcj02_to_bd09(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * BAIDU_PI)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * BAIDU_PI)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _bd09_to_wgs84(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    return _gcj02_to_wgs84(*_invert(_gcj02_to_bd09, lon, lat))


def _add(one: tuple[Degrees, Degrees], other: tuple[Degrees, Degrees]) -> tuple[Degrees, Degrees]:
    return one[0] + other[0], one[1] + other[1]


def _invert(
    forward: Callable[[Degrees, Degrees], tuple[Degrees, Degrees]], lon: Degrees, lat: Degrees
) -> tuple[Degrees, Degrees]:
    """The place that `forward` sends to (lon, lat). The shift varies by under 1 % a step, so this converges at once."""
    x, y = lon, lat
    for _ in range(30):
        there = forward(x, y)
        miss_x, miss_y = lon - there[0], lat - there[1]
        x, y = x + miss_x, y + miss_y
        worst = np.nanmax(np.abs([miss_x, miss_y]), initial=0.0)
        if not worst > TOLERANCE_DEG:
            break
    return x, y
