"""What a unit measured, as a terminal of JT/T 808 tells it. Pure.

A terminal knows whole seconds, WGS 84 (or what its maker takes for it), and no `empty`: a load of 00 says
nothing. It has no message for cameras; what they see comes as an item of the next location report.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from fleet.datum import to_wgs84
from fleet.units import MICROSECONDS, to_datetime, to_us
from fleet.wire.jt808 import Position
from fleet.wire.jt808.items import Item, write_item
from fleet.wire.jt808.position import LOCATED, SOUTH, WEST
from fleet.wire.jt808.safety import BLIND_AREA
from fleet.wire.jt808.values import digits_of, rfc3339
from fleet.wire.topics import Address, Kind, parse_topic
from fleet.wire.v1.payloads import CameraIn, FixIn, HealthIn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.wire.v1.payloads import Moment
    from simulators.messages import Message

_ODOMETER, _RECORDER_SPEED, _VIDEO_ALARMS, _SIGNALS, _SATELLITES = 0x01, 0x03, 0x14, 0x25, 0x31
_ACC, _LOADED = 1 << 0, 0b11 << 8
_RIGHT, _LEFT, _BRAKE = 1 << 2, 1 << 3, 1 << 4
_GNSS_FAULT, _POWER_CUT = 1 << 4, 1 << 8
_VIDEO_BITS = {"ok": 0, "no_signal": 1 << 0, "covered": 1 << 1, "storage": 1 << 2}
#: T/JSATL 12-2017, item 0x67: from where somebody approaches, and whether it begins or ends.
_TYPES = {"rear": 0x01, "left": 0x02, "right": 0x03}
_FLAGS = {"single": 0, "start": 1, "end": 2}
_SHORT_IDENTIFICATION = 16
_TERMINAL_ID = "KS00001"
_MAX_SPEED_KMH = 255
_Fixes, _Events, _Reports = FixIn | list[FixIn], CameraIn | list[CameraIn], HealthIn | list[HealthIn]


class Told(NamedTuple):
    """Location reports of one terminal."""

    positions: tuple[Position, ...]
    #: Measured while there was no connection: such go as a batch (0x0704, type 1).
    is_kept: bool = False
    #: No report at all: the unit sends what no platform can read.
    is_garbled: bool = False


class Reporter:
    """One truck's unit: makes location reports of the messages that it would publish over MQTT."""

    def __init__(self) -> None:
        self._alarm = 0
        self._video: Item | None = None
        #: What the camera saw since the last report.
        self._seen: list[Item] = []
        self._numbers: dict[str, int] = {}
        self._last: Position | None = None

    def take(self, message: Message) -> Told | None:
        """Return the reports that follow from a message now; None: it shows in the next one."""
        address = parse_topic(message.topic)
        kind = address.kind if isinstance(address, Address) else None
        try:
            match kind:
                case Kind.FIX | Kind.HISTORY:
                    fixes = _listed(msgspec.json.decode(message.payload, type=_Fixes))
                    positions = tuple(map(self._report, fixes))
                    return Told(positions, is_kept=kind is Kind.HISTORY) if positions else None
                case Kind.CAMERA:
                    for event in _listed(msgspec.json.decode(message.payload, type=_Events)):
                        self._seen += self._sighting(event)
                case Kind.HEALTH:
                    for said in _listed(msgspec.json.decode(message.payload, type=_Reports)):
                        self._note(said)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Told((), is_garbled=True)
        return None

    def rest(self) -> Told | None:
        """Return a last report with what the camera saw and no report has told yet."""
        if not self._seen or self._last is None:
            return None
        items, self._seen = tuple(self._seen), []
        return Told((replace(self._last, items=items),))

    def _report(self, fix: FixIn) -> Position:
        lat_deg, lon_deg = _wgs84(fix)
        status = _ACC if fix.ignition is not False else 0
        status |= LOCATED if fix.satellites != 0 else 0
        status |= _LOADED if fix.load == "loaded" else 0
        status |= (SOUTH if lat_deg < 0 else 0) | (WEST if lon_deg < 0 else 0)
        self._last = Position(
            alarm=self._alarm,
            status=status,
            lat_udeg=round(lat_deg * 1e6),
            lon_udeg=round(lon_deg * 1e6),
            altitude_m=round(fix.altitude_m or 0),
            speed_dkmh=round((fix.speed_kmh or 0) * 10),
            course_deg=round(fix.course_deg or 0) % 360,
            time_digits=_digits(fix.time),
            items=(*_items(fix), *([] if self._video is None else [self._video]), *self._seen),
        )
        self._seen = []
        return self._last

    def _note(self, said: HealthIn) -> None:
        self._alarm = (_POWER_CUT if said.power == "cut" else 0) | (
            _GNSS_FAULT if said.gnss == "fault" else 0
        )
        bits = _VIDEO_BITS.get(said.camera)
        self._video = None if bits is None else Item(_VIDEO_ALARMS, 4, bits.to_bytes(4, "big"))

    def _sighting(self, event: CameraIn) -> Sequence[Item]:
        """Return the item of what the camera saw; none, where no code says on which side it was."""
        code = _TYPES.get(event.side)
        if code is None:
            return ()
        # The begin and the end of one alarm have one number.
        number = self._numbers.setdefault(event.id, len(self._numbers) + 1)
        lat_deg, lon_deg = (0.0, 0.0) if event.lat is None else _wgs84(event)
        time = rfc3339(_moment(event.time))
        said: dict[str, Any] = {
            "alarm_id": number,
            "flag": _FLAGS[event.phase],
            "type": code,
            "speed_kmh": min(round(event.speed_kmh or 0), _MAX_SPEED_KMH),
            "altitude_m": 0,
            "lat": round(lat_deg, 6),
            "lon": round(lon_deg, 6),
            "time": time,
            "status": ["acc", "located"],
            "ident": {
                "terminal_id": _TERMINAL_ID,
                "time": time,
                "sequence": number % 256,
                "attachments": 0,
                "reserved": "00",
                "length": _SHORT_IDENTIFICATION,
            },
        }
        value = write_item(BLIND_AREA, {"active_safety": said})
        return (Item(BLIND_AREA, len(value), value),)


def _items(fix: FixIn) -> list[Item]:
    """Return the items of what the unit knows."""
    said = []
    if fix.odometer_km is not None:
        said.append((_ODOMETER, 4, round(fix.odometer_km * 10)))
    if fix.speed_kmh is not None:
        said.append((_RECORDER_SPEED, 2, round(fix.speed_kmh * 10)))
    if (lamps := fix.signals) is not None:
        bits = (
            (_RIGHT if lamps.right_indicator else 0)
            | (_LEFT if lamps.left_indicator else 0)
            | (_BRAKE if lamps.brake else 0)
        )
        said.append((_SIGNALS, 4, bits))
    if fix.satellites is not None:
        said.append((_SATELLITES, 1, fix.satellites))
    return [Item(item, size, value.to_bytes(size, "big")) for item, size, value in said]


def _listed(said: Any) -> list[Any]:
    return said if isinstance(said, list) else [said]


def _wgs84(said: FixIn | CameraIn) -> tuple[float, float]:
    lat_deg, lon_deg = to_wgs84(said.lat or 0.0, said.lon or 0.0, said.datum or "wgs84")
    return float(lat_deg), float(lon_deg)


def _moment(time: Moment) -> datetime:
    """Return the whole second in which something was."""
    time_us = to_us(time) if isinstance(time, datetime) else int(time * 1000)
    return to_datetime(time_us // MICROSECONDS * MICROSECONDS)


def _digits(time: Moment) -> str:
    return digits_of(_moment(time))
