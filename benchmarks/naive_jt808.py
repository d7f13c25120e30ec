"""JT/T 808 as a straightforward gateway reads it: frame by frame, with `struct`.

`naive_jt808.py FILE` reads the bytes of a connection and prints frames a second of its own CPU, and sums of
what it read, by which the bench sees that both read the same.
"""

from __future__ import annotations

import json
import struct
import sys
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

CHINA = timezone(timedelta(hours=8))
FLAG, ESCAPE = 0x7E, 0x7D


def frames(data: bytes) -> Iterator[bytes]:
    frame, inside = bytearray(), False
    for byte in data:
        if byte == FLAG:
            if inside and frame:
                yield bytes(frame)
                frame, inside = bytearray(), False
            else:
                frame, inside = bytearray(), True
        elif inside:
            frame.append(byte)


def unescape(frame: bytes) -> bytes:
    out, at = bytearray(), 0
    while at < len(frame):
        if frame[at] == ESCAPE:
            out.append(ESCAPE if frame[at + 1] == 1 else FLAG)
            at += 2
        else:
            out.append(frame[at])
            at += 1
    return bytes(out)


def decode(frame: bytes) -> dict[str, Any] | None:
    content = unescape(frame)
    check = 0
    for byte in content[:-1]:
        check ^= byte
    if check != content[-1]:
        return None
    message_id, properties = struct.unpack_from(">HH", content)
    phone, serial = content[4:10].hex().lstrip("0"), struct.unpack_from(">H", content, 10)[0]
    body = content[12 : 12 + (properties & 0x3FF)]
    if message_id != 0x0200:
        return None
    alarm, status, lat, lon, altitude, speed, course = struct.unpack_from(">IIIIhHH", body)
    time_of_day = datetime.strptime(body[22:28].hex(), "%y%m%d%H%M%S").replace(tzinfo=CHINA).astimezone(UTC)
    report = {
        "phone": phone,
        "serial": serial,
        "alarm": alarm,
        "status": status,
        "lat": -lat / 1e6 if status & 4 else lat / 1e6,
        "lon": -lon / 1e6 if status & 8 else lon / 1e6,
        "altitude_m": altitude,
        "speed_kmh": speed / 10,
        "course_deg": course,
        "time": time_of_day,
        "items": {},
    }
    at = 28
    while at + 2 <= len(body):
        item, length = body[at], body[at + 1]
        value = body[at + 2 : at + 2 + length]
        if item == 0x01:
            report["odometer_km"] = struct.unpack(">I", value)[0] / 10
        elif item == 0x25:
            report["signals"] = struct.unpack(">I", value)[0]
        elif item == 0x30:
            report["rssi"] = value[0]
        elif item == 0x31:
            report["satellites"] = value[0]
        else:
            report["items"][item] = value.hex()
        at += 2 + length
    return report


def main() -> None:
    data = Path(sys.argv[1]).read_bytes()
    began = time.process_time()
    reports = [report for frame in frames(data) if (report := decode(frame)) is not None]
    spent_s = time.process_time() - began
    sums = {
        "reports": len(reports),
        "lat_udeg": sum(round(report["lat"] * 1e6) for report in reports),
        "time_s": sum(int(report["time"].timestamp()) for report in reports),
        "odometer_100m": sum(round(report["odometer_km"] * 10) for report in reports),
        "satellites": sum(report["satellites"] for report in reports),
    }
    print(json.dumps({"frames_per_s": len(reports) / spent_s, "sums": sums}))


if __name__ == "__main__":
    main()
