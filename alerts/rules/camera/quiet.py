"""Cameras that see too little: far fewer detections than their peers on the same turns.

Junctions differ: beside a school somebody is always there. So what a vehicle would see is summed up over its
armed turns from what the others saw in the same places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.geo import M_PER_UDEG

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

#: Turns whose middles lie in one square of this size are turns of one junction.
PLACE_M = 60.0


class Cameras(NamedTuple):
    """One row a vehicle; equal lengths."""

    vehicle_id: NDArray[np.int32]
    #: Armed turns in places where others turned armed too, what was seen there, what peers would have seen.
    turns: Ints
    seen: Ints
    expected: Floats
    #: Far fewer than peers: shown, and left out of rates.
    too_quiet: NDArray[np.bool_]


def places(lat_udeg: NDArray[np.int32], lon_udeg: NDArray[np.int32]) -> Ints:
    """Return a number for the square that each place lies in."""
    side_udeg = PLACE_M / M_PER_UDEG
    wide = np.cos(np.deg2rad(np.rint(lat_udeg / 1e6)))
    north = np.floor(lat_udeg / side_udeg).astype(np.int64)
    east = np.floor(lon_udeg * np.maximum(wide, 0.01) / side_udeg).astype(np.int64)
    return np.asarray((north << 32) + east)


def cameras(
    vehicle_id: NDArray[np.int32], place: Ints, conflicts: Ints, *, share: float, expected: float
) -> Cameras:
    """Compare each vehicle with its peers; a row is one armed turn.

    Parameters
    ----------
    vehicle_id, place, conflicts
        Of each turn: whose, where (`places`), and how many its camera saw.
    share, expected
        Too quiet is less than this share of what peers would have seen, if that is so many at least.
    """
    vehicles, vehicle = np.unique(vehicle_id, return_inverse=True)
    _, where = np.unique(place, return_inverse=True)
    pair, row = np.unique(np.stack([vehicle, where]), axis=1, return_inverse=True)
    row = row.ravel()
    turns = np.bincount(row, minlength=pair.shape[1])
    seen = np.bincount(row, weights=conflicts, minlength=pair.shape[1])
    whose, at = pair
    of_others = np.bincount(at, weights=turns)[at] - turns
    seen_by_others = np.bincount(at, weights=seen)[at] - seen
    would_see = np.divide(seen_by_others * turns, of_others, out=np.zeros(len(turns)), where=of_others > 0)
    compared = of_others > 0
    size = len(vehicles)
    own_turns = np.bincount(whose[compared], weights=turns[compared], minlength=size)
    own_seen = np.bincount(whose[compared], weights=seen[compared], minlength=size)
    peers = np.bincount(whose[compared], weights=would_see[compared], minlength=size).astype(np.float64)
    return Cameras(
        vehicles,
        own_turns.astype(np.int64),
        own_seen.astype(np.int64),
        peers,
        (peers >= expected) & (own_seen < share * peers),
    )
