"""The one place that says what time it is.

In an ordinary database it is wall time. In a sandbox (`kerbsafe migrate --sandbox`) the row
`sandbox_clock` anchors an event time to a wall time and a rate, and every process reads it, so that
recorded drives can be played faster than they were driven and still be judged as live.
"""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Event time as a line over wall time: `event = event_us + (wall - wall_us) * rate`.

    The default is wall time itself.
    """

    wall_us: int = 0
    event_us: int = 0
    rate: float = 1.0
    #: True in a sandbox, where the anchor may be moved.
    sandbox: bool = False

    def at(self, wall_us: int) -> int:
        """Return the event time at a wall time, both microseconds since 1970."""
        return self.event_us + round((wall_us - self.wall_us) * self.rate)

    def now_us(self) -> int:
        """Return the present event time, microseconds since 1970."""
        return self.at(time.time_ns() // 1000)

    def wall_seconds(self, event_seconds: float) -> float:
        """Return how long to wait, in real seconds, for `event_seconds` to pass."""
        return event_seconds / self.rate

    def anchored(self, event_us: int, rate: float) -> Clock:
        """Return the clock that shows `event_us` now and runs `rate` times as fast as the wall."""
        return Clock(time.time_ns() // 1000, event_us, rate, sandbox=True)


WALL = Clock()
