"""A vehicle's day: what it drove, how well that was seen, and what could have gone wrong how often.

A day is a civil day. What is known of it grows: fixes come late, turns are settled, fences are put right. So
a row is never changed but followed by another (`known_from`), and its key is (vehicle, day, known from). It
depends on the fixes of the day with `MARGIN_US` on either side, and on the turns entered on it: what touches
none of these leaves it as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING

import numpy as np

from analytics.exposure import odometer, turn_counts
from analytics.exposure.cells import cells
from fleet.schedule import CIVIL_ZONE
from fleet.units import MICROSECONDS, to_us

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from numpy.typing import NDArray

    from alerts.words.turns import Turns
    from analytics.exposure.cells import Cells, Labels
    from analytics.exposure.odometer import Compared
    from analytics.exposure.steps import Record, Steps
    from analytics.exposure.trips import Trips
    from analytics.exposure.turn_counts import TurnCounts

    Bools = NDArray[np.bool_]

#: Counted up when a figure means something else: rows of two versions are not added.
MEASURE_VERSION = 1
#: What was driven before midnight decides how the first fixes after it are read.
MARGIN_US = 3600 * MICROSECONDS
DAY_US = 86_400 * MICROSECONDS


@dataclass(frozen=True, slots=True)
class VehicleDay:
    """What one vehicle did on one civil day. Sums are whole millimetres and microseconds."""

    vehicle_id: int
    day: date
    fixes: int
    distance_mm: int
    #: That of it at intervals at which turns can be judged.
    fine_mm: int
    driven_us: int
    stood_us: int
    #: Of these, nothing is known: the rest of the day, before the first fix and after the last one included.
    silent_us: int
    #: Time in which it came to be elsewhere unseen, and how far at least.
    unseen_us: int
    unseen_mm: int
    #: Trips that set out on this day.
    trips: int
    turns: TurnCounts
    #: None: it sent none.
    odometer: Compared | None
    measure_version: int = MEASURE_VERSION

    @property
    def online(self) -> bool:
        """The unit was heard on this day."""
        return self.fixes > 0

    @property
    def driven(self) -> bool:
        """It was seen to drive, or was elsewhere afterwards."""
        return self.distance_mm + self.unseen_mm > 0

    @property
    def coverage(self) -> float | None:
        """Time seen under way of all in which it may have been; None: it did not drive."""
        whole_us = self.driven_us + self.unseen_us
        return self.driven_us / whole_us if whole_us else None

    @property
    def evaluable_share(self) -> float | None:
        """Way at intervals at which turns can be judged of all way, seen or not; None: it did not drive."""
        whole_mm = self.distance_mm + self.unseen_mm
        return self.fine_mm / whole_mm if whole_mm else None


def bounds_us(day: date) -> tuple[int, int]:
    """Return when a civil day begins and is over, microseconds since 1970."""
    begin_us = to_us(datetime.combine(day, time(), CIVIL_ZONE))
    return begin_us, begin_us + DAY_US


@dataclass(frozen=True, slots=True)
class Measured:
    """What a day is made of: fixes of vehicles with `MARGIN_US` on either side, and their settled turns."""

    record: Record
    steps: Steps
    labels: Labels
    trips: Trips
    turns: Turns
    #: Of the turns: their rulebook calls them so (`alerts.turning.too_fast`).
    too_fast: Bools


def close(
    day: date, vehicles: Iterable[int], of: Measured, *, fine_s: float
) -> tuple[list[VehicleDay], Cells]:
    """Return the day of each vehicle, also of those never heard, and the cells that they are the sums of."""
    from_us, until_us = bounds_us(day)
    by_hour = cells(of.steps, of.labels, fine_s=fine_s, from_us=from_us, until_us=until_us)
    return [_day(vehicle_id, day, of, by_hour) for vehicle_id in vehicles], by_hour


def _day(vehicle_id: int, day: date, of: Measured, by_hour: Cells) -> VehicleDay:
    from_us, until_us = bounds_us(day)

    def own(column: NDArray[np.int32], time_us: NDArray[np.int64]) -> NDArray[np.intp]:
        first, end = np.searchsorted(column, [vehicle_id, vehicle_id + 1])
        inside = (time_us[first:end] >= from_us) & (time_us[first:end] < until_us)
        return np.asarray(first + np.flatnonzero(inside))

    fixes, turns = of.record.fixes, of.turns
    sums = by_hour.take(by_hour.vehicle_id == vehicle_id)
    driven_us, stood_us = int(sums.driven_us.sum()), int(sums.stood_us.sum())
    entered = (turns.vehicle_id == vehicle_id) & (turns.entered_us >= from_us) & (turns.entered_us < until_us)
    steps = own(of.steps.vehicle_id, of.steps.from_us)
    inside = steps[of.steps.to_us[steps] <= until_us]
    return VehicleDay(
        vehicle_id=vehicle_id,
        day=day,
        fixes=len(own(fixes.vehicle_id, fixes.time_us)),
        distance_mm=int(sums.distance_mm.sum()),
        fine_mm=int(sums.fine_mm.sum()),
        driven_us=driven_us,
        stood_us=stood_us,
        silent_us=DAY_US - driven_us - stood_us,
        unseen_us=int(sums.unseen_us.sum()),
        unseen_mm=int(sums.unseen_mm.sum()),
        trips=len(own(of.trips.vehicle_id, of.trips.started_us)),
        turns=turn_counts.counts(turns.take(entered), of.too_fast[entered]),
        odometer=_odometer(of, inside),
    )


def _odometer(of: Measured, steps: NDArray[np.intp]) -> Compared | None:
    """Compare the odometer of one vehicle with its positions over its steps of a day."""
    if not len(steps):
        return None
    fixes = np.append(of.steps.begin[steps], of.steps.end[steps[-1]])
    record = of.record.fixes
    return odometer.compare(
        record.odometer_hm[fixes], record.time_us[fixes], of.steps.distance_mm[steps], of.steps.silent[steps]
    )
