"""How much of what is rejected is kept: enough to find the fault, never so much that it fills the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fleet.units import MICROSECONDS
from fleet.wire.batch import KEPT_BYTES
from fleet.wire.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fleet.wire.batch import Rejected

#: Rejects whose bytes are kept, an hour: of one vehicle, and of all senders that no registry knows.
KEPT_OF_VEHICLE = 100
KEPT_OF_STRANGERS = 1000
#: Of what is longer than 4 KiB, the bytes an hour that are kept in full, so that it can be taken in again:
#: of one vehicle, or of all auto_registration; and of all together.
WHOLE_BYTES_OF_SENDER = 4 << 20
WHOLE_BYTES = 8 << 20
#: Of these the bytes are what is stored, or there is nothing to mend.
_FINAL = frozenset({Reason.UNSTORABLE, Reason.CONFLICTING_DUPLICATE})
#: Characters of a topic that are kept.
TOPIC_CHARACTERS = 4096
_HOUR_US = 3600 * MICROSECONDS


class RejectRow(NamedTuple):
    """A reject that is kept."""

    reason: str
    topic: str
    vehicle_id: int | None
    observations: int
    detail: str
    payload: bytes
    #: The payload is what came, to the last byte: it can be read again.
    retriable: bool


class RejectCount(NamedTuple):
    """How many observations were rejected beyond what is kept."""

    reason: str
    vehicle_id: int | None
    observations: int


class RejectRows(NamedTuple):
    """What is written of the rejects of a batch."""

    kept: list[RejectRow]
    counted: list[RejectCount]


class RejectQuota:
    """Counts what was kept in the present hour, by vehicle."""

    def __init__(self) -> None:
        self._hour = 0
        self._kept: dict[int | None, int] = {}
        self._whole_bytes: dict[int | None, int] = {}

    def rows(self, rejects: Iterable[tuple[str, bytes, Rejected]], received_us: int) -> RejectRows:
        """Return what to write of rejects: kept within the quota, counted beyond it.

        Each comes with the topic and the whole payload of its message, where that is still there.
        """
        if (hour := received_us // _HOUR_US) != self._hour:
            self._hour, self._kept, self._whole_bytes = hour, {}, {}
        kept_rows, beyond = list[RejectRow](), dict[tuple[str, int | None], int]()
        for topic, message, reject in rejects:
            vehicle_id = reject.vehicle_id
            kept = self._kept.get(vehicle_id, 0)
            if kept >= (KEPT_OF_STRANGERS if vehicle_id is None else KEPT_OF_VEHICLE):
                key = (str(reject.reason), vehicle_id)
                beyond[key] = beyond.get(key, 0) + reject.observations
                continue
            self._kept[vehicle_id] = kept + 1
            payload, whole = self._payload(reject, message)
            kept_rows.append(
                RejectRow(
                    str(reject.reason),
                    storable(topic)[:TOPIC_CHARACTERS],
                    vehicle_id,
                    reject.observations,
                    storable(reject.detail),
                    payload,
                    whole and bool(payload) and reject.reason not in _FINAL,
                )
            )
        counted = [RejectCount(reason, vehicle, count) for (reason, vehicle), count in beyond.items()]
        return RejectRows(kept_rows, counted)

    def _payload(self, reject: Rejected, message: bytes) -> tuple[bytes, bool]:
        """Return the bytes to keep of a reject, and whether they are all that is at fault."""
        if len(reject.payload) < KEPT_BYTES:
            return reject.payload, True
        if reject.element is not None or not message.startswith(reject.payload):
            return reject.payload, False
        of_sender = self._whole_bytes.get(reject.vehicle_id, 0) + len(message)
        in_all = sum(self._whole_bytes.values()) + len(message)
        if of_sender > WHOLE_BYTES_OF_SENDER or in_all > WHOLE_BYTES:
            return reject.payload, False
        self._whole_bytes[reject.vehicle_id] = of_sender
        return message, True


def storable(text: str) -> str:
    """Return text that PostgreSQL takes: without NUL and lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
