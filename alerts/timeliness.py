"""Whether a fix can be judged the moment it arrives, or waits for the settler."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Timeliness(IntEnum):
    """How the time of a fix stands to its vehicle's watermark and to our clock."""

    LIVE = 0
    #: At or before the newest fix judged of its vehicle.
    LATE = 1
    #: Older than the horizon on arrival.
    HISTORY = 2
    #: Ahead of our clock: judging it would make everything after it late.
    AHEAD = 3


def classify(
    time_us: NDArray[np.int64],
    watermark_us: NDArray[np.int64],
    received_us: int | NDArray[np.int64],
    *,
    horizon_s: float | NDArray[np.float64],
    ahead_s: float | NDArray[np.float64],
) -> NDArray[np.int8]:
    """Return the `Timeliness` of fixes received at one moment, or at one each.

    All times are microseconds since 1970.
    """
    age_us = received_us - time_us
    return np.select(
        [age_us < -ahead_s * MICROSECONDS, age_us > horizon_s * MICROSECONDS, time_us <= watermark_us],
        [np.int8(Timeliness.AHEAD), np.int8(Timeliness.HISTORY), np.int8(Timeliness.LATE)],
        np.int8(Timeliness.LIVE),
    )
