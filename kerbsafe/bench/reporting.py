"""Frames of many terminals for a bench, a second at a time, built in columns: building is to cost little."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from fleet.wire.jt808 import Position, Sender, framing
from fleet.wire.jt808.items import Item
from fleet.wire.jt808.values import digits_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_REPORT = 0x0200
_HEADER_BYTES = 12
_PHONE, _SERIAL = slice(4, 10), slice(10, 12)
_LATITUDE = slice(_HEADER_BYTES + 8, _HEADER_BYTES + 12)
_TIME = slice(_HEADER_BYTES + 22, _HEADER_BYTES + 28)
_UDEG_PER_S = 90
_LINES, _SPACING_UDEG = 100, 1_000
_SPECIAL = np.array([0x7D, 0x7E], np.uint8)


class Reports:
    """Location reports with four items, of terminals that drive north."""

    def __init__(self, phones: Sequence[str]) -> None:
        one = np.frombuffer(_content(), np.uint8)
        self._content = np.tile(one[:-1], (len(phones), 1))
        digits = b"".join(bytes.fromhex(phone.rjust(12, "0")) for phone in phones)
        self._content[:, _PHONE] = np.frombuffer(digits, np.uint8).reshape(-1, 6)
        number = np.arange(len(phones))
        self._lat_udeg = 30_600_000 + number // _LINES * _SPACING_UDEG
        self._put(slice(_LATITUDE.stop, _LATITUDE.stop + 4), 120_600_000 + number % _LINES * _SPACING_UDEG)

    def frames(self, at_s: int, serial: int, since_s: int) -> list[bytes]:
        """Return the frame of each terminal, measured at a time, `since_s` after the first."""
        self._put(_SERIAL, np.full(len(self._content), serial & 0xFFFF))
        self._put(_LATITUDE, self._lat_udeg + since_s * _UDEG_PER_S)
        digits = bytes.fromhex(digits_of(datetime.fromtimestamp(at_s, UTC)))
        self._content[:, _TIME] = np.frombuffer(digits, np.uint8)
        check = np.bitwise_xor.reduce(self._content, axis=1)
        whole = np.column_stack([self._content, check])
        special = np.isin(whole, _SPECIAL).any(axis=1)
        frames = [b"\x7e" + row.tobytes() + b"\x7e" for row in whole]
        for at in np.flatnonzero(special).tolist():
            frames[at] = framing.wrap(self._content[at].tobytes())
        return frames

    def _put(self, where: slice, values: NDArray[np.int64]) -> None:
        """Write numbers into columns of bytes, the highest first."""
        size = where.stop - where.start
        self._content[:, where] = values.astype(">u8").view(np.uint8).reshape(-1, 8)[:, -size:]


def _content() -> bytes:
    """Return one report, unescaped, with its checksum."""
    items = (
        Item(0x01, 4, (123_456).to_bytes(4, "big")),
        Item(0x03, 2, (360).to_bytes(2, "big")),
        Item(0x25, 4, bytes(4)),
        Item(0x31, 1, bytes([12])),
    )
    position = Position(
        alarm=0,
        status=0b11,
        lat_udeg=30_600_000,
        lon_udeg=120_600_000,
        altitude_m=12,
        speed_dkmh=360,
        course_deg=0,
        time_digits="260315101530",
        items=items,
    )
    (frame,) = Sender(2013, bytes(6)).build(_REPORT, {"positions": [position]})
    return framing.unescape(frame[1:-1])
