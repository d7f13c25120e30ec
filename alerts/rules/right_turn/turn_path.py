"""The remembered way of vehicles that have turned, and where on it the turn lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.rules.right_turn.path_memory import POINTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alerts.rules.right_turn.path import Bools, Floats, Times
    from alerts.rules.right_turn.path_memory import Rows, Walked

    Ints = NDArray[np.int64]


class Way(NamedTuple):
    """The remembered points of some paths, oldest first: (n, POINTS), and (n,) where it says so."""

    #: Number of the oldest, (n,). Places along the path are given as so many points from there.
    base: Ints
    known: Bools
    east_mm: NDArray[np.int32]
    north_mm: NDArray[np.int32]
    us: Times
    dkmh: NDArray[np.int16]
    course_deg: NDArray[np.int16]
    interval_cs: NDArray[np.uint16]
    slowest_dkmh: NDArray[np.int16]
    fastest_dkmh: NDArray[np.int16]
    standing_cs: NDArray[np.uint16]
    held_cs: NDArray[np.uint16]
    longest_cs: NDArray[np.uint16]
    signals: NDArray[np.int16]

    def at(self, values: NDArray[np.generic], place: Floats) -> Floats:
        """Return values at one place a row, between points too."""
        index = np.clip(place.astype(np.int64), 0, POINTS - 2)
        row = np.arange(len(index))
        low, high = values[row, index].astype(np.float64), values[row, index + 1].astype(np.float64)
        return low + (place - index) * (high - low)

    def between(self, start: Floats, end: Floats) -> Bools:
        """Mark the points between two places of each row."""
        place = np.arange(POINTS)
        return self.known & (place >= start[:, None]) & (place <= end[:, None])


def way_of(walked: Walked, row: Rows) -> Way:
    """Return what is remembered of the ways of some rows."""
    base = walked.head["newest"][row].astype(np.int64) - (POINTS - 1)
    number = base[:, None] + np.arange(POINTS)
    known = number >= walked.head["first"][row][:, None]
    points = walked.at(row[:, None], number)
    return Way(base, known, *map(points.get, Way._fields[2:]))


class Arc(NamedTuple):
    """Places of a turn on its path, one a row."""

    entry: Floats
    middle: Floats
    exit: Floats
    #: Length of the curved part, in points.
    length: Floats


def first(mask: Bools) -> Ints:
    """Return the first place of each row that is marked; the last place where none is."""
    return np.where(mask.any(axis=1), mask.argmax(axis=1), POINTS - 1)


def last(mask: Bools) -> Ints:
    """Return the last place of each row that is marked; the first place where none is."""
    return np.where(mask.any(axis=1), POINTS - 1 - mask[:, ::-1].argmax(axis=1), 0)
