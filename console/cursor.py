"""Where a page of a list ended, as opaque text. Pure.

A cursor is a place in the order of one list, not a number of rows: what is added or withdrawn meanwhile
neither repeats nor skips anything.
"""

from __future__ import annotations

import struct
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container

#: Length of an encoded cursor.
LENGTH = 36
_LAYOUT = struct.Struct(">2sqB16s")
_MARK = b"k1"
#: Years 1970 to 9999, as PostgreSQL and Python can both hold.
_LATEST_US = 253_402_300_799_999_999


class Place(NamedTuple):
    """Behind which row a page begins."""

    #: Which order the place is in.
    order: int
    #: Key of the order, microseconds since 1970.
    key_us: int
    id: uuid.UUID


def encode(place: Place) -> str:
    """Return a place as text for URLs."""
    return urlsafe_b64encode(_LAYOUT.pack(_MARK, place.key_us, place.order, place.id.bytes)).decode()


def decode(text: str, orders: Container[int]) -> Place:
    """Return the place that a cursor of one of these orders names.

    Raises
    ------
    ValueError
        If it is not a cursor that `encode` has made, or one of another order.
    """
    if len(text) != LENGTH or not text.isascii():
        raise ValueError("not a cursor")
    raw = urlsafe_b64decode(text)
    if len(raw) != _LAYOUT.size:
        raise ValueError("not a cursor")
    mark, key_us, found, identity = _LAYOUT.unpack(raw)
    if mark != _MARK or found not in orders or not 0 <= key_us <= _LATEST_US:
        raise ValueError("a cursor of another list")
    return Place(found, key_us, uuid.UUID(bytes=identity))
