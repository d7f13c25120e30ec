"""How far a camera's clock is ahead of its vehicle's fixes, from where its detections say that they were.

A detection names the place where the vehicle was. The fixes say when it passed there: the difference is the
clock's. Nothing of this depends on when anything arrived. Where a vehicle hardly moves a place says little
about time, and such detections say nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet import geo
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Times = NDArray[np.int64]

#: Who is within this way of a place for longer, or comes back to it, was there at no time in particular.
NEAR_M, NEAR_US = 5.0, 6 * MICROSECONDS
#: Offsets are known to so much, as well as a fix is.
STEP_US = MICROSECONDS // 10


class Track(NamedTuple):
    """Where one vehicle was, earliest first; equal lengths."""

    time_us: Times
    lat_udeg: NDArray[np.int32]
    lon_udeg: NDArray[np.int32]

    def around(self, time_us: int, search_us: int) -> Track:
        """Return the part within `search_us` of a time."""
        low, high = np.searchsorted(self.time_us, [time_us - search_us, time_us + search_us + 1])
        return Track(self.time_us[low:high], self.lat_udeg[low:high], self.lon_udeg[low:high])


class Offset(NamedTuple):
    """How far a clock is ahead of the fixes."""

    us: int
    #: False: the clock cannot be believed, nor corrected.
    is_sound: bool


SOUND = Offset(0, is_sound=True)


def passed_us(track: Track, lat_udeg: int, lon_udeg: int, place_m: float) -> float | None:
    """Return when a vehicle passed a place, microseconds since 1970.

    NaN if it is not known to have been within `place_m` of it; None if it was, but the place cannot tell the
    time: it stood or crept there, came there twice, or has only just come there.
    """
    if len(track.time_us) < 3:  # noqa: PLR2004 - a way to the place, the place, a way from it
        return None
    east_m, north_m = geo.offset_m(track.lat_udeg, track.lon_udeg, lat_udeg, lon_udeg)
    apart_m = np.hypot(east_m, north_m)
    nearest = int(np.argmin(apart_m))
    if apart_m[nearest] > place_m:
        return float("nan")
    near_us = track.time_us[apart_m <= apart_m[nearest] + NEAR_M]
    if nearest in {0, len(east_m) - 1} or near_us[-1] - near_us[0] > NEAR_US:
        return None
    around = slice(nearest - 1, nearest + 2)
    way_east, way_north = (-np.diff(along[around][::2])[0] for along in (east_m, north_m))
    took_us = int(track.time_us[nearest + 1] - track.time_us[nearest - 1])
    distance_m = np.hypot(way_east, way_north)
    if not distance_m:
        return None
    # The place, seen along the way: from the nearest fix so far ahead.
    ahead_m = (east_m[nearest] * way_east + north_m[nearest] * way_north) / distance_m
    return float(track.time_us[nearest] + ahead_m / distance_m * took_us)


def offset(samples_us: Floats, *, events: float, min_s: float, max_s: float) -> Offset:
    """Return what samples say of one clock: the median of how far it was ahead; NaN is nowhere near.

    Fewer than `events` samples, or less than `min_s`, and the clock is taken to be right. A clock that is
    wrong by more than `max_s`, or of which most detections were nowhere near, is not believed.
    """
    if len(samples_us) < events:
        return SOUND
    near = samples_us[~np.isnan(samples_us)]
    if 2 * len(near) < len(samples_us):
        return Offset(0, is_sound=False)
    middle_us = round(float(np.median(near)) / STEP_US) * STEP_US
    if abs(middle_us) > max_s * MICROSECONDS:
        return Offset(0, is_sound=False)
    return SOUND if abs(middle_us) < min_s * MICROSECONDS else Offset(middle_us, is_sound=True)
