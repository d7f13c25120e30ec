"""What a vehicle remembers of the way it has driven: where it is on it, and a ring of the points behind it.

Points are numbered on and on, every 5 m of way, and the newest `POINTS` are kept: the last 150 m, however
often a unit reports. Each point knows what was seen on the way to it: speeds, intervals, the unit's course,
signals. Coordinates are whole millimetres east and north of where the path began: their sums do not depend on
the order of summing, nor on how many vehicles are computed at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Rows = NDArray[np.intp]

NEVER = -1
SPACING_M = 5
#: Points remembered.
POINTS = 32

_NOTHING_SLOW = np.iinfo(np.int16).max

#: What was seen on a piece of way.
_SEEN = [
    ("slowest_dkmh", "i2"),  # at fixes that are no corners
    ("fastest_dkmh", "i2"),  # at fixes that are no corners, of what the unit sent
    ("standing_cs", "u2"),
    ("held_cs", "u2"),  # time in slow motion or standing
    ("longest_cs", "u2"),  # longest interval between fixes
    ("signals", "i2"),  # bits of `FixFlag`
]
UNSEEN = {name: _NOTHING_SLOW if name == "slowest_dkmh" else 0 for name, _kind in _SEEN}
#: One vehicle's memory of where it is on its way. Times in microseconds since 1970; NEVER is none.
HEAD = np.dtype(
    [
        ("corner_us", "i8"),  # newest corner of the path
        ("last_us", "i8"),  # newest fix that was used
        ("distance_mm", "i8"),  # length of the path up to the corner
        ("lat_udeg", "i4"),  # of the corner
        ("lon_udeg", "i4"),
        ("east_mm", "i4"),
        ("north_mm", "i4"),
        ("first", "i4"),  # number of the oldest point from which on the way is known
        ("newest", "i4"),
        ("fixes", "i4"),  # since the corner
        ("corner_dkmh", "i2"),  # the unit's, -1 unknown
        ("corner_course_deg", "i2"),  # the unit's, -1 unknown
        *_SEEN,  # since the corner
    ],
    align=True,
)
#: And of the points behind it: point n at n % POINTS, with what was seen since the point before.
RING = np.dtype(
    [
        ("us", "i8", (POINTS,)),
        ("east_mm", "i4", (POINTS,)),
        ("north_mm", "i4", (POINTS,)),
        ("dkmh", "i2", (POINTS,)),  # the unit's, -1 unknown
        ("course_deg", "i2", (POINTS,)),  # the unit's, -1 unknown
        ("interval_cs", "u2", (POINTS,)),  # mean interval between fixes
        *((name, kind, (POINTS,)) for name, kind in _SEEN),
    ],
    align=True,
)


class _Column(NamedTuple):
    """A column of a ring: its type, where it begins and how long a ring is, in elements of that type."""

    kind: np.dtype[Any]
    offset: int
    stride: int


def _columns() -> dict[str, _Column]:
    fields = cast("Mapping[str, tuple[np.dtype[Any], int]]", RING.fields)
    return {
        name: _Column(kind.base, offset // kind.base.itemsize, RING.itemsize // kind.base.itemsize)
        for name, (kind, offset) in fields.items()
    }


_COLUMNS = _columns()


def blank(size: int) -> NDArray[np.void]:
    """Return the heads of `size` vehicles that have driven nowhere."""
    head = np.zeros(size, HEAD)
    for name in ("corner_us", "last_us", "newest", "corner_course_deg"):
        head[name] = NEVER
    head["slowest_dkmh"] = UNSEEN["slowest_dkmh"]
    return head


def blank_rings(size: int) -> NDArray[np.void]:
    """Return the points of `size` vehicles that have driven nowhere."""
    return np.zeros(size, RING)


class Walked(NamedTuple):
    """Memories of some vehicles: heads of their own, and the rings of all, written in place.

    A ring is a kilobyte, and a fix changes few of its points: it is not copied.
    """

    head: NDArray[np.void]
    rings: NDArray[np.void]
    #: Which ring belongs to each head.
    slot: NDArray[np.integer[Any]]

    def at(self, row: Rows, number: NDArray[np.int64]) -> Places:
        """Return where points are remembered, by row of `head` and number of the point; any shape."""
        return Places(self.rings, self.slot[row].astype(np.int64), number % POINTS)

    def get(self, name: str, row: Rows, number: NDArray[np.int64]) -> NDArray[Any]:
        """Return one thing that is remembered of points."""
        return self.at(row, number).get(name)


class Places(NamedTuple):
    """Where points are remembered.

    A column of all rings is looked up as one flat array, in steps of its own size: a third of what indexing
    by ring and by place in it costs.
    """

    rings: NDArray[np.void]
    #: Number of the ring and place in it; they broadcast.
    ring: NDArray[np.int64]
    place: NDArray[np.int64]

    def get(self, name: str) -> NDArray[Any]:
        """Return what is remembered under a name."""
        column = _COLUMNS[name]
        return self.rings.view(column.kind).take(self.ring * column.stride + (self.place + column.offset))

    def put(self, name: str, values: Any) -> None:
        """Remember something under a name."""
        column = _COLUMNS[name]
        self.rings.view(column.kind)[self.ring * column.stride + (self.place + column.offset)] = values
