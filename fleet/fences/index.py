"""Who is in which fence: exact answers for many positions at once, at a small fraction of a microsecond each.

A grid (`raster`) says for most cells at once which fences fill them; only in cells that a boundary runs
through is a position tested against the polygon, by prepared geometry. A boundary belongs to its fence.
Coordinates are micro-degrees, as fixes carry them, so that nothing is rounded on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from fleet import geo
from fleet.fences.raster import Raster

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from fleet.fences.raster import Cells, Lists
    from fleet.fences.versions import Fences, Times, Versions
    from fleet.kinds import FenceKind

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Degrees = NDArray[np.int32]
    Rows = NDArray[np.intp]

#: Signature of a cell where more must be looked at; no set of fences has it.
UNSETTLED = np.uint64(2**64 - 1)
#: Views of past and future times kept at once.
_MAX_VIEWS = 64


class Memberships(NamedTuple):
    """Which positions are in which fences: one element a pair, by row and then by version."""

    row: Rows
    version: Versions


class Crossings(NamedTuple):
    """Ways that meet a fence although both their ends are outside; one element a pair."""

    row: Rows
    version: Versions
    #: Metres of the way that lie inside.
    inside_m: Floats
    #: Where the first meeting and the last lie on the way, 0 its start and 1 its end.
    first: Floats
    last: Floats


class FenceIndex:
    """The fences of some kinds, on a grid."""

    def __init__(
        self, fences: Fences, kinds: Sequence[FenceKind], *, crossable: Iterable[FenceKind] = ()
    ) -> None:
        """Index the fences of `kinds`; `crossings` finds those of the kinds in `crossable`."""
        self.fences = fences
        #: The indexed versions, rows of `fences`.
        self.versions = fences.of_kinds(kinds)
        self._crossable = np.intersect1d(fences.of_kinds(crossable), self.versions).astype(np.int32)
        polygons = fences.polygons[self.versions]
        self._raster = Raster(polygons, np.isin(self.versions, self._crossable))
        self._listed = self.versions[self._raster.polygon]
        self._tree = shapely.STRtree(fences.polygons[self._crossable])
        dates = np.concatenate([fences.valid_from_us[self.versions], fences.until_us[self.versions]])
        #: Between two of these, the same versions are in force.
        self._changes_us = np.unique(dates)
        self._views: dict[int, _View] = {}
        self._plane = _Plane(fences.polygons)

    def __len__(self) -> int:
        return len(self.versions)

    def cells(self, lat_udeg: Degrees, lon_udeg: Degrees) -> Cells:
        """Return the cell of the grid that each position lies in; the other methods want it."""
        return self._raster.cells(lat_udeg, lon_udeg)

    def signatures(
        self, lat_udeg: Degrees, lon_udeg: Degrees, time_us: Times, cells: Cells
    ) -> NDArray[np.uint64]:
        """Return the sum of the signatures of the fences that each position is in; 0 where there is none.

        Arrays as for `inside`. Two positions with one signature are in the same fences, but for a chance
        of 2^-64.
        """
        signatures = self._cell_signatures(cells, time_us)
        open_questions = np.flatnonzero(signatures == UNSETTLED)
        if len(open_questions):
            at = open_questions
            found = self.inside(lat_udeg[at], lon_udeg[at], time_us[at], cells[at])
            signatures[at] = 0
            np.add.at(signatures, at[found.row], self.fences.signature[found.version])
        return signatures

    def _cell_signatures(self, cells: Cells, time_us: Times) -> NDArray[np.uint64]:
        """Return the signature of each cell; `UNSETTLED` where the position or the hour decides."""
        lists = self._raster.lists(cells)
        if self._is_one_period(time_us):
            return self._view(int(self._period(time_us[:1])[0])).signature.take(lists)
        signatures = np.zeros(len(cells), np.uint64)
        for period, rows in self._periods(time_us):
            signatures[rows] = self._view(period).signature[lists[rows]]
        return signatures

    def inside(
        self, lat_udeg: Degrees, lon_udeg: Degrees, time_us: Times, cells: Cells | None = None
    ) -> Memberships:
        """Return which fences in force each position is in, on the boundary included.

        Arrays of one length: micro-degrees, microseconds since 1970, and `self.cells` of the positions if
        the caller has them.
        """
        lists = self._raster.lists(self.cells(lat_udeg, lon_udeg) if cells is None else cells)
        found = [
            self._inside(self._view(period), rows, lists, lat_udeg, lon_udeg, time_us)
            for period, rows in self._periods(time_us)
        ]
        if len(found) == 1:
            return found[0]
        row = np.concatenate([part.row for part in found] or [np.empty(0, np.intp)])
        version = np.concatenate([part.version for part in found] or [np.empty(0, np.int32)])
        order = np.lexsort((version, row))
        return Memberships(row[order], version[order])

    def clear_of_boundaries(self, cells: Cells, north_udeg: Degrees, east_udeg: Degrees) -> Bools:
        """Mark the ways of that extent, ending in these cells, that are sure to meet no crossable fence."""
        return self._raster.clear_of_boundaries(cells, north_udeg, east_udeg)

    def crossings(
        self,
        before: tuple[Degrees, Degrees],
        now: tuple[Degrees, Degrees],
        time_us: Times,
    ) -> Crossings:
        """Return where straight ways meet a crossable fence in force although both ends are outside.

        `before` and `now` are (latitudes, longitudes) in micro-degrees. A way that only touches a
        boundary in a point meets it over 0 m.
        """
        ends = np.stack([np.column_stack(before[::-1]), np.column_stack(now[::-1])], axis=1).astype(float)
        ways = shapely.linestrings(ends)
        # The tree compares boxes; prepared polygons are far quicker at the rest than it would be.
        row, tree_row = self._tree.query(ways)
        version = self._crossable[tree_row]
        polygon = self.fences.polygons[version]
        meets = self.fences.in_force(version, time_us[row])
        meets[meets] = shapely.intersects(polygon[meets], ways[row[meets]])
        for end in (0, 1):
            meets[meets] = ~shapely.intersects_xy(polygon[meets], ends[row[meets], end])
        if not meets.any():
            nothing = np.empty(0)
            return Crossings(row[meets], version[meets], nothing, nothing, nothing)
        order = np.lexsort((version[meets], row[meets]))
        row, version = row[meets][order], version[meets][order]
        within = shapely.intersection(ways[row], self.fences.polygons[version])
        distance_m = geo.distance_m(before[0], before[1], now[0], now[1])[row]
        share = shapely.length(within) / np.maximum(shapely.length(ways[row]), 1e-9)
        first, last = _reach(ends[row], within)
        return Crossings(row, version, distance_m * share, first, last)

    def is_beyond(self, version: Versions, lat_udeg: Degrees, lon_udeg: Degrees, metres: Floats) -> Bools:
        """Mark the positions farther than so many metres outside a fence, one fence a position."""
        return np.asarray(~shapely.dwithin(*self._plane.place(version, lat_udeg, lon_udeg), metres))

    def _inside(
        self,
        view: _View,
        rows: Rows | slice,
        lists: Lists,
        lat_udeg: Degrees,
        lon_udeg: Degrees,
        time_us: Times,
    ) -> Memberships:
        size = view.size.take(lists[rows])
        some = np.flatnonzero(size)
        row = some if isinstance(rows, slice) else rows[some]
        row, element = _expanded(row, view.first[lists[row]], size[some])
        version, decided = view.version[element], view.decided[element]
        open_questions = np.flatnonzero(~decided)
        if not len(open_questions):
            return Memberships(row, version)
        asked, of = row[open_questions], version[open_questions]
        answers = self.fences.schedules.hold(of, time_us[asked])
        edge = np.flatnonzero(answers & ~view.filled[element[open_questions]])
        at = asked[edge]
        answers[edge] = shapely.intersects_xy(
            self.fences.polygons[of[edge]], lon_udeg[at].astype(float), lat_udeg[at].astype(float)
        )
        decided[open_questions] = answers
        return Memberships(row[decided], version[decided])

    def _is_one_period(self, time_us: Times) -> bool:
        if not len(time_us):
            return False
        first, last = np.searchsorted(self._changes_us, [time_us.min(), time_us.max()], side="right")
        return bool(first == last)

    def _period(self, time_us: Times) -> NDArray[np.intp]:
        return np.searchsorted(self._changes_us, time_us, side="right")

    def _periods(self, time_us: Times) -> Iterator[tuple[int, Rows | slice]]:
        """Yield each period between two changes with the rows that fall into it."""
        if self._is_one_period(time_us):
            yield int(self._period(time_us[:1])[0]), slice(None)
            return
        period = self._period(time_us)
        for number in np.unique(period).tolist():
            yield number, np.flatnonzero(period == number)

    def _view(self, period: int) -> _View:
        view = self._views.get(period)
        if view is None:
            if len(self._views) >= _MAX_VIEWS:
                self._views.pop(next(iter(self._views)))
            since_us = self._changes_us[period - 1] if period else np.int64(-(2**62) - 1)
            view = self._views[period] = _view(self._raster, self.fences, self._listed, since_us)
        return view


class _View(NamedTuple):
    """The raster's lists as they are in one period: only the versions in force."""

    #: First element and number of elements of each list.
    first: NDArray[np.int32]
    size: NDArray[np.int32]
    version: Versions
    filled: Bools
    #: Filled, and at any hour.
    decided: Bools
    #: One a list.
    signature: NDArray[np.uint64]


