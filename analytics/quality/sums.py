"""What is counted of one vehicle in a span of time; what nobody has counted is None, never zero."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Sums:
    """Counts of one vehicle, or of several together."""

    #: Vehicles in the registry; of these heard at any time before the end, and heard in the span.
    filed: int = 0
    connected: int = 0
    online: int = 0
    #: Fixes, and of these fit to be used; consecutive ones farther apart than a truck can drive.
    fixes: int = 0
    qualified: int = 0
    jumps: int = 0
    #: Vehicles with at least `figures.DRIFTS_FROM` such jumps.
    drifting: int = 0
    #: Kilometres seen, and the least that was driven unseen. None: days are not measured.
    km: float | None = None
    km_unseen: float | None = None
    #: Alerts that a person had to handle, and of these handled; withdrawn ones are neither.
    alerts: int = 0
    handled: int = 0
    #: Settled episodes, and those that are not settled yet: they are in no figure.
    speedings: int = 0
    fatigue_s: float = 0.0
    unsettled: int = 0
    #: Settled right turns, and of these not evaluable, by reason.
    turns: int = 0
    coarse: int = 0
    gap: int = 0
    speed_disagrees: int = 0
    transport_gap: int = 0
    #: Episodes of a wrong clock, and of a reported speed that is not that of the positions.
    clock_drifts: int = 0
    speed_faults: int = 0

    @property
    def unseen_turns(self) -> int:
        """Settled right turns that nobody can judge."""
        return self.coarse + self.gap + self.speed_disagrees + self.transport_gap


def add(sums: Sequence[Sums]) -> Sums:
    """Return several together; what is not known of one is not known of all."""
    columns = {field.name: [getattr(one, field.name) for one in sums] for field in fields(Sums)}
    made: dict[str, Any] = {
        name: None if any(value is None for value in values) else sum(values)
        for name, values in columns.items()
    }
    return Sums(**made)
