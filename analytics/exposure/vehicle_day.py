"""A vehicle's day: what it drove, where, and how well that was seen.

A day is a civil day. It depends on the fixes of the day with `MARGIN_US` on either side: what touches none of
these leaves it as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analytics.exposure import odometer
from analytics.exposure.cells import UNKNOWN, cells, summed
from fleet.quality import has_position
from fleet.schedule import CIVIL_ZONE
from fleet.units import MICROSECONDS, to_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from numpy.typing import NDArray

    from analytics.exposure.cells import Cells, Labels
    from analytics.exposure.odometer import Compared
    from analytics.exposure.steps import Record, Steps
    from analytics.exposure.trips import Trips

    Rows = NDArray[np.intp]

#: Counted up when a figure means something else: rows of two versions are not added.
MEASURE_VERSION = 1
#: What was driven before midnight decides how the first fixes after it are read.
MARGIN_US = 3600 * MICROSECONDS
DAY_US = 86_400 * MICROSECONDS


class Way(NamedTuple):
    """What was driven, of a whole day or in one county. Whole millimetres and microseconds."""

    distance_mm: int = 0
    #: That of it at intervals at which turns can be judged.
    fine_mm: int = 0
    driven_us: int = 0
    stood_us: int = 0
    #: Trips that set out.
    trips: int = 0


class Seen(NamedTuple):
    """How well a day was seen: where it was not, nobody knows in which county."""

    #: Received, one a moment; and of these, at a position that is believed.
    fixes: int = 0
    fixes_valid: int = 0
    #: Positions that were not believed because they jumped.
    jumps: int = 0
    #: Nothing is known: the rest of the day, before the first fix and after the last one included.
    silent_us: int = DAY_US
    #: Of that, time in which it came to be elsewhere, and how far at least.
    unseen_us: int = 0
    unseen_mm: int = 0


NO_WAY, NOTHING_SEEN = Way(), Seen()


@dataclass(frozen=True, slots=True)
class VehicleDay:
    """What one vehicle drove on one civil day."""

    vehicle_id: int
    day: date
    seen: Seen = NOTHING_SEEN
    way: Way = NO_WAY
    #: By fence id of the district, of the way that was driven in one.
    counties: Mapping[int, Way] = field(default_factory=dict)
    #: None: it sent none.
    odometer: Compared | None = None

    @property
    def online(self) -> bool:
        """The unit was heard on this day."""
        return self.seen.fixes > 0

    @property
    def driven(self) -> bool:
        """It was seen to drive, or was elsewhere afterwards."""
        return self.way.distance_mm + self.seen.unseen_mm > 0

    @property
    def coverage(self) -> float | None:
        """Time seen under way of all in which it may have been; None: it did not drive."""
        whole_us = self.way.driven_us + self.seen.unseen_us
        return self.way.driven_us / whole_us if whole_us else None

    @property
    def evaluable_share(self) -> float | None:
        """Way at intervals at which turns can be judged of all way, seen or not; None: it did not drive."""
        whole_mm = self.way.distance_mm + self.seen.unseen_mm
        return self.way.fine_mm / whole_mm if whole_mm else None


def bounds_us(day: date) -> tuple[int, int]:
    """Return when a civil day begins and is over, microseconds since 1970."""
    begin_us = to_us(datetime.combine(day, time(), CIVIL_ZONE))
    return begin_us, begin_us + DAY_US


@dataclass(frozen=True, slots=True)
class Measured:
    """What a day is made of: fixes of vehicles with `MARGIN_US` on either side, measured."""

    record: Record
    steps: Steps
    labels: Labels
    trips: Trips


def close(
    day: date, vehicles: Iterable[int], of: Measured, *, fine_s: float
) -> tuple[list[VehicleDay], Cells]:
    """Return the day of each vehicle, also of those never heard, and the cells that they are the sums of."""
    from_us, until_us = bounds_us(day)
    by_hour = cells(of.steps, of.labels, fine_s=fine_s, from_us=from_us, until_us=until_us)
    by_county = summed(by_hour, ("vehicle_id", "county"))
    return [_day(vehicle_id, day, of, by_county) for vehicle_id in vehicles], by_hour


def _day(vehicle_id: int, day: date, of: Measured, by_county: Cells) -> VehicleDay:
    from_us, until_us = bounds_us(day)

    def own(column: NDArray[np.int32], time_us: NDArray[np.int64]) -> Rows:
        first, end = np.searchsorted(column, [vehicle_id, vehicle_id + 1])
        inside = (time_us[first:end] >= from_us) & (time_us[first:end] < until_us)
        return np.asarray(first + np.flatnonzero(inside))

    fixes = own(of.record.fixes.vehicle_id, of.record.fixes.time_us)
    steps = own(of.steps.vehicle_id, of.steps.from_us)
    began_us = of.trips.started_us[own(of.trips.vehicle_id, of.trips.started_us)]
    set_out = of.labels.county[fixes[np.searchsorted(of.record.fixes.time_us[fixes], began_us)]]
    sums = by_county.take(by_county.vehicle_id == vehicle_id)
    way = _way(sums, len(began_us))
    return VehicleDay(
        vehicle_id=vehicle_id,
        day=day,
        seen=_seen(of.record, fixes, sums, way),
        way=way,
        counties={
            county: _way(sums.take(sums.county == county), int((set_out == county).sum()))
            for county in np.union1d(sums.county, set_out).tolist()
            if county != UNKNOWN
        },
        odometer=_odometer(of, steps[of.steps.to_us[steps] <= until_us]),
    )


def _way(sums: Cells, trips: int) -> Way:
    return Way(
        distance_mm=int(sums.distance_mm.sum()),
        fine_mm=int(sums.fine_mm.sum()),
        driven_us=int(sums.driven_us.sum()),
        stood_us=int(sums.stood_us.sum()),
        trips=trips,
    )


def _seen(of: Record, fixes: Rows, sums: Cells, way: Way) -> Seen:
    """Tell how well a day was seen; `fixes` are the rows of its fixes."""
    first, end = np.searchsorted(of.believed, [fixes[0], fixes[-1] + 1]) if len(fixes) else (0, 0)
    return Seen(
        fixes=len(fixes),
        fixes_valid=int(end - first),
        jumps=_jumps(of, fixes) if end - first < len(fixes) else 0,
        silent_us=DAY_US - way.driven_us - way.stood_us,
        unseen_us=int(sums.unseen_us.sum()),
        unseen_mm=int(sums.unseen_mm.sum()),
    )


def _jumps(of: Record, rows: Rows) -> int:
    """Count the positions that are not believed though they moved: one that is frozen does not."""
    fixes = of.fixes.take(rows)
    doubted = has_position(fixes)
    doubted[np.isin(rows, of.believed)] = False
    moved = np.r_[True, (np.diff(fixes.lat_udeg) != 0) | (np.diff(fixes.lon_udeg) != 0)]
    return int((doubted & moved).sum())


def _odometer(of: Measured, steps: Rows) -> Compared | None:
    """Compare the odometer of one vehicle with its positions over its steps of a day."""
    if not len(steps):
        return None
    fixes = np.append(of.steps.begin[steps], of.steps.end[steps[-1]])
    record = of.record.fixes
    return odometer.compare(
        record.odometer_hm[fixes], record.time_us[fixes], of.steps.distance_mm[steps], of.steps.silent[steps]
    )
