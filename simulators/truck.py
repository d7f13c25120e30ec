"""How trucks move: acceleration, braking and cornering by kind, load and driver.

Motion is solved over the distance, exactly and all at once: the square of the speed is the largest
function below every cap (limits, corners, stops) that rises by at most 2·a and falls by at most 2·b a
metre. Between two knots acceleration is constant, so speed integrates to distance without an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

G_MPS2 = 9.80665
#: Knots between which v² has the same slope to this, (m/s)², are one stretch of constant acceleration.
SAME_SLOPE = 1e-9


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of truck can do. A loaded mixer of 25-31 t gathers speed slowly."""

    code: str
    limit_kmh: int
    accelerate_empty_mps2: float
    accelerate_loaded_mps2: float
    brake_mps2: float


MIXER = Kind("mixer", 60, 0.95, 0.65, 1.3)
BULK_CEMENT = Kind("bulk_cement", 80, 0.85, 0.5, 1.2)


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver's nature. Even a hurried one keeps the rules but where a danger is planned."""

    code: str
    nature: str
    #: Cruising speed as a share of the limit.
    habit: float
    #: How much of the truck's acceleration and braking is used.
    briskness: float
    #: Lateral acceleration taken in bends, in g, and the speed through junction corners.
    bend_g: float
    corner_kmh: float
    #: Share by which the cruising speed sways.
    sway: float


NATURES = {
    # nature: habit, briskness, bend_g, corner_kmh, sway
    "careful": (0.82, 0.80, 0.10, 10.5, 0.02),
    "steady": (0.87, 0.95, 0.12, 12.0, 0.03),
    "hurried": (0.93, 1.15, 0.15, 13.5, 0.03),
    "tired": (0.86, 0.85, 0.11, 11.5, 0.08),
}


def driver(code: str, rng: np.random.Generator) -> Driver:
    """Draw a driver's nature."""
    nature = str(rng.choice(list(NATURES), p=[0.3, 0.4, 0.2, 0.1]))
    habit, briskness, bend_g, corner_kmh, sway = NATURES[nature]
    return Driver(code, nature, habit - rng.uniform(0, 0.03), briskness, bend_g, corner_kmh, sway)


@dataclass(frozen=True, slots=True)
class Motion:
    """Knots (n,) of a drive, constant acceleration between them. Times in seconds from its beginning."""

    time_s: Floats
    distance_m: Floats
    speed_mps: Floats
    #: (n - 1,) acceleration from each knot to the next.
    slope_mps2: Floats

    @property
    def arrival_s(self) -> float:
        """When the truck comes to its last standing."""
        return float(self.time_s[-2])

    @property
    def duration_s(self) -> float:
        """Time from the first knot to the last, the last standing included."""
        return float(self.time_s[-1])

    def at(self, time_s: Floats) -> tuple[Floats, Floats, Floats]:
        """Return (distance in metres, speed in m/s, acceleration in m/s²); beyond the ends, at the ends."""
        time = np.minimum(np.maximum(time_s, self.time_s[0]), self.time_s[-1])
        knot = self.time_s[1:-1].searchsorted(time, "right")
        after = time - self.time_s[knot]
        slope = self.slope_mps2[knot]
        before = self.speed_mps[knot]
        return self.distance_m[knot] + (before + slope / 2 * after) * after, before + slope * after, slope

    def when_at(self, distance_m: float) -> float:
        """Return the time at which a distance is first reached."""
        knot = int(np.searchsorted(self.distance_m, distance_m, "left"))
        if knot == 0:
            return float(self.time_s[0])
        way = distance_m - self.distance_m[knot - 1]
        before = self.speed_mps[knot - 1]
        here = np.sqrt(max(before**2 + 2 * self.slope_mps2[knot - 1] * way, 0.0))
        return float(self.time_s[knot - 1] + 2 * way / max(before + here, 1e-9))


def cell_middles(cells: int, cell_m: float) -> Floats:
    """Return how far along the path the middle of each cell lies, metres."""
    return np.asarray((np.arange(cells) + 0.5) * cell_m, np.float64)


def drive(
    cell_m: float, cap_mps: Floats, stop_knot: Ints, stop_s: Floats, *, accelerate: float, brake: float
) -> Motion:
    """Solve the motion over cells of equal length from standstill to standstill.

    Parameters
    ----------
    cell_m
        Length of a cell.
    cap_mps
        (n,) highest speed allowed in each cell, > 0.
    stop_knot, stop_s
        Knots (0..n, ascending, at least two apart, n among them) to stand at, and for how long.
    accelerate, brake
        Greatest acceleration and deceleration, m/s², > 0.
    """
    knots = len(cap_mps) + 1
    square = np.empty(knots)
    square[1:-1] = np.minimum(cap_mps[:-1], cap_mps[1:]) ** 2
    square[[0, -1]] = 0.0
    square[stop_knot] = 0.0
    rise = 2 * accelerate * cell_m * np.arange(knots)
    forward = rise + np.minimum.accumulate(square - rise)
    fall = 2 * brake * cell_m * np.arange(knots)
    backward = np.minimum.accumulate((forward + fall)[::-1])[::-1] - fall
    backward[[0, *stop_knot.tolist()]] = 0.0
    speed = np.sqrt(np.maximum(backward, 0.0))
    spent = 2 * cell_m / (speed[:-1] + speed[1:])
    time = np.concatenate([[0.0], np.cumsum(spent)])
    stood = np.zeros(knots)
    stood[stop_knot] = stop_s
    arrive = time + np.cumsum(stood) - stood
    leave = arrive[stop_knot] + stop_s
    after = stop_knot + 1
    turning = np.abs(np.diff(speed**2, 2)) > SAME_SLOPE
    kept = np.concatenate([[True], turning, [True]])
    kept[stop_knot] = True
    kept = np.insert(kept, after, True)
    time = np.insert(arrive, after, leave)[kept]
    speed = np.insert(speed, after, 0.0)[kept]
    slope = np.divide(np.diff(speed), np.diff(time), out=np.zeros(len(time) - 1), where=np.diff(time) > 0)
    distance = np.insert(cell_m * np.arange(knots), after, cell_m * stop_knot)[kept]
    return Motion(time, distance, speed, slope)
