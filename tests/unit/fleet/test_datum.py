"""Datums of Chinese maps, against published pairs, against each other, and at the edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.datum import (
    DATUMS,
    bd09_to_gcj02,
    from_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    to_wgs84,
    wgs84_to_gcj02,
)
from fleet.geo import distance_m

if TYPE_CHECKING:
    from pathlib import Path

#: Inside the rectangle of the formula, 0.05 degrees from its edge.
LAT, LON = st.floats(0.9, 55.7), st.floats(72.1, 137.7)


def metres(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Distance of near positions in degrees, finer than a micro-degree."""
    east = (np.asarray(a[1]) - b[1]) * 111_195 * np.cos(np.deg2rad(a[0]))
    return np.hypot((np.asarray(a[0]) - b[0]) * 111_195, east)


def test_published_pairs_of_jiaxing(shared_data: Path) -> None:
    """796 vertices that their maker gives in both datums: 0.1 m median, 0.9 m at most, both ways."""
    table = np.loadtxt(shared_data / "data/polygons/jiaxing_gcj02_wgs84_pairs.csv", delimiter=",", skiprows=1)
    assert table.shape == (796, 5)
    gcj, wgs = (table[:, 2], table[:, 1]), (table[:, 4], table[:, 3])
    for got, expected in ((gcj02_to_wgs84(*gcj), wgs), (wgs84_to_gcj02(*wgs), gcj)):
        error_m = metres(got, expected)
        assert np.median(error_m) < 0.15
        assert error_m.max() < 0.9


@pytest.mark.parametrize(
    ("convert", "lat_lon"),
    [
        (wgs84_to_gcj02, (39.91640428150164, 116.41024449916938)),
        (gcj02_to_bd09, (39.92133699351021, 116.41036949371029)),
    ],
)
def test_the_shift_at_tiananmen(convert: Any, lat_lon: tuple[float, float]) -> None:
    """The values that the README of wandergis/coordtransform gives for 39.915 N, 116.404 E."""
    assert convert(39.915, 116.404) == pytest.approx(lat_lon, abs=1e-9)


@given(LAT, LON)
def test_each_inverse_undoes_its_forward_to_the_millimetre(lat: float, lon: float) -> None:
    here = (np.array([lat]), np.array([lon]))
    assert metres(gcj02_to_wgs84(*wgs84_to_gcj02(*here)), here).max() < 0.001
    assert metres(bd09_to_gcj02(*gcj02_to_bd09(*here)), here).max() < 0.001
    assert metres(to_wgs84(*gcj02_to_bd09(*wgs84_to_gcj02(*here)), "bd09"), here).max() < 0.001


@given(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from(DATUMS))
def test_any_position_stays_a_position_within_two_kilometres(lat: float, lon: float, datum: str) -> None:
    lat_to, lon_to = to_wgs84(lat, lon, datum)
    assert -90 <= lat_to <= 90
    assert -180 <= lon_to <= 180
    assert distance_m(lat * 1e6, lon * 1e6, lat_to * 1e6, lon_to * 1e6) < 2_000


@pytest.mark.parametrize(
    ("lat", "lon"), [(0.0, 0.0), (48.1, 11.5), (-33.9, 151.2), (90.0, 120.0), (35.0, 139.7)]
)
def test_outside_the_rectangle_all_datums_are_the_same(lat: float, lon: float) -> None:
    for datum in DATUMS:
        assert to_wgs84(lat, lon, datum) == (lat, lon)


def test_shapes_are_kept_and_nothing_given_is_changed() -> None:
    lat, lon = np.full((2, 3), 30.5), np.full((2, 3), 120.5)
    for datum in DATUMS:
        assert to_wgs84(lat, lon, datum)[0].shape == (2, 3)
    assert (lat == 30.5).all()
    assert to_wgs84([], [], "gcj02")[0].shape == (0,)


def test_another_datum_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown datum 'mars': use one of wgs84, gcj02, bd09"):
        to_wgs84(30.0, 120.0, "mars")


@pytest.mark.parametrize("datum", DATUMS)
@given(lat=LAT, lon=LON)
def test_out_of_wgs84_and_back(datum: str, lat: float, lon: float) -> None:
    there = from_wgs84(lat, lon, datum)
    assert metres(to_wgs84(*there, datum), (np.array(lat), np.array(lon))) < 0.01


def test_out_into_an_unknown_datum_is_refused() -> None:
    with pytest.raises(ValueError, match="'mars'"):
        from_wgs84(30.0, 120.0, "mars")
