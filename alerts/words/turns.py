"""Right turns as rows: every one that was driven, whether or not it is dangerous.

Exposure needs the denominator: rates of conflicts and of fast turns are shares of these rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from fleet.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Times = NDArray[np.int64]


class Kind(IntEnum):
    """What a change of course is."""

    TURN = 0
    #: A bend of the street: wider and faster than any truck turns at a junction. Counted in no rate of turns.
    BEND = 1


class Reason(IntEnum):
    """Why a turn cannot be judged."""

    NONE = 0
    #: The median interval between its fixes is too long.
    COARSE = 1
    #: One interval is too long.
    GAP = 2
    #: The reported speed contradicts the positions: its speeds are those of the positions.
    SPEED_DISAGREES = 3
    #: What its camera saw may have been lost on the way to us.
    TRANSPORT_GAP = 4


class Stop(IntEnum):
    """How a must-stop junction was approached."""

    #: No register of junctions says that one had to stop here.
    NOT_ASKED = 0
    STOPPED = 1
    SLOW = 2
    NOT_STOPPED = 3
    NOT_EVALUABLE = 4


class Seen(IntEnum):
    """Yes, no, or nobody said."""

    UNKNOWN = -1
    NO = 0
    YES = 1


NO_JUNCTION = -1


@dataclass(frozen=True, slots=True)
class Turns(Columns):
    """One row a right turn."""

    #: Which sample decided it; the engine makes it a vehicle's id.
    vehicle_id: NDArray[np.int32]
    #: Time of the fix or tick that decided, microseconds since 1970.
    at_us: Times
    #: `Kind`.
    kind: NDArray[np.int16]
    entered_us: Times
    exited_us: Times
    #: The middle of the turn.
    lat_udeg: NDArray[np.int32]
    lon_udeg: NDArray[np.int32]
    #: Course on the way in, whole degrees clockwise from north; -1 unknown. And by how much it changed.
    entry_course_deg: NDArray[np.int16]
    course_change_deg: Floats
    entry_kmh: Floats
    min_kmh: Floats
    max_kmh: Floats
    #: Way from entry to exit.
    path_m: Floats
    radius_m: Floats
    lateral_g: Floats
    #: Slowest speed on the way before the entry, how long the vehicle stood there, and how much of that way
    #: is known.
    approach_kmh: Floats
    approach_stood_s: Floats
    approach_known_m: Floats
    #: Median and longest interval between fixes.
    interval_s: Floats
    longest_s: Floats
    #: `Seen`: right indicator on, vehicle loaded.
    indicator: NDArray[np.int16]
    loaded: NDArray[np.int16]
    #: Must-stop junction that it lies in, by its fence's id; -1 none. `Stop`, `Reason`.
    junction: NDArray[np.int32]
    stop: NDArray[np.int16]
    reason: NDArray[np.int16]
    confidence: Floats
    #: `Seen`: the right-hand camera was known to work. How many it saw during the turn; -1 nobody looked.
    armed: NDArray[np.int16]
    conflicts: NDArray[np.int32]
    #: Row of the rulebooks in force at the entry.
    rulebook: NDArray[np.int32]

    @classmethod
    def dtypes(cls) -> Mapping[str, str]:
        """Name and NumPy type of each column, in order."""
        return _DTYPES


_DTYPES = {
    "vehicle_id": "i4",
    "at_us": "i8",
    "kind": "i2",
    "entered_us": "i8",
    "exited_us": "i8",
    "lat_udeg": "i4",
    "lon_udeg": "i4",
    "entry_course_deg": "i2",
    "course_change_deg": "f8",
    "entry_kmh": "f8",
    "min_kmh": "f8",
    "max_kmh": "f8",
    "path_m": "f8",
    "radius_m": "f8",
    "lateral_g": "f8",
    "approach_kmh": "f8",
    "approach_stood_s": "f8",
    "approach_known_m": "f8",
    "interval_s": "f8",
    "longest_s": "f8",
    "indicator": "i2",
    "loaded": "i2",
    "junction": "i4",
    "stop": "i2",
    "reason": "i2",
    "confidence": "f8",
    "armed": "i2",
    "conflicts": "i4",
    "rulebook": "i4",
}
