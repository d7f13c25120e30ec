"""What the rules about arrival are given: who was refused, what goes on, reports in their order. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleet.wire.reasons import NEWEST_HOURS, OLDEST_DAYS, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from alerts.words.transitions import Rule
    from fleet.columns import HealthReports


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


def in_rounds(health: HealthReports) -> Iterator[NDArray[np.intp]]:
    """Yield rows so that each vehicle occurs once in each, its earliest report first."""
    order = np.lexsort((health.time_us, health.vehicle_id))
    vehicle_id = health.vehicle_id[order]
    first = np.r_[True, vehicle_id[1:] != vehicle_id[:-1]][: len(order)]
    if not len(order):
        return
    rank = np.arange(len(order)) - np.flatnonzero(first)[np.cumsum(first) - 1]
    for number in range(int(rank.max()) + 1):
        yield order[rank == number]
