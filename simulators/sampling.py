"""The true state of trucks at given times: what perfect instruments would show."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.columns import FixFlag
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulators.course import Course
    from simulators.truck import Motion

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

BRAKE_LAMP_MPS2 = -0.3


@dataclass(frozen=True, slots=True)
class States:
    """Rows of true states; each field (n,)."""

    truck: Ints
    time_us: Ints
    x_m: Floats
    y_m: Floats
    #: Degrees clockwise from north, [0, 360).
    heading_deg: Floats
    speed_mps: Floats
    #: Driven by this truck since it was new.
    odometer_m: Floats
    #: Posted on the street.
    limit_kmh: Ints
    #: `FixFlag` bits.
    flags: Ints

    def __len__(self) -> int:
        return len(self.time_us)

    def take(self, index: Any) -> States:
        """Return the rows at `index`: a mask, positions or a slice."""
        return States(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    @classmethod
    def concat(cls, parts: Sequence[States]) -> States:
        """Put rows behind one another; at least one part."""
        return cls(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)})


def sample(
    truck: int,
    course: Course,
    motion: Motion,
    time_us: Ints,
    *,
    started_us: int,
    odometer_m: float,
    loaded: bool,
) -> States:
    """Return the states of one truck at times (n,), ascending, on one drive that began at `started_us`."""
    seconds = (time_us - started_us) / MICROSECONDS
    standing = bool(seconds[0] >= motion.arrival_s)
    distance, speed, slope = motion.at(seconds[:1] if standing else seconds)
    x, y, heading = course.path.at(distance)
    flags = np.where(slope < BRAKE_LAMP_MPS2, FixFlag.BRAKE_ON, 0) | _indicators(course, distance)
    states = States(
        np.full(len(distance), truck),
        time_us[: len(distance)],
        x,
        y,
        np.rad2deg(heading) % 360.0,
        speed,
        odometer_m + distance,
        course.posted_kmh[course.path.piece(distance)],
        flags | _KNOWN | (FixFlag.LOADED if loaded else 0),
    )
    if not standing:
        return states
    return replace(states.take(np.zeros(len(time_us), np.int64)), time_us=time_us)


_KNOWN = int(
    FixFlag.IGNITION_KNOWN
    | FixFlag.IGNITION_ON
    | FixFlag.RIGHT_INDICATOR_KNOWN
    | FixFlag.LEFT_INDICATOR_KNOWN
    | FixFlag.BRAKE_KNOWN
    | FixFlag.LOAD_KNOWN
)


def _indicators(course: Course, distance_m: Floats) -> Ints:
    """Return the indicator bits: set from a little before a corner to its end."""
    following = course.corner_end_m.searchsorted(distance_m)
    set_now = distance_m >= course.corner_end_m[following] - course.corner_length_m[following]
    return np.where(set_now, course.corner_bit[following], 0)
