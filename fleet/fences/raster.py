"""A grid over fences: for every cell, which fences fill it and whose boundary runs through it.

Cells are squares of 2^n micro-degrees. Rows and columns that no fence comes near are folded into one,
so that fences in two far cities do not need a grid over the country between them. A cell refers to a
list of (fence, fills it or not); cells of one surrounding share one list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely
from scipy.ndimage import distance_transform_cdt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Bools = NDArray[np.bool_]
    Cells = NDArray[np.int32]
    Lists = NDArray[np.unsignedinteger[Any]]

#: Cells at most: 3 to 5 bytes each. More area makes cells larger, and more fixes need the exact test.
MAX_CELLS = 6_000_000
#: Cells are at least 512 micro-degrees wide, 57 m: smaller ones would save few exact tests.
SMALLEST_SHIFT = 9
#: Rows and columns kept around each fence, so that what lies beyond is known to be that far away.
MARGIN = 8
#: A boundary counts as touching what is this close, micro-degrees: rounding never leaves a gap.
_SLACK_UDEG = 0.5
_OUTSIDE, _BOUNDARY, _FILLED = 0, 1, 2
_FAR = 255


class Axis(NamedTuple):
    """Folded rows or columns: `place` is 0 outside, else the number of the row, from 1."""

    low: int
    place: NDArray[np.int32]
    size: int

    def places(self, raw: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the folded row of each raw one (micro-degrees >> shift)."""
        return self.place.take(raw - self.low, mode="clip")


class Raster:
    """The grid, as arrays over its cells and over its lists."""

    def __init__(self, polygons: NDArray[np.object_], crossable: Bools) -> None:
        """Draw prepared polygons, micro-degrees; clearance is measured to the boundaries of `crossable`."""
        bounds = shapely.bounds(polygons).reshape(-1, 4)
        self.shift, self._columns, self._rows = _axes(bounds)
        lists = _Lists()
        cells = np.zeros((self._rows.size, self._columns.size), np.int32)
        edges = np.zeros(cells.shape, np.bool_)
        for number, polygon in enumerate(polygons):
            row, column = self._corner(bounds[number])
            drawn = _draw(polygon, bounds[number], self.shift)
            window = (slice(row, row + drawn.shape[0]), slice(column, column + drawn.shape[1]))
            cells[window] = lists.extended(cells[window], drawn, number)
            if crossable[number]:
                edges[window] |= drawn == _BOUNDARY
        used, self.first, self.polygon, self.filled = lists.flat(cells)
        # Two bytes a cell are enough for a city's fences.
        renumbered = np.zeros(len(lists), np.min_scalar_type(len(used)))
        renumbered[used] = np.arange(len(used))
        self._list = renumbered[cells].ravel()
        self._clearance = _clearance(edges).ravel()

    def cells(self, lat_udeg: NDArray[np.int32], lon_udeg: NDArray[np.int32]) -> Cells:
        """Return the cell of each position."""
        row = self._rows.places(lat_udeg >> self.shift)
        return np.asarray(row * np.int32(self._columns.size) + self._columns.places(lon_udeg >> self.shift))

    def lists(self, cells: Cells) -> Lists:
        """Return the list of each cell: `polygon[first[n]:first[n + 1]]` and `filled` alike; 0 is empty."""
        return self._list.take(cells)

    def clear_of_boundaries(
        self, cells: Cells, north_udeg: NDArray[np.int32], east_udeg: NDArray[np.int32]
    ) -> Bools:
        """Mark the ways of that extent, ending in these cells, that surely meet no crossable boundary."""
        extent = np.maximum(np.abs(north_udeg), np.abs(east_udeg))
        return np.asarray((extent >> self.shift) + 1 < self._clearance.take(cells))

    def _corner(self, bounds: NDArray[np.float64]) -> tuple[int, int]:
        west, south, _east, _north = _raw_bounds(bounds, self.shift)
        return int(self._rows.places(np.array(south))), int(self._columns.places(np.array(west)))


def _raw_bounds(bounds: ArrayLike, shift: int) -> NDArray[np.int32]:
    """Return (west, south, east, north) in raw rows and columns of bounds (..., 4) in micro-degrees."""
    wider = np.asarray(bounds, np.float64) + np.array([-1, -1, 1, 1]) * _SLACK_UDEG
    return np.asarray(np.floor(wider / 2.0**shift)).astype(np.int32)


def _axes(bounds: NDArray[np.float64]) -> tuple[int, Axis, Axis]:
    """Return the shift, the columns and the rows of the finest grid that is not too large."""
    shift = SMALLEST_SHIFT
    while True:
        raw = _raw_bounds(bounds, shift)
        columns, rows = _axis(raw[:, 0], raw[:, 2]), _axis(raw[:, 1], raw[:, 3])
        if columns.size * rows.size <= MAX_CELLS:
            return shift, columns, rows
        shift += 1


