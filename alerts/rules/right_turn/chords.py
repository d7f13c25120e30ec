"""Course changes along a path, read off three straight lines laid through the way just driven.

The last `after_m` up to a point, `between_m` before that, `before_m` before that. The turn there is the
course of the last line less that of the first, added up over the middle one, so that half a circle to the
right is not half a circle to the left. It rises while a vehicle turns, stays while the corner lies in the
middle, and falls when the corner has passed. Lines cut corners: it reads a few degrees less than the
street's own angle. Noise of a metre in the positions is 3 degrees on lines of 20 m.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.rules.right_turn.path_memory import SPACING_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alerts.rules.right_turn.path import Bools, Floats, Parameters
    from alerts.rules.right_turn.path_memory import Rows, Walked

    Ints = NDArray[np.int64]


class Chords(NamedTuple):
    """The three lines up to a point; equal lengths."""

    #: Course of each, degrees clockwise from north.
    before_deg: Floats
    between_deg: Floats
    after_deg: Floats
    #: Distance between the ends as a share of the way, the smaller of the outer two.
    straight: Floats
    #: The path is known as far back as they need.
    known: Bools

    @property
    def turned_deg(self) -> Floats:
        """Course change from the first to the last, over the middle one, positive to the right."""
        return wrapped(self.between_deg - self.before_deg) + wrapped(self.after_deg - self.between_deg)


def wrapped(angle_deg: Floats) -> Floats:
    """Return angles in [-180, 180)."""
    return np.asarray((angle_deg + 180) % 360 - 180)


def points(length_m: Floats) -> Ints:
    """Return how many points of a path a length is."""
    return np.rint(np.asarray(length_m) / SPACING_M).astype(np.int64)


def course_deg(east_mm: NDArray[np.int32], north_mm: NDArray[np.int32]) -> Floats:
    """Return the course along an offset, degrees clockwise from north, in hundredths.

    The last bits of a float may depend on how many vehicles are computed at once, and what is judged
    must not.
    """
    return np.asarray(np.rint(np.rad2deg(np.arctan2(east_mm, north_mm)) * 100) / 100)


def between_deg(walked: Walked, row: Rows, start: Ints, end: Ints) -> Floats:
    """Return the course from one point of each row to another."""
    begins, ends = walked.at(row, start), walked.at(row, end)
    east_mm, north_mm = (ends.get(along) - begins.get(along) for along in ("east_mm", "north_mm"))
    return course_deg(east_mm, north_mm)


def lay(walked: Walked, row: Rows, number: Ints, rules: Parameters) -> Chords:
    """Lay the lines up to point `number` of each `row`; rules are one, or one a row."""
    begins = number - points(rules["after_m"])
    ends = begins - points(rules["between_m"])
    start = np.maximum(ends - points(rules["before_m"]), walked.head["first"][row])
    known = ends - start >= points(rules["min_before_m"])
    corners = walked.at(row, np.stack([start, ends, begins, number]))
    east_mm, north_mm = (np.diff(corners.get(along), axis=0) for along in ("east_mm", "north_mm"))
    before_deg, between_deg, after_deg = course_deg(east_mm, north_mm)
    apart_m = np.hypot(east_mm[::2] / 1000, north_mm[::2] / 1000)
    distance_m = np.stack([np.maximum(ends - start, 1), number - begins]) * SPACING_M
    straight = np.rint(apart_m / distance_m * 1000).min(axis=0) / 1000
    return Chords(before_deg, between_deg, after_deg, straight, known)
