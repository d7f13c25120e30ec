"""What a decoder is given and what it gives: messages in, columns and named rejects out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from fleet.columns import CameraEvents, Fixes, HealthReports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from fleet.wire.reasons import Reason

#: How many bytes of a reject are kept.
KEPT_BYTES = 4096


class Message(Protocol):
    """A topic and a payload. An `mqtt5.PublishPacket` is one as it is."""

    @property
    def topic(self) -> str:
        """Where it was published."""

    @property
    def payload(self) -> bytes:
        """What was published."""


class Published(NamedTuple):
    """The plainest `Message`."""

    topic: str
    payload: bytes


class OfThen(NamedTuple):
    """A vehicle, named with a company that is not its present one but was, or will be."""

    vehicle_id: int
    #: When it is that company's: half-open spans, microseconds since 1970.
    spans_us: tuple[tuple[int, int], ...]


class Directory(Protocol):
    """Who is known. The registry implements it from a snapshot; `find` is asked once a message."""

    def find(self, company: str, vehicle: str, /) -> int | OfThen | Reason:
        """Return who a topic names, or `UNKNOWN_COMPANY`, `UNKNOWN_VEHICLE` or `WRONG_COMPANY`.

        Of `OfThen`, only what was measured while the vehicle was that company's is taken.
        """


class Ack(NamedTuple):
    """A device's answer to a command."""

    vehicle_id: int
    time_us: int
    command_id: str
    result: str
    #: Why, or how, for people.
    detail: str = ""
    #: What was asked for.
    values: Mapping[str, Any] | None = None
    #: Which gateway says so; "": the unit itself.
    by: str = ""


class Rejected(NamedTuple):
    """One observation that was not taken; more than one only where a message has very many bad elements."""

    #: Index of the message in the batch.
    message: int
    #: Index in the payload's array; None where the message as a whole is at fault.
    element: int | None
    reason: Reason
    #: What exactly, in words; printable, at most 200 characters.
    detail: str
    #: The first 4 KiB of the bytes at fault.
    payload: bytes
    #: None where the topic names no known vehicle.
    vehicle_id: int | None = None
    observations: int = 1


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded batch. Each `*_message` gives the index of the message that each row came from.

    Rows are in the order of messages, and within a message in the order of its array.
    """

    fixes: Fixes = field(default_factory=Fixes.empty)
    fix_message: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    camera: CameraEvents = field(default_factory=CameraEvents.empty)
    camera_message: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    health: HealthReports = field(default_factory=HealthReports.empty)
    health_message: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    acks: list[Ack] = field(default_factory=list)
    ack_message: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    rejects: list[Rejected] = field(default_factory=list)

    @property
    def received(self) -> int:
        """Observations, those that were rejected included; a message that cannot be read counts as one."""
        taken = len(self.fixes) + len(self.camera) + len(self.health) + len(self.acks)
        return taken + sum(reject.observations for reject in self.rejects)
