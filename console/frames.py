"""Positions as one binary WebSocket frame: columns, little-endian. Pure. `docs/console.md` describes it.

A header of 32 bytes, then a column after the other, each of `count` elements:

| bytes | what |
|---|---|
| 0-3 | `KSP1` |
| 4-7 | uint32 count |
| 8-15 | float64 the installation's time, milliseconds since 1970 |
| 16-23 | float64 how fast it passes: 1, but in a sandbox |
| 24-31 | float64 base of the times, milliseconds since 1970 |
| int32 columns | vehicle id, latitude, longitude (micro-degrees), time (tenths of a second after the base) |
| int16 columns | speed (tenths of km/h, -1 unknown), course (degrees, -1 unknown) |
| uint8 column | 1: reports, and cannot be judged live |
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MARK = b"KSP1"
_HEADER = struct.Struct("<4sIddd")
#: As far back as an int32 of tenths of a second goes, almost 7 years; what is older shows as this old.
_OLDEST_DS = -(2**31) + 1
_US_PER_DS = 100_000


class Positions(NamedTuple):
    """Columns of one length, in stored units."""

    vehicle_id: NDArray[np.int32]
    lat_udeg: NDArray[np.int32]
    lon_udeg: NDArray[np.int32]
    #: Microseconds since 1970.
    time_us: NDArray[np.int64]
    speed_dkmh: NDArray[np.int16]
    course_deg: NDArray[np.int16]
    not_watched: NDArray[np.bool_]


def encode(positions: Positions, now_us: int, rate: float) -> bytes:
    """Return the frame."""
    base_ms = now_us // 1000
    time_ds = (positions.time_us - base_ms * 1000) // _US_PER_DS
    return b"".join(
        (
            _HEADER.pack(MARK, len(positions.vehicle_id), now_us / 1000, rate, float(base_ms)),
            positions.vehicle_id.astype("<i4").tobytes(),
            positions.lat_udeg.astype("<i4").tobytes(),
            positions.lon_udeg.astype("<i4").tobytes(),
            np.clip(time_ds, _OLDEST_DS, 2**31 - 1).astype("<i4").tobytes(),
            positions.speed_dkmh.astype("<i2").tobytes(),
            positions.course_deg.astype("<i2").tobytes(),
            positions.not_watched.astype("u1").tobytes(),
        )
    )


def decode(frame: bytes) -> tuple[Positions, float, float]:
    """Return what a frame holds, its time in milliseconds, and how fast that passes; for programs and tests.

    Raises
    ------
    ValueError
        If it is not such a frame.
    """
    if len(frame) < _HEADER.size:
        raise ValueError("too short for a frame of positions")
    mark, count, now_ms, rate, base_ms = _HEADER.unpack_from(frame)
    row_bytes = 4 * 4 + 2 * 2 + 1
    if mark != MARK or len(frame) != _HEADER.size + count * row_bytes:
        raise ValueError("not a frame of positions")
    at = _HEADER.size

    def column(kind: str) -> NDArray[np.integer]:
        nonlocal at
        values = np.frombuffer(frame, kind, count, at)
        at += values.nbytes
        return values

    vehicle_id, lat, lon, time_ds = (column("<i4") for _ in range(4))
    speed, course = (column("<i2") for _ in range(2))
    time_us = time_ds.astype(np.int64) * _US_PER_DS + round(base_ms) * 1000
    watched = column("u1").astype(bool)
    columns = Positions(
        vehicle_id.astype(np.int32),
        lat.astype(np.int32),
        lon.astype(np.int32),
        time_us,
        speed.astype(np.int16),
        course.astype(np.int16),
        watched,
    )
    return columns, now_ms, rate
