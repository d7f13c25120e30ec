"""A flat plane in metres for one city, and back to WGS 84.

Equirectangular about an origin on the sphere that `fleet.geo` uses. Over a city (±0.1 degrees of
latitude) its scale differs from the geodesic by at most 0.11 %, well under a truck's odometer error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleet.geo import M_PER_UDEG

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

M_PER_DEGREE = M_PER_UDEG * 1e6


@dataclass(frozen=True, slots=True)
class Projection:
    """Metres east and north of (`lat`, `lon`), degrees of WGS 84."""

    lat: float
    lon: float

    def to_metres(self, lat: ArrayLike, lon: ArrayLike) -> tuple[Floats, Floats]:
        """Return (east, north) in metres; any shape."""
        east = (np.asarray(lon) - self.lon) * self._m_per_lon_degree()
        north = (np.asarray(lat) - self.lat) * M_PER_DEGREE
        return np.asarray(east, np.float64), np.asarray(north, np.float64)

    def to_degrees(self, x_m: ArrayLike, y_m: ArrayLike) -> tuple[Floats, Floats]:
        """Return (lat, lon) in degrees; any shape."""
        lat = self.lat + np.asarray(y_m) / M_PER_DEGREE
        lon = self.lon + np.asarray(x_m) / self._m_per_lon_degree()
        return np.asarray(lat, np.float64), np.asarray(lon, np.float64)

    def ring(self, x_m: ArrayLike, y_m: ArrayLike) -> list[list[float]]:
        """Return a closed GeoJSON ring: [[lon, lat], ...], rounded to 0.1 m."""
        lat, lon = self.to_degrees(x_m, y_m)
        points = [[round(float(a), 6), round(float(b), 6)] for a, b in zip(lon, lat, strict=True)]
        return [*points, points[0]]

    def _m_per_lon_degree(self) -> float:
        return float(M_PER_DEGREE * np.cos(np.deg2rad(self.lat)))
