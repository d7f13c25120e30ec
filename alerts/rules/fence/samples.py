"""Fences as the rule looks at them, and the fixes that it looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from alerts.rules import fence_episodes as episodes
from fleet.fences.index import FenceIndex
from fleet.fences.nearest import Nearest
from fleet.kinds import FenceKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fleet.fences.passes import Passes
    from fleet.fences.raster import Cells
    from fleet.fences.versions import Fences

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Times = NDArray[np.int64]
    Rows = NDArray[np.intp]
    #: A row of the rule's numbers, or one a sample: both broadcast.
    Parameters = NDArray[np.void]


class Watch:
    """Fences as this rule looks at them."""

    def __init__(self, fences: Fences, passes: Passes) -> None:
        """Index the fences: about a second a thousand."""
        self.fences = fences
        self.passes = passes
        self.stays = FenceIndex(fences, episodes.STAY_KINDS, crossable=[FenceKind.FORBIDDEN])
        #: Of those that vehicles must not leave, the one that whoever is outside is told to have left.
        self.permitted = Nearest(fences, [FenceKind.PERMITTED])
        self.zones = FenceIndex(fences, [FenceKind.SPEED_ZONE])
        self.junctions = FenceIndex(fences, [FenceKind.MUST_STOP])


class Samples(NamedTuple):
    """One fix a vehicle; equal lengths. Only fixes whose position is to be trusted."""

    vehicle_id: NDArray[np.int32]
    time_us: Times
    lat_udeg: NDArray[np.int32]
    lon_udeg: NDArray[np.int32]
    #: Of `Watch.stays`: the cell, and the signature of the fences that the fix is in.
    cells: Cells
    signature: NDArray[np.uint64]
    #: Tenths; -1 unknown.
    hdop_tenths: NDArray[np.int16]
    #: A longer silence than this ends what is open as lost, seconds.
    gap_s: Floats
    #: How the vehicle came here is unknown: a gap too.
    cut: Bools
    is_mixer: Bools
    #: `FixFlag` bits.
    flags: NDArray[np.int16]
    #: Since its newest motion the vehicle stands: where it seems to go is the noise of its positions.
    stands: Bools
    #: Row of the rulebooks in force, and since when its version is.
    rulebook: NDArray[np.int32]
    rulebook_from_us: Times

    def take(self, index: Rows | Bools) -> Samples:
        """Return the samples at `index`."""
        return Samples._make(column[index] for column in self)
