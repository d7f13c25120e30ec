"""Location reports in bulk: many frames of 0x0200 to columns, without a Python object a report.

`decode` is the exact reading of one frame; this is the same for the case that comes thousands of times a
second. Frames that are anything but a whole, unencrypted 0x0200 in one piece are left to `decode`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleet.columns import UNKNOWN
from fleet.units import MICROSECONDS
from fleet.wire.jt808.position import (
    BASE_BYTES,
    LOCATED,
    MAX_LAT_UDEG,
    MAX_LON_UDEG,
    SOUTH,
    WEST,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fleet.wire.jt808.framing import Frame

    Bytes = NDArray[np.uint8]
    Ints = NDArray[np.int64]
    Rows = NDArray[np.intp]

_REPORT = 0x0200
_OLD_HEADER, _NEW_HEADER = 12, 17
_VERSION_BIT, _ENCRYPTED_OR_FRAGMENT, _LENGTH_BITS = 1 << 14, 0b1111 << 10, 0x3FF
_CHINA_S = 8 * 3600
_DAYS_OF_MONTH = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] + [0] * 88)
#: Items of one number that have a column: id, length, column.
_NUMBERS = {
    (0x01, 4): "odometer_100m",
    (0x02, 2): "fuel_dl",
    (0x03, 2): "recorder_speed_dkmh",
    (0x14, 4): "video_alarms",
    (0x15, 4): "channels_without_signal",
    (0x16, 4): "channels_occluded",
    (0x17, 2): "storage_faults",
    (0x25, 4): "signals",
    (0x30, 1): "rssi",
    (0x31, 1): "satellites",
}
#: No time: the digits are none.
NO_TIME = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """All items of all reports, in the order of their reports."""

    #: Row of the report.
    row: Rows
    id: Bytes
    length: Bytes
    #: Where in `Reports.buffer` the value begins.
    at: Rows


@dataclass(frozen=True, slots=True, eq=False)
class Reports:
    """Columns of location reports in the units of the wire; what is not told is `UNKNOWN`."""

    #: Which of the frames given.
    frame: Rows
    #: Frames that are something else, or not whole.
    others: Rows
    version: NDArray[np.int16]
    serial: NDArray[np.uint16]
    alarm: NDArray[np.uint32]
    status: NDArray[np.uint32]
    lat_udeg: Ints
    lon_udeg: Ints
    altitude_m: NDArray[np.int16]
    speed_dkmh: NDArray[np.uint16]
    course_deg: NDArray[np.uint16]
    #: Since 1970 in UTC, or `NO_TIME`.
    time_us: Ints
    valid: NDArray[np.bool_]
    #: Whether the items are not as their lengths say; `decode` names what is wrong.
    items_broken: NDArray[np.bool_]
    odometer_100m: Ints
    fuel_dl: Ints
    recorder_speed_dkmh: Ints
    #: Of JT/T 1078: bits.
    video_alarms: Ints
    channels_without_signal: Ints
    channels_occluded: Ints
    storage_faults: Ints
    signals: Ints
    rssi: Ints
    satellites: Ints
    items: Items
    buffer: Bytes

    def __len__(self) -> int:
        return len(self.frame)

    def value(self, item: int) -> bytes:
        """Return the bytes of one item."""
        at = int(self.items.at[item])
        return self.buffer[at : at + int(self.items.length[item])].tobytes()


def read_reports(frames: Sequence[Frame]) -> Reports:
    """Return the location reports among frames whose checksum was right, and which frames are others."""
    contents = [frame.content for frame in frames]
    size = np.fromiter(map(len, contents), np.intp, len(contents))
    # Bytes after the end are read as zeros, and left out by the lengths.
    buffer = np.frombuffer(b"".join(contents) + bytes(_NEW_HEADER + BASE_BYTES), np.uint8)
    start = np.concatenate([np.zeros(1, np.intp), np.cumsum(size)[:-1]]) if contents else size
    sound = np.fromiter((frame.checksum_ok is True for frame in frames), bool, len(contents))
    header = _words(buffer, start, 2)
    fits, version = _layout(header[:, 1], size)
    taken = sound & fits & (header[:, 0] == _REPORT)
    frame = np.flatnonzero(taken)
    body = start[frame] + np.where(version[frame] == 2019, _NEW_HEADER, _OLD_HEADER)  # noqa: PLR2004 - an edition
    return _reports(buffer, frame, np.flatnonzero(~taken), version[frame], body, (start + size)[frame])


def _layout(properties: Ints, size: Rows) -> tuple[NDArray[np.bool_], NDArray[np.int16]]:
    """Return which frames are whole, in one piece and with room for a report, and their editions."""
    header = size - (properties & _LENGTH_BITS)
    newer = header == _NEW_HEADER
    plain = (properties & _ENCRYPTED_OR_FRAGMENT) == 0
    fits = plain & ((header == _OLD_HEADER) | newer) & ((properties & _LENGTH_BITS) >= BASE_BYTES)
    return fits, np.where(newer, 2019, 2013).astype(np.int16)


def _words(buffer: Bytes, at: Rows, count: int) -> Ints:
    picked = buffer[at[:, None] + np.arange(2 * count)]
    words: NDArray[np.int64] = picked.view(">u2").astype(np.int64)
    return words


def _reports(
    buffer: Bytes, frame: Rows, others: Rows, version: NDArray[np.int16], body: Rows, end: Rows
) -> Reports:
    base = buffer[body[:, None] + np.arange(BASE_BYTES)]
    whole = np.ascontiguousarray(base[:, :16]).view(">u4").astype(np.int64)
    small = np.ascontiguousarray(base[:, 16:22]).view(">u2")
    alarm, status, lat, lon = whole.T
    lat, lon = np.where(status & SOUTH, -lat, lat), np.where(status & WEST, -lon, lon)
    possible = (np.abs(lat) <= MAX_LAT_UDEG) & (np.abs(lon) <= MAX_LON_UDEG)
    items, broken = _walk(buffer, body + BASE_BYTES, end)
    return Reports(
        frame=frame,
        others=others,
        version=version,
        serial=_words(buffer, body - 2, 1)[:, 0].astype(np.uint16),
        alarm=alarm.astype(np.uint32),
        status=status.astype(np.uint32),
        lat_udeg=lat,
        lon_udeg=lon,
        altitude_m=small[:, 0].astype(np.uint16).view(np.int16),
        speed_dkmh=small[:, 1].astype(np.uint16),
        course_deg=small[:, 2].astype(np.uint16),
        time_us=times_us(base[:, 22:]),
        valid=((status & LOCATED) != 0) & possible & ((lat != 0) | (lon != 0)),
        items_broken=broken,
        **{name: _column(buffer, items, len(frame), key) for key, name in _NUMBERS.items()},
        items=items,
        buffer=buffer,
    )


def times_us(digits: Bytes) -> Ints:
    """Return the times of rows of `YYMMDDhhmmss` in China's zone; `NO_TIME` where there is no such time."""
    high, low = digits >> 4, digits & 0xF
    two = high.astype(np.int64) * 10 + low
    year, month, day, hour, minute, second = two.T
    days = _DAYS_OF_MONTH[np.minimum(month, 100)] - ((month == 2) & (year % 4 != 0))  # noqa: PLR2004 - calendar
    right = ((high < 10) & (low < 10)).all(axis=1)  # noqa: PLR2004 - digits
    right &= (year > 0) & (day > 0) & (day <= days) & (hour < 24) & (minute < 60) & (second < 60)  # noqa: PLR2004
    months = (np.where(right, year, 1) + 30) * 12 + np.where(right, month, 1) - 1
    date = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + day - 1
    seconds = date * 86_400 + hour * 3600 + minute * 60 + second - _CHINA_S
    return np.where(right, seconds * MICROSECONDS, NO_TIME)


