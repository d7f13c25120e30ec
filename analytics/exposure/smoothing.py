"""The noise of positions, and paths without it: a smoothing spline whose stiffness follows from physics.

A cubic smoothing spline is what a Kalman smoother gives of a vehicle whose acceleration is random (Wahba
1978; Kohn and Ansley 1987): how much it smooths is the variance of the noise over the power of the
acceleration. So a clean receiver's path stays as it is, and a noisy one's is smoothed over the seconds that
its noise takes to average out. All paths are solved in one go, as a band (Reinsch 1967).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import solveh_banded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Rows = NDArray[np.intp]

#: Power of a truck's acceleration, (m/s²)² s: about 1 m/s², along and across, that lasts for about a second.
ACCELERATION_POWER = 1.0
#: The third difference of sparser fixes is motion rather than noise, unless they are slower than that.
FINE_S, SLOW_MPS = 3.0, 3.0
#: Variance of a third difference of independent errors, in theirs: 1 + 9 + 9 + 1.
_THIRD_DIFFERENCE = 20
#: Median of the sum of two squares of standard normal numbers.
_MEDIAN_OF_TWO = 2 * np.log(2)
#: Fixes closer than this are as good as one: their difference over it says nothing of speed.
_MIN_S = 0.05
#: Fewer differences say nothing of noise.
_LEAST = 30


def noise_m(east: Floats, north: Floats, took_s: Floats, group: Rows, groups: int) -> Floats:
    """Return the noise along one axis, a standard deviation in metres, of each group; NaN where too few tell.

    Of steps by group and in time order. The third difference of positions leaves their noise and takes motion
    away, where fixes are equally far apart, and close; of sparse ones, where the vehicle hardly moves.
    """
    even = (took_s[1:-1] == took_s[:-2]) & (took_s[1:-1] == took_s[2:]) & (group[2:] == group[:-2])
    fine = took_s[1:-1] <= FINE_S
    if not fine.all():
        slow = np.hypot(east, north) <= SLOW_MPS * took_s
        fine |= slow[:-2] & slow[1:-1] & slow[2:]
    thirds = [along[2:] - 2 * along[1:-1] + along[:-2] for along in (east, north)]
    squares = thirds[0] ** 2 + thirds[1] ** 2
    # Receivers that hold the position of a standing vehicle say nothing of their noise there.
    row = np.flatnonzero(even & fine & (squares > 0))
    squares = squares[row]
    found = np.full(groups, np.nan)
    begins = np.searchsorted(group[row], np.arange(groups + 1)).tolist()
    for one in range(groups):
        begin, end = begins[one], begins[one + 1]
        if end - begin >= _LEAST:
            found[one] = np.sqrt(np.median(squares[begin:end]) / (_MEDIAN_OF_TWO * _THIRD_DIFFERENCE))
    return found


def smoothed(
    east: Floats, north: Floats, took_s: Floats, noise: Floats, goes_on: Bools
) -> tuple[Floats, Floats]:
    """Return the steps of paths, east and north, without noise.

    Parameters
    ----------
    east, north, took_s
        Steps in metres and seconds, path behind path.
    noise
        Of the positions of each step, metres; nothing is smoothed where it is 0.
    goes_on
        The step begins where the one before ended, on the same path.
    """
    knot = np.flatnonzero(goes_on)  # the position between steps `knot - 1` and `knot`
    stiff = np.append(noise, 0.0) ** 2 / ACCELERATION_POWER  # of the position before each step
    stiff[knot] = np.minimum(stiff[knot], stiff[knot - 1])
    if not len(knot) or not stiff.any():
        return east, north
    took_s = np.maximum(took_s, _MIN_S)
    rate = 1 / took_s
    weights = np.zeros((3, len(took_s) + 1))  # of a knot's positions: before it, its own, after it
    weights[0, knot], weights[2, knot] = rate[knot - 1], rate[knot]
    weights[1] = -(weights[0] + weights[2])
    turning = np.stack([(along * rate)[knot] - (along * rate)[knot - 1] for along in (east, north)], axis=1)
    bends = np.zeros((len(took_s) + 3, 2))  # of each position, one more on either side
    bends[knot + 1] = solveh_banded(
        _band(knot, took_s, weights, stiff), turning, overwrite_ab=True, overwrite_b=True, check_finite=False
    )
    before, own, after = weights
    pull = np.zeros((len(took_s) + 1, 2))
    pull += own[:, None] * bends[1:-1]
    pull[:-1] += before[1:, None] * bends[2:-1]
    pull[1:] += after[:-1, None] * bends[1:-2]
    pull *= stiff[:, None]
    moved = np.diff(pull, axis=0)
    return east - moved[:, 0], north - moved[:, 1]


def _band(knot: Rows, took_s: Floats, weights: Floats, stiff: Floats) -> Floats:
    """Return the upper band of R + QᵀΛQ in Reinsch's notation, a row a knot."""
    before, own, after = weights[:, knot]
    band = np.zeros((3, len(knot)))
    band[2] = (took_s[knot - 1] + took_s[knot]) / 3
    band[2] += before**2 * stiff[knot - 1] + own**2 * stiff[knot] + after**2 * stiff[knot + 1]
    beside = (
        took_s[knot[:-1]] / 6
        + own[:-1] * before[1:] * stiff[knot[:-1]]
        + after[:-1] * own[1:] * stiff[knot[1:]]
    )
    band[1, 1:] = np.where(np.diff(knot) == 1, beside, 0.0)
    next_but_one = after[:-2] * before[2:] * stiff[knot[1:-1]]
    together = knot[2:] - knot[:-2] == 1 + 1
    band[0, 2:] = np.where(together, next_but_one, 0.0)
    return band
