"""Passes: which vehicle may be in which forbidden fence, when and at which hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.fences.versions import Schedules, untils_us
from fleet.units import to_us

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from fleet.entities import Pass
    from fleet.fences.versions import Times

NO_PASS = -1
_VEHICLE_SHIFT = 32


class PassVersion(NamedTuple):
    """One version of a pass, with the ids of what it names."""

    pass_id: int
    valid_from_us: int
    vehicle_id: int
    fence_id: int
    leave: Pass


class Passes:
    """Versions of passes in the order of (vehicle, fence); one element a version in every array."""

    def __init__(self, versions: Iterable[PassVersion] = ()) -> None:
        """Take versions in any order."""
        by_pass = sorted(versions, key=lambda version: version[:2])
        ends_us = untils_us(
            [version.pass_id for version in by_pass], [version.valid_from_us for version in by_pass]
        )
        ordered = sorted(
            zip(by_pass, ends_us, strict=True), key=lambda pair: (pair[0].vehicle_id, pair[0].fence_id)
        )
        leaves = [version.leave for version, _ in ordered]
        self._vehicle_and_fence = np.array(
            [version.vehicle_id << _VEHICLE_SHIFT | version.fence_id for version, _ in ordered], np.int64
        )
        # What the version allows, cut to the time in which it counts.
        self._from_us = np.array(
            [max(version.valid_from_us, to_us(version.leave.starts_at)) for version, _ in ordered], np.int64
        )
        self._until_us = np.array(
            [min(end_us, to_us(version.leave.ends_at)) for version, end_us in ordered], np.int64
        )
        self._schedules = Schedules([leave.schedule for leave in leaves])
        self.codes = [leave.code for leave in leaves]

    def __len__(self) -> int:
        return len(self.codes)

    def known(self, vehicle_id: NDArray[np.int32], fence_id: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Mark the pairs of vehicle and fence for which there is a pass at any time."""
        if not len(self):
            return np.zeros(len(vehicle_id), np.bool_)
        key = vehicle_id.astype(np.int64) << _VEHICLE_SHIFT | fence_id
        row = np.minimum(np.searchsorted(self._vehicle_and_fence, key), len(self) - 1)
        return np.asarray(self._vehicle_and_fence[row] == key)

    def find(
        self, vehicle_id: NDArray[np.int32], fence_id: NDArray[np.int32], time_us: Times
    ) -> NDArray[np.int32]:
        """Return the pass (index into `codes`) that covers vehicle, fence and hour, or `NO_PASS`."""
        found = np.full(len(vehicle_id), NO_PASS, np.int32)
        if not len(self):
            return found
        key = vehicle_id.astype(np.int64) << _VEHICLE_SHIFT | fence_id
        start = np.searchsorted(self._vehicle_and_fence, key, side="left")
        end = np.searchsorted(self._vehicle_and_fence, key, side="right")
        for step in range(int((end - start).max(initial=0))):
            row = np.minimum(start + step, len(self) - 1)
            covers = (
                (found == NO_PASS)
                & (start + step < end)
                & (self._from_us[row] <= time_us)
                & (time_us < self._until_us[row])
                & self._schedules.hold(row, time_us)
            )
            found[covers] = row[covers]
        return found
