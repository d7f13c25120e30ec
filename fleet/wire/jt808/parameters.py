"""Parameters of a terminal: what their ids mean, and how their values are read and written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleet.wire.jt808.faults import Code, Jt808Error
from fleet.wire.jt808.values import bytes_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.wire.jt808.layout import Reader, Values

#: Bytes of a number; 0: text.
_TEXT, _BYTE, _WORD, _DWORD = 0, 1, 2, 4

#: Name and width of the parameters that the standards fix; the rest is kept raw.
PARAMETERS: Mapping[int, tuple[str, int]] = {
    0x0001: ("heartbeat_s", _DWORD),
    0x0002: ("tcp_timeout_s", _DWORD),
    0x0003: ("tcp_retries", _DWORD),
    0x0004: ("udp_timeout_s", _DWORD),
    0x0005: ("udp_retries", _DWORD),
    0x0006: ("sms_timeout_s", _DWORD),
    0x0007: ("sms_retries", _DWORD),
    0x0010: ("apn", _TEXT),
    0x0011: ("apn_user", _TEXT),
    0x0012: ("apn_password", _TEXT),
    0x0013: ("server", _TEXT),
    0x0014: ("backup_apn", _TEXT),
    0x0015: ("backup_apn_user", _TEXT),
    0x0016: ("backup_apn_password", _TEXT),
    0x0017: ("backup_server", _TEXT),
    0x0018: ("tcp_port", _DWORD),
    0x0019: ("udp_port", _DWORD),
    0x001A: ("ic_server", _TEXT),
    0x001B: ("ic_tcp_port", _DWORD),
    0x001C: ("ic_udp_port", _DWORD),
    0x001D: ("ic_backup_server", _TEXT),
    0x0020: ("report_strategy", _DWORD),
    0x0021: ("report_scheme", _DWORD),
    0x0022: ("report_no_login_s", _DWORD),
    0x0023: ("slave_apn", _TEXT),
    0x0024: ("slave_apn_user", _TEXT),
    0x0025: ("slave_apn_password", _TEXT),
    0x0026: ("slave_server", _TEXT),
    0x0027: ("report_asleep_s", _DWORD),
    0x0028: ("report_emergency_s", _DWORD),
    0x0029: ("report_default_s", _DWORD),
    0x002C: ("report_default_m", _DWORD),
    0x002D: ("report_no_login_m", _DWORD),
    0x002E: ("report_asleep_m", _DWORD),
    0x002F: ("report_emergency_m", _DWORD),
    0x0030: ("report_turn_deg", _DWORD),
    0x0031: ("fence_radius_m", _WORD),
    0x0050: ("alarm_mask", _DWORD),
    0x0055: ("max_speed_kmh", _DWORD),
    0x0056: ("overspeed_s", _DWORD),
    0x0057: ("continuous_driving_s", _DWORD),
    0x0058: ("driving_of_day_s", _DWORD),
    0x0059: ("min_rest_s", _DWORD),
    0x005A: ("max_parking_s", _DWORD),
    0x0080: ("odometer_100m", _DWORD),
    0x0081: ("province", _WORD),
    0x0082: ("city", _WORD),
    0x0083: ("plate", _TEXT),
    0x0084: ("plate_color", _BYTE),
    0x0090: ("gnss_modes", _BYTE),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: id DWORD, length BYTE, value."""

    name: str = "parameter"

    def read(self, reader: Reader, values: Values) -> None:
        """Read it; a number of another width than the table's is read all the same, with its width."""
        number, length = reader.number(4), reader.number(1)
        raw = reader.take(length)
        values |= {"id": f"0x{number:04x}", "length": length, "hex": raw.hex()}
        name, width = PARAMETERS.get(number, (None, None))
        if name is None:
            return
        values["name"] = name
        if width:
            if length not in {_BYTE, _WORD, _DWORD}:
                reader.fault(Code.BODY, f"parameter {name}: {length} bytes are no number")
            else:
                values["value"] = int.from_bytes(raw, "big")
            return
        values["value"], whole = text_of(raw)
        if not whole:
            reader.fault(Code.TEXT, f"parameter {name} is not GBK")

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        """Write it: `hex` if that is given, else `value` by the table."""
        number = int(values["id"], 16)
        raw = bytes.fromhex(values["hex"]) if "hex" in values else _packed(number, values["value"])
        out += number.to_bytes(4, "big") + len(raw).to_bytes(1, "big") + raw


def _packed(number: int, value: int | str) -> bytes:
    if number not in PARAMETERS:
        raise Jt808Error(f"no parameter 0x{number:04x} in the table; give its value as hex")
    name, width = PARAMETERS[number]
    if isinstance(value, str) == bool(width):
        raise Jt808Error(f"the parameter {name} is {'a number' if width else 'text'}, not {value!r}")
    return bytes_of(value) if isinstance(value, str) else value.to_bytes(width, "big")
