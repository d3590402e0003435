"""Datum conversion against published points, and there and back again anywhere in China."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.datum import Datum, from_wgs84, to_wgs84

METRES_A_DEGREE = 111_320


def one(lon: float, lat: float) -> tuple[np.ndarray, np.ndarray]:
    """A point as two arrays."""
    return np.array([lon]), np.array([lat])


# WGS84 and GCJ-02 of Shanghai, Shenzhen, Beijing as eviltransform's tests publish them; the fourth, and the point in
# BD-09 below, as coordtransform's README does.
@pytest.mark.parametrize(
    ("wgs", "gcj"),
    [
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
        ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
    ],
)
def test_gcj02_agrees_with_published_points(wgs: tuple[float, float], gcj: tuple[float, float]) -> None:
    lon, lat = from_wgs84(*one(*wgs), "gcj02")
    assert (lon[0], lat[0]) == pytest.approx(gcj, abs=1e-9)
    lon, lat = to_wgs84(*one(*gcj), "gcj02")
    assert (lon[0], lat[0]) == pytest.approx(wgs, abs=1e-9)


def test_bd09_agrees_with_a_published_point() -> None:
    lon, lat = from_wgs84(*one(116.404, 39.915), "bd09")
    assert (lon[0], lat[0]) == pytest.approx((116.41662724378733, 39.922699552216216), abs=1e-9)
    lon, lat = to_wgs84(lon, lat, "bd09")
    assert (lon[0], lat[0]) == pytest.approx((116.404, 39.915), abs=1e-9)


@given(
    st.lists(st.tuples(st.floats(73.5, 134.5), st.floats(18.2, 53.4)), min_size=1, max_size=20),
    st.sampled_from(["gcj02", "bd09"]),
)
@settings(deadline=None)
def test_there_and_back_is_exact_to_a_millimetre(points: list[tuple[float, float]], datum: Datum) -> None:
    lon, lat = np.array(points).T
    back = to_wgs84(*from_wgs84(lon, lat, datum), datum)
    assert np.max(np.abs([back[0] - lon, back[1] - lat])) * METRES_A_DEGREE < 0.001


def test_abroad_nothing_moves_and_nothing_stays_nothing() -> None:
    lon, lat = np.array([2.35, np.nan]), np.array([48.85, np.nan])
    moved = to_wgs84(lon, lat, "gcj02")
    assert moved[0][0] == 2.35
    assert np.isnan(moved[0][1])
