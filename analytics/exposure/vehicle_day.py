"""A vehicle's day: what it drove, how well that was seen, and what could have gone wrong how often.

A day is a civil day. What is known of it grows: fixes come late, turns are settled, fences are put right. So a
row is never changed but followed by another (`known_from`), and its key is (vehicle, day, known from). It depends
on the fixes of the day with `MARGIN_US` on either side, and on the turns entered on it: what touches none of
these leaves it as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np

from analytics.exposure import odometer, turn_counts
from analytics.exposure.cells import cells, summed
from analytics.exposure.steps import Record
from analytics.exposure.trips import trips
from fleet.schedule import CIVIL_ZONE
from fleet.units import MICROSECONDS, to_us

if TYPE_CHECKING:
    from alerts.rules.turns import Turns
    from analytics.exposure.cells import Cells, Labels
    from analytics.exposure.odometer import Compared
    from analytics.exposure.steps import Steps
    from analytics.exposure.turn_counts import TurnCounts
    from numpy.typing import NDArray

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
    way_mm: int
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
        return self.way_mm + self.unseen_mm > 0

    @property
    def coverage(self) -> float | None:
        """Time seen under way of all in which it may have been; None: it did not drive."""
        whole_us = self.driven_us + self.unseen_us
        return self.driven_us / whole_us if whole_us else None

    @property
    def evaluable_share(self) -> float | None:
        """Way at intervals at which turns can be judged of all way, seen or not; None: it did not drive."""
        whole_mm = self.way_mm + self.unseen_mm
        return self.fine_mm / whole_mm if whole_mm else None
