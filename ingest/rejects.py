"""How much of what is rejected is kept: enough to find the fault, never so much that it fills the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fleet.wire.batch import Rejected

#: Rejects whose bytes are kept, an hour: of one vehicle, and of all senders that no registry knows.
KEPT_OF_VEHICLE = 100
KEPT_OF_STRANGERS = 1000
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

    def rows(self, rejects: Iterable[tuple[str, Rejected]], received_us: int) -> RejectRows:
        """Return what to write of (topic, reject) pairs: in full within the quota, counted beyond it."""
        if (hour := received_us // _HOUR_US) != self._hour:
            self._hour, self._kept = hour, {}
        kept_rows, beyond = list[RejectRow](), dict[tuple[str, int | None], int]()
        for topic, reject in rejects:
            vehicle_id = reject.vehicle_id
            kept = self._kept.get(vehicle_id, 0)
            if kept >= (KEPT_OF_STRANGERS if vehicle_id is None else KEPT_OF_VEHICLE):
                key = (str(reject.reason), vehicle_id)
                beyond[key] = beyond.get(key, 0) + reject.observations
                continue
            self._kept[vehicle_id] = kept + 1
            kept_rows.append(
                RejectRow(
                    str(reject.reason),
                    storable(topic)[:TOPIC_CHARACTERS],
                    vehicle_id,
                    reject.observations,
                    storable(reject.detail),
                    reject.payload,
                )
            )
        counted = [RejectCount(reason, vehicle, count) for (reason, vehicle), count in beyond.items()]
        return RejectRows(kept_rows, counted)


def storable(text: str) -> str:
    """Return text that PostgreSQL takes: without NUL and lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
