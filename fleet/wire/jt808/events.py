"""What follows from what a terminal sends: bytes to send back, and what is to be decided or stored."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fleet.wire.jt808.codec import Decoded
    from fleet.wire.jt808.framing import Frame
    from fleet.wire.jt808.header import Header
    from fleet.wire.jt808.orders import Order


class Result(Enum):
    """What a general answer says."""

    OK = 0
    FAILURE = 1
    INCORRECT = 2
    UNSUPPORTED = 3
    ALARM_CONFIRMED = 4


class Send(NamedTuple):
    """Bytes for the terminal."""

    data: bytes


class Registration(NamedTuple):
    """It asks for a code; to be answered by `registered`."""

    message: Decoded


class Authentication(NamedTuple):
    """It shows its code; to be answered by `authenticated`."""

    message: Decoded


class Received(NamedTuple):
    """Something to store; `stored` acknowledges it, where the protocol wants that."""

    message: Decoded


class Reported(NamedTuple):
    """A location report (0x0200), not read yet: those of many connections are read together, in columns.

    To be stored and acknowledged as `Received` is; one that `columns.read_reports` leaves is for `decode`.
    """

    frame: Frame
    header: Header


class Refused(NamedTuple):
    """Something that is not acted upon, and why."""

    message: Decoded
    reason: str


class Answered(NamedTuple):
    """The terminal answered an order."""

    order: Order
    message: Decoded


class Unanswered(NamedTuple):
    """It did not, however often the order was sent, or its connection ended before."""

    order: Order


class Close(NamedTuple):
    """The connection is to be closed."""

    reason: str


Event = Send | Registration | Authentication | Received | Reported | Refused | Answered | Unanswered | Close
