"""What one round of fixes is judged by against fences, and what a stay is allowed by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.rules.fence.fence_episodes import SITE
from fleet.columns import FixFlag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alerts.in_force.watch import Watch
    from alerts.rules.fence.samples import Parameters, Samples
    from alerts.rules.fence.stays import Placed
    from fleet.fences.index import Memberships
    from fleet.fences.versions import Versions

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Rows = NDArray[np.intp]

#: A position is trusted to this many standard errors.
STANDARD_ERRORS = 2


class Scene(NamedTuple):
    """What one round is judged by."""

    heads: NDArray[np.void]
    samples: Samples
    here: Memberships
    watch: Watch
    rules: Parameters

    def rule(self, name: str, row: Rows) -> Floats:
        """Return a number of the rulebook for each of some rows, or one for all."""
        return np.asarray(self.rules[name][row] if self.rules.ndim else self.rules[name])

    def margin_m(self, row: Rows) -> Floats:
        """Return how far outside is beyond doubt: `exit_m`, or two standard errors if that is more."""
        hdop = np.maximum(self.samples.hdop_tenths[row], 0) * 0.1
        return np.maximum(self.rule("exit_m", row), STANDARD_ERRORS * self.rule("hdop_m", row) * hdop)

    def waits(self, row: Rows) -> Bools:
        """Mark mixers that may be waiting with concrete: ignition not off, not known to be empty."""
        flags = self.samples.flags[row]
        off = (flags & (FixFlag.IGNITION_KNOWN | FixFlag.IGNITION_ON)) == FixFlag.IGNITION_KNOWN
        is_empty = (flags & (FixFlag.LOAD_KNOWN | FixFlag.LOADED)) == FixFlag.LOAD_KNOWN
        return np.asarray(self.samples.is_mixer[row] & ~off & ~is_empty)


def put_limits(scene: Scene, placed: Placed, which: Bools, version: Versions) -> None:
    """Give stays the rulebook in force and, in sites, the longest stay allowed, in place."""
    row, stay = placed.row[which], placed.stay
    own_s = scene.watch.fences.max_dwell_s[version[which]]
    default_s = scene.samples.is_mixer[row] * scene.rule("mixer_dwell_s", row)
    site = stay["kind"][which] == SITE
    stay["longest_s"][which] = np.where(site, np.where(own_s > 0, own_s, default_s), 0.0)
    stay["own_limit"][which] = ~site | (own_s > 0)
    stay["rulebook"][which] = scene.samples.rulebook[row]
