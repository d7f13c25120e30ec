"""The newest stored time of each vehicle: what is newer cannot be in the store. Pure.

Ingest is the only process that stores fixes, under its role's lock, so what it remembers is the truth. Rows
newer than all that is stored of their vehicle need no search for duplicates. Of a vehicle about which nothing
is known yet, all rows are searched for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Earlier than any time that can be represented.
_NEVER_US = np.iinfo(np.int64).min


class Newest:
    """By vehicle id, which are small and dense."""

    def __init__(self) -> None:
        self._seen_us = np.empty(0, np.int64)
        self._known = np.empty(0, np.bool_)

    def take(self, vehicle_id: NDArray[np.int32], time_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Mark the rows that cannot be in the store, and count all of them as stored from now on.

        Keys must be unique among the rows. The mark holds if the rows of earlier calls are stored, or
        rejected, before these: batches are committed in the order in which they were taken.
        """
        self._grow(vehicle_id)
        fresh = self._known[vehicle_id] & (time_us > self._seen_us[vehicle_id])
        np.maximum.at(self._seen_us, vehicle_id, time_us)
        return np.asarray(fresh)

    def unknown(self, vehicle_id: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the vehicles among these of which it is not known what is stored, each once."""
        self._grow(vehicle_id)
        return np.unique(vehicle_id[~self._known[vehicle_id]])

    def learn(self, vehicle_id: NDArray[np.int32], newest_us: NDArray[np.int64]) -> None:
        """Take in the newest stored time of vehicles, as of any moment since they were first asked about."""
        self._grow(vehicle_id)
        np.maximum.at(self._seen_us, vehicle_id, newest_us)
        self._known[vehicle_id] = True

    def _grow(self, vehicle_id: NDArray[np.int32]) -> None:
        missing = int(vehicle_id.max(initial=-1)) + 1 - len(self._known)
        if missing > 0:
            missing += len(self._known)  # doubling: vehicles that are new come one by one
            self._seen_us = np.concatenate([self._seen_us, np.full(missing, _NEVER_US)])
            self._known = np.concatenate([self._known, np.zeros(missing, np.bool_)])