def _walk(buffer: Bytes, at: Rows, end: Rows) -> tuple[Items, NDArray[np.bool_]]:
    """Follow the items of all reports at once, the first of each, then the second, and so on."""
    broken = np.zeros(len(at), bool)
    rows: list[Rows] = []
    places: list[Rows] = []
    row = np.flatnonzero(at < end)
    at = at[row]
    while len(row):
        after = at + 2 + buffer[at + 1].astype(np.intp)
        beyond = after > end[row]
        if beyond.any():  # the length runs past the body
            broken[row[beyond]] = True
            row, at, after = row[~beyond], at[~beyond], after[~beyond]
        rows.append(row)
        places.append(at)
        more = after < end[row]
        row, at = row[more], after[more]
    if not rows:
        none = np.zeros(0, np.intp)
        return Items(none, none.astype(np.uint8), none.astype(np.uint8), none), broken
    found, place = np.concatenate(rows), np.concatenate(places)
    order = np.argsort(found, kind="stable")
    found, place = found[order], place[order]
    return Items(found, buffer[place], buffer[place + 1], place + 2), broken


def _column(buffer: Bytes, items: Items, count: int, key: tuple[int, int]) -> Ints:
    """Return the numbers of one item; of two in a report, the last."""
    number, length = key
    column = np.full(count, UNKNOWN, np.int64)
    of_it = np.flatnonzero((items.id == number) & (items.length == length))
    at = items.at[of_it]
    value = np.zeros(len(at), np.int64)
    for place in range(length):
        value = value << 8 | buffer[at + place]
    column[items.row[of_it]] = value
    return column
