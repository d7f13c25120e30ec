"""Vectorised geometry on WGS 84, accurate for the short distances between successive fixes.

The Earth is taken as a sphere of mean radius (IUGG 1980, 6,371,008.8 m). Between fixes a few
kilometres apart the equirectangular approximation is within 0.1 % of the great circle, below 60
degrees of latitude.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_M = 6_371_008.8
M_PER_UDEG = EARTH_RADIUS_M * np.pi / 180e6


def offset_m(
    lat_from_udeg: ArrayLike, lon_from_udeg: ArrayLike, lat_to_udeg: ArrayLike, lon_to_udeg: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (east, north) in metres from the first points to the second; micro-degrees in, any shape."""
    lat_from, lat_to = np.asarray(lat_from_udeg, np.int64), np.asarray(lat_to_udeg, np.int64)
    half_turn = 180_000_000
    d_lon = np.asarray(lon_to_udeg, np.int64) - np.asarray(lon_from_udeg, np.int64)
    d_lon = (d_lon + half_turn) % (2 * half_turn) - half_turn
    mid_lat_rad = np.deg2rad((lat_from + lat_to) * 0.5e-6)
    east: NDArray[np.float64] = np.asarray(d_lon * M_PER_UDEG * np.cos(mid_lat_rad))
    north: NDArray[np.float64] = np.asarray((lat_to - lat_from) * M_PER_UDEG)
    return east, north


def distance_m(
    lat_from_udeg: ArrayLike, lon_from_udeg: ArrayLike, lat_to_udeg: ArrayLike, lon_to_udeg: ArrayLike
) -> NDArray[np.float64]:
    """Return the distance in metres between points in micro-degrees, any shape."""
    east, north = offset_m(lat_from_udeg, lon_from_udeg, lat_to_udeg, lon_to_udeg)
    return np.hypot(east, north)


def bearing_deg(
    lat_from_udeg: ArrayLike, lon_from_udeg: ArrayLike, lat_to_udeg: ArrayLike, lon_to_udeg: ArrayLike
) -> NDArray[np.float64]:
    """Return the direction from the first points to the second, degrees clockwise from north in [0, 360)."""
    east, north = offset_m(lat_from_udeg, lon_from_udeg, lat_to_udeg, lon_to_udeg)
    return np.asarray(np.rad2deg(np.arctan2(east, north)) % 360.0)
