"""The location report: 28 bytes and the items after them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fleet.wire.jt808.faults import Code, Fault
from fleet.wire.jt808.fields import names_of_bits
from fleet.wire.jt808.items import Item, read_items, write_items
from fleet.wire.jt808.signals import alarm_names, load_name, status_names
from fleet.wire.jt808.values import moment_of

if TYPE_CHECKING:
    from datetime import datetime

    from fleet.wire.jt808.layout import Reader
    from fleet.wire.jt808.models import Model

BASE_BYTES = 28
MAX_LAT_UDEG, MAX_LON_UDEG = 90_000_000, 180_000_000
LOCATED, SOUTH, WEST = 1 << 1, 1 << 2, 1 << 3
_BASE = struct.Struct(">IIIIhHH6s")
_LOAD_BITS = 0b11 << 8


@dataclass(frozen=True, slots=True)
class Position:
    """A location report in the units of the wire; south and west are negative."""

    alarm: int
    status: int
    lat_udeg: int
    lon_udeg: int
    #: Negative below the sea, as devices send it.
    altitude_m: int
    speed_dkmh: int
    course_deg: int
    #: `YYMMDDhhmmss` in China's zone, as sent.
    time_digits: str
    items: tuple[Item, ...] = ()

    @property
    def time(self) -> datetime | None:
        """Return the time in UTC; None if the digits are none."""
        return moment_of(self.time_digits)

    @property
    def possible(self) -> bool:
        """Tell whether there is such a place."""
        return abs(self.lat_udeg) <= MAX_LAT_UDEG and abs(self.lon_udeg) <= MAX_LON_UDEG

    @property
    def valid(self) -> bool:
        """Tell whether the terminal knows where it is; otherwise it sends zeros or where it was last.

        Some say that they are located, and send zeros.
        """
        return bool(self.status & LOCATED) and self.possible and bool(self.lat_udeg or self.lon_udeg)

    def alarms(self, version: int) -> list[str]:
        """Return the names of the alarms in an edition of the standard."""
        return names_of_bits(self.alarm, alarm_names(version))

    def states(self, version: int) -> list[str]:
        """Return the names of what the status says in an edition of the standard."""
        names = names_of_bits(self.status & ~_LOAD_BITS, status_names(version))
        load = load_name(self.status)
        return names if load is None else [*names, load]


def read_position(body: bytes, model: Model | None = None) -> tuple[Position | None, list[Fault]]:
    """Return a location report; None if there are fewer bytes than its fixed part has."""
    if len(body) < BASE_BYTES:
        return None, [Fault(Code.BODY, f"need {BASE_BYTES} bytes of a position, have {len(body)}")]
    base = read_base(body)
    items, faults = read_items(body[BASE_BYTES:], model)
    return replace(base, items=items), _faults(base) + faults


def read_base(body: bytes) -> Position:
    """Return the fixed part of a location report."""
    alarm, status, lat, lon, altitude, speed, course, time = _BASE.unpack_from(body)
    return Position(
        alarm=alarm,
        status=status,
        lat_udeg=-lat if status & SOUTH else lat,
        lon_udeg=-lon if status & WEST else lon,
        altitude_m=altitude,
        speed_dkmh=speed,
        course_deg=course,
        time_digits=time.hex(),
    )


def _faults(position: Position) -> list[Fault]:
    faults = []
    if position.time is None:
        faults.append(Fault(Code.TIME, f"{position.time_digits} is no time"))
    if position.status & LOCATED and not position.possible:
        faults.append(Fault(Code.COORDINATES, "there is no such latitude or longitude"))
    return faults


def read_base_with_faults(reader: Reader) -> Position:
    """Read the fixed part alone, as other messages embed it."""
    position = read_base(reader.take(BASE_BYTES))
    reader.faults += _faults(position)
    return position


def build_position(position: Position) -> bytes:
    """Return the bytes of a location report."""
    base = _BASE.pack(
        position.alarm,
        position.status,
        abs(position.lat_udeg),
        abs(position.lon_udeg),
        position.altitude_m,
        position.speed_dkmh,
        position.course_deg,
        bytes.fromhex(position.time_digits),
    )
    return base + write_items(position.items)
