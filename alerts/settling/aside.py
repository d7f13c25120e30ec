"""Which vehicles the settler has set aside, since one of them takes as long as a city. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleet.units import MICROSECONDS

#: A stretch of more fixes than this is judged apart: 14 hours of a fix a second, half a minute of work; and
#: one of more reports of its camera and unit, which take as much memory.
MAX_FIXES = 50_000
#: A vehicle set aside is left alone for at least so long, and for so many times what it cost: one for which
#: late data comes again and again gets a third of the lane's time.
MIN_PAUSE_S, PAUSE_FACTOR = 60, 2


@dataclass(slots=True)
class Aside:
    """Vehicles that are set aside, and when each may be taken up. Times are event times, microseconds."""

    max_fixes: int = MAX_FIXES
    _ready_us: dict[int, int] = field(default_factory=dict)

    @property
    def vehicles(self) -> list[int]:
        """All that are set aside, whether anything of them waits or not."""
        return list(self._ready_us)

    def ready(self, now_us: int) -> list[int]:
        """Return those that may be taken up now."""
        return [vehicle for vehicle, ready_us in self._ready_us.items() if ready_us <= now_us]

    def add(self, vehicle_id: int) -> None:
        """Set a vehicle aside, to be taken up as soon as there is time."""
        self._ready_us.setdefault(vehicle_id, 0)

    def judged(self, vehicle_id: int, *, size: int, began_us: int, ended_us: int) -> None:
        """Note what it took to judge a vehicle; one that took no more than others is set aside no longer."""
        if size <= self.max_fixes:
            self._ready_us.pop(vehicle_id, None)
            return
        pause_us = max(MIN_PAUSE_S * MICROSECONDS, PAUSE_FACTOR * (ended_us - began_us))
        self._ready_us[vehicle_id] = ended_us + pause_us
