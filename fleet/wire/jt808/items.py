"""Additional items of a location report: id, length, value.

An item is decoded only if its id and its length are those of a table, for vendors use the same ids for other
things; everything else is kept as it came.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fleet.wire.jt808 import safety
from fleet.wire.jt808.faults import Code, Fault, Jt808Error
from fleet.wire.jt808.fields import Bits, Number
from fleet.wire.jt808.layout import Group, Reader, Scalars, read_parts, write_parts
from fleet.wire.jt808.signals import ABNORMAL_DRIVING, IO, VEHICLE_SIGNALS, VIDEO_ALARMS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fleet.wire.jt808.layout import Layout, Values
    from fleet.wire.jt808.models import Model

_SIGN, _INVALID = 0x8000, 0xFF


@dataclass(frozen=True, slots=True)
class _Celsius:
    """Degrees as sign and magnitude."""

    name: str

    def read(self, reader: Reader, values: Values) -> None:
        raw = reader.number(2)
        values[self.name] = -(raw & ~_SIGN) if raw & _SIGN else raw

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        degrees = values[self.name]
        out += (abs(degrees) | (_SIGN if degrees < 0 else 0)).to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class _Pressure:
    """Pressure of one tyre in the vendor's unit; None where there is none to be had."""

    name: str = "pressure"

    def read(self, reader: Reader, values: Values) -> None:
        raw = reader.number(1)
        values[self.name] = None if raw == _INVALID else raw

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        pressure = values[self.name]
        out.append(_INVALID if pressure is None else pressure)


#: Items of the standards by id and length. 0x14 to 0x18 are those of JT/T 1078.
STANDARD: Mapping[tuple[int, int], Layout] = {
    (0x01, 4): (Number("mileage_km", 4, 10),),
    (0x02, 2): (Number("fuel_l", 2, 10),),
    (0x03, 2): (Number("recorder_speed_kmh", 2, 10),),
    (0x04, 2): (Number("manual_alarm_event_id", 2),),
    (0x05, 30): (Scalars("tire_pressure_raw", _Pressure(), count=0),),
    (0x06, 2): (_Celsius("compartment_temp_c"),),
    (0x11, 1): (Group("overspeed", (Number("location_type"),)),),
    (0x11, 5): (Group("overspeed", (Number("location_type"), Number("area_id", 4))),),
    (0x12, 6): (Group("area_in_out", (Number("location_type"), Number("area_id", 4), Number("direction"))),),
    (0x13, 7): (Group("segment_time", (Number("segment_id", 4), Number("seconds", 2), Number("result"))),),
    (0x14, 4): (Bits("video_alarms", 4, VIDEO_ALARMS),),
    (0x15, 4): (Bits("channels_without_signal", 4, ()),),
    (0x16, 4): (Bits("channels_occluded", 4, ()),),
    (0x17, 2): (Bits("storage_faults", 2, ()),),
    (0x18, 2): (Bits("abnormal_driving", 2, ABNORMAL_DRIVING),),
    (0x18, 3): (Bits("abnormal_driving", 2, ABNORMAL_DRIVING), Number("fatigue_percent")),
    (0x25, 4): (Bits("signals", 4, VEHICLE_SIGNALS),),
    (0x2A, 2): (Bits("io", 2, IO),),
    (0x2B, 4): (Group("analog", (Number("ad1", 2), Number("ad0", 2))),),
    (0x30, 1): (Number("rssi"),),
    (0x31, 1): (Number("satellites"),),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One item; `values` is empty where no table knows its id and length."""

    id: int
    #: As declared: more than `value` has where the length lies.
    length: int
    value: bytes
    values: Mapping[str, Any] = field(default_factory=dict)
    fault: Fault | None = None


def read_items(body: bytes, model: Model | None = None) -> tuple[tuple[Item, ...], list[Fault]]:
    """Return the items, and what is wrong with them; the tables of a device model come first."""
    items, faults, at = [], [], 0
    while at < len(body):
        if len(body) - at == 1:
            faults.append(Fault(Code.ITEM, f"one byte 0x{body[at]:02x} after the items"))
            break
        item, length = body[at], body[at + 1]
        value = body[at + 2 : at + 2 + length]
        if len(value) < length:
            detail = f"0x{item:02x}: length {length} exceeds the {len(value)} bytes left"
            items.append(Item(item, length, value, fault=Fault(Code.ITEM, detail)))
            faults.append(Fault(Code.ITEM, detail))
            break
        values, found = read_item(item, value, model)
        faults += found
        items.append(Item(item, length, value, values))
        at += 2 + length
    return tuple(items), faults


def read_item(item: int, value: bytes, model: Model | None = None) -> tuple[Values, list[Fault]]:
    """Return what an item says, empty where no table knows it."""
    if model is not None and (vendor := model.read(item, value)) is not None:
        return vendor
    if item in safety.SAFETY_ITEMS:
        found = safety.read_safety(item, value)
        if found is None:
            return {}, []
        values, faults = found
        if model is not None and "type" in values:
            values["type_name"] = model.type_name(item, values["type"])
        return {"active_safety": values}, faults
    layout = STANDARD.get((item, len(value)))
    if layout is None:
        return {}, []
    reader = Reader(value)
    return read_parts(layout, reader), reader.faults


def write_items(items: Sequence[Item]) -> bytes:
    """Return the bytes of items; one without `value` is written from its `values`."""
    out = bytearray()
    for item in items:
        value = item.value or write_item(item.id, item.values)
        out += bytes([item.id, item.length if item.fault else len(value)]) + value
    return bytes(out)


def write_item(item: int, values: Mapping[str, Any]) -> bytes:
    """Return the value of an item from what it says; empty where it says nothing."""
    if not values:
        return b""
    if "active_safety" in values:
        return safety.write_safety(item, values["active_safety"])
    layouts = [layout for (known, _), layout in STANDARD.items() if known == item]
    named = [layout for layout in layouts if _names(layout) == set(values)]
    # Of two with the same names (0x11) the one that holds all that is said is the longer one.
    return max((_written(layout, values) for layout in named), key=len, default=b"")


def _names(layout: Layout) -> set[str]:
    return {getattr(part, "name") for part in layout}  # noqa: B009 - a protocol does not say that parts have names


def _written(layout: Layout, values: Mapping[str, Any]) -> bytes:
    try:
        return write_parts(layout, values)
    except Jt808Error:
        return b""
