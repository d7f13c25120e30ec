"""What can be said of one fix by itself, and of two successive fixes by physics.

Nothing here drops anything: an implausible fix is stored and seen by the engine; it is left out of
distance and rules. An unknown (NaN) is never implausible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleet.columns import Fixes, FixFlag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]


def has_position(fixes: Fixes) -> Bools:
    """Mark the fixes whose position can be used: the unit did not disown it and it is not (0, 0)."""
    disowned = (fixes.flags & FixFlag.NO_POSITION) != 0
    zero = (fixes.lat_udeg == 0) & (fixes.lon_udeg == 0)
    return np.asarray(~(disowned | zero))


def reported_speed_kmh(fixes: Fixes) -> Floats:
    """Return the speed that the unit sent, km/h; NaN where it sent none."""
    return np.where(fixes.speed_dkmh < 0, np.nan, fixes.speed_dkmh * 0.1)


def is_jump(
    moved_m: Floats,
    elapsed_s: Floats,
    reported_kmh: Floats,
    *,
    implied_kmh_over: Floats | float,
    ratio_over: Floats | float,
    moved_m_over: Floats | float,
) -> Bools:
    """Mark the fixes that no truck can have reached from the one before.

    The speed implied by distance over time is above `implied_kmh_over` and more than `ratio_over` times
    what the unit reported (a unit that reports none cannot contradict), over more than `moved_m_over`,
    so that position noise between two fixes close in time is no jump. Shapes equal; NaN elapsed: no jump.
    """
    implied_kmh = moved_m / np.maximum(elapsed_s, 1e-3) * 3.6
    contradicts = ~(implied_kmh <= ratio_over * reported_kmh)  # NaN reported: contradicts
    return np.asarray((implied_kmh > implied_kmh_over) & contradicts & (moved_m > moved_m_over))
