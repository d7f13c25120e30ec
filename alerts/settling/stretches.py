"""Which part of a vehicle's timeline the settler judges next. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Segments that are settled together at most, when none of them must be.
SEGMENTS_AT_ONCE = 16


class Segment(NamedTuple):
    """A stored segment. Times in microseconds since 1970."""

    started_us: int
    #: None for the vehicle's last.
    ended_us: int | None
    settled: bool
    #: The last segment, and its vehicle has been at rest for so long that motion would begin another.
    at_rest: bool = False

    @property
    def is_due(self) -> bool:
        """The segment is complete and waits to be settled."""
        return not self.settled and (self.ended_us is not None or self.at_rest)


class Dirty(NamedTuple):
    """Stored but not judged live: fixes from `from_us` to `until_us`, both inclusive."""

    id: int
    from_us: int
    until_us: int


class Stretch(NamedTuple):
    """What is to be judged: from the beginning of a segment to the beginning of another, or to the end."""

    vehicle_id: int
    from_us: int
    #: Beginning of the segment after the stretch; None: to the end of the record.
    boundary_us: int | None


def first_stretch(vehicle_id: int, segments: Sequence[Segment], dirty: Sequence[Dirty]) -> Stretch | None:
    """Return the earliest stretch of a vehicle that must be judged, or None.

    It begins with the segment that holds the earliest dirty fix or is the earliest due one, and goes on
    as long as dirty fixes or due segments follow without a break.
    """
    due = [segment.started_us for segment in segments if segment.is_due]
    starts = [segment.started_us for segment in segments]
    dirty_starts = [_segment_start(starts, row.from_us) for row in dirty]
    if not due and not dirty_starts:
        return None
    from_us = min(due + dirty_starts)
    boundary_us = _next(starts, from_us)
    together = 1
    while boundary_us is not None and _goes_on(boundary_us, segments, dirty, together):
        boundary_us = _next(starts, boundary_us)
        together += 1
    return Stretch(vehicle_id, from_us, boundary_us)


def extended(stretch: Stretch, segments: Sequence[Segment]) -> Stretch:
    """Return the stretch with one more stored segment, since its boundary no longer begins one."""
    if stretch.boundary_us is None:
        return stretch
    return stretch._replace(
        boundary_us=_next([segment.started_us for segment in segments], stretch.boundary_us)
    )


def inside(stretch: Stretch, dirty: Sequence[Dirty], *, judged_until_us: int) -> list[int]:
    """Return the ids of the dirty rows that a judged stretch has taken care of."""
    end_us = judged_until_us if stretch.boundary_us is None else min(stretch.boundary_us - 1, judged_until_us)
    return [row.id for row in dirty if stretch.from_us <= row.from_us and row.until_us <= end_us]


def _segment_start(starts: Sequence[int], time_us: int) -> int:
    """Return the start of the segment that holds a time; before the first segment, the time itself."""
    return max((start for start in starts if start <= time_us), default=time_us)


def _next(starts: Sequence[int], after_us: int) -> int | None:
    return min((start for start in starts if start > after_us), default=None)


def _goes_on(boundary_us: int, segments: Sequence[Segment], dirty: Sequence[Dirty], together: int) -> bool:
    if any(row.from_us < boundary_us <= row.until_us for row in dirty):
        return True
    follows = next(segment for segment in segments if segment.started_us == boundary_us)
    return follows.is_due and together < SEGMENTS_AT_ONCE
