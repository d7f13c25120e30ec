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
LEAST_EXCESS_KMH = 9.0
#: Speeding happens where bends would press no more than this.
SPEEDING_BEND_G = 0.22
#: A fast right turn: as fast as this lateral acceleration lets the corner be taken, at least this fast.
FAST_TURN_G = 0.33
FAST_TURN_KMH = 24.0
#: Rolling through a junction where a stop is the law.
ROLLING_KMH = 12.0


@dataclass(frozen=True, slots=True)
class Dangers:
    """How often each danger is planned. Per drive unless the name says otherwise."""

    speeding: float = 0.0
    forbidden: float = 0.0
    beyond: float = 0.0
    #: Per right turn where it is possible.
    fast_turn: float = 0.0
    no_stop: float = 0.0
    #: Per right turn: somebody in the blind zone.
    conflict: float = 0.0
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
    course: Course, limit_kmh: Floats, held: Bools, cell_m: float, rng: np.random.Generator
) -> Speeding | None:
    """Choose a stretch that can be driven clearly too fast for clearly long enough, if there is one.

    Parameters
    ----------
    course
        Where the truck goes.
    limit_kmh
        (n,) the limit that binds the truck in each cell of `cell_m` metres.
    held
        (n,) cells where something but the limit holds the speed down: corners, stops, yards, zones.
    """
    excess_kmh = max(LEAST_EXCESS_KMH, float(rng.choice([0.17, 0.3, 0.55])) * float(np.median(limit_kmh)))
    middle = cell_middles(len(held), cell_m)
    curvature = np.abs(course.path.curvature_per_m[course.path.piece(middle)])
    fast_mps = (limit_kmh + excess_kmh) / KMH_PER_MPS
    pressed = fast_mps**2 * curvature > SPEEDING_BEND_G * G_MPS2
    blocked = held | pressed
    edges = np.flatnonzero(np.diff(limit_kmh) != 0) + 1
    blocked[edges] = True
    bounds = np.flatnonzero(np.diff(np.concatenate([[True], blocked, [True]]).astype(np.int8)))
    begin, end = bounds[0::2], bounds[1::2]
    wanted_s = rng.uniform(19, 34)
    # Room for the stretch itself, for gathering speed before and for braking after.
    room_m = fast_mps[np.minimum(begin, len(held) - 1)] * (wanted_s + 12)
    fits = np.flatnonzero((end - begin) * cell_m >= room_m)
    place = rng.random(2)
    if len(fits) == 0:
        return None
    run = fits[int(place[0] * len(fits))]
    speed = float(fast_mps[begin[run]])
    slack_m = (end[run] - begin[run]) * cell_m - speed * (wanted_s + 9)
    from_m = float(begin[run] * cell_m + speed * 2 + place[1] * max(slack_m, 0))
    return Speeding(from_m, from_m + speed * (wanted_s + 4), speed, int(limit_kmh[begin[run]]))


def fast_turn_mps(curvature_per_m: float) -> float | None:
    """Return how fast a hurried driver takes a corner, m/s; None if it is too narrow to be too fast."""
    speed = float(np.sqrt(FAST_TURN_G * G_MPS2 / abs(curvature_per_m)))
    return speed if speed * KMH_PER_MPS >= FAST_TURN_KMH else None
