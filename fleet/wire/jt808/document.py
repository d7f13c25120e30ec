"""A decoded frame as people and scripts read it: JSON in degrees, km/h and UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleet.wire.jt808.values import rfc3339

if TYPE_CHECKING:
    from fleet.wire.jt808.codec import Decoded
    from fleet.wire.jt808.items import Item
    from fleet.wire.jt808.position import Position

_UDEG, _DKMH = 1_000_000, 10


def to_document(decoded: Decoded) -> dict[str, Any]:
    """Return what `kerbsafe jt808 decode --json` prints of one frame; what is not known is null."""
    header = decoded.header
    version = decoded.version or 0
    return {
        "message_id": None if header is None else f"0x{header.message_id:04x}",
        "version": decoded.version,
        "phone": None if header is None else header.phone,
        "serial": None if header is None else header.serial,
        "checksum_ok": decoded.frame.checksum_ok,
        "errors": [str(fault) for fault in decoded.faults],
        "positions": [_position(position, version) for position in decoded.positions],
        "safety": [
            _safety(item) for position in decoded.positions for item in position.items if _is_safety(item)
        ],
        "body": dict(decoded.body) or None,
    }


def _position(position: Position, version: int) -> dict[str, Any]:
    time = position.time
    return {
        "time": None if time is None else rfc3339(time),
        "lat": position.lat_udeg / _UDEG,
        "lon": position.lon_udeg / _UDEG,
        "altitude_m": position.altitude_m,
        "speed_kmh": position.speed_dkmh / _DKMH,
        "course_deg": position.course_deg,
        "valid": position.valid,
        "alarms": position.alarms(version),
        "status": position.states(version),
        "items": [_item(item) for item in position.items],
    }


def _item(item: Item) -> dict[str, Any]:
    document = {"id": f"0x{item.id:02x}", "length": item.length, "hex": item.value.hex(), **item.values}
    return document if item.fault is None else document | {"error": item.fault.detail}


def _is_safety(item: Item) -> bool:
    return "active_safety" in item.values


def _safety(item: Item) -> dict[str, Any]:
    said = item.values["active_safety"]
    return {
        "item": f"0x{item.id:02x}",
        "type": said.get("type"),
        **{name: said.get(name) for name in ("flag", "speed_kmh", "lat", "lon", "time", "status")},
    }
