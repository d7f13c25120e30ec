"""Datums of Chinese maps: WGS 84, GCJ-02 ("Mars coordinates") and BD-09 (Baidu), vectorised.

GCJ-02 shifts WGS 84 by up to 700 m with a smooth function of the position. It is not published; the
formula below is the one that leaked and that every open-source library uses (first by Maxime Guilbot's
`eviltransform`, after an implementation found in 2010). It is taken to apply inside the rectangle
72.004 to 137.8347 E, 0.8293 to 55.8271 N; outside, all three are taken as the same. BD-09 adds a rotation
and a scale of its own to GCJ-02.

The inverses solve `forward(x) = y` by fixed-point iteration: the shift changes by less than 1 in 100 of
the position, so each step gains two digits.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Pair = tuple[Floats, Floats]
    Conversion = Callable[[Floats, Floats], Pair]

#: Names of the datums, as payloads and the command line give them.
DATUMS = ("wgs84", "gcj02", "bd09")

# Krasovsky 1940, the ellipsoid of the formula.
_SEMI_MAJOR_M = 6_378_245.0
_ECCENTRICITY_SQUARED = 0.006_693_421_622_965_943
#: (south, north), (west, east) of the formula's reach, degrees.
_RECTANGLE = (0.8293, 55.8271), (72.004, 137.8347)
_BD_TURN = np.pi * 3000.0 / 180.0
_BD_LAT_OFFSET, _BD_LON_OFFSET = 0.006, 0.0065
_STEPS = 12


def wgs84_to_gcj02(lat_deg: ArrayLike, lon_deg: ArrayLike) -> Pair:
    """Return GCJ-02 (lat, lon) of WGS 84 degrees, any shape."""
    return _within_reach(_shifted, lat_deg, lon_deg)


def gcj02_to_bd09(lat_deg: ArrayLike, lon_deg: ArrayLike) -> Pair:
    """Return BD-09 (lat, lon) of GCJ-02 degrees, any shape."""
    return _within_reach(_turned, lat_deg, lon_deg)


def gcj02_to_wgs84(lat_deg: ArrayLike, lon_deg: ArrayLike) -> Pair:
    """Return WGS 84 (lat, lon) of GCJ-02 degrees, any shape."""
    return _within_reach(partial(_solve, _shifted), lat_deg, lon_deg)


def bd09_to_gcj02(lat_deg: ArrayLike, lon_deg: ArrayLike) -> Pair:
    """Return GCJ-02 (lat, lon) of BD-09 degrees, any shape."""
    return _within_reach(partial(_solve, _turned), lat_deg, lon_deg)


def to_wgs84(lat_deg: ArrayLike, lon_deg: ArrayLike, datum: str) -> Pair:
    """Return WGS 84 (lat, lon) of degrees in one of `DATUMS`.

    Raises
    ------
    ValueError
        If the datum is none of them.
    """
    if datum == "wgs84":
        return np.array(lat_deg, float), np.array(lon_deg, float)
    if datum == "gcj02":
        return gcj02_to_wgs84(lat_deg, lon_deg)
    if datum == "bd09":
        return gcj02_to_wgs84(*bd09_to_gcj02(lat_deg, lon_deg))
    msg = f"unknown datum {datum!r}: use one of {', '.join(DATUMS)}"
    raise ValueError(msg)


def from_wgs84(lat_deg: ArrayLike, lon_deg: ArrayLike, datum: str) -> Pair:
    """Return (lat, lon) in one of `DATUMS` of degrees in WGS 84. Raises ValueError on another datum."""
    if datum == "wgs84":
        return np.array(lat_deg, float), np.array(lon_deg, float)
    if datum == "gcj02":
        return wgs84_to_gcj02(lat_deg, lon_deg)
    if datum == "bd09":
        return gcj02_to_bd09(*wgs84_to_gcj02(lat_deg, lon_deg))
    msg = f"unknown datum {datum!r}: use one of {', '.join(DATUMS)}"
    raise ValueError(msg)


def _within_reach(convert: Conversion, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Pair:
    """Convert the positions inside the rectangle; leave the others.

    Which they are is told by the given position, both ways, so that no iteration flickers at the edge;
    within 2 km of the edge the two ways are not exact inverses.
    """
    lat, lon = np.array(lat_deg, float), np.array(lon_deg, float)
    (south, north), (west, east) = _RECTANGLE
    inside = (lat >= south) & (lat <= north) & (lon >= west) & (lon <= east)
    lat[inside], lon[inside] = convert(lat[inside], lon[inside])
    return lat, lon


def _solve(forward: Conversion, lat_to: Floats, lon_to: Floats) -> Pair:
    """Return the position that `forward` takes to the given one."""
    lat, lon = lat_to, lon_to
    for _ in range(_STEPS):
        lat_there, lon_there = forward(lat, lon)
        lat, lon = lat + (lat_to - lat_there), lon + (lon_to - lon_there)
    return lat, lon


def _turned(lat: Floats, lon: Floats) -> Pair:
    """Return BD-09 of GCJ-02 by the formula, wherever it is."""
    radius = np.hypot(lon, lat) + 2e-5 * np.sin(lat * _BD_TURN)
    angle = np.arctan2(lat, lon) + 3e-6 * np.cos(lon * _BD_TURN)
    return radius * np.sin(angle) + _BD_LAT_OFFSET, radius * np.cos(angle) + _BD_LON_OFFSET


def _shifted(lat: Floats, lon: Floats) -> Pair:
    """Return GCJ-02 of WGS 84 by the formula, wherever it is."""
    north_m, east_m = _shift_m(lon - 105.0, lat - 35.0)
    phi = np.deg2rad(lat)
    squared = 1 - _ECCENTRICITY_SQUARED * np.sin(phi) ** 2
    meridian_m = _SEMI_MAJOR_M * (1 - _ECCENTRICITY_SQUARED) / (squared * np.sqrt(squared))
    parallel_m = _SEMI_MAJOR_M / np.sqrt(squared) * np.cos(phi)
    return lat + np.rad2deg(north_m / meridian_m), lon + np.rad2deg(east_m / parallel_m)


def _shift_m(x: Floats, y: Floats) -> Pair:
    """Return the formula's shift (north, east) in metres; x, y degrees from 105 E, 35 N."""
    root = np.sqrt(np.abs(x))
    common = 20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north = north + (
        common
        + 20 * np.sin(np.pi * y)
        + 40 * np.sin(np.pi / 3 * y)
        + 160 * np.sin(np.pi / 12 * y)
        + 320 * np.sin(np.pi / 30 * y)
    ) * (2 / 3)
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east = east + (
        common
        + 20 * np.sin(np.pi * x)
        + 40 * np.sin(np.pi / 3 * x)
        + 150 * np.sin(np.pi / 12 * x)
        + 300 * np.sin(np.pi / 30 * x)
    ) * (2 / 3)
    return north, east
