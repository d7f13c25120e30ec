"""Versions of fences as arrays: what was in force when, and at which hour.

A version is in force from `valid_from_us` until the fence's next version; a retired one only ends the
one before it. Before its first version a fence is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely
from shapely.geometry import shape

from fleet.kinds import FenceKind
from fleet.schedule import MINUTES_OF_WEEK, Schedule, minute_of_week, minutes_of_week

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from fleet.entities import Fence

    Bools = NDArray[np.bool_]
    Times = NDArray[np.int64]
    #: Row numbers of `Fences`: which version.
    Versions = NDArray[np.int32]

#: Kinds in the order of `Fences.kind`.
FENCE_KINDS = tuple(FenceKind)
ALWAYS_US, NEVER_US = -(2**62), 2**62
UDEG_PER_DEGREE = 1e6
#: Coordinates come with 7 decimals of a degree.
_UDEG_DECIMALS = 1
_ALWAYS = -1
#: Multipliers of splitmix64 (Steele, Lea and Flood 2014), which spreads any key over 64 bits.
_MIX_STEP, _MIX_FIRST, _MIX_SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


class FenceVersion(NamedTuple):
    """One version of one fence."""

    fence_id: int
    valid_from_us: int
    fence: Fence


class Fences:
    """Versions of fences in the order of (fence, start); one element a version in every array."""

    def __init__(self, versions: Iterable[FenceVersion] = ()) -> None:
        """Take versions in any order; raise ValueError on two of one fence that begin together."""
        ordered = sorted(versions, key=lambda version: version[:2])
        ends_us = untils_us(
            [version.fence_id for version in ordered], [version.valid_from_us for version in ordered]
        )
        kept = []
        for version, end_us in zip(ordered, ends_us, strict=True):
            if end_us == version.valid_from_us:
                raise ValueError(f"two versions of fence {version.fence.code} begin at the same time")
            if not version.fence.retired:
                kept.append((version, end_us))
        facts = [version.fence for version, _ in kept]
        self.fence_id = np.array([version.fence_id for version, _ in kept], np.int32)
        self.valid_from_us = np.array([version.valid_from_us for version, _ in kept], np.int64)
        self.until_us = np.array([end_us for _, end_us in kept], np.int64)
        self.kind = np.array([FENCE_KINDS.index(fence.kind) for fence in facts], np.int8)
        #: km/h and seconds; -1 where the fence has none.
        self.limit_kmh = np.array([_or_unknown(fence.limit_kmh) for fence in facts], np.int16)
        self.max_dwell_s = np.array([_or_unknown(fence.max_dwell_s) for fence in facts], np.int32)
        self.codes = [fence.code for fence in facts]
        #: Polygons in micro-degrees (x longitude, y latitude), prepared.
        self.polygons = _polygons(facts)
        self.schedules = Schedules([fence.schedule for fence in facts])
        #: Names a version in 64 bits, the same in every process.
        self.signature = _signatures(self.fence_id, self.valid_from_us)

    def __len__(self) -> int:
        return len(self.codes)

    def of_kinds(self, kinds: Iterable[FenceKind]) -> Versions:
        """Return the versions of those kinds."""
        wanted = [FENCE_KINDS.index(kind) for kind in kinds]
        return np.flatnonzero(np.isin(self.kind, wanted)).astype(np.int32)

    def find(self, fence_id: NDArray[np.int32], valid_from_us: Times) -> Versions:
        """Return the version of each fence that began then; -1 where there is none."""
        if not len(self):
            return np.full(len(fence_id), -1, np.int32)
        # Versions of a fence are neighbours, ascending: the newest that began then or before is the one.
        starts = np.searchsorted(self.fence_id, fence_id, side="left")
        ends = np.searchsorted(self.fence_id, fence_id, side="right")
        found = np.full(len(fence_id), -1, np.int32)
        for step in range(int((ends - starts).max(initial=0))):
            row = np.minimum(starts + step, len(self) - 1)
            hit = (starts + step < ends) & (self.valid_from_us[row] == valid_from_us)
            found[hit] = row[hit]
        return found

    def in_force(self, version: Versions, time_us: Times) -> Bools:
        """Mark the versions that count at each time, by their dates and by the hour of the week."""
        dated = (self.valid_from_us[version] <= time_us) & (time_us < self.until_us[version])
        return np.asarray(dated & self.schedules.hold(version, time_us))


class Schedules:
    """Weekly windows of several things, a minute a bit; None is always."""

    def __init__(self, schedules: Sequence[Schedule | None]) -> None:
        distinct = list(dict.fromkeys(schedule for schedule in schedules if schedule is not None))
        self._row = np.array(
            [_ALWAYS if schedule is None else distinct.index(schedule) for schedule in schedules], np.int32
        )
        self._minutes = np.zeros((len(distinct), MINUTES_OF_WEEK), np.bool_)
        for row, schedule in enumerate(distinct):
            self._minutes[row] = minutes_of_week(schedule)
        #: Which have windows at all.
        self.some = self._row != _ALWAYS

    def hold(self, index: NDArray[np.integer[Any]], time_us: Times) -> Bools:
        """Mark where the schedule at `index` holds at the time, shapes equal."""
        row = self._row[index]
        if not self._minutes.size:
            return np.ones(row.shape, np.bool_)
        return np.asarray((row == _ALWAYS) | self._minutes[row, minute_of_week(time_us)])


def untils_us(keys: Sequence[int], starts_us: Sequence[int]) -> list[int]:
    """Return when each version ends, of versions by (thing, start): where the next of its thing begins."""
    ends_us = []
    for row, (key, follows) in enumerate(zip(keys, [*keys[1:], None][: len(keys)], strict=True), 1):
        ends_us.append(starts_us[row] if follows == key else NEVER_US)
    return ends_us


def _or_unknown(value: int | None) -> int:
    return -1 if value is None else value


def _polygons(facts: Sequence[Fence]) -> NDArray[np.object_]:
    polygons = np.empty(len(facts), object)
    for row, fence in enumerate(facts):
        polygons[row] = shapely.transform(
            shape(fence.geometry), lambda degrees: np.round(degrees * UDEG_PER_DEGREE, _UDEG_DECIMALS)
        )
    shapely.prepare(polygons)
    return polygons


def _signatures(fence_id: NDArray[np.int32], valid_from_us: Times) -> NDArray[np.uint64]:
    """Return a well-spread number of each version; sums of them tell sets of versions apart."""
    return _mixed(_mixed(fence_id.astype(np.uint64)) + valid_from_us.astype(np.uint64))


def _mixed(key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = key + np.uint64(_MIX_STEP)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(_MIX_FIRST)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(_MIX_SECOND)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
