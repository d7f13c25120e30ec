"""One vehicle's day out of its fixes, and judged rows put into counties: what is done in a thread. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from alerts.rules.right_turn import right_turn_fold
from analytics.days.judged import Judgements
from analytics.exposure import steps as measuring
from analytics.exposure.cells import UNKNOWN, labels
from analytics.exposure.trips import trips
from analytics.exposure.vehicle_day import Measured, VehicleDay, bounds_us, close
from fleet.fences.index import FenceIndex
from fleet.kinds import FenceKind
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from alerts.in_force.context import Context
    from alerts.words.turns import Turns
    from analytics.days.judged import Episodes
    from fleet.columns import Fixes


@dataclass(frozen=True, slots=True)
class Terms:
    """What a day is closed by: rulebooks, registry, and the districts."""

    context: Context
    #: None: there is no district.
    districts: FenceIndex | None

    @classmethod
    def of(cls, context: Context) -> Self:
        """Index the districts that a process knows of."""
        fences = None if context.fences is None else context.fences.fences
        if fences is None or not len(fences.of_kinds([FenceKind.DISTRICT])):
            return cls(context, None)
        return cls(context, FenceIndex(fences, [FenceKind.DISTRICT]))

    def horizon_us(self, now_us: int) -> int:
        """Return how old a record must be for the settler to trust that it is complete."""
        return round(float(self.context.rulebooks.now("live", now_us)["horizon_s"]) * MICROSECONDS)

    def company_id(self, vehicle_id: int, day: date) -> int | None:
        """Return whose vehicle it was when a day began."""
        company, _kind, _limit = self.context.facts.at(*_at_first(vehicle_id, day))
        return None if company[0] < 0 else int(company[0])


def driven(vehicle_id: int, day: date, fixes: Fixes, terms: Terms) -> VehicleDay:
    """Return what a vehicle drove on a day; its fixes are by time, with the margin on either side."""
    if not len(fixes):
        return VehicleDay(vehicle_id, day)
    one, begin_us = _at_first(vehicle_id, day)
    company, kind, _limit = terms.context.facts.at(one, begin_us)
    books = terms.context.rulebooks
    row = books.at(begin_us, company, kind)
    motion, turning = books.numbers("motion", row), books.numbers("right_turn", row)
    record = measuring.record(fixes, motion)
    steps = measuring.measure(record, motion)
    of = Measured(record, steps, labels(record, terms.districts), trips(steps, record))
    return close(day, [vehicle_id], of, fine_s=float(turning["evaluable_interval_s"]))[0][0]


def judgements(turns: Turns, episodes: Episodes, terms: Terms) -> Judgements:
    """Say of judged rows in which county they were, and of turns whether they were too fast."""
    books = terms.context.rulebooks
    company, kind, _limit = terms.context.facts.at(turns.vehicle_id, turns.entered_us)
    turns = replace(turns, rulebook=books.at(turns.entered_us, company, kind))
    return Judgements(
        turns,
        right_turn_fold.too_fast(turns, books),
        _county(turns.lat_udeg, turns.lon_udeg, turns.entered_us, terms.districts),
        episodes,
        _county(episodes.lat_udeg, episodes.lon_udeg, episodes.began_us, terms.districts),
    )


def _county(
    lat_udeg: NDArray[np.int32],
    lon_udeg: NDArray[np.int32],
    time_us: NDArray[np.int64],
    districts: FenceIndex | None,
) -> NDArray[np.int32]:
    """Return the fence id of the district of each position; -1 outside of all, and where there is none."""
    county = np.full(len(lat_udeg), UNKNOWN, np.int32)
    known = np.flatnonzero((lat_udeg != 0) | (lon_udeg != 0))
    if districts is not None and len(known):
        inside = districts.inside(lat_udeg[known], lon_udeg[known], time_us[known])
        row = known[inside.row][::-1]  # of several, the first
        county[row] = districts.fences.fence_id[inside.version[::-1]]
    return county


def _at_first(vehicle_id: int, day: date) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    return np.array([vehicle_id], np.int32), np.array([bounds_us(day)[0]], np.int64)
