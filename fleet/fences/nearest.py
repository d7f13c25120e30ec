"""Which fence of some kinds is nearest to a position that is in none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fleet.fences.versions import Fences, Times, Versions
    from fleet.kinds import FenceKind

    Degrees = NDArray[np.int32]

#: Where there is none.
NONE = -1
#: Trees kept at once: one for each set of fences that are in force together.
_MAX_TREES = 64


class Nearest:
    """The nearest fence in force. Distances are in degrees: they decide which one is named, no more."""

    def __init__(self, fences: Fences, kinds: Sequence[FenceKind]) -> None:
        self._fences = fences
        self._versions = fences.of_kinds(kinds)
        self._trees: dict[bytes, shapely.STRtree] = {}

    def __len__(self) -> int:
        return len(self._versions)

    def find(self, lat_udeg: Degrees, lon_udeg: Degrees, time_us: Times) -> Versions:
        """Return the version that is nearest to each position; `NONE` where no fence is in force."""
        found = np.full(len(time_us), NONE, np.int32)
        if not len(self._versions) or not len(time_us):
            return found
        every = np.broadcast_to(self._versions, (len(time_us), len(self._versions)))
        in_force = self._fences.in_force(every.ravel(), np.repeat(time_us, len(self._versions)))
        sets, of = np.unique(in_force.reshape(every.shape), axis=0, return_inverse=True)
        for number, together in enumerate(sets):
            rows = np.flatnonzero(of.ravel() == number)
            if together.any():
                places = shapely.points(lon_udeg[rows].astype(float), lat_udeg[rows].astype(float))
                found[rows] = self._nearest(together, places)
        return found

    def _nearest(self, together: NDArray[np.bool_], places: NDArray[np.object_]) -> Versions:
        versions = self._versions[together]
        key = together.tobytes()
        if key not in self._trees:
            if len(self._trees) >= _MAX_TREES:
                self._trees.pop(next(iter(self._trees)))
            self._trees[key] = shapely.STRtree(self._fences.polygons[versions])
        place, of = self._trees[key].query_nearest(places)
        # Of several as near, the first: what is found does not depend on the tree.
        nearest = np.full(len(places), len(versions))
        np.minimum.at(nearest, place, of)
        return np.asarray(versions[nearest])
