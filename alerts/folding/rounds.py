"""One round: at most one fix a vehicle, with all that a rule may ask of it. Every rule is given the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from alerts.folding.motion import Moved
    from fleet.columns import Fixes


class Places(NamedTuple):
    """Where fixes are, of many at once; equal lengths."""

    #: Of `Watch.stays`: the cell, and the signature of the fences that the fix is in.
    cells: NDArray[np.int32]
    signature: NDArray[np.uint64]
    #: Lowest limit of the speed zones that the fix is in; NaN where none.
    zone_kmh: NDArray[np.float64]

    def take(self, index: NDArray[np.intp]) -> Places:
        """Return the places at `index`."""
        return Places(self.cells[index], self.signature[index], self.zone_kmh[index])


class Round(NamedTuple):
    """At most one fix a vehicle, and what is known of it; equal lengths."""

    slots: NDArray[np.int32]
    fixes: Fixes
    moved: Moved
    #: Row of the rulebooks in force.
    version: NDArray[np.int32]
    #: Index into `layers.VEHICLE_KINDS`.
    kind: NDArray[np.int16]
    limit_kmh: NDArray[np.float64]
    #: `LimitSource`.
    limit_source: NDArray[np.int8]
    #: None where there are no fences, or where they could not be looked up.
    places: Places | None
