"""Steps between fixes in metres on the ellipsoid.

On the sphere of `fleet.geo` a kilometre is up to 0.3 % off, by latitude and direction: nothing to a rule, but
everywhere to the same side, and a sum of kilometres keeps it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: WGS 84: half the major axis, and the square of the first eccentricity.
_AXIS_M = 6_378_137.0
_ECCENTRICITY_2 = 0.006_694_379_990_14
_RAD_PER_UDEG = np.pi / 180e6
_TURN_UDEG = 360_000_000


def steps_m(lat_udeg: NDArray[np.int32], lon_udeg: NDArray[np.int32]) -> tuple[Floats, Floats]:
    """Return (east, north) in metres from each position to the next, one fewer than there are.

    By the two radii of curvature at the middle latitude: exact to 0.01 % over some kilometres.
    """
    lat, lon = lat_udeg.astype(np.int64), lon_udeg.astype(np.int64)
    middle = (lat[1:] + lat[:-1]) * (0.5 * _RAD_PER_UDEG)
    d_lon = (np.diff(lon) + _TURN_UDEG // 2) % _TURN_UDEG - _TURN_UDEG // 2
    squash = 1 - _ECCENTRICITY_2 * np.sin(middle) ** 2
    north = np.diff(lat) * (_RAD_PER_UDEG * _AXIS_M * (1 - _ECCENTRICITY_2)) / squash**1.5
    east = d_lon * (_RAD_PER_UDEG * _AXIS_M) * np.cos(middle) / np.sqrt(squash)
    return east, north
