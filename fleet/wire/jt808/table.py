"""What the table of messages is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.wire.jt808.fields import Number
from fleet.wire.jt808.header import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.wire.jt808.layout import Layout

    #: Layouts to be tried in this order: the first that fits the whole body without a fault is the right one.
    Layouts = tuple[Layout, ...]

#: The serial of the message that is answered.
ACK_SERIAL = Number("ack_serial", 2)


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of message, and its layouts in each edition of the standard."""

    id: int
    name: str
    layouts: Mapping[int, Layouts]
    #: The standard that defines it.
    standard: str = "JT/T 808"

    @property
    def by_terminal(self) -> bool:
        """Tell who sends it: what the platform sends has the highest bit set."""
        return not self.id & 0x8000


def message(number: int, name: str, *layouts: Layout, standard: str = "JT/T 808") -> Message:
    """Return a message that is the same in all editions."""
    return Message(number, name, dict.fromkeys(VERSIONS, layouts), standard)


def versioned(number: int, name: str, old: Layouts, new: Layouts, oldest: Layouts | None = None) -> Message:
    """Return a message that differs: up to 2013 (`oldest`: in 2011), and in 2019."""
    by_version = dict(zip(VERSIONS, (oldest or old, old, new), strict=True))
    return Message(number, name, by_version)
