"""Corruption as data: every fault is a named probability, applied to sound observations, from the seed.

Faults never reach back: the truth and the observations are the same with and without them. Faults of a
moment (loss, a jump) strike single messages; faults of a while (an outage, a frozen position) are
intervals of one truck, drawn for the whole window beforehand, or planned by the scenario.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from fleet import datum
from fleet.columns import CameraEvents, Fixes, FixFlag, HealthReports
from fleet.units import MICROSECONDS
from simulators.broken_units import BrokenUnits
from simulators.intervals import Intervals
from simulators.streams import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """How likely each fault is. Without a unit: per message; `_per_hour`: per truck; `_share`: of trucks."""

    #: Never sent.
    loss: float = 0.0
    #: Sent again, a little later.
    duplicate: float = 0.0
    #: Sent up to a minute late; sent so late that the next ones overtake it.
    delay: float = 0.0
    disorder: float = 0.0
    #: Latitude and longitude 0; a position somewhere else altogether.
    zero: float = 0.0
    jump: float = 0.0
    #: Bytes that do not parse.
    corrupt: float = 0.0
    #: No connection: kept by the unit and sent afterwards in arrays, or lost for ever.
    outage_per_hour: float = 0.0
    backfill_share: float = 1.0
    #: The position stays where it was, speed goes on.
    frozen_per_hour: float = 0.0
    #: The unit's clock goes wrong by minutes for a while.
    clock_step_per_hour: float = 0.0
    #: Units that send GCJ-02 without saying so.
    wrong_datum_share: float = 0.0
    #: The receiver is somewhere else for some fixes to a minute, always by the same way.
    displaced_per_hour: float = 0.0
    #: The unit's clock is weeks behind for a while.
    clock_weeks_per_hour: float = 0.0
    #: Units that tell the speed of some seconds before, and units that tell a wrong one throughout.
    lagging_share: float = 0.0
    scaled_share: float = 0.0
    #: For some seconds the unit sends a thousand fixes a second.
    dense_per_hour: float = 0.0
    #: Of the ways out of the operating area: the unit is silent meanwhile, and keeps nothing.
    silent_exit_share: float = 0.0


NONE = FaultPlan()
LATENCY_S = (0.06, 0.25)
DELAY_S, DISORDER_S, DUPLICATE_S = (5.0, 60.0), (1.5, 6.0), (0.3, 30.0)
OUTAGE_S, FROZEN_S, CLOCK_S = (30.0, 400.0), (20.0, 180.0), (60.0, 600.0)
JUMP_M = (400.0, 4000.0)
CLOCK_STEP_S = (90.0, 900.0)
#: Back-fill goes out in arrays of this many seconds of driving each.
BACKFILL_ARRAY_S = 200
BACKFILL_AFTER_S, BACKFILL_EVERY_S = 2.0, 0.5
M_PER_DEGREE_LAT = 111_195.0
LIVE, HISTORY = 0, 1
#: Faults of the way, not of what is measured.
TRANSPORT = ("loss", "duplicate", "delay", "disorder", "corrupt")
NOWHERE_UDEG = np.iinfo(np.int64).min
SOUND, TRUNCATED, NOT_UTF8, NOT_A_NUMBER = 0, 1, 2, 3


#: Fixes, camera events or health reports.
C = TypeVar("C", Fixes, CameraEvents, HealthReports)


@dataclass(frozen=True, slots=True)
class Sends(Generic[C]):
    """Rows to be sent: what, when, on which channel, and how broken. Fields (n,)."""

    rows: C
    at_us: Ints
    #: `LIVE`, or `HISTORY`: kept by the unit while it had no connection.
    channel: Ints
    corrupt: Ints

    def __len__(self) -> int:
        return len(self.at_us)

    def take(self, index: Any) -> Sends[C]:
        """Return the rows at `index`."""
        return Sends(self.rows.take(index), self.at_us[index], self.channel[index], self.corrupt[index])

    def then(self, other: Sends[C]) -> Sends[C]:
        """Return these rows and the others behind them."""
        return Sends(
            type(self.rows).concat([self.rows, other.rows]),
            np.concatenate([self.at_us, other.at_us]),
            np.concatenate([self.channel, other.channel]),
            np.concatenate([self.corrupt, other.corrupt]),
        )


class Faults:
    """Corrupts all trucks' observations window by window.

    Parameters
    ----------
    span_us
        The time [from, until) over which faults of a while are drawn.
    planned
        Outages of the scenario, all back-filled, besides those that are drawn.
    silent
        When units neither send nor keep anything.
    """

    def __init__(
        self,
        seed: int,
        plan: FaultPlan,
        trucks: int,
        span_us: tuple[int, int],
        planned: Intervals | None = None,
        silent: Intervals | None = None,
    ) -> None:
        self._seed, self.plan = seed, plan
        self._windows = self._carried = 0
        self.units = BrokenUnits(seed, plan, trucks, span_us)
        self.silent = Intervals.of([]) if silent is None else silent
        while_s = {
            "outage": (plan.outage_per_hour, OUTAGE_S),
            "frozen": (plan.frozen_per_hour, FROZEN_S),
            "clock": (plan.clock_step_per_hour, CLOCK_S),
        }
        drawn = {
            name: Intervals.draw(stream(seed, name), trucks, span_us, per_hour, length_s)
            for name, (per_hour, length_s) in while_s.items()
        }
        self.outages = drawn["outage"].joined(planned)
        self.frozen, self.clock_steps = drawn["frozen"], drawn["clock"]
        rng = stream(seed, "fault units")
        #: (len(outages),) whether what was measured meanwhile is sent afterwards.
        self.backfilled = (rng.random(len(self.outages)) < plan.backfill_share) | self.outages.planned
        size_s = rng.uniform(*CLOCK_STEP_S, len(self.clock_steps))
        sign = rng.choice([-1, 1], len(size_s))
        self.step_us = (size_s * sign).astype(np.int64) * MICROSECONDS
        self.wrong_datum = rng.random(trucks) < plan.wrong_datum_share
        self._frozen_at = np.full((len(self.frozen), 2), NOWHERE_UDEG)

    def apply(self, fixes: Fixes, true_us: Ints) -> Sends[Fixes]:
        """Return what is sent of the fixes (n,) measured at true times (n,), in no particular order."""
        rng = stream(self._seed, "faults", self._windows)
        self._windows += 1
        strikes = {name: rng.random(len(fixes)) < getattr(self.plan, name) for name in ("zero", "jump")}
        return self.carry(*self.units.spoil(self._moved(fixes, true_us, strikes, rng), true_us))

    def carry(self, rows: C, true_us: Ints) -> Sends[C]:
        """Return what is sent of rows (n,) of any kind that came to be at true times (n,)."""
        rng = stream(self._seed, "transport", self._carried)
        self._carried += 1
        many = len(rows)
        strikes = {name: rng.random(many) < getattr(self.plan, name) for name in TRANSPORT}
        at_us, channel, kept = self._connected(rows.vehicle_id, true_us, rng)
        live = channel == LIVE
        late_s = np.where(strikes["delay"], rng.uniform(*DELAY_S, many), 0.0)
        late_s = np.where(strikes["disorder"], rng.uniform(*DISORDER_S, many), late_s)
        at_us = at_us + np.where(live, late_s * MICROSECONDS, 0).astype(np.int64)
        kind = rng.integers(TRUNCATED, NOT_A_NUMBER + 1, many)
        corrupt = np.where(strikes["corrupt"] & live, kind, SOUND)
        again_us = at_us + (rng.uniform(*DUPLICATE_S, many) * MICROSECONDS).astype(np.int64)
        kept &= ~(strikes["loss"] & live)
        twice = kept & strikes["duplicate"] & live
        rows = self._at_wrong_time(rows, true_us)
        once = Sends(rows, at_us, channel, corrupt).take(kept)
        return once.then(Sends(rows, again_us, channel, corrupt).take(twice))

    def _moved(
        self, fixes: Fixes, true_us: Ints, strikes: dict[str, Bools], rng: np.random.Generator
    ) -> Fixes:
        """Return the fixes with positions that are frozen, zero, elsewhere, or of the wrong datum."""
        lat, lon = fixes.lat_udeg * 1e-6, fixes.lon_udeg * 1e-6
        mars_lat, mars_lon = datum.wgs84_to_gcj02(lat, lon)
        mars = self.wrong_datum[fixes.vehicle_id]
        lat, lon = np.where(mars, mars_lat, lat), np.where(mars, mars_lon, lon)
        away_m, angle = rng.uniform(*JUMP_M, len(lat)), rng.uniform(0, 2 * np.pi, len(lat))
        lat = lat + np.where(strikes["jump"], away_m * np.cos(angle) / M_PER_DEGREE_LAT, 0)
        lon = lon + np.where(
            strikes["jump"], away_m * np.sin(angle) / (M_PER_DEGREE_LAT * np.cos(np.deg2rad(lat))), 0
        )
        place = np.rint(np.stack([lat, lon], axis=1) * 1e6).astype(np.int64)
        place = self._frozen_place(fixes.vehicle_id, true_us, place)
        place[strikes["zero"]] = 0
        flags = fixes.flags | np.where(strikes["zero"], FixFlag.NO_POSITION, 0).astype(np.int16)
        return replace(
            fixes,
            lat_udeg=place[:, 0].astype(np.int32),
            lon_udeg=place[:, 1].astype(np.int32),
            flags=flags.astype(np.int16),
        )

    def _frozen_place(self, truck: NDArray[np.int32], true_us: Ints, place: Ints) -> Ints:
        """Return the places with those in a frozen stretch held at its first."""
        which = self.frozen.which(truck, true_us)
        held = np.flatnonzero(which >= 0)
        if len(held) == 0:
            return place
        stretch, first = np.unique(which[held], return_index=True)
        new = self._frozen_at[stretch, 0] == NOWHERE_UDEG
        self._frozen_at[stretch[new]] = place[held[first[new]]]
        place = place.copy()
        place[held] = self._frozen_at[which[held]]
        return place

    def _at_wrong_time(self, rows: C, true_us: Ints) -> C:
        """Return the rows with the times that wrong clocks showed."""
        time_us = rows.time_us + self.units.shift_us(rows.vehicle_id, true_us)
        if len(self.clock_steps):
            which = self.clock_steps.which(rows.vehicle_id, true_us)
            time_us = time_us + np.where(which >= 0, self.step_us[which], 0)
        return replace(rows, time_us=time_us)

    def _connected(
        self, truck: NDArray[np.int32], true_us: Ints, rng: np.random.Generator
    ) -> tuple[Ints, Ints, Bools]:
        """Return when each row is sent, on which channel, and which are sent at all."""
        latency_us = (rng.uniform(*LATENCY_S, len(truck)) * MICROSECONDS).astype(np.int64)
        at_us, channel = true_us + latency_us, np.full(len(truck), LIVE)
        kept = self.silent.which(truck, true_us) < 0
        which = self.outages.which(truck, true_us)
        out = which >= 0
        if out.any():
            kept[out] &= self.backfilled[which[out]]
            channel[out] = HISTORY
            spent_s = (true_us[out] - self.outages.start_us[which[out]]) / MICROSECONDS
            array = (spent_s // BACKFILL_ARRAY_S).astype(np.int64)
            after_us = ((BACKFILL_AFTER_S + BACKFILL_EVERY_S * array) * MICROSECONDS).astype(np.int64)
            at_us[out] = self.outages.end_us[which[out]] + after_us
        return at_us, channel, kept
