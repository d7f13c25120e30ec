"""How much one vehicle may have stored: all it can have kept, never so much that it fills the disk. Pure.

A bucket a vehicle: full, it holds as many observations as a unit measures in the whole time of which they are
accepted, one a second; and it fills up again ten times as fast as such a unit empties it. A login in wrong
hands can so write 400 MB at once and 110 MB a day (127 bytes a fix), and not the hundreds of gigabytes that
its line would carry.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from fleet.units import MICROSECONDS
from fleet.wire.batch import KEPT_BYTES, Rejected
from fleet.wire.reasons import OLDEST_DAYS, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fleet.columns import CameraEvents, Fixes, HealthReports
    from fleet.wire.batch import Message
    from ingest.pipeline.screen import Screened

#: Observations that a full bucket holds, and that flow into it in a second.
CAPACITY = OLDEST_DAYS * 86_400
REFILL_HZ = 10

_Kind = TypeVar("_Kind", "Fixes", "CameraEvents", "HealthReports")


class Quota:
    """The buckets of all vehicles, by vehicle id; a new process begins with full ones."""

    def __init__(self, capacity: int = CAPACITY, refill_hz: float = REFILL_HZ) -> None:
        self._capacity, self._refill_hz = capacity, refill_hz
        self._left = np.empty(0, np.float64)
        self._at_us = 0

    def spend(self, vehicle_id: NDArray[np.int32], now_us: int) -> NDArray[np.bool_]:
        """Take an observation each out of the buckets; mark those for which nothing was left."""
        if not len(vehicle_id):
            return np.zeros(0, np.bool_)
        self._fill(int(vehicle_id.max()), now_us)
        asked = np.bincount(vehicle_id, minlength=len(self._left))
        beyond = np.zeros(len(vehicle_id), np.bool_)
        for vehicle in np.flatnonzero(asked > self._left).tolist():
            rows = np.flatnonzero(vehicle_id == vehicle)
            beyond[rows[int(self._left[vehicle]) :]] = True
        self._left = np.maximum(self._left - asked, 0)
        return beyond

    def _fill(self, highest: int, now_us: int) -> None:
        seconds = max(0, now_us - self._at_us) / MICROSECONDS
        self._at_us = max(now_us, self._at_us)
        self._left = np.minimum(self._left + seconds * self._refill_hz, self._capacity)
        if (missing := highest + 1 - len(self._left)) > 0:
            self._left = np.concatenate([self._left, np.full(missing, float(self._capacity))])


def within(quota: Quota, screened: Screened, messages: Sequence[Message], now_us: int) -> Screened:
    """Return what of a screened batch is within the quotas; the rest is rejected, an entry a message."""
    rejects: list[Rejected] = []

    def keep(columns: _Kind, message: NDArray[np.intp]) -> tuple[_Kind, NDArray[np.intp]]:
        beyond = quota.spend(columns.vehicle_id, now_us)
        if not beyond.any():
            return columns, message
        rejects.extend(_rejects(columns.vehicle_id[beyond], message[beyond], messages))
        return columns.take(~beyond), message[~beyond]

    fixes, fix_message = keep(screened.fixes, screened.fix_message)
    camera, camera_message = keep(screened.camera, screened.camera_message)
    health, health_message = keep(screened.health, screened.health_message)
    if not rejects:
        return screened
    return replace(
        screened,
        fixes=fixes,
        fix_message=fix_message,
        camera=camera,
        camera_message=camera_message,
        health=health,
        health_message=health_message,
        rejects=[*screened.rejects, *rejects],
    )


def _rejects(
    vehicle_id: NDArray[np.int32], message: NDArray[np.intp], messages: Sequence[Message]
) -> list[Rejected]:
    reason = Reason.OVER_QUOTA
    indices, first, counts = np.unique(message, return_index=True, return_counts=True)
    return [
        Rejected(
            index,
            None,
            reason,
            reason.sentence,
            bytes(messages[index].payload[:KEPT_BYTES]),
            int(vehicle_id[row]),
            count,
        )
        for index, row, count in zip(indices.tolist(), first.tolist(), counts.tolist(), strict=True)
    ]
