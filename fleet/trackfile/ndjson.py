"""Recorded messages, a JSON object a line: `{"at": …, "topic": "…", "payload": …}`.

`at` is when the message was received, RFC 3339 or epoch milliseconds. `payload` is what was published: an
object or an array stands for its own bytes; a text for its UTF-8, so that a broken payload can be recorded;
`payload_base64` in its place for bytes that are not UTF-8.
"""

from __future__ import annotations

import base64

import msgspec

from fleet.trackfile.drives import Place, Recorded, Recording, TrackError, decode_text, name_of
from fleet.wire.v1 import quantising
from fleet.wire.v1.encoding import rfc3339_of
from fleet.wire.v1.payloads import MAX_TIME_US, MIN_TIME_US, Moment


class _Line(msgspec.Struct):
    at: Moment
    topic: str
    payload: msgspec.Raw = msgspec.Raw()
    payload_base64: str | None = None


_decode = msgspec.json.Decoder(_Line).decode


def parse_ndjson(file: str, data: bytes) -> Recording:
    """Return the messages in a file of recorded messages, in its order."""
    decode_text(file, data)  # says what to do about a file that is not UTF-8
    messages = [
        _recorded(Place(file, number), line)
        for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1)
        if line.strip()
    ]
    if not messages:
        raise TrackError(f"{file}: holds no messages")
    return Recording(name_of(file), messages)


def format_recorded(message: Recorded) -> bytes:
    """Return the line, without its end, that `parse_ndjson` reads as `message`."""
    line: dict[str, object] = {"at": rfc3339_of(message.at_us), "topic": message.topic}
    return msgspec.json.encode(line | _payload_field(message.payload))


def _payload_field(payload: bytes) -> dict[str, object]:
    if _stands_for_itself(payload):
        return {"payload": msgspec.Raw(payload)}
    try:
        return {"payload": payload.decode()}
    except UnicodeDecodeError:
        return {"payload_base64": base64.b64encode(payload).decode()}


def _stands_for_itself(payload: bytes) -> bool:
    """Say whether a payload can be put into a line as it is."""
    if not payload.startswith((b"{", b"[")) or not payload.endswith((b"}", b"]")) or b"\n" in payload:
        return False
    try:
        payload.decode()
        msgspec.json.decode(payload)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return False
    return True


def _recorded(place: Place, line: bytes) -> Recorded:
    try:
        read = _decode(line)
        at_us = quantising.time_us(read.at)
        payload = _payload(read)
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError) as error:
        raise place.error(f"is not a recorded message: {error}") from error
    if not MIN_TIME_US <= at_us <= MAX_TIME_US:
        raise place.error("is not in the years 1 to 9999", "at")
    return Recorded(at_us, read.topic, payload)


def _payload(line: _Line) -> bytes:
    if line.payload_base64 is not None:
        return base64.b64decode(line.payload_base64, validate=True)
    raw = bytes(line.payload)
    if not raw:
        msg = "it has neither `payload` nor `payload_base64`"
        raise ValueError(msg)
    return msgspec.json.decode(raw, type=str).encode() if raw.startswith(b'"') else raw
