"""Turning places: a place is a corner and the direction from which it is entered.

Turns are counted by cells of `CELL_M`, each in one of 16 directions of entry. A cell belongs to the nearest
place within `REACH_M` whose direction is within `SAME_WAY_DEG`. Of the cells that belong to none, the one
with most turns founds a place, again and again, as long as there are `FEWEST_TO_FOUND` turns within its
reach. A place is named after its founder and never moves or goes: a turn that was counted at a place stays
there, whatever comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.geo import M_PER_UDEG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

#: Side of a cell: about what a receiver is off.
CELL_M = 10.0
#: The middles of turns from one approach lie within this of each other: trucks swing out, receivers are off.
REACH_M = 25.0
#: Approaches of a junction differ by more; courses of one approach by less.
SAME_WAY_DEG = 45.0
#: Fewer turns within reach are a yard, a lay-by or chance, not a place that is worth a name.
FEWEST_TO_FOUND = 5
#: What belongs to no place.
NOWHERE = -1
#: Points of the compass, clockwise.
POINTS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
_POINT_DEG = 360 / len(POINTS)
#: Codes name degrees to five places, about a metre.
_CODE_UDEG = 10


@dataclass(frozen=True, slots=True)
class Place:
    """A corner and the direction from which it is entered."""

    code: str
    lat_udeg: int
    lon_udeg: int
    entry_course_deg: int

    @property
    def heading(self) -> str:
        """The direction of entry as a point of the compass: N is driving to the north."""
        return POINTS[round(self.entry_course_deg / _POINT_DEG) % len(POINTS)]


class Placed(NamedTuple):
    """Which place each turn is at."""

    places: list[Place]
    #: Of these, how many were known before: they come first.
    known: int
    #: Index of the place of each turn; `NOWHERE`.
    of_turn: Ints


class _Cells(NamedTuple):
    """Cells with a turn in them; equal lengths."""

    lat_udeg: Ints
    lon_udeg: Ints
    course_deg: Floats
    turns: Ints


def place_turns(
    lat_udeg: NDArray[np.int32],
    lon_udeg: NDArray[np.int32],
    course_deg: NDArray[np.int16],
    known: Sequence[Place],
) -> Placed:
    """Return the place of each turn; places that are not known yet are founded.

    Parameters
    ----------
    lat_udeg, lon_udeg, course_deg
        The middle of each turn, and the course on the way in; -1 unknown: such a turn has no place.
    known
        Places founded before.
    """
    of_turn = np.full(len(lat_udeg), NOWHERE, np.int64)
    directed = np.flatnonzero(course_deg >= 0)
    cells, cell = _cells(lat_udeg[directed], lon_udeg[directed], course_deg[directed])
    own = _nearest(cells, known)
    founded = _found(cells, own == NOWHERE)
    fresh = np.flatnonzero(own == NOWHERE)
    nearest = _nearest(_Cells._make(values[fresh] for values in cells), founded)
    own[fresh] = np.where(nearest == NOWHERE, NOWHERE, nearest + len(known))
    of_turn[directed] = own[cell]
    return Placed([*known, *founded], len(known), of_turn)


def _cells(
    lat_udeg: NDArray[np.int32], lon_udeg: NDArray[np.int32], course_deg: NDArray[np.int16]
) -> tuple[_Cells, Ints]:
    """Return the cells, each where its centre is, in the order of their numbers; and the cell of each."""
    side_udeg = CELL_M / M_PER_UDEG
    row = np.floor(lat_udeg / side_udeg).astype(np.int64)
    middle_udeg = np.rint((row + 0.5) * side_udeg)
    # Cells of a row are equally wide: only the row decides.
    wide_udeg = side_udeg / np.maximum(np.cos(np.deg2rad(middle_udeg / 1e6)), 0.01)
    column = np.floor(lon_udeg / wide_udeg).astype(np.int64)
    point = np.rint(course_deg / _POINT_DEG).astype(np.int64) % len(POINTS)
    keys, first, cell, turns = np.unique(
        np.stack([row, column, point], axis=1),
        axis=0,
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    lon_middle_udeg = np.rint((keys[:, 1] + 0.5) * wide_udeg[first]).astype(np.int64)
    found = _Cells(middle_udeg[first].astype(np.int64), lon_middle_udeg, keys[:, 2] * _POINT_DEG, turns)
    return found, cell.ravel()


def _near(cells: _Cells, lat_udeg: int, lon_udeg: int, course_deg: float) -> Floats:
    """Return how far each cell is from a place, metres; infinite beyond its reach or in another direction."""
    north_m = (cells.lat_udeg - lat_udeg) * M_PER_UDEG
    east_m = (cells.lon_udeg - lon_udeg) * M_PER_UDEG * np.cos(np.deg2rad(lat_udeg / 1e6))
    apart_m = np.hypot(north_m, east_m)
    off_deg = np.abs((cells.course_deg - course_deg + 180) % 360 - 180)
    return np.where((apart_m <= REACH_M) & (off_deg <= SAME_WAY_DEG), apart_m, np.inf)


def _within(cells: _Cells, by_lat: Ints, lat_udeg: int) -> Ints:
    """Return the cells that can be within reach by their latitude alone; `by_lat` sorts them by it."""
    reach_udeg = REACH_M / M_PER_UDEG + 1
    sides = np.searchsorted(cells.lat_udeg, [lat_udeg - reach_udeg, lat_udeg + reach_udeg], sorter=by_lat)
    return by_lat[sides[0] : sides[1]]


def _nearest(cells: _Cells, places: Sequence[Place]) -> Ints:
    """Return the index of the nearest place within reach of each cell; of two as near, the first."""
    best = np.full(len(cells.turns), NOWHERE, np.int64)
    best_m = np.full(len(cells.turns), np.inf)
    by_lat = np.argsort(cells.lat_udeg, kind="stable")
    for index, place in enumerate(places):
        rows = _within(cells, by_lat, place.lat_udeg)
        apart_m = _near(
            _Cells._make(values[rows] for values in cells),
            place.lat_udeg,
            place.lon_udeg,
            place.entry_course_deg,
        )
        nearer = apart_m < best_m[rows]
        best[rows[nearer]], best_m[rows[nearer]] = index, apart_m[nearer]
    return best


def _found(cells: _Cells, free: NDArray[np.bool_]) -> list[Place]:
    """Found places of cells that belong to none, most turns first; of equal ones the first in order."""
    free = free.copy()
    founded = []
    by_lat = np.argsort(cells.lat_udeg, kind="stable")
    for cell in np.argsort(-cells.turns, kind="stable").tolist():
        if not free[cell]:
            continue
        rows = _within(cells, by_lat, int(cells.lat_udeg[cell]))
        rows = rows[free[rows]]
        lat_udeg, lon_udeg = int(cells.lat_udeg[cell]), int(cells.lon_udeg[cell])
        course_deg = float(cells.course_deg[cell])
        near = _near(_Cells._make(values[rows] for values in cells), lat_udeg, lon_udeg, course_deg) < np.inf
        if cells.turns[rows[near]].sum() >= FEWEST_TO_FOUND:
            founded.append(_place(lat_udeg, lon_udeg, course_deg))
            free[rows[near]] = False
    return founded


def _place(lat_udeg: int, lon_udeg: int, course_deg: float) -> Place:
    lat, lon = (abs(round(value / _CODE_UDEG)) for value in (lat_udeg, lon_udeg))
    point = POINTS[round(course_deg / _POINT_DEG) % len(POINTS)]
    code = f"{'NS'[lat_udeg < 0]}{lat}{'EW'[lon_udeg < 0]}{lon}-{point}"
    return Place(code, lat_udeg, lon_udeg, int(course_deg))
