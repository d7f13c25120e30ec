"""Fixes by vehicle and time that come in pieces: several streams as one, two compared row by row. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.columns import Fixes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


class Row(NamedTuple):
    """The key of a fix."""

    vehicle_id: int
    time_us: int


class Compared(NamedTuple):
    """What a comparison found of some rows."""

    #: Those that the other side does not have.
    missing: Fixes
    #: The first that the other side has with other content.
    differs: Row | None


def in_one(streams: Sequence[Iterator[Fixes]]) -> Iterator[Fixes]:
    """Yield what several streams hold as one, in order; a fix that is in two of them comes once."""
    heads = [head for stream in streams if (head := _Head(stream)).fill()]
    while heads:
        end = min(head.last() for head in heads)
        parts = [head.take_to(end) for head in heads]
        yield parts[0] if len(parts) == 1 else once(Fixes.concat(parts))
        heads = [head for head in heads if head.fill()]


def once(fixes: Fixes) -> Fixes:
    """Return fixes by vehicle and time; of several of one key the first that was given."""
    order = np.lexsort((fixes.time_us, fixes.vehicle_id))
    vehicle_id, time_us = fixes.vehicle_id[order], fixes.time_us[order]
    again = np.r_[False, (vehicle_id[1:] == vehicle_id[:-1]) & (time_us[1:] == time_us[:-1])][: len(order)]
    return fixes.take(order[~again])


class Matcher:
    """Compares rows, which are given in order, with a stream: rows that only the stream has are no matter."""

    def __init__(self, stream: Iterator[Fixes]) -> None:
        self._head = _Head(stream)

    def compare(self, fixes: Fixes) -> Compared:
        """Compare the next rows."""
        if not len(fixes):
            return Compared(fixes, None)
        end = Row(int(fixes.vehicle_id[-1]), int(fixes.time_us[-1]))
        parts = list[Fixes]()
        while self._head.fill():
            parts.append(self._head.take_to(end))
            if len(self._head):
                break
        return compare(fixes, Fixes.concat(parts))


def compare(fixes: Fixes, other: Fixes) -> Compared:
    """Compare rows with rows of another side, both in order and each key once."""
    place, found = _places(fixes, other)
    of_fixes, of_other = np.flatnonzero(found), place[found]
    same = np.ones(len(of_fixes), np.bool_)
    for name in Fixes.dtypes():
        same &= getattr(fixes, name)[of_fixes] == getattr(other, name)[of_other]
    differs = None
    if not same.all():
        row = of_fixes[np.argmin(same)]
        differs = Row(int(fixes.vehicle_id[row]), int(fixes.time_us[row]))
    return Compared(fixes.take(~found), differs)


def _places(fixes: Fixes, other: Fixes) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return where each row is in the other side, and whether it is there."""
    if len(fixes) == len(other) and _same_keys(fixes, other):
        return np.arange(len(fixes)), np.ones(len(fixes), np.bool_)
    keys, others = _keys(fixes), _keys(other)
    place = np.searchsorted(others, keys)
    found = np.zeros(len(fixes), np.bool_)
    within = place < len(others)
    found[within] = others[place[within]] == keys[within]
    return place, found


def _same_keys(fixes: Fixes, other: Fixes) -> bool:
    return np.array_equal(fixes.time_us, other.time_us) and np.array_equal(fixes.vehicle_id, other.vehicle_id)


def _keys(fixes: Fixes) -> NDArray[np.void]:
    """Return keys that compare as (vehicle, time): bytes, the highest first; both are never negative here."""
    keys = np.empty(len(fixes), [("vehicle_id", ">i4"), ("time_us", ">i8")])
    keys["vehicle_id"], keys["time_us"] = fixes.vehicle_id, fixes.time_us
    return keys.view("S12")


class _Head:
    """What was read of a stream and not yet taken."""

    def __init__(self, stream: Iterator[Fixes]) -> None:
        self._stream = stream
        self._fixes = Fixes.empty()

    def __len__(self) -> int:
        return len(self._fixes)

    def fill(self) -> bool:
        """Read on if nothing is left; return whether there is something."""
        while not len(self._fixes):
            following = next(self._stream, None)
            if following is None:
                return False
            self._fixes = following
        return True

    def last(self) -> Row:
        return Row(int(self._fixes.vehicle_id[-1]), int(self._fixes.time_us[-1]))

    def take_to(self, end: Row) -> Fixes:
        """Return the rows up to `end`, it included, and leave the others."""
        vehicle_id, time_us = self._fixes.vehicle_id, self._fixes.time_us
        begin, until = np.searchsorted(vehicle_id, [end.vehicle_id, end.vehicle_id + 1])
        rows = int(begin + np.searchsorted(time_us[begin:until], end.time_us, side="right"))
        taken, self._fixes = self._fixes.take(slice(0, rows)), self._fixes.take(slice(rows, None))
        return taken
