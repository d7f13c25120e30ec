"""The true state of trucks at given times: what perfect instruments would show."""

from __future__ import annotations

from dataclasses import dataclass, fields
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

#: Indicators are set this far before a corner.
INDICATE_BEFORE_M = 45.0
INDICATE_TURN_DEG = 35.0
BRAKE_LAMP_MPS2 = -0.3
LAMP_STEP_S = 0.2


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
    """Return the states of one truck at times (n,) on one drive that began at `started_us`."""
    seconds = (time_us - started_us) / MICROSECONDS
    distance, speed = motion.at(seconds)
    x, y, heading = course.path.at(distance)
    piece = course.path.piece(distance)
    _, just_before = motion.at(seconds - LAMP_STEP_S)
    braking = (speed - just_before) / LAMP_STEP_S < BRAKE_LAMP_MPS2
    flags = np.where(braking, FixFlag.BRAKE_ON, 0) | _indicators(course, distance)
    flags |= _KNOWN | (FixFlag.LOADED if loaded else 0)
    return States(
        np.full(len(time_us), truck),
        time_us,
        x,
        y,
        np.rad2deg(heading) % 360.0,
        speed,
        odometer_m + distance,
        course.posted_kmh[piece],
        flags,
    )


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
    turned = np.rad2deg(course.path.turned_rad())
    flags = np.zeros(len(distance_m), np.int64)
    for right, bit in ((True, FixFlag.RIGHT_INDICATOR_ON), (False, FixFlag.LEFT_INDICATOR_ON)):
        corner = np.flatnonzero((turned if right else -turned) >= INDICATE_TURN_DEG)
        if len(corner) == 0:
            continue
        end = course.path.start_m[corner + 1]
        following = np.searchsorted(end, distance_m)
        begin = np.append(course.path.start_m[corner] - INDICATE_BEFORE_M, np.inf)
        flags[distance_m >= begin[following]] |= int(bit)
    return flags
