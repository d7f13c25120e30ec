"""What goes wrong on purpose: how often, and how a plan changes the way a truck is driven.

A planned danger is unmistakable and everything else stays clearly lawful, so that a detector's score
does not hang on where it draws its line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleet.units import KMH_PER_MPS
from simulators.truck import G_MPS2, cell_middles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulators.course import Course

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

#: Speeding counts in the truth from this excess on, and only if it lasts this long.
NOTICEABLE_KMH = 5.0
SHORTEST_SPEEDING_S = 15.0
MIN_EXCESS_KMH = 9.0
#: Shares of the limit by which it is exceeded: the three severities of the traffic law.
EXCESS_SHARES = (0.17, 0.3, 0.55)
#: Speeding happens where bends would press no more than this.
SPEEDING_BEND_G = 0.22
#: How long the full speed is held, and the room that gathering speed and braking take besides.
HELD_S = (19.0, 34.0)
GATHERING_S, BRAKING_S = 6.0, 6.0
#: Two stretches on one drive are at least this far apart.
APART_M = 900.0
#: A fast right turn: as fast as this lateral acceleration lets the corner be taken, at least this fast.
FAST_TURN_G = 0.33
FAST_TURN_KMH = 24.0
#: Past a must-stop junction without a stop: rolling, or slowly.
ROLLING_KMH, SLOWLY_KMH = 13.0, 6.0
SLOWLY_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Dangers:
    """How often each danger is planned: a probability per drive unless its comment says otherwise."""

    #: Expected stretches of a drive.
    speeding: float = 0.0
    #: Through a forbidden area without a pass; out of the operating area.
    forbidden: float = 0.0
    beyond: float = 0.0
    #: Per right turn where it is possible.
    fast_turn: float = 0.0
    no_stop: float = 0.0
    #: Per right turn: somebody in the blind zone. Expected number a drive: somebody beside the truck
    #: where it goes straight on, which is no danger.
    conflict: float = 0.0
    passing: float = 0.0
    #: Per stay at a building site.
    long_dwell: float = 0.0
    #: Per truck and hour: the unit falls silent, the camera is covered.
    offline: float = 0.0
    covered: float = 0.0


NONE = Dangers()


@dataclass(frozen=True, slots=True)
class Speeding:
    """A stretch of the path, metres, to be driven at `speed_mps`."""

    from_m: float
    to_m: float
    speed_mps: float
    limit_kmh: int


def plan_speeding(
    course: Course, limit_kmh: Floats, held: Bools, cell_m: float, rng: np.random.Generator, wanted: int
) -> tuple[Speeding, ...]:
    """Choose up to `wanted` stretches that can be driven clearly too fast for clearly long enough.

    Parameters
    ----------
    course
        Where the truck goes.
    limit_kmh
        (n,) the limit that binds the truck in each cell of `cell_m` metres.
    held
        (n,) cells where something but the limit holds the speed down: corners, stops, yards, zones.
    """
    middle = cell_middles(len(held), cell_m)
    curvature = np.abs(course.path.curvature_per_m[course.path.piece(middle)])
    taken = held.copy()
    found: list[Speeding] = []
    for _ in range(wanted):
        stretch = _one_stretch(limit_kmh, taken, curvature, cell_m, rng)
        if stretch is not None:
            found.append(stretch)
            taken |= (middle > stretch.from_m - APART_M) & (middle < stretch.to_m + APART_M)
    return tuple(found)


def _one_stretch(
    limit_kmh: Floats, taken: Bools, curvature_per_m: Floats, cell_m: float, rng: np.random.Generator
) -> Speeding | None:
    excess_kmh = max(MIN_EXCESS_KMH, float(rng.choice(EXCESS_SHARES)) * float(np.median(limit_kmh)))
    wanted_s, which, where = rng.uniform(*HELD_S), *rng.random(2)
    fast_mps = (limit_kmh + excess_kmh) / KMH_PER_MPS
    blocked = taken | (fast_mps**2 * curvature_per_m > SPEEDING_BEND_G * G_MPS2)
    blocked[1:] |= np.diff(limit_kmh) != 0
    bounds = np.flatnonzero(np.diff(np.concatenate([[True], blocked, [True]]).astype(np.int8)))
    begin, end = bounds[0::2], bounds[1::2]
    run_s = (end - begin) * cell_m / fast_mps[np.minimum(begin, len(blocked) - 1)]
    fits = np.flatnonzero(run_s >= wanted_s + GATHERING_S + BRAKING_S)
    if len(fits) == 0:
        return None
    run = fits[int(which * len(fits))]
    speed = float(fast_mps[begin[run]])
    spare_s = run_s[run] - wanted_s - GATHERING_S - BRAKING_S
    from_m = float(begin[run] * cell_m + speed * where * spare_s)
    length_m = speed * (wanted_s + GATHERING_S)
    return Speeding(from_m, from_m + length_m, speed, int(limit_kmh[begin[run]]))


def fast_turn_mps(curvature_per_m: float) -> float | None:
    """Return how fast a hurried driver takes a corner, m/s; None if it is too narrow to be too fast."""
    speed = float(np.sqrt(FAST_TURN_G * G_MPS2 / abs(curvature_per_m)))
    return speed if speed * KMH_PER_MPS >= FAST_TURN_KMH else None
