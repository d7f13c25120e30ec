"""The fixes that the rule looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fleet.fences.raster import Cells

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Times = NDArray[np.int64]
    Rows = NDArray[np.intp]
    #: A row of the rule's numbers, or one a sample: both broadcast.
    Parameters = NDArray[np.void]


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
