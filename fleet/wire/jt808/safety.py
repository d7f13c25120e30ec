"""Active safety: items 0x64 to 0x67 and 0x70, and the number that ties an alarm to its pictures.

The regional standards differ in the length of that number alone, and 2019 terminals with the number of 2013
are common: which it is, is told by the length of the item, never by the edition of the header.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleet.wire.jt808.fields import Bits, Number, Raw, Text, Time
from fleet.wire.jt808.layout import Fixed, Group, List, Reader, read_parts, write_parts
from fleet.wire.jt808.signals import SAFETY_STATUS, TYRE_ALARMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.wire.jt808.faults import Fault
    from fleet.wire.jt808.layout import Layout, Part

ADAS, DRIVER, TYRES, BLIND_AREA, HARSH = 0x64, 0x65, 0x66, 0x67, 0x70
SAFETY_ITEMS = frozenset({ADAS, DRIVER, TYRES, BLIND_AREA, HARSH})


@dataclass(frozen=True, slots=True)
class _Identification:
    """Widths of the parts of an identification number."""

    terminal: int
    reserved: int

    @property
    def size(self) -> int:
        return self.terminal + 6 + 2 + self.reserved

    def parts(self) -> tuple[Part, ...]:
        return (
            Text("terminal_id", self.terminal),
            Time("time"),
            Number("sequence"),
            Number("attachments"),
            Raw("reserved", self.reserved),
            Fixed("length", self.size),
        )


#: By length. 16: Jiangsu and most others. 40: Guangdong. 39: Sichuan 2019. 38: Heilongjiang 2019.
IDENTIFICATIONS: Mapping[int, Part] = {
    one.size: Group("ident", one.parts())
    for one in (
        _Identification(7, 1),
        _Identification(30, 2),
        _Identification(30, 1),
        _Identification(30, 0),
    )
}

_ID_AND_FLAG: Layout = (Number("alarm_id", 4), Number("flag"))
_COMMON: Layout = (
    Number("speed_kmh"),
    Number("altitude_m", 2),
    Number("lat", 4, 1_000_000),
    Number("lon", 4, 1_000_000),
    Time("time"),
    Bits("status", 2, SAFETY_STATUS),
)
#: What comes after id and flag, and before the common part.
_OWN: Mapping[int, Layout] = {
    ADAS: (
        Number("type"),
        Number("level"),
        Number("front_speed_kmh"),
        Number("distance_100ms"),
        Number("deviation"),
        Number("sign_type"),
        Number("sign_value"),
    ),
    DRIVER: (Number("type"), Number("level"), Number("fatigue"), Raw("reserved", 4)),
    TYRES: (),
    BLIND_AREA: (Number("type"),),
    HARSH: (
        Number("type"),
        Number("time_threshold_s", 2),
        Number("threshold_1", 2),
        Number("threshold_2", 2),
    ),
}
#: Bytes of an item without its identification number.
_BARE = {ADAS: 31, DRIVER: 31, TYRES: 25, BLIND_AREA: 25, HARSH: 31}
_TYRE_SIZES = {9: 1, 10: 2}


def _tyre(position_bytes: int) -> Layout:
    return (
        Number("position", position_bytes),
        Bits("alarms", 2, TYRE_ALARMS),
        Number("pressure_kpa", 2),
        Number("temperature_c", 2),
        Number("battery_percent", 2),
    )


def layout_of(item: int, value: bytes) -> Layout | None:
    """Return the layout of an active-safety item; None where its length is that of no table."""
    for size, identification in IDENTIFICATIONS.items():
        head = (*_ID_AND_FLAG, *_OWN[item], *_COMMON, identification)
        if item != TYRES:
            if len(value) == _BARE[item] + size:
                return head
        elif (position := _tyre_position_bytes(value, _BARE[item] - 1 + size)) is not None:
            return (*head, List("tires", _tyre(position)))
    return None


def _tyre_position_bytes(value: bytes, count_at: int) -> int | None:
    """Return how wide the tyre's place is written; None if the number of tyres does not fit the length."""
    if len(value) <= count_at:
        return None
    count, left = value[count_at], len(value) - count_at - 1
    if count == 0:
        return 1 if left == 0 else None
    return _TYRE_SIZES.get(left // count) if left % count == 0 else None


def read_safety(item: int, value: bytes) -> tuple[dict[str, Any], list[Fault]] | None:
    """Return what an active-safety item says; None where its length is that of no table."""
    layout = layout_of(item, value)
    if layout is None:
        return None
    reader = Reader(value)
    return read_parts(layout, reader), reader.faults


def write_safety(item: int, values: Mapping[str, Any]) -> bytes:
    """Return the bytes of an active-safety item."""
    identification = IDENTIFICATIONS[values["ident"]["length"]]
    parts = [*_ID_AND_FLAG, *_OWN[item], *_COMMON, identification]
    if item == TYRES:
        wide = values["ident"]["length"] != min(IDENTIFICATIONS)
        parts.append(List("tires", _tyre(2 if wide else 1)))
    return write_parts(parts, values)
