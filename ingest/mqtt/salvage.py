"""Save what can be saved of a PUBLISH that the codec refuses: slow, exact, and hardly ever needed.

The codec rejects text that is not UTF-8 and properties that it does not know, and it is right. But a
broker that has passed such a message on will send it again until it is acknowledged. So its frame, topic,
packet id and payload are found by hand, and the wire decoder decides what becomes of them.
"""

from __future__ import annotations

from typing import NamedTuple

_PUBLISH = 3
_DUPLICATE = 0b1000
_MORE = 0x80
_MAX_LENGTH_BYTES = 4  # of a variable byte integer, MQTT 5 §1.5.5
_LONGEST_HEADER = 1 + _MAX_LENGTH_BYTES
_QOS_1 = 1


class Salvaged(NamedTuple):
    """A message of which topic, payload and packet id are known. What is no text in the topic is escaped."""

    topic: str
    payload: bytes
    packet_id: int | None
    duplicate: bool


def read_length(data: bytes | memoryview, at: int) -> tuple[int, int] | None:
    """Return a variable byte integer and where it ends; None where `data` ends within it.

    Raises
    ------
    ValueError
        If it is longer than four bytes.
    """
    value = 0
    for i in range(_MAX_LENGTH_BYTES):
        if at + i >= len(data):
            return None
        value |= (data[at + i] & ~_MORE) << (7 * i)
        if not data[at + i] & _MORE:
            return value, at + i + 1
    msg = "a length of more than four bytes"
    raise ValueError(msg)


def frame_length(data: bytes | memoryview) -> int | None:
    """Return the length of the packet that begins `data`, header included; None while that is unknown.

    Raises
    ------
    ValueError
        If the header is malformed.
    """
    found = read_length(data[:_LONGEST_HEADER], 1)
    return None if found is None else found[0] + found[1]


def salvage(frame: bytes | memoryview) -> Salvaged | None:
    """Return the message of one whole packet; None unless it is a PUBLISH of QoS 0 or 1 with topic and id.

    Where the properties are broken, all that follows the packet id is the payload.
    """
    data = bytes(frame)
    qos = data[0] >> 1 & 0b11
    found = read_length(data, 1)
    if data[0] >> 4 != _PUBLISH or qos > _QOS_1 or found is None:
        return None
    topic_at = found[1] + 2
    id_at = topic_at + int.from_bytes(data[found[1] : topic_at], "big")
    rest_at = id_at + 2 * qos
    if rest_at > len(data):
        return None
    return Salvaged(
        topic=data[topic_at:id_at].decode("utf-8", "backslashreplace"),
        payload=data[_payload_at(data, rest_at) :],
        packet_id=int.from_bytes(data[id_at:rest_at], "big") if qos else None,
        duplicate=bool(data[0] & _DUPLICATE),
    )


def _payload_at(data: bytes, properties_at: int) -> int:
    """Return where the payload begins behind the properties, or where these begin if they make no sense."""
    try:
        found = read_length(data, properties_at)
    except ValueError:
        return properties_at
    if found is None or sum(found) > len(data):
        return properties_at
    return sum(found)
