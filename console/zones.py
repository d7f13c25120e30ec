"""Which speed zones gave a speeding alert its limit. Pure.

The alert says that a zone ruled, and its limit; the fences of that time and the fixes say which zone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from fleet.columns import FixFlag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.columns import Fixes
    from fleet.fences.versions import Fences


def zones_at(zones: Fences, fixes: Fixes, limit_kmh: float, peak_kmh: float) -> list[int]:
    """Return the rows of the zones of a limit that fixes are in, at their hours.

    Of several on the way of an alert, those where the peak was ruled.
    """
    placed = fixes.take((fixes.flags & FixFlag.NO_POSITION) == 0)
    if not len(placed) or not len(zones):
        return []
    inside = np.array([_inside(zones, row, placed) for row in range(len(zones))])
    inside &= (zones.limit_kmh == limit_kmh)[:, None]
    at_peak = placed.speed_dkmh == round(peak_kmh * 10)
    ruled = (inside & at_peak).any(axis=1)
    if not ruled.any():
        ruled = inside.any(axis=1)
    return [int(row) for row in np.flatnonzero(ruled)]


def _inside(zones: Fences, row: int, fixes: Fixes) -> NDArray[np.bool_]:
    version = np.full(len(fixes), row, np.int32)
    within = shapely.intersects_xy(zones.polygons[row], fixes.lon_udeg, fixes.lat_udeg)
    return np.asarray(within & zones.in_force(version, fixes.time_us))
