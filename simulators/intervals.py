"""Stretches of time of single trucks, found for many rows at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

#: Larger than any span simulated, microseconds: 203 days.
TRUCK_STRIDE_US = 1 << 44


@dataclass(frozen=True, slots=True)
class Intervals:
    """Half-open intervals [start, end) sorted by truck and start; those of one truck do not overlap."""

    truck: Ints
    start_us: Ints
    end_us: Ints
    #: Whether the scenario planned it; the others were drawn.
    planned: Bools

    def __len__(self) -> int:
        return len(self.truck)

    @classmethod
    def of(cls, rows: list[tuple[int, int, int]]) -> Intervals:
        """Return the planned intervals (truck, start, end)."""
        truck, start, end = np.array(rows, np.int64).reshape(-1, 3).T
        return _apart(truck, start, end, np.ones(len(truck), bool))

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        trucks: int,
        span_us: tuple[int, int],
        per_hour: float,
        length_s: tuple[float, float],
    ) -> Intervals:
        """Draw intervals that begin at `per_hour` for every truck, with lengths between two bounds."""
        from_us, until_us = span_us
        expected = per_hour * trucks * (until_us - from_us) / (3600 * MICROSECONDS)
        many = int(rng.poisson(expected))
        truck = rng.integers(0, max(trucks, 1), many)
        start = rng.integers(from_us, max(until_us, from_us + 1), many)
        end = start + (rng.uniform(*length_s, many) * MICROSECONDS).astype(np.int64)
        return _apart(truck, start, end, np.zeros(many, bool))

    def joined(self, other: Intervals | None) -> Intervals:
        """Return both together; where they overlap the planned one stays."""
        if other is None:
            return self
        pairs = [(self.truck, other.truck), (self.start_us, other.start_us), (self.end_us, other.end_us)]
        truck, start, end = (np.concatenate(pair) for pair in pairs)
        return _apart(truck, start, end, np.concatenate([self.planned, other.planned]))

    def meets(self, truck: int, from_us: int, to_us: int) -> bool:
        """Say whether any interval of a truck overlaps [from, to]."""
        own = self.truck == truck
        return bool((own & (self.start_us <= to_us) & (self.end_us >= from_us)).any())

    def which(self, truck: NDArray[np.integer[Any]], time_us: Ints) -> Ints:
        """Return the interval that each row (n,) lies in, -1 for none."""
        if len(self) == 0:
            return np.full(len(truck), -1)
        base = int(self.start_us.min())
        key = truck.astype(np.int64) * TRUCK_STRIDE_US + np.maximum(time_us - base, -1)
        starts = self.truck * TRUCK_STRIDE_US + (self.start_us - base)
        found = np.searchsorted(starts, key, "right") - 1
        held = np.maximum(found, 0)
        inside = (found >= 0) & (self.truck[held] == truck) & (time_us < self.end_us[held])
        return np.where(inside, held, -1)


def _apart(truck: Ints, start: Ints, end: Ints, planned: Bools) -> Intervals:
    """Sort, and leave out drawn intervals that touch another of the same truck."""
    order = np.lexsort((start, truck))
    truck, start, end, planned = truck[order], start[order], end[order], planned[order]
    kept: list[int] = []
    for i in range(len(truck)):
        clash = bool(kept) and truck[kept[-1]] == truck[i] and start[i] <= end[kept[-1]]
        if clash and planned[i] and not planned[kept[-1]]:
            kept.pop()
            clash = bool(kept) and truck[kept[-1]] == truck[i] and start[i] <= end[kept[-1]]
        if not clash:
            kept.append(i)
    index = np.array(kept, np.int64)
    return Intervals(truck[index], start[index], end[index], planned[index])
