"""Units that are broken in ways that were met: displaced receivers, clocks weeks off, wrong speeds, 1 kHz.

What is drawn here has random streams of its own, so that nothing else changes with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fleet.units import KMH_PER_MPS, MICROSECONDS
from simulators.intervals import Intervals
from simulators.streams import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.columns import Fixes
    from simulators.faults import FaultPlan

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

#: A receiver stays somewhere else for some fixes to a minute; a clock is weeks off for minutes.
DISPLACED_S, DISPLACED_M = (2.0, 60.0), (100.0, 3000.0)
CLOCK_WEEKS_S, CLOCK_WEEKS = (60.0, 600.0), (1, 4)
#: A speed is that of so long before, or so many times what it should be.
LAG_S, SCALES = (2.0, 5.0), (0.75, 0.85, 1.15, 1.3)
DENSE_HZ, DENSE_S = 1000, (5.0, 20.0)
M_PER_DEGREE_LAT = 111_195.0
WEEK_US = 7 * 86_400 * MICROSECONDS


class BrokenUnits:
    """Spoils what all trucks' units measure, window by window.

    Parameters
    ----------
    span_us
        The time [from, until) over which faults of a while are drawn.
    """

    def __init__(self, seed: int, plan: FaultPlan, trucks: int, span_us: tuple[int, int]) -> None:
        self.displaced = Intervals.draw(
            stream(seed, "displaced"), trucks, span_us, plan.displaced_per_hour, DISPLACED_S
        )
        self.clock_weeks = Intervals.draw(
            stream(seed, "clock weeks"), trucks, span_us, plan.clock_weeks_per_hour, CLOCK_WEEKS_S
        )
        rng = stream(seed, "broken units")
        away_m = rng.uniform(*DISPLACED_M, len(self.displaced))
        angle = rng.uniform(0, 2 * np.pi, len(self.displaced))
        self._north_m, self._east_m = away_m * np.cos(angle), away_m * np.sin(angle)
        weeks = rng.integers(CLOCK_WEEKS[0], CLOCK_WEEKS[1] + 1, len(self.clock_weeks))
        #: (len(clock_weeks),) by how much each clock is behind, whole weeks: a receiver counts them wrong.
        self.weeks_us = weeks * WEEK_US
        lot = rng.random(trucks)
        #: (trucks,) seconds by which the speed told is old; by how much it is multiplied.
        self.lag_s = np.where(lot < plan.lagging_share, rng.uniform(*LAG_S, trucks).round(1), 0.0)
        is_scaled = (lot >= plan.lagging_share) & (lot < plan.lagging_share + plan.scaled_share)
        self.scale = np.where(is_scaled, rng.choice(SCALES, trucks), 1.0)
        self.dense = Intervals.draw(stream(seed, "dense"), trucks, span_us, plan.dense_per_hour, DENSE_S)
        #: What lagging units have measured lately: times and speeds.
        self._lately: dict[int, tuple[Ints, Ints]] = {}

    def spoil(self, fixes: Fixes, true_us: Ints) -> tuple[Fixes, Ints]:
        """Return what units tell of fixes (n,) measured at true times (n,), and when each was measured."""
        fixes = self._misjudged(self._displaced(fixes, true_us), true_us)
        return self._dense(fixes, true_us)

    def shift_us(self, truck: NDArray[np.int32], true_us: Ints) -> Ints:
        """Return by how much the clocks of trucks (n,) are ahead at true times (n,)."""
        which = self.clock_weeks.which(truck, true_us)
        if len(self.clock_weeks) == 0:
            return np.zeros(len(truck), np.int64)
        return np.where(which >= 0, -self.weeks_us[which], 0)

    def _displaced(self, fixes: Fixes, true_us: Ints) -> Fixes:
        """Put what lies in a displaced stretch aside, each time by the same way."""
        which = self.displaced.which(fixes.vehicle_id, true_us)
        rows = np.flatnonzero(which >= 0)
        if not len(rows):
            return fixes
        lat_udeg, lon_udeg = fixes.lat_udeg.copy(), fixes.lon_udeg.copy()
        per_degree_m = M_PER_DEGREE_LAT * np.cos(np.deg2rad(lat_udeg[rows] * 1e-6))
        lat_udeg[rows] += np.rint(self._north_m[which[rows]] / M_PER_DEGREE_LAT * 1e6).astype(np.int32)
        lon_udeg[rows] += np.rint(self._east_m[which[rows]] / per_degree_m * 1e6).astype(np.int32)
        return replace(fixes, lat_udeg=lat_udeg, lon_udeg=lon_udeg)

    def _misjudged(self, fixes: Fixes, true_us: Ints) -> Fixes:
        """Return the fixes with the speeds that lagging and scaling units tell."""
        known = fixes.speed_dkmh >= 0
        scaled = np.rint(fixes.speed_dkmh * self.scale[fixes.vehicle_id])
        speed = np.where(known, scaled, fixes.speed_dkmh).astype(fixes.speed_dkmh.dtype)
        for truck in np.flatnonzero(self.lag_s > 0).tolist():
            rows = np.flatnonzero(fixes.vehicle_id == truck)
            old_us, old = self._lately.get(truck, (true_us[:0], speed[:0]))
            all_us, measured = np.r_[old_us, true_us[rows]], np.r_[old, fixes.speed_dkmh[rows]]
            lag_us = round(self.lag_s[truck] * MICROSECONDS)
            before = np.searchsorted(all_us, true_us[rows] - lag_us, "right") - 1
            speed[rows] = measured[np.maximum(before, 0)]
            self._lately[truck] = all_us[-100:], measured[-100:]
        return replace(fixes, speed_dkmh=speed)

    def _dense(self, fixes: Fixes, true_us: Ints) -> tuple[Fixes, Ints]:
        """Let units send a thousand fixes for the second after each, in which they just go on."""
        times = np.where(self.dense.which(fixes.vehicle_id, true_us) >= 0, DENSE_HZ, 1)
        if not (times > 1).any():
            return fixes, true_us
        row = np.repeat(np.arange(len(fixes)), times)
        number = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
        after_us = number * (MICROSECONDS // DENSE_HZ)
        told = fixes.take(row)
        distance_m = np.maximum(told.speed_dkmh, 0) / 10 / KMH_PER_MPS * after_us / MICROSECONDS
        course = np.deg2rad(np.maximum(told.course_deg, 0))
        per_degree_m = M_PER_DEGREE_LAT * np.cos(np.deg2rad(told.lat_udeg * 1e-6))
        north_udeg = np.rint(distance_m * np.cos(course) / M_PER_DEGREE_LAT * 1e6).astype(np.int32)
        east_udeg = np.rint(distance_m * np.sin(course) / per_degree_m * 1e6).astype(np.int32)
        told = replace(
            told,
            time_us=told.time_us + after_us,
            lat_udeg=told.lat_udeg + north_udeg,
            lon_udeg=told.lon_udeg + east_udeg,
        )
        return told, true_us[row] + after_us
