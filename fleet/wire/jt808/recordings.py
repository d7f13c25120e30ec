"""Recorded video (JT/T 1078) and the files of an active-safety alarm (T/JSATL 12, T/GDRTA 002)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.wire.jt808.fields import Number, Raw, Text, Time
from fleet.wire.jt808.layout import List
from fleet.wire.jt808.safety import IDENTIFICATIONS
from fleet.wire.jt808.table import ACK_SERIAL, message

if TYPE_CHECKING:
    from fleet.wire.jt808.layout import Layout

_VIDEO, _ALARM_FILES = "JT/T 1078", "T/JSATL 12, T/GDRTA 002"

#: Zero times stand for no limit.
_RECORDING: Layout = (
    Number("channel"),
    Time("start_time"),
    Time("end_time"),
    Raw("alarms_hex", 8),
    Number("media_type"),
    Number("stream_type"),
    Number("storage"),
)
_FILE: Layout = (Text("name", prefix=1), Number("type"), Number("size", 4))
#: Of the terminal's id before an identification number of so many bytes; 38: there is none.
_TERMINAL_BYTES = {16: 7, 40: 30, 39: 30, 38: 0}


def _announcement(size: int) -> Layout:
    terminal = _TERMINAL_BYTES[size]
    return (
        *((Text("terminal_id", terminal),) if terminal else ()),
        IDENTIFICATIONS[size],
        Text("alarm_number", 32),
        Number("info_type"),
        List("files", (Text("name", prefix=1), Number("size", 4))),
    )


def _request(size: int) -> Layout:
    return (
        Text("ip", prefix=1),
        Number("tcp_port", 2),
        Number("udp_port", 2),
        IDENTIFICATIONS[size],
        Text("alarm_number", 32),
        Raw("reserved", 16),
    )


RECORDINGS = (
    message(
        0x1205,
        "list of recordings",
        (ACK_SERIAL, List("recordings", (*_RECORDING, Number("size", 4)), count=4)),
        standard=_VIDEO,
    ),
    message(0x1206, "end of an upload", (ACK_SERIAL, Number("result")), standard=_VIDEO),
    message(
        0x1210,
        "files of an alarm",
        *(_announcement(size) for size in IDENTIFICATIONS),
        standard=_ALARM_FILES,
    ),
    message(0x1211, "begin of a file", _FILE, standard=_ALARM_FILES),
    message(0x1212, "end of a file", _FILE, standard=_ALARM_FILES),
    message(0x9205, "query of recordings", _RECORDING, standard=_VIDEO),
    message(
        0x9206,
        "order of an upload",
        (
            Text("host", prefix=1),
            Number("port", 2),
            Text("user", prefix=1),
            Text("password", prefix=1),
            Text("path", prefix=1),
            *_RECORDING,
            Number("condition"),
        ),
        standard=_VIDEO,
    ),
    message(0x9207, "control of an upload", (ACK_SERIAL, Number("control")), standard=_VIDEO),
    message(
        0x9208,
        "request for the files of an alarm",
        *(_request(size) for size in IDENTIFICATIONS),
        standard=_ALARM_FILES,
    ),
    message(
        0x9212,
        "answer to the end of a file",
        (
            Text("name", prefix=1),
            Number("type"),
            Number("result"),
            List("missing", (Number("offset", 4), Number("length", 4))),
        ),
        standard=_ALARM_FILES,
    ),
)