def _view(raster: Raster, fences: Fences, listed: Versions, since_us: np.int64) -> _View:
    in_force = (fences.valid_from_us[listed] <= since_us) & (since_us < fences.until_us[listed])
    before = np.concatenate([[0], np.cumsum(in_force)])
    first = before[raster.first]
    version, filled = listed[in_force], raster.filled[in_force]
    decided = filled & ~fences.schedules.some[version]
    number = np.repeat(np.arange(len(first) - 1), np.diff(first))
    signature = np.zeros(len(first) - 1, np.uint64)
    np.add.at(signature, number, fences.signature[version])
    signature[number[~decided]] = UNSETTLED
    return _View(
        first[:-1].astype(np.int32), np.diff(first).astype(np.int32), version, filled, decided, signature
    )


class _Plane:
    """Fences in metres east and north of their middle, each made when first asked for.

    The east scale is that of the middle latitude: distances of a few hundred metres from the boundary
    are exact to 1 % for a fence 100 km high.
    """

    def __init__(self, polygons: NDArray[np.object_]) -> None:
        self._given = polygons
        self._polygons = np.empty(len(polygons), object)
        self._made = np.zeros(len(polygons), np.bool_)
        self._middle = np.zeros((len(polygons), 2))
        self._scale = np.ones((len(polygons), 2))

    def place(
        self, version: Versions, lat_udeg: Degrees, lon_udeg: Degrees
    ) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """Return the polygons, and the positions as points beside each."""
        for number in np.unique(version[~self._made[version]]).tolist():
            self._make(number)
        places = np.column_stack([lon_udeg, lat_udeg]) - self._middle[version]
        return self._polygons[version], np.asarray(shapely.points(places * self._scale[version]))

    def _make(self, number: int) -> None:
        west, south, east, north = shapely.bounds(self._given[number]).tolist()
        middle = np.array([(west + east) / 2, (south + north) / 2])
        scale = geo.M_PER_UDEG * np.array([np.cos(np.deg2rad(middle[1] * 1e-6)), 1.0])
        polygon = shapely.transform(self._given[number], lambda places: (places - middle) * scale)
        shapely.prepare(polygon)
        self._polygons[number], self._middle[number], self._scale[number] = polygon, middle, scale
        self._made[number] = True


def _expanded(row: Rows, first: NDArray[np.int32], count: NDArray[np.int32]) -> tuple[Rows, Rows]:
    """Repeat each row `count` times, and number the elements of its list from `first`."""
    if not len(row):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    if int(count.max()) == 1:
        return row, first.astype(np.intp)
    ends = np.cumsum(count)
    step = np.arange(ends[-1]) - np.repeat(ends - count, count)
    return np.repeat(row, count), np.repeat(first, count) + step


def _reach(ends: Floats, within: NDArray[np.object_]) -> tuple[Floats, Floats]:
    """Return where on the ways (n, 2 ends, 2) their parts begin and end, by the longer of the two axes."""
    start, way = ends[:, 0], ends[:, 1] - ends[:, 0]
    axis = np.abs(way).argmax(axis=1)
    row = np.arange(len(ends))
    bounds = shapely.bounds(within).reshape(-1, 2, 2)[row, :, axis]
    share = np.clip((bounds - start[row, axis, None]) / way[row, axis, None], 0.0, 1.0)
    return share.min(axis=1), share.max(axis=1)
