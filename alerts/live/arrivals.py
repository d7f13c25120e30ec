"""What the rules about arrival are given besides what was stored: who was refused, what goes on. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleet.wire.reasons import NEWEST_HOURS, OLDEST_DAYS, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from alerts.words.transitions import Rule


class Refused(NamedTuple):
    """Who was heard although what they sent was not stored; equal lengths."""

    vehicle_id: NDArray[np.int32]
    #: Seconds by which the times told are behind ours at least, negative where ahead: they were refused for
    #: that. 0: refused for something else.
    behind_s: NDArray[np.float64]

    @classmethod
    def of(cls, found: Sequence[tuple[int, str]]) -> Refused:
        """Return the refusals of vehicles (id) for a reason."""
        behind_s = [BEHIND_S.get(reason, 0.0) for _vehicle, reason in found]
        return cls(np.array([vehicle for vehicle, _ in found], np.int32), np.array(behind_s, np.float64))


#: A time is refused from so much on.
BEHIND_S: Mapping[str, float] = {
    Reason.TOO_OLD: OLDEST_DAYS * 86_400.0,
    Reason.FUTURE: NEWEST_HOURS * -3_600.0,
}
NOTHING_REFUSED = Refused.of([])


class StillOpen(NamedTuple):
    """An episode of a rule about arrival that goes on, as it is stored."""

    vehicle_id: int
    rule: Rule
    started_us: int
    peak: float
    measures: Mapping[str, Any]
