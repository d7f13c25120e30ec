"""Trips: from where a vehicle set out to where it stood for long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleet.columns import Columns
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analytics.exposure.steps import Record, Steps

    Integers = NDArray[np.int64]
    Rows = NDArray[np.intp]

#: So long a stand ends a trip: longer than a red light or a closed barrier, shorter than loading.
STOP_S = 300.0


@dataclass(frozen=True, slots=True)
class Trips(Columns):
    """Trips by vehicle and time; equal lengths. A stop is what lies between two of a vehicle."""

    vehicle_id: NDArray[np.int32]
    started_us: Integers
    ended_us: Integers
    from_lat_udeg: NDArray[np.int32]
    from_lon_udeg: NDArray[np.int32]
    to_lat_udeg: NDArray[np.int32]
    to_lon_udeg: NDArray[np.int32]
    distance_mm: Integers
    driven_us: Integers
    #: Way that nobody saw, at least; a trip with some is not known whole.
    unseen_mm: Integers
    #: How long it stood after it; -1: the record ends before so long a stand, and the trip may go on.
    stood_us: Integers

    @classmethod
    def dtypes(cls) -> Mapping[str, str]:
        """Name and NumPy type of each column, in order."""
        return _DTYPES


_DTYPES = {
    "vehicle_id": "i4",
    "started_us": "i8",
    "ended_us": "i8",
    **dict.fromkeys(("from_lat_udeg", "from_lon_udeg", "to_lat_udeg", "to_lon_udeg"), "i4"),
    **dict.fromkeys(("distance_mm", "driven_us", "unseen_mm", "stood_us"), "i8"),
}


def trips(steps: Steps, of: Record, *, stop_s: float = STOP_S) -> Trips:
    """Return the trips of a record.

    A silence across which the vehicle went on is part of its trip; one at a place is a stand.
    """
    goes = np.flatnonzero(steps.drives | (steps.unseen_mm > 0))
    if not len(goes):
        return Trips.empty()
    vehicle, from_us, to_us = steps.vehicle_id[goes], steps.from_us[goes], steps.to_us[goes]
    rest_us = from_us[1:] - to_us[:-1]
    ends = np.r_[(vehicle[1:] != vehicle[:-1]) | (rest_us >= stop_s * MICROSECONDS), True]
    last = np.flatnonzero(ends)
    first = np.r_[0, last[:-1] + 1]
    begin, end = steps.begin[goes[first]], steps.end[goes[last]]
    fixes, driven_us = of.fixes, np.where(steps.drives, steps.to_us - steps.from_us, 0)
    return Trips(
        vehicle_id=vehicle[first],
        started_us=from_us[first],
        ended_us=to_us[last],
        from_lat_udeg=fixes.lat_udeg[begin],
        from_lon_udeg=fixes.lon_udeg[begin],
        to_lat_udeg=fixes.lat_udeg[end],
        to_lon_udeg=fixes.lon_udeg[end],
        distance_mm=_between(steps.distance_mm, goes[first], goes[last]),
        driven_us=_between(driven_us, goes[first], goes[last]),
        unseen_mm=_between(steps.unseen_mm, goes[first], goes[last]),
        stood_us=_stood_us(vehicle[first], from_us[first], to_us[last], steps, stop_s),
    )


def _between(amount: Integers, first: Rows, last: Rows) -> Integers:
    """Return the sums of steps from the first to the last of each trip, both included."""
    sums = np.r_[0, np.cumsum(amount)]
    return np.asarray(sums[last + 1] - sums[first])


def _stood_us(
    vehicle: NDArray[np.int32], started_us: Integers, ended_us: Integers, steps: Steps, stop_s: float
) -> Integers:
    """Return how long each trip's vehicle stood after it: to its next trip, or to the end of its record."""
    end = np.searchsorted(steps.vehicle_id, vehicle, side="right") - 1
    same = np.r_[vehicle[1:] == vehicle[:-1], False]
    until_us = np.where(same, np.r_[started_us[1:], 0], steps.to_us[end])
    stood_us = until_us - ended_us
    return np.asarray(np.where(stood_us >= stop_s * MICROSECONDS, stood_us, -1))
