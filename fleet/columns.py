"""Struct-of-arrays batches: a row is one observation, a field is one NumPy column in stored units.

Every column of a batch has the same length. Numbers are kept as the integers that the terminals
send and the store keeps (micro-degrees, tenths of km/h, microseconds since 1970), so that what is
judged is exactly what is stored, and a replay sees what live saw. Unknown is a sentinel, never zero.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Index = NDArray[np.intp] | NDArray[np.bool_] | slice

#: Sentinel of every column that cannot be negative: speed, course, odometer, satellites, limits.
UNKNOWN = -1
#: Sentinel of altitude, which can be negative.
UNKNOWN_ALTITUDE_M = -32768


class FixFlag(IntFlag):
    """Facts of one fix that are yes, no or unknown: a `*_KNOWN` bit, and the bit itself."""

    IGNITION_KNOWN = 1
    IGNITION_ON = 2
    RIGHT_INDICATOR_KNOWN = 4
    RIGHT_INDICATOR_ON = 8
    LEFT_INDICATOR_KNOWN = 16
    LEFT_INDICATOR_ON = 32
    BRAKE_KNOWN = 64
    BRAKE_ON = 128
    LOAD_KNOWN = 256
    LOADED = 512
    #: The unit says that it has no position, or sends (0, 0): stored, never plotted, no distance.
    NO_POSITION = 1024
    #: The unit sent GCJ-02 or BD-09; the position was converted to WGS 84 on decoding.
    DATUM_CONVERTED = 2048


class Side(IntEnum):
    """Where on the vehicle a blind-spot camera looks."""

    RIGHT = 1
    LEFT = 2
    REAR = 3
    FRONT = 4


class Target(IntEnum):
    """What a camera saw."""

    UNKNOWN = 0
    PEDESTRIAN = 1
    CYCLE = 2
    VEHICLE = 3


class Phase(IntEnum):
    """Whether a camera event begins, ends, or is an instant."""

    SINGLE = 0
    START = 1
    END = 2


class CameraState(IntEnum):
    """What a unit reports of its camera."""

    UNKNOWN = 0
    OK = 1
    COVERED = 2
    NO_SIGNAL = 3
    STORAGE = 4


@dataclass(frozen=True, slots=True)
class Columns(ABC):
    """Columns of equal length. Subclasses name the columns and give their types in `dtypes`."""

    def __post_init__(self) -> None:
        if len({len(getattr(self, name)) for name in self.dtypes()}) > 1:
            lengths = {name: len(getattr(self, name)) for name in self.dtypes()}
            msg = f"columns differ in length: {lengths}"
            raise ValueError(msg)

    @classmethod
    @abstractmethod
    def dtypes(cls) -> Mapping[str, str]:
        """Name and NumPy type of each column, in order."""

    @classmethod
    def empty(cls) -> Self:
        """No observations: one batch for all, for there is nothing in it to change."""
        if cls not in _EMPTY:
            _EMPTY[cls] = cls(**{name: np.empty(0, dtype) for name, dtype in cls.dtypes().items()})
        return cast("Self", _EMPTY[cls])

    @classmethod
    def build(cls, **columns: Any) -> Self:
        """Make a batch from sequences or scalars, cast to the stored types and broadcast to one length.

        A column that is not given is unknown throughout.
        """
        unexpected = columns.keys() - cls.dtypes().keys()
        if unexpected:
            msg = f"{cls.__name__} has no column {sorted(unexpected)}; it has {list(cls.dtypes())}"
            raise ValueError(msg)
        length = max((np.size(value) for value in columns.values()), default=0)
        made = {}
        for name, dtype in cls.dtypes().items():
            value = np.asarray(columns[name] if name in columns else cls.unknown(name), dtype=dtype)
            whole = value if value.shape == (length,) else np.broadcast_to(value, (length,))
            made[name] = np.ascontiguousarray(whole)
        return cls(**made)

    @classmethod
    def unknown(cls, name: str) -> Any:
        """Return the value that says "unknown" in column `name`."""
        if name == "altitude_m":
            return UNKNOWN_ALTITUDE_M
        return "" if cls.dtypes()[name] == "O" else _UNKNOWN_IS_ZERO.get(name, UNKNOWN)

    def __len__(self) -> int:
        return len(getattr(self, next(iter(self.dtypes()))))

    def take(self, index: Index) -> Self:
        """Return the rows at `index`: a mask, positions or a slice."""
        return type(self)(**{name: getattr(self, name)[index] for name in self.dtypes()})

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Put batches behind one another."""
        if not parts:
            return cls.empty()
        if len(parts) == 1:
            return parts[0]
        return cls(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in cls.dtypes()})


