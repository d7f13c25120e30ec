"""What the chords between fixes cut off a path, found by leaving fixes out.

Left out, a fix shortens the path by a triangle. Half of all triangles is therefore what the path loses by an
interval twice as long, and from the losses over once and twice that interval follows what it has lost already
(Richardson 1911; with the rate of convergence from the path itself, Aitken 1926). Geometry bounds that rate:
curves that many fixes lie on lose with its square, corners between far fixes in proportion to the interval.
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
    The rate is that of each group (a vehicle): how much more its fixes lose over twice the interval.
    """
    chord = np.hypot(east, north)
    lost = np.zeros(len(chord) + 1)  # at the fix before each step
    fix = np.flatnonzero(goes_on)
    lost[fix] = chord[fix - 1] + chord[fix] - np.hypot(east[fix - 1] + east[fix], north[fix - 1] + north[fix])
    fix, twice = _lost_by_twice(east, north, goes_on)
    grows = np.bincount(group[fix], twice / 2, groups) / np.maximum(
        np.bincount(group[fix], lost[fix], groups), 1e-9
    )
    return np.asarray(chord + _part(grows)[group] * (lost[:-1] + lost[1:]) / 4)


def _lost_by_twice(east: Floats, north: Floats, goes_on: Bools) -> tuple[Rows, Floats]:
    """Return fixes with two on either side, and what a path of every second fix loses by leaving them out."""
    fix = np.flatnonzero(goes_on[1:-2] & goes_on[2:-1] & goes_on[3:]) + 2
    before = east[fix - 2] + east[fix - 1], north[fix - 2] + north[fix - 1]
    after = east[fix] + east[fix + 1], north[fix] + north[fix + 1]
    whole = np.hypot(before[0] + after[0], before[1] + after[1])
    return fix, np.hypot(*before) + np.hypot(*after) - whole


def _part(grows: Floats) -> Floats:
    """Return the part that is lost already: at least that of curves, at most that of corners."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(grows > 1, np.clip(1 / (grows - 1), CURVES, CORNERS), CORNERS))
