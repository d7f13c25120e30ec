"""What the chords between fixes cut off a path, found by leaving fixes out.

Left out, a fix shortens the path by a triangle. Half of all triangles is therefore what the path loses by an
interval twice as long, and from the losses over once and twice that interval follows what it has lost already
(Richardson 1911; with the rate of convergence from the path itself, Aitken 1926). Geometry bounds that rate:
curves that many fixes lie on lose with the square of the interval, corners between far fixes in proportion to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Rows = NDArray[np.intp]

#: Part of what an interval twice as long would lose that is lost already: 1 / (2^p - 1) for p = 2 and p = 1.
CURVES, CORNERS = 1 / 3, 1.0


def lengths_m(east: Floats, north: Floats, goes_on: Bools, group: Rows, groups: int) -> Floats:
    """Return the length of each step with its share of what the chords cut off, metres.

    Steps are path behind path; `goes_on` marks those that begin where the one before ended, on the same path.
    The rate is that of each group (a vehicle), whose steps are together.
    """
    chord = np.hypot(east, north)
    fix = np.flatnonzero(goes_on)  # between steps `fix - 1` and `fix`
    lost = np.zeros(len(chord) + 1)  # at the fix before each step
    lost[fix] = chord[fix - 1] + chord[fix] - np.hypot(east[fix - 1] + east[fix], north[fix - 1] + north[fix])
    twice = _lost_by_twice(east, north, goes_on)
    by_group = np.bincount(group, lost[:-1] / 2, groups), np.bincount(group, twice / 4, groups)
    part = _part(*by_group)[group]
    return np.asarray(chord + part * (lost[:-1] + lost[1:]) / 4)


def _lost_by_twice(east: Floats, north: Floats, goes_on: Bools) -> Floats:
    """Return what a path of every second fix loses by leaving one out, at the fix before each step."""
    lost = np.zeros(len(east))
    middle = (
        np.flatnonzero(goes_on[1:-2] & goes_on[2:-1] & goes_on[3:]) + 2 if len(east) > 3 else np.empty(0, int)
    )
    before = east[middle - 2] + east[middle - 1], north[middle - 2] + north[middle - 1]
    after = east[middle] + east[middle + 1], north[middle] + north[middle + 1]
    whole = np.hypot(before[0] + after[0], before[1] + after[1])
    lost[middle] = np.hypot(*before) + np.hypot(*after) - whole
    return lost


def _part(by_once: Floats, by_twice: Floats) -> Floats:
    """Return the part of `by_once` that is lost already: at least that of curves, at most that of corners."""
    grows = by_twice / np.maximum(by_once, 1e-9)
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(grows > 1, np.clip(1 / (grows - 1), CURVES, CORNERS), CORNERS))
