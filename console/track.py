"""A vehicle's stored fixes as JSON columns for people: degrees, km/h, km; unknown is null. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from fleet.columns import UNKNOWN, FixFlag
from fleet.units import MICROSECONDS, to_datetime

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.columns import Fixes

_US_PER_MS = 1000
_PER_DEGREE, _TENTHS = 1e6, 10.0


#: What is shown of a vehicle's time at once. A unit that sends every second for 11 hours is shown whole.
MAX_POINTS = 40_000
#: Longer without a fix, and nobody knows where it was: `console/web/src/track.ts` needs both sides.
_GAP_US = 120 * MICROSECONDS
#: Points that both sides of gaps may take, two each: of 36 hours, one in two minutes; and where pieces meet.
_OF_GAPS = 3_000


class Part(NamedTuple):
    """Which part of what is stored a track is."""

    #: How many fixes the span has; None: not counted.
    stored: int | None = None
    thinned: bool = False
    #: Behind which fix the next page begins, microseconds since 1970; None: this is all.
    next_us: int | None = None


def stride(stored: int) -> int:
    """Return of how many fixes in a row two are kept so that no more than `MAX_POINTS` are."""
    return -(-2 * stored // (MAX_POINTS - _OF_GAPS))


def thinned(fixes: Fixes, of: int) -> Fixes:
    """Return of so many fixes in a row the first and the fastest, and both sides of every gap.

    Top speeds stay what they were, and nobody is seen to have driven where nothing is known.
    """
    count = len(fixes)
    if of <= 1 or not count:
        return fixes
    begins = np.arange(0, count, of)
    speeds = np.full(len(begins) * of, np.iinfo(np.int16).min, np.int16)
    speeds[:count] = fixes.speed_dkmh
    fastest = begins + speeds.reshape(-1, of).argmax(axis=1)
    gaps = np.flatnonzero(np.diff(fixes.time_us) > _GAP_US)
    return fixes.take(np.unique(np.concatenate((begins, fastest, gaps, gaps + 1, [count - 1]))))


def encode(vehicle: str, from_us: int, until_us: int, fixes: Fixes, part: Part) -> bytes:
    """Return the JSON of a track; the fixes are of one vehicle and in order of time."""
    placed = (fixes.flags & FixFlag.NO_POSITION) == 0
    return msgspec.json.encode(
        {
            "vehicle": vehicle,
            "from": to_datetime(from_us),
            "until": to_datetime(until_us),
            "stored": part.stored,
            "thinned": part.thinned,
            "next": part.next_us,
            "time_ms": (fixes.time_us // _US_PER_MS).tolist(),
            "lat": _column(fixes.lat_udeg / _PER_DEGREE, placed),
            "lon": _column(fixes.lon_udeg / _PER_DEGREE, placed),
            "speed_kmh": _column(fixes.speed_dkmh / _TENTHS, fixes.speed_dkmh != UNKNOWN),
            "course_deg": _column(fixes.course_deg, fixes.course_deg != UNKNOWN),
            "limit_kmh": _column(fixes.limit_kmh, fixes.limit_kmh != UNKNOWN),
            "odometer_km": _column(fixes.odometer_hm / _TENTHS, fixes.odometer_hm != UNKNOWN),
        }
    )


def _column(values: NDArray[Any], known: NDArray[np.bool_]) -> list[Any]:
    listed: list[Any] = values.tolist()
    for place in np.flatnonzero(~known).tolist():
        listed[place] = None
    return listed