def _axis(first: NDArray[np.int32], last: NDArray[np.int32]) -> Axis:
    """Fold the raw rows outside all [first - MARGIN, last + MARGIN] into number 0."""
    if not len(first):
        return Axis(0, np.zeros(1, np.int32), 1)
    low = int(first.min()) - MARGIN - 1
    depth = np.zeros(int(last.max()) + MARGIN + 3 - low, np.int32)
    np.add.at(depth, first - MARGIN - low, 1)
    np.add.at(depth, last + MARGIN + 1 - low, -1)
    covered: Bools = np.cumsum(depth) > 0
    place = np.where(covered, np.cumsum(covered), 0).astype(np.int32)
    return Axis(low, place, int(covered.sum()) + 1)


def _draw(polygon: shapely.Geometry, bounds: NDArray[np.float64], shift: int) -> NDArray[np.uint8]:
    """Return what each cell of a polygon's bounds is: outside, boundary, or filled."""
    west, south, east, north = _raw_bounds(bounds, shift).tolist()
    drawn = np.zeros((north - south + 1, east - west + 1), np.uint8)
    for row, column in _touched(polygon, shift):
        drawn[row - south, column - west] = _BOUNDARY
    # Between two boundary cells of a row nothing changes: one test tells of the whole run.
    free = drawn == _OUTSIDE
    begins = free & ~np.pad(free, ((0, 0), (1, 0)))[:, :-1]
    rows, columns = np.nonzero(begins)
    middle = (np.column_stack([columns + west, rows + south]) + 0.5) * 2.0**shift
    filled = shapely.intersects_xy(polygon, middle)
    run = np.cumsum(begins).reshape(free.shape) - 1
    drawn[free] = np.where(filled[run[free]], _FILLED, _OUTSIDE) if len(filled) else _OUTSIDE
    return drawn


def _touched(polygon: shapely.Geometry, shift: int) -> list[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Return raw rows and columns of cells that hold all of the boundary, and perhaps some more."""
    # Pieces of half a cell lie in at most two rows and two columns.
    rings = shapely.segmentize(shapely.get_rings(shapely.get_parts(polygon)), 2.0 ** (shift - 1))
    places, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    start, end = places[:-1][same], places[1:][same]
    low = np.floor((np.minimum(start, end) - _SLACK_UDEG) / 2.0**shift).astype(np.int32)
    high = np.floor((np.maximum(start, end) + _SLACK_UDEG) / 2.0**shift).astype(np.int32)
    return [(y, x) for y in (low[:, 1], high[:, 1]) for x in (low[:, 0], high[:, 0])]


def _clearance(edges: Bools) -> NDArray[np.uint8]:
    """Return how many rows or columns away the nearest edge is; never more than is known."""
    if not edges.any():
        return np.full(edges.shape, _FAR, np.uint8)
    clearance = np.minimum(distance_transform_cdt(~edges, "chessboard"), _FAR).astype(np.uint8)
    # What is folded lies at least a margin away from every fence.
    clearance[0, :] = clearance[:, 0] = MARGIN
    return np.asarray(clearance)


class _Lists:
    """Lists of (polygon, filled or not) that grow at the end; number 0 is empty."""

    def __init__(self) -> None:
        self._before = [0]
        self._polygon = [-1]
        self._filled = [False]

    def __len__(self) -> int:
        return len(self._before)

    def extended(
        self, numbers: NDArray[np.int32], drawn: NDArray[np.uint8], polygon: int
    ) -> NDArray[np.int32]:
        """Return the lists of cells with a polygon behind them, where it is drawn."""
        where = drawn != _OUTSIDE
        key = numbers[where].astype(np.int64) * 2 + (drawn[where] == _FILLED)
        distinct, inverse = np.unique(key, return_inverse=True)
        extended = numbers.copy()
        extended[where] = len(self) + inverse
        self._before += (distinct // 2).tolist()
        self._filled += (distinct % 2 == 1).tolist()
        self._polygon += [polygon] * len(distinct)
        return extended

    def flat(
        self, cells: NDArray[np.int32]
    ) -> tuple[Sequence[int], NDArray[np.int32], NDArray[np.int32], Bools]:
        """Return the numbers in use with 0, and their lists: first element of each, polygons, filled."""
        mask = np.zeros(len(self), np.bool_)
        mask[cells.ravel()] = True
        mask[0] = True
        used = np.flatnonzero(mask).tolist()
        lists = [self._elements(number) for number in used]
        first = np.cumsum([0, *(len(elements) for elements in lists)]).astype(np.int32)
        elements = [element for found in lists for element in found]
        polygon = np.array([polygon for polygon, _ in elements], np.int32)
        return used, first, polygon, np.array([filled for _, filled in elements], np.bool_)

    def _elements(self, number: int) -> list[tuple[int, bool]]:
        elements = []
        while number:
            elements.append((self._polygon[number], self._filled[number]))
            number = self._before[number]
        return elements[::-1]
