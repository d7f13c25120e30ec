"""The line a truck drives: straights in the right-hand lane, joined by arcs of real radius.

A path is a list of pieces of constant curvature. Distances along it are exact, so that a speed profile
over the distance gives positions whose change is the speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

#: Below this a change of direction is a bend of the street, driven on a wide arc.
BEND_DEG = 35.0
BEND_TANGENT_M = 40.0
#: At most this share of a straight is given to the arc at either end.
TANGENT_SHARE = 0.45
#: Keeps x / tan(x) finite where the way goes straight on.
TINY_RAD = 1e-9


@dataclass(frozen=True, slots=True)
class Path:
    """Pieces (k,): straight, arc, straight, ..., straight; k is odd."""

    #: Distance at which each piece begins; one more at the end, (k + 1,).
    start_m: Floats
    x_m: Floats
    y_m: Floats
    #: Direction of motion at the beginning of the piece, radians clockwise from north.
    heading_rad: Floats
    #: Positive to the right, 1/m; 0 on straights.
    curvature_per_m: Floats

    @property
    def length_m(self) -> float:
        """Length of the whole path."""
        return float(self.start_m[-1])

    def at(self, distance_m: Floats) -> tuple[Floats, Floats, Floats]:
        """Return (x, y, heading in radians) at distances along the path, any shape."""
        piece = self.piece(distance_m)
        along = distance_m - self.start_m[piece]
        half = self.curvature_per_m[piece] * along / 2
        chord = along * np.sinc(half / np.pi)
        towards = self.heading_rad[piece] + half
        x = self.x_m[piece] + chord * np.sin(towards)
        y = self.y_m[piece] + chord * np.cos(towards)
        return x, y, towards + half

    def piece(self, distance_m: Floats) -> Ints:
        """Return the piece that each distance lies on."""
        return np.asarray(self.start_m[1:-1].searchsorted(distance_m, "right"))

    def turned_rad(self) -> Floats:
        """Return the change of direction over each piece, right positive, (k,)."""
        return np.asarray(self.curvature_per_m * np.diff(self.start_m))


def through(corner_m: Floats, radius_m: Floats) -> Path:
    """Return the path through corners (n, 2), rounded with the radii wanted (n,), n >= 3.

    A corner gets a smaller radius than wanted where the straights beside it are too short; a bend (less
    than 35 degrees) the largest that its straights allow. The first and last radius are not used.
    """
    leg = np.diff(corner_m, axis=0)
    length = np.hypot(leg[:, 0], leg[:, 1])
    heading = np.arctan2(leg[:, 0], leg[:, 1])
    turn = (np.diff(heading) + np.pi) % (2 * np.pi) - np.pi
    half_tan = np.tan(np.abs(turn) / 2)
    room = TANGENT_SHARE * np.minimum(length[:-1], length[1:])
    bend = np.abs(turn) < np.deg2rad(BEND_DEG)
    tangent = np.minimum(np.where(bend, BEND_TANGENT_M, radius_m[1:-1] * half_tan), room)
    tangent = np.maximum(tangent, 1e-6)
    cut = np.concatenate([[0.0], tangent, [0.0]])
    straight = length - cut[:-1] - cut[1:]
    curvature = np.sign(turn) * half_tan / tangent
    half = np.maximum(np.abs(turn) / 2, TINY_RAD)
    arc = 2 * tangent * half / np.tan(half)
    unit = leg / length[:, None]
    pieces = 2 * len(leg) - 1
    piece_length, piece_curvature = np.empty(pieces), np.zeros(pieces)
    piece_heading, begin = np.empty(pieces), np.empty((pieces, 2))
    piece_length[0::2], piece_length[1::2] = straight, arc
    piece_curvature[1::2] = curvature
    piece_heading[0::2], piece_heading[1::2] = heading, heading[:-1]
    begin[0::2] = corner_m[:-1] + unit * cut[:-1, None]
    begin[1::2] = corner_m[1:-1] - unit[:-1] * tangent[:, None]
    start = np.concatenate([[0.0], np.cumsum(piece_length)])
    return Path(start, begin[:, 0], begin[:, 1], piece_heading, piece_curvature)
