"""Plants, building sites and wash stations: a yard beside a street, entered and left by right turns.

A truck leaves the street at the mouth, stops at the stand, drives on round the yard and comes back to
the street a little further along. All of it but the two arcs at the kerb lies inside the site's fence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulators.streets import Streets

    Floats = NDArray[np.float64]

YARD_DEPTH_M = 70.0
STAND_M = 40.0
MOUTHS_APART_M = 44.0
SHORTEST_STREET_M = 330.0
FENCE_MARGIN_M = 18.0
#: The fence begins this far from the lane, so that passing trucks stay outside it.
KERB_M = 9.0


@dataclass(frozen=True, slots=True)
class Site:
    """A place where trucks load, pour or are washed."""

    code: str
    kind: Literal["plant", "site", "wash"]
    #: The directed edge it is entered from, and how far along it the mouth lies.
    edge: int
    along_m: float
    #: (7, 2): mouth, stand, two corners of the way round, exit on the lane; then fence points separately.
    distance_m: Floats
    fence_m: Floats


def yard(streets: Streets, code: str, kind: Literal["plant", "site", "wash"], edge: int) -> Site:
    """Lay a site along the middle of a street's right-hand side."""
    a, b = streets.start[edge], streets.end[edge]
    origin = np.array([streets.x_m[a], streets.y_m[a]])
    ahead = (np.array([streets.x_m[b], streets.y_m[b]]) - origin) / streets.length_m[edge]
    right = np.array([ahead[1], -ahead[0]])
    lane = streets.lane_offset_m()[edge]
    along = float(streets.length_m[edge] / 2 - MOUTHS_APART_M / 2)

    def at(forward_m: float, aside_m: float) -> Floats:
        return np.asarray(origin + (along + forward_m) * ahead + (lane + aside_m) * right)

    way = [
        at(0, 0),
        at(0, STAND_M),
        at(0, YARD_DEPTH_M),
        at(MOUTHS_APART_M, YARD_DEPTH_M),
        at(MOUTHS_APART_M, 0),
    ]
    far, wide = YARD_DEPTH_M + FENCE_MARGIN_M, MOUTHS_APART_M + FENCE_MARGIN_M
    fence = [at(-FENCE_MARGIN_M, KERB_M), at(-FENCE_MARGIN_M, far), at(wide, far), at(wide, KERB_M)]
    return Site(code, kind, edge, along, np.array(way), np.array(fence))
