"""What can be said of one fix by itself, and of two successive fixes by physics.

Nothing here drops anything: an implausible fix is stored and seen by the engine; it is left out of
distance and rules. An unknown (NaN) is never implausible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleet.columns import Fixes, FixFlag
from fleet.units import KMH_PER_MPS

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


def hidden_m(elapsed_s: Floats, mps2: Floats | float) -> Floats:
    """Return the way that a vehicle can make between two reports of standing: accelerate, then brake."""
    return np.asarray(mps2 * elapsed_s * elapsed_s / 4)


def farthest_m(
    elapsed_s: Floats,
    heard_kmh: Floats,
    before_kmh: Floats,
    *,
    ratio: Floats | float,
    mps2: Floats | float,
    max_kmh: Floats | float,
) -> Floats:
    """Return how far a truck can have come: farther is a jump of the receiver.

    That is `ratio` times what the unit's own speed or that of the positions before would give, and what is
    hidden between two reports, as far as `max_kmh` leads; or `ratio` times what the unit's own would give.
    Of a unit that tells no speed, the mean of the interval before is known: it may have accelerated since
    the middle of that. Where neither is known (NaN), as far as `max_kmh`. Shapes equal.
    """
    max_m = elapsed_s * max_kmh / KMH_PER_MPS
    heard_m, driven_m = (
        ratio * kmh / KMH_PER_MPS * elapsed_s for kmh in (heard_kmh, np.fmax(heard_kmh, before_kmh))
    )
    gained_m = np.where(np.isnan(heard_kmh), mps2 * elapsed_s * elapsed_s, hidden_m(elapsed_s, mps2))
    return np.asarray(np.fmax(np.fmin(driven_m + gained_m, max_m), heard_m))
