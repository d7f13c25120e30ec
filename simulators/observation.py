"""What units on board make of the truth: noisy positions, courses that wander when slow, own clocks.

Nothing here is a fault: this is a sound unit on a common day. Row by row, apart from the position
error, which is correlated in time (Gauss-Markov), truck by truck.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleet.columns import Fixes
from fleet.units import KMH_PER_MPS, MICROSECONDS
from simulators.streams import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulators.projection import Projection
    from simulators.sampling import States

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sensors:
    """How good the units are."""

    #: Standard deviation of each component of the position error, metres, and its correlation time.
    position_m: float = 1.6
    correlation_s: float = 40.0
    #: The error grows by this factor in the middle of the city (canyons of high buildings).
    canyon_factor: float = 2.5
    canyon_radius_m: float = 2_000.0
    speed_kmh: float = 0.25
    #: Course error: this many degrees at speed, plus `course_slow_deg` divided by the speed in m/s.
    course_deg: float = 0.8
    course_slow_deg: float = 3.0
    #: Scale error of odometers, one draw a truck.
    odometer_share: float = 0.004
    #: Clocks of the units: standard deviations of offset and drift. Most take GNSS time: both 0.
    clock_offset_s: float = 0.0
    clock_drift_ppm: float = 0.0
    #: Share of units that know the limit: the lower of the street's, from a map, and the truck's own.
    limit_share: float = 1.0
    #: Cameras: probability that somebody is seen, ghosts seen per hour of a truck, and the standard
    #: deviation of their clocks' offsets.
    camera_detects: float = 1.0
    camera_ghosts_per_hour: float = 0.0
    camera_clock_s: float = 0.0


USUAL = Sensors()
#: Measures what is: only rounds to the stored units.
PERFECT = Sensors(
    position_m=0, canyon_factor=1, speed_kmh=0, course_deg=0, course_slow_deg=0, odometer_share=0
)
WORST_FACTOR = 4.0
ALTITUDE_M = 6


class Observer:
    """Observes all trucks window by window; keeps the position errors' memory between windows."""

    def __init__(self, seed: int, sensors: Sensors, projection: Projection, class_kmh: Sequence[int]) -> None:
        self._seed, self._sensors, self._projection = seed, sensors, projection
        self._class_kmh, trucks = np.array(class_kmh), len(class_kmh)
        rng = stream(seed, "units")
        self._error = rng.normal(size=(trucks, 2))
        self._last_us = np.full(trucks, -1, np.int64)
        self._scale = 1 + sensors.odometer_share * rng.normal(size=trucks).clip(-2, 2)
        self._offset_us = sensors.clock_offset_s * MICROSECONDS * rng.normal(size=trucks).clip(-3, 3)
        self._drift = sensors.clock_drift_ppm * 1e-6 * rng.normal(size=trucks).clip(-3, 3)
        self._knows_limit = rng.random(trucks) < sensors.limit_share
        self._windows = 0

    def observe(self, states: States) -> Fixes:
        """Return what the units measure; rows as given, which are in time order for each truck.

        `vehicle_id` is the truck's number, `time_us` the unit's own clock.
        """
        rng = stream(self._seed, "noise", self._windows)
        self._windows += 1
        sensors, truck = self._sensors, states.truck
        x, y = self._positions(states, rng)
        lat, lon = self._projection.to_degrees(x, y)
        speed = states.speed_mps * KMH_PER_MPS + sensors.speed_kmh * rng.normal(size=len(states)).clip(-3, 3)
        speed = np.where(states.speed_mps == 0, 0.0, np.maximum(speed, 0.0))
        sigma = sensors.course_deg + sensors.course_slow_deg / np.maximum(states.speed_mps, 0.3)
        course = states.heading_deg + sigma * rng.normal(size=len(states))
        lower = np.minimum(states.limit_kmh, self._class_kmh[truck])
        limit = np.where(self._knows_limit[truck], lower, -1)
        return Fixes.build(
            vehicle_id=truck,
            time_us=self.device_us(truck, states.time_us),
            lat_udeg=np.rint(lat * 1e6),
            lon_udeg=np.rint(lon * 1e6),
            speed_dkmh=np.rint(speed * 10),
            course_deg=np.where(states.speed_mps == 0, -1, np.rint(course) % 360),
            altitude_m=np.full(len(states), ALTITUDE_M),
            odometer_hm=np.rint(states.odometer_m * self._scale[truck] / 100),
            satellites=rng.integers(8, 20, len(states)),
            hdop_tenths=rng.integers(6, 14, len(states)),
            limit_kmh=limit,
            flags=states.flags,
        )

    def device_us(self, truck: Ints, time_us: Ints) -> Ints:
        """Return what the units' clocks show at true times, to the millisecond."""
        shown = time_us + self._offset_us[truck] + self._drift[truck] * (time_us % (86_400 * MICROSECONDS))
        return np.asarray(np.rint(shown / 1000).astype(np.int64) * 1000)

    def _positions(self, states: States, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return positions with their errors, metres."""
        sensors = self._sensors
        error = self._correlated(states.truck, states.time_us, rng).clip(-WORST_FACTOR, WORST_FACTOR)
        depth = np.exp(-((np.hypot(states.x_m, states.y_m) / sensors.canyon_radius_m) ** 2))
        size = sensors.position_m * (1 + (sensors.canyon_factor - 1) * depth)
        return states.x_m + size * error[:, 0], states.y_m + size * error[:, 1]

    def _correlated(self, truck: Ints, time_us: Ints, rng: np.random.Generator) -> Floats:
        """Return unit-variance errors (n, 2), correlated over time for each truck."""
        fresh = rng.normal(size=(len(truck), 2))
        out = np.empty_like(fresh)
        order = np.argsort(truck, kind="stable")
        rank = np.arange(len(truck)) - np.searchsorted(truck[order], truck[order], "left")
        rounds = order[np.argsort(rank, kind="stable")]
        for rows in np.split(rounds, np.cumsum(np.bincount(rank))[:-1]):
            who = truck[rows]
            passed = np.where(self._last_us[who] < 0, np.inf, (time_us[rows] - self._last_us[who]) / 1e6)
            kept = np.exp(-passed / self._sensors.correlation_s)
            self._error[who] = kept[:, None] * self._error[who] + np.sqrt(1 - kept**2)[:, None] * fresh[rows]
            self._last_us[who] = time_us[rows]
            out[rows] = self._error[who]
        return out
