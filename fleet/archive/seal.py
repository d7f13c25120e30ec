"""What is sealed of a track: SHA-256 over one form of it that anybody can make again. Pure.

A row is the vehicle's code and the eleven numbers of the fix, each as so many bytes with the highest first,
in the order and width of `ROW`. Its hash is the SHA-256 of "kerbsafe fix 1", a zero byte, the code in UTF-8,
a zero byte, and these bytes. The hash of a seal is the SHA-256 of the rows' hashes one behind the other, by
time.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from fleet.columns import Fixes

#: A fix without its vehicle's number, which is the database's own: times in microseconds since 1970, unknown
#: is -1 (altitude -32768).
ROW = np.dtype(
    [
        ("time_us", ">i8"),
        ("lat_udeg", ">i4"),
        ("lon_udeg", ">i4"),
        ("speed_dkmh", ">i2"),
        ("course_deg", ">i2"),
        ("altitude_m", ">i2"),
        ("odometer_hm", ">i4"),
        ("satellites", ">i2"),
        ("hdop_tenths", ">i2"),
        ("limit_kmh", ">i2"),
        ("flags", ">i2"),
    ]
)
_ABOUT = b"kerbsafe fix 1"


class Seal(NamedTuple):
    """Hashes of a track: of each row, and of all."""

    rows: tuple[bytes, ...]
    sha256: bytes


def seal(vehicle: str, fixes: Fixes) -> Seal:
    """Return the hashes of one vehicle's fixes, which are in order of time."""
    packed = np.empty(len(fixes), ROW)
    for name in ROW.names or ():
        packed[name] = getattr(fixes, name)
    before = sha256(b"\0".join((_ABOUT, vehicle.encode(), b"")))
    data, size, rows = packed.tobytes(), ROW.itemsize, list[bytes]()
    for begin in range(0, len(data), size):
        row = before.copy()
        row.update(data[begin : begin + size])
        rows.append(row.digest())
    return Seal(tuple(rows), whole(rows))


def whole(rows: list[bytes] | tuple[bytes, ...]) -> bytes:
    """Return the hash of a seal whose rows have these hashes."""
    return sha256(b"".join(rows)).digest()
