"""A month as the sum of closed vehicle-days, and how much of what ought to have been seen was. Pure.

Coverage is conservative: a vehicle that was not heard on a day may have driven on it. So the share of
vehicle-days that were heard multiplies the share of the way, or of the time under way, that was seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.days.judged import NOTHING_JUDGED, Judged
from analytics.exposure.vehicle_day import NO_WAY, Seen, Way
from analytics.facts.fact import Source
from analytics.facts.measures import Measure
from analytics.facts.restating import Said
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

_MM_PER_KM = 1e6
_NOTHING_SEEN = Seen(silent_us=0)


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over vehicle-days."""

    #: Vehicle-days: all, heard, seen to drive; and vehicles that were seen to drift.
    days: int = 0
    online: int = 0
    driven: int = 0
    drifting: int = 0
    seen: Seen = _NOTHING_SEEN
    way: Way = NO_WAY
    judged: Judged = NOTHING_JUDGED

    @property
    def online_share(self) -> float:
        """Vehicle-days heard of all."""
        return self.online / self.days if self.days else 0.0

    @property
    def driving_coverage(self) -> float:
        """Share of the time under way that was seen, and of the days that were heard."""
        return self.online_share * _share(self.way.driven_us, self.way.driven_us + self.seen.unseen_us)

    @property
    def turning_coverage(self) -> float:
        """Share of the way on which turns could be judged, and of the days that were heard."""
        return self.online_share * _share(self.way.fine_mm, self.way.distance_mm + self.seen.unseen_mm)


def _share(part: int, whole: int) -> float:
    """Return a share; of nothing, all was seen."""
    return part / whole if whole else 1.0


def facts(scope: str, month: date, of: Sums) -> list[Said]:
    """Return the facts of a month of the city, a company or a vehicle. What nobody could see has none."""
    known = _whole(of)
    if of.online:
        known |= _driven(of.way, of.judged, of.driving_coverage, of.turning_coverage)
        known[Measure.KM_UNSEEN] = (of.seen.unseen_mm / _MM_PER_KM, of.driving_coverage)
    return list(_said(scope, month, known))


def county_facts(scope: str, month: date, way: Way, judged: Judged, city: Sums) -> list[Said]:
    """Return the facts of a county's month: what was seen there.

    Where a vehicle was that nobody heard, nobody knows: a county was seen as well as the city was.
    """
    if not city.online:
        return []
    turning = city.driving_coverage * _share(way.fine_mm, way.distance_mm)
    return list(_said(scope, month, _driven(way, judged, city.driving_coverage, turning)))


def _whole(of: Sums) -> dict[Measure, tuple[float, float]]:
    """Return what is known whether anything was heard or not."""
    counts = {
        Measure.VEHICLE_DAYS: of.days,
        Measure.VEHICLE_DAYS_ONLINE: of.online,
        Measure.VEHICLE_DAYS_DRIVEN: of.driven,
        Measure.FIXES: of.seen.fixes,
        Measure.FIXES_VALID: of.seen.fixes_valid,
        Measure.VEHICLES_DRIFTING: of.drifting,
        Measure.ALERTS: of.judged.alerts,
        Measure.ALERTS_RESOLVED: of.judged.alerts_resolved,
    }
    seen_only = {Measure.VEHICLE_DAYS_DRIVEN, Measure.VEHICLES_DRIFTING}
    return {
        measure: (float(count), of.online_share if measure in seen_only else 1.0)
        for measure, count in counts.items()
    }


def _driven(way: Way, judged: Judged, driving: float, turning: float) -> dict[Measure, tuple[float, float]]:
    """Return what was driven and judged, with the coverage of each."""
    known = {
        Measure.KM: (way.distance_mm / _MM_PER_KM, driving),
        Measure.KM_FINE: (way.fine_mm / _MM_PER_KM, driving),
        Measure.DRIVING_S: (way.driven_us / MICROSECONDS, driving),
        Measure.TRIPS: (way.trips, driving),
        Measure.SPEEDINGS: (judged.speedings, driving),
        Measure.FATIGUES: (judged.fatigues, driving),
        Measure.FATIGUE_S: (judged.fatigue_us / MICROSECONDS, driving),
        Measure.FORBIDDEN_ENTRIES: (judged.forbidden_entries, driving),
        Measure.PERMITTED_LEFT: (judged.permitted_left, driving),
        Measure.RIGHT_TURNS: (judged.right_turns, driving),
        Measure.RIGHT_TURNS_EVALUABLE: (judged.evaluable, turning),
        Measure.RIGHT_TURNS_MUST_STOP: (judged.must_stop, turning),
        Measure.RIGHT_TURNS_NOT_STOPPED: (judged.not_stopped, turning),
        Measure.RIGHT_TURNS_TOO_FAST: (judged.too_fast, turning),
        Measure.ALERTS: (judged.alerts, 1.0),
        Measure.ALERTS_RESOLVED: (judged.alerts_resolved, 1.0),
    }
    if judged.looked or not judged.evaluable:  # of turns at whose cameras nobody looked nothing is known
        looked = turning * _share(judged.looked, judged.evaluable)
        known[Measure.RIGHT_TURNS_ARMED] = (judged.armed, looked)
        known[Measure.CONFLICTS] = (judged.conflicts, looked)
    return {measure: (float(value), coverage) for measure, (value, coverage) in known.items()}


def _said(scope: str, month: date, known: dict[Measure, tuple[float, float]]) -> Iterator[Said]:
    for measure, (value, coverage) in known.items():
        yield Said(scope, month, measure, value, round(min(max(coverage, 0.0), 1.0), 6), Source.MEASURED)


def next_month(month: date) -> date:
    """Return the first day of the month after that of a day."""
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1, day=1)
