"""From one site to another: the path through the streets, and what is known of each piece of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleet.columns import FixFlag
from simulators import areas, path
from simulators.streets import LANE_WIDTH_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulators.city import City
    from simulators.path import Path
    from simulators.sites import Site

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

YARD_RADIUS_M = 12.0
#: Radii of junction corners, by junction: to the right (narrow) and to the left (across).
RIGHT_RADIUS_M, RIGHT_SPREAD_M = 12.5, 5.0
LEFT_RADIUS_M, LEFT_SPREAD_M = 18.0, 6.0
GOLDEN = 0.6180339887
#: Straights of the yard before the street, and after it.
YARD_OUT, YARD_IN = 3, 1
STRAIGHT_ON_DEG = 20.0
NO_NODE = -1
#: Indicators are set this far before a corner.
INDICATE_BEFORE_M = 45.0


@dataclass(frozen=True, slots=True)
class Course:
    """A path and, for each of its pieces (k,), where it lies."""

    path: Path
    edge: Ints
    #: Posted limit, km/h; on an arc the lower of the two streets'.
    posted_kmh: Ints
    #: In a site's yard, or an arc at its mouth.
    yard: Bools
    #: Junction of an arc, -1 elsewhere.
    node: Ints
    #: (z, 2) distances between which a school's speed zone lies, and its limit (z,).
    zone_m: Floats
    zone_kmh: Ints
    #: Corners and one beyond the end of the way (c + 1,): where each ends, over which length before that
    #: the indicator is set, and which (a `FixFlag` bit).
    corner_end_m: Floats
    corner_length_m: Floats
    corner_bit: Ints

    def right_turns(self) -> Ints:
        """Return the pieces that are right turns, or might be taken for one."""
        turned = np.rad2deg(self.path.turned_rad())
        return np.flatnonzero((turned > path.BEND_DEG) & ~self.yard)

    def mouths(self) -> tuple[int, int]:
        """Return the arcs from a yard into the street and from the street into a yard: right turns too."""
        return 2 * YARD_OUT - 1, len(self.yard) - 2 * YARD_IN


def between(city: City, origin: Site, destination: Site, way: Sequence[int]) -> Course:
    """Lay the course along the edges of `way`, from stand to stand."""
    edges = np.asarray(way)
    streets = city.streets
    nodes = streets.end[edges[:-1]]
    corners = np.vstack([origin.distance_m[1:], _lane_corners(city, edges), destination.distance_m[:2]])
    of_corner = np.concatenate([[NO_NODE] * 4, nodes, [NO_NODE] * 2])
    made = path.through(corners, _radii(corners, of_corner))
    straight_edge = np.concatenate([[edges[0]] * YARD_OUT, edges, [edges[-1]] * YARD_IN])
    yard = np.zeros(len(straight_edge), bool)
    yard[:YARD_OUT] = yard[-YARD_IN:] = True
    posted = streets.limit_kmh[straight_edge]
    zone_m, zone_kmh = _zones(city, edges, made)
    end_m, length_m, bit = _corners(made)
    return Course(
        path=made,
        edge=_pieces(straight_edge, straight_edge[1:]),
        posted_kmh=_pieces(posted, np.minimum(posted[:-1], posted[1:])),
        yard=_pieces(yard, yard[:-1] | yard[1:]).astype(bool),
        node=_pieces(np.full(len(straight_edge), NO_NODE), of_corner[1:-1]),
        zone_m=zone_m,
        zone_kmh=zone_kmh,
        corner_end_m=end_m,
        corner_length_m=length_m,
        corner_bit=bit,
    )


def _corners(made: Path) -> tuple[Floats, Floats, Ints]:
    """Return where corners end, and where and which indicator is set before."""
    turned = made.turned_rad()
    corner = np.flatnonzero(np.abs(turned) > np.deg2rad(path.BEND_DEG))
    length = made.start_m[corner + 1] - made.start_m[corner] + INDICATE_BEFORE_M
    bit = np.where(turned[corner] > 0, FixFlag.RIGHT_INDICATOR_ON, FixFlag.LEFT_INDICATOR_ON)
    return np.append(made.start_m[corner + 1], np.inf), np.append(length, 0.0), np.append(bit, 0)


def _pieces(straight: NDArray[np.generic], arc: NDArray[np.generic]) -> Ints:
    """Return values per piece from those of the straights (j,) and of the arcs between them (j - 1,)."""
    out = np.empty(2 * len(straight) - 1, np.int64)
    out[0::2], out[1::2] = straight, arc
    return out


def _lane_corners(city: City, edges: Ints) -> Floats:
    """Return where the right-hand lanes of successive edges meet, (len(edges) - 1, 2)."""
    streets = city.streets
    a, b = streets.start[edges], streets.end[edges]
    length = streets.length_m[edges]
    ahead = (
        np.stack([streets.x_m[b] - streets.x_m[a], streets.y_m[b] - streets.y_m[a]], axis=1) / length[:, None]
    )
    right = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1)
    offset = (streets.lanes[edges] - 0.5) * LANE_WIDTH_M
    before, after = right[:-1], right[1:]
    w_before, w_after = offset[:-1], offset[1:]
    sine = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    cosine = (before * after).sum(axis=1)
    straight_on = cosine > np.cos(np.deg2rad(STRAIGHT_ON_DEG))
    divisor = np.where(straight_on, 1.0, sine)
    meet = (w_before[:, None] * _turned(after) - w_after[:, None] * _turned(before)) / -divisor[:, None]
    miter = ((w_before + w_after) / 2 / (1 + cosine))[:, None] * (before + after)
    node = np.stack([streets.x_m[b[:-1]], streets.y_m[b[:-1]]], axis=1)
    return np.asarray(node + np.where(straight_on[:, None], miter, meet))


def _turned(vectors: Floats) -> Floats:
    return np.stack([-vectors[:, 1], vectors[:, 0]], axis=1)


def _radii(corners: Floats, of_corner: Ints) -> Floats:
    """Return the radius wanted at each corner: narrow to the right, wide to the left, tight in yards."""
    leg = np.diff(corners, axis=0)
    cross = np.zeros(len(corners))
    cross[1:-1] = leg[:-1, 0] * leg[1:, 1] - leg[:-1, 1] * leg[1:, 0]
    spread = (of_corner * GOLDEN) % 1.0
    right = RIGHT_RADIUS_M + RIGHT_SPREAD_M * spread
    left = LEFT_RADIUS_M + LEFT_SPREAD_M * spread
    return np.where(of_corner == NO_NODE, YARD_RADIUS_M, np.where(cross < 0, right, left))


def _zones(city: City, edges: Ints, made: Path) -> tuple[Floats, Ints]:
    """Return where speed zones begin and end along the path."""
    streets = city.streets
    zone_m, zone_kmh = [], []
    for position in np.flatnonzero(city.zone_kmh[edges] > 0).tolist():
        edge = edges[position]
        a, b = streets.start[edge], streets.end[edge]
        from_m = np.array([streets.x_m[a], streets.y_m[a]])
        ahead = (np.array([streets.x_m[b], streets.y_m[b]]) - from_m) / streets.length_m[edge]
        piece = 2 * (YARD_OUT + position)
        begun = float((np.array([made.x_m[piece], made.y_m[piece]]) - from_m) @ ahead)
        shares = np.array([areas.ZONE_FROM, areas.ZONE_TO])
        zone_m.append(made.start_m[piece] + shares * streets.length_m[edge] - begun)
        zone_kmh.append(int(city.zone_kmh[edge]))
    return np.array(zone_m).reshape(-1, 2), np.array(zone_kmh, np.int64)
