"""MQTT 5 publications encoded beforehand, so that a load generator only has to copy bytes.

Packet: fixed header 0x32 (PUBLISH, QoS 1), remaining length, topic, packet identifier, no properties,
payload (MQTT 5.0, section 3.3). Identifiers run 1, 2, ..., 65535, 1, ...: with fewer than that in flight
no identifier is used twice at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

PUBLISH_AT_LEAST_ONCE = b"\x32"
PUBACK = 0x40
IDENTIFIERS = 65_535
NO_PROPERTIES = b"\x00"
REFUSED_FROM = 0x80
#: A PUBACK without reason code: success.
SHORT_ACK = 4
LENGTH_BYTES = 4
MORE = 128


@dataclass(frozen=True, slots=True)
class Prepared:
    """Packets behind one another; packet `n` has identifier `n % 65535 + 1`."""

    data: bytes
    #: (n + 1,) where each packet begins, and the end of the last.
    bounds: Ints

    def __len__(self) -> int:
        return len(self.bounds) - 1


def prepare(messages: Iterable[tuple[str, bytes]]) -> Prepared:
    """Encode (topic, payload) pairs in order."""
    topics: dict[str, bytes] = {}
    identifiers = [i.to_bytes(2, "big") for i in range(1, IDENTIFIERS + 1)]
    packets = []
    for number, (topic, payload) in enumerate(messages):
        named = topics.get(topic)
        if named is None:
            raw = topic.encode()
            named = topics[topic] = len(raw).to_bytes(2, "big") + raw
        body = named + identifiers[number % IDENTIFIERS] + NO_PROPERTIES + payload
        packets.append(PUBLISH_AT_LEAST_ONCE + variable_length(len(body)) + body)
    lengths = np.fromiter(map(len, packets), np.int64, len(packets))
    return Prepared(b"".join(packets), np.concatenate([[0], np.cumsum(lengths)]))


def variable_length(value: int) -> bytes:
    """Return a variable byte integer (MQTT 5.0, section 1.5.5)."""
    out = bytearray()
    while True:
        value, digit = divmod(value, MORE)
        out.append(digit | (MORE if value else 0))
        if not value:
            return bytes(out)


def read_acks(data: bytes) -> tuple[Ints, int, int]:
    """Return the identifiers acknowledged in `data`, how many were refused, and the bytes used up.

    Packets of other types are passed over; an unfinished packet at the end is left.
    """
    if data[:1] == bytes([PUBACK]) and len(data) > 1:
        size = data[1] + 2
        whole = np.frombuffer(data, np.uint8)
        if len(data) % size == 0:
            rows = whole.reshape(-1, size)
            if (rows[:, 0] == PUBACK).all() and (rows[:, 1] == size - 2).all():
                identifiers = rows[:, 2].astype(np.int64) << 8 | rows[:, 3]
                refused = int((rows[:, 4] >= REFUSED_FROM).sum()) if size > SHORT_ACK else 0
                return identifiers, refused, len(data)
    return _read_one_by_one(data)


def _read_one_by_one(data: bytes) -> tuple[Ints, int, int]:
    found, refused, at = [], 0, 0
    while (header := _length(data, at + 1)) is not None:
        length, begin = header
        if begin + length > len(data):
            break
        if data[at] == PUBACK:
            found.append(int.from_bytes(data[begin : begin + 2], "big"))
            refused += length > SHORT_ACK - 2 and data[begin + 2] >= REFUSED_FROM
        at = begin + length
    return np.array(found, np.int64), refused, at


def _length(data: bytes, at: int) -> tuple[int, int] | None:
    """Return a variable byte integer and where it ends; None if it is not all there."""
    value = 0
    for place, byte in enumerate(data[at : at + LENGTH_BYTES]):
        value |= (byte & (MORE - 1)) << (7 * place)
        if byte < MORE:
            return value, at + place + 1
    return None
