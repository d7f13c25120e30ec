"""Which vehicle-days are to be closed, and which wait and for what. Pure.

A vehicle's day is closed once it is over and everything of it is settled. What changes afterwards leaves a
touch (fleet/migrations/0022_days_and_months.sql): it is measured again, or only counted again, and where
that gives the same figures nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from analytics.days.judged import NOTHING_JUDGED
from analytics.exposure.vehicle_day import MARGIN_US, NO_WAY, VehicleDay, bounds_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from analytics.days.judged import Judged, OfVehicle
    from analytics.exposure.odometer import Compared
    from analytics.exposure.vehicle_day import Seen, Way


class Wait(StrEnum):
    """Why a vehicle's day is not closed yet."""

    #: The day, the hour after it and the settler's horizon are not over.
    NOT_OVER = "not_over"
    #: Data came late, and the settler has yet to judge it.
    LATE_DATA = "late_data"
    #: A trip of the day has not ended, or is not settled.
    TRIP_NOT_SETTLED = "trip_not_settled"
    #: The fixes that it would be measured from are not in the database (any more): that is not silence.
    FIXES_GONE = "fixes_gone"


@dataclass(frozen=True, slots=True)
class Known:
    """What the store says of one vehicle's day, before anything is measured."""

    vehicle_id: int
    #: A version stands.
    closed: bool = False
    #: Ids of what has changed since, and whether that means measuring again.
    touches: Sequence[int] = ()
    remeasure: bool = False
    #: Late data that the settler has not judged; a segment that is not settled.
    late_data: bool = False
    unsettled: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done of one day."""

    #: Vehicles to be measured and counted; and those of which only judgements are counted again.
    measure: list[Known] = field(default_factory=list)
    recount: list[Known] = field(default_factory=list)
    #: Vehicles that cannot be closed yet.
    waits: dict[int, Wait] = field(default_factory=dict)

    @property
    def vehicles(self) -> list[Known]:
        """All that can be closed now."""
        return [*self.measure, *self.recount]


def is_over(day: date, now_us: int, horizon_us: int) -> bool:
    """Say whether a day's record can be complete: the hour after it counts, and the settler waits as well."""
    return now_us >= bounds_us(day)[1] + MARGIN_US + horizon_us


def due(known: Iterable[Known], *, over: bool, stored: bool, again: bool = False) -> Due:
    """Say what is to be done.

    Parameters
    ----------
    known
        Of each vehicle that belongs to the day.
    over
        The day can be complete (`is_over`).
    stored
        The fixes of the day are in the database.
    again
        Measure what is closed once more, whether it was touched or not.
    """
    found = Due()
    for one in known:
        remeasure = not one.closed or one.remeasure or again
        if one.closed and not (one.touches or again):
            continue
        if not over:
            found.waits[one.vehicle_id] = Wait.NOT_OVER
        elif one.late_data:
            found.waits[one.vehicle_id] = Wait.LATE_DATA
        elif one.unsettled:
            found.waits[one.vehicle_id] = Wait.TRIP_NOT_SETTLED
        elif remeasure and not stored:
            found.waits[one.vehicle_id] = Wait.FIXES_GONE
        else:
            (found.measure if remeasure else found.recount).append(one)
    return found


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A vehicle's day as it is kept; two that are equal say the same."""

    vehicle_id: int
    day: date
    seen: Seen
    way: Way
    judged: Judged
    #: By fence id of the district.
    counties: Mapping[int, tuple[Way, Judged]]
    #: None: it sent none.
    odometer: Compared | None
    #: Whose vehicle it was when the day began; None: nobody's.
    company_id: int | None

    @classmethod
    def of(cls, driven: VehicleDay, judged: OfVehicle, company_id: int | None) -> Self:
        """Join what was driven and what was judged."""
        counties = {
            county: (driven.counties.get(county, NO_WAY), judged.counties.get(county, NOTHING_JUDGED))
            for county in sorted({*driven.counties, *judged.counties})
        }
        return cls(
            *(driven.vehicle_id, driven.day, driven.seen, driven.way, judged.whole, counties),
            *(driven.odometer, company_id),
        )

    @property
    def driven(self) -> VehicleDay:
        """What was driven, without what was judged."""
        ways = {county: way for county, (way, _) in self.counties.items()}
        return VehicleDay(self.vehicle_id, self.day, self.seen, self.way, ways, self.odometer)
