"""The fences in force, indexed by what is asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.fences.index import FenceIndex
from fleet.fences.nearest import Nearest
from fleet.kinds import FenceKind

if TYPE_CHECKING:
    from fleet.fences.passes import Passes
    from fleet.fences.versions import Fences

#: Kinds of fence with stays; the others are only looked up.
STAY_KINDS = (FenceKind.FORBIDDEN, FenceKind.PERMITTED, FenceKind.SITE)


class Watch:
    """Fences as the rules look at them."""

    def __init__(self, fences: Fences, passes: Passes) -> None:
        """Index the fences: about a second a thousand."""
        self.fences = fences
        self.passes = passes
        self.stays = FenceIndex(fences, STAY_KINDS, crossable=[FenceKind.FORBIDDEN])
        #: Of those that vehicles must not leave, the one that whoever is outside is told to have left.
        self.permitted = Nearest(fences, [FenceKind.PERMITTED])
        self.zones = FenceIndex(fences, [FenceKind.SPEED_ZONE])
        self.junctions = FenceIndex(fences, [FenceKind.MUST_STOP])
