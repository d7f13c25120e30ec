"""What judgement depends on beside the fixes: data, versioned and effective-dated."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from alerts.in_force.rulebooks import Rulebooks
    from alerts.in_force.watch import Watch
    from fleet.duty import Unqualified


class Facts(Protocol):
    """What the registry says of vehicles, effective-dated."""

    def at(
        self, vehicle_id: NDArray[np.int32], time_us: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int16]]:
        """Return company id, kind (index into `layers.VEHICLE_KINDS`) and limit (km/h, -1 the kind's) of each."""


class Context(NamedTuple):
    """Rulebooks, registry, fences, duty."""

    rulebooks: Rulebooks
    facts: Facts
    #: None: no fence is anywhere.
    fences: Watch | None = None
    #: None: nobody is said to drive anything.
    unqualified: Unqualified | None = None