_EMPTY: dict[type[Columns], Columns] = {}
_UNKNOWN_IS_ZERO = {"flags": 0, "target": 0, "phase": 0, "camera": 0, "lat_udeg": 0, "lon_udeg": 0}


@dataclass(frozen=True, slots=True)
class Fixes(Columns):
    """Satellite fixes."""

    vehicle_id: NDArray[np.int32]
    #: When the receiver measured, microseconds since 1970-01-01 UTC.
    time_us: NDArray[np.int64]
    #: WGS 84, micro-degrees.
    lat_udeg: NDArray[np.int32]
    lon_udeg: NDArray[np.int32]
    #: Ground speed as the unit sent it, 0.1 km/h; -1 unknown.
    speed_dkmh: NDArray[np.int16]
    #: Direction of motion, whole degrees clockwise from north, 0..359; -1 unknown.
    course_deg: NDArray[np.int16]
    #: Metres; -32768 unknown.
    altitude_m: NDArray[np.int16]
    #: 0.1 km; -1 unknown.
    odometer_hm: NDArray[np.int32]
    satellites: NDArray[np.int16]
    #: Horizontal dilution of precision, tenths; -1 unknown.
    hdop_tenths: NDArray[np.int16]
    #: Speed limit carried by the fix, km/h; -1 unknown.
    limit_kmh: NDArray[np.int16]
    #: `FixFlag` bits.
    flags: NDArray[np.int16]

    @classmethod
    def dtypes(cls) -> Mapping[str, str]:
        """Name and NumPy type of each column, in order."""
        return _FIX_DTYPES


_FIX_DTYPES = {
    "vehicle_id": "i4",
    "time_us": "i8",
    "lat_udeg": "i4",
    "lon_udeg": "i4",
    "speed_dkmh": "i2",
    "course_deg": "i2",
    "altitude_m": "i2",
    "odometer_hm": "i4",
    "satellites": "i2",
    "hdop_tenths": "i2",
    "limit_kmh": "i2",
    "flags": "i2",
}


@dataclass(frozen=True, slots=True)
class CameraEvents(Columns):
    """Detections of blind-spot cameras."""

    vehicle_id: NDArray[np.int32]
    time_us: NDArray[np.int64]
    #: The unit's own id of the event, text; with vehicle and time the key.
    event_id: NDArray[np.object_]
    side: NDArray[np.int16]
    target: NDArray[np.int16]
    phase: NDArray[np.int16]
    #: (0, 0) where the unit sent no position.
    lat_udeg: NDArray[np.int32]
    lon_udeg: NDArray[np.int32]
    speed_dkmh: NDArray[np.int16]
    #: Reference to picture or video; empty if none.
    evidence: NDArray[np.object_]

    @classmethod
    def dtypes(cls) -> Mapping[str, str]:
        """Name and NumPy type of each column, in order."""
        return _CAMERA_DTYPES


_CAMERA_DTYPES = {
    "vehicle_id": "i4",
    "time_us": "i8",
    "event_id": "O",
    "side": "i2",
    "target": "i2",
    "phase": "i2",
    "lat_udeg": "i4",
    "lon_udeg": "i4",
    "speed_dkmh": "i2",
    "evidence": "O",
}


@dataclass(frozen=True, slots=True)
class HealthReports(Columns):
    """What units say of their own state."""

    vehicle_id: NDArray[np.int32]
    time_us: NDArray[np.int64]
    #: `CameraState`.
    camera: NDArray[np.int16]
    #: 1 powered, 0 cut, -1 unknown.
    power: NDArray[np.int16]
    #: 1 receiver and antenna fine, 0 faulty, -1 unknown.
    gnss: NDArray[np.int16]
    firmware: NDArray[np.object_]

    @classmethod
    def dtypes(cls) -> Mapping[str, str]:
        """Name and NumPy type of each column, in order."""
        return _HEALTH_DTYPES


_HEALTH_DTYPES = {
    "vehicle_id": "i4",
    "time_us": "i8",
    "camera": "i2",
    "power": "i2",
    "gnss": "i2",
    "firmware": "O",
}
