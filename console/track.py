"""A vehicle's stored fixes as JSON columns for people: degrees, km/h, km; unknown is null. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from fleet.columns import UNKNOWN, FixFlag
from fleet.units import to_datetime

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.columns import Fixes

_US_PER_MS = 1000
_PER_DEGREE, _TENTHS = 1e6, 10.0


def encode(vehicle: str, from_us: int, until_us: int, fixes: Fixes) -> bytes:
    """Return the JSON of a track; the fixes are of one vehicle and in order of time."""
    placed = (fixes.flags & FixFlag.NO_POSITION) == 0
    return msgspec.json.encode(
        {
            "vehicle": vehicle,
            "from": to_datetime(from_us),
            "until": to_datetime(until_us),
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
