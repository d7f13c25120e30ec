"""Recorded messages, a JSON object a line: `{"at": …, "topic": "…", "payload": …}`.

`at` is when the message was received, RFC 3339 or epoch milliseconds. `payload` is what was published: an
object or an array stands for its own bytes; a text for its UTF-8, so that a broken payload can be recorded;
`payload_base64` in its place for bytes that are not UTF-8.
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import msgspec

from fleet.language import Words
from fleet.trackfile.account import LINES, NOT_RECORDED, NOTHING, Account, joined
from fleet.trackfile.drives import (
    NOTHING_SAID,
    Options,
    Recorded,
    Recording,
    decode_text,
    error_of,
    name_of,
    shown,
)
from fleet.trackfile.times import in_zone, read_time
from fleet.wire.v1 import quantising
from fleet.wire.v1.encoding import rfc3339_of
from fleet.wire.v1.payloads import MAX_TIME_US, MIN_TIME_US, Moment

if TYPE_CHECKING:
    from datetime import tzinfo


class _Line(msgspec.Struct):
    at: Moment
    topic: str
    payload: msgspec.Raw = msgspec.Raw()
    payload_base64: str | None = None


class _Civil(msgspec.Struct):
    at: str


_decode = msgspec.json.Decoder(_Line).decode
_decode_civil = msgspec.json.Decoder(_Civil).decode
#: Bytes that show the encoding: what is not UTF-8 further on is a broken message, as units may send it.
_BEGINNING = 1 << 16
#: No line of a recorded message is longer: a payload has at most 4 MiB, and base64 makes it a third longer.
_LONGEST_LINE = 8 << 20
#: Lines that are no messages before the first that is one; such a file is something else.
_TOO_MANY = 10_000


def parse_ndjson(file: str, data: bytes, options: Options = NOTHING_SAID) -> Recording:
    """Return the messages in a file of recorded messages, in its order; other lines are left out."""
    account = Account(file, LINES)
    beginning = decode_text(file, data[:_BEGINNING], options.encoding)
    account.say_encoding(beginning)
    if beginning.codec != "utf-8":
        data = decode_text(file, data, options.encoding).text.encode("utf-8", "replace")
    messages: list[Recorded] = []
    for number, line in enumerate(io.BytesIO(data.removeprefix(b"\xef\xbb\xbf")), 1):
        if not line.strip():
            continue
        try:
            messages.append(_recorded(line, options))
        except _WRONG as error:
            why = shown(str(error), _LONGEST_WHY)
            account.leave_out(NOT_RECORDED, number, Words(f": {why}", f"：{why}"))
            if not messages and account.left_out[NOT_RECORDED].times >= _TOO_MANY:
                break
    account.read = len(messages)
    if not messages:
        nothing = NOTHING.fill(why=joined(account.sentences())).then(_FORMAT)
        raise error_of(file, nothing if account.left_out else _EMPTY)
    return Recording(name_of(file), messages, account)


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


#: What may come of a line that is no recorded message.
_WRONG = (msgspec.DecodeError, ValueError, OverflowError, RecursionError)


def _recorded(line: bytes, options: Options) -> Recorded:
    """Return the message of a line; raises one of `_WRONG`."""
    if len(line) > _LONGEST_LINE:
        msg = f"longer than {_LONGEST_LINE >> 20} MiB"
        raise ValueError(msg)
    if options.timezone is not None:
        line = _with_offset(line, options.timezone)
    read = _decode(line)
    at_us = quantising.time_us(read.at)
    if not MIN_TIME_US <= at_us <= MAX_TIME_US:
        msg = "`at` is not in the years 1 to 9999"
        raise ValueError(msg)
    return Recorded(at_us, read.topic, _as_said(_payload(read), options))


def _with_offset(line: bytes, zone: tzinfo) -> bytes:
    """Return a line whose `at` has an offset."""
    try:
        civil = read_time(_decode_civil(line).at)
    except msgspec.ValidationError:
        return line
    if civil is None or not civil.is_civil:
        return line
    return msgspec.json.encode(msgspec.json.decode(line) | {"at": rfc3339_of(in_zone(civil.time_us, zone))})


def _payload(line: _Line) -> bytes:
    if line.payload_base64 is not None:
        return base64.b64decode(line.payload_base64, validate=True)
    raw = bytes(line.payload)
    if not raw:
        msg = "it has neither `payload` nor `payload_base64`"
        raise ValueError(msg)
    return msgspec.json.decode(raw, type=str).encode() if raw.startswith(b'"') else raw


def _as_said(payload: bytes, options: Options) -> bytes:
    """Return a payload with the datum and the offset that a person names where its elements name none."""
    if options.datum is None and options.timezone is None:
        return payload
    try:
        content = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return payload
    made = [_element(element, options) for element in (content if isinstance(content, list) else [content])]
    return msgspec.json.encode(made if isinstance(content, list) else made[0])


def _element(element: Any, options: Options) -> Any:
    if not isinstance(element, dict):
        return element
    made = dict(element)
    if options.datum is not None and "lat" in made and made.get("datum") is None:
        made["datum"] = options.datum
    if options.timezone is not None and isinstance(time := made.get("time"), str):
        read = read_time(time)
        if read is not None and read.is_civil:
            made["time"] = rfc3339_of(in_zone(read.time_us, options.timezone))
    return made


_LONGEST_WHY = 120
_EMPTY = Words("holds no messages", "没有消息")
_FORMAT = Words(
    '; each line is to be {"at": time received, "topic": "kerbsafe/v1/…", "payload": …}',
    '；每行应为 {"at": 收到时间, "topic": "kerbsafe/v1/…", "payload": …}',
)
