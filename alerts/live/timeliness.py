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
    #: More of one vehicle than says anything, or than can be judged at once (`crowded`).
    CROWDED = 4


#: More fixes of a vehicle in a second than this measure nothing new.
MAX_HZ = 20
#: Of one vehicle the newest so many fixes of a batch are judged at once: while they are folded one after the
#: other, everybody else waits. It is as long as a horizon of fixes a second apart.
MAX_AT_ONCE = 128
_STEP_US = MICROSECONDS // MAX_HZ


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


def crowded(group: NDArray[np.integer], time_us: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark what is too much of a group, a vehicle in a batch, to be judged at once; never its newest fix.

    Groups are small, dense numbers. A group of up to `MAX_HZ` fixes is never too much.
    """
    marked = np.zeros(len(group), np.bool_)
    if len(group) <= MAX_HZ:
        return marked
    rows = np.flatnonzero(np.bincount(group)[group] > MAX_HZ)
    if len(rows):
        order = rows[np.lexsort((time_us[rows], group[rows]))]
        kept = order[spaced(group[order], time_us[order])]
        ends = np.searchsorted(group[kept], group[kept], side="right")
        marked[rows] = True
        marked[kept[ends - np.arange(len(kept)) <= MAX_AT_ONCE]] = False
    return marked


def spaced(group: NDArray[np.integer], time_us: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the last fix of each group in each step of 1 / `MAX_HZ` seconds; by group and time."""
    step = time_us // _STEP_US
    last = np.ones(len(group), np.bool_)
    last[:-1] = (group[1:] != group[:-1]) | (step[1:] != step[:-1])
    return last
