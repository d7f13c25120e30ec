"""How fast one connection may send. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Pace:
    """A budget of frames that fills with time; whoever has spent it waits.

    A terminal that comes out of a tunnel sends what it kept at once: that is allowed, at this pace. It is
    slowed rather than cut off, so that nothing is lost.
    """

    per_s: float
    at_once: float
    _left: float = 0.0
    _at_s: float = 0.0

    def begin(self, now_s: float) -> None:
        """Begin with the whole budget."""
        self._left, self._at_s = self.at_once, now_s

    def spend(self, frames: int, now_s: float) -> float:
        """Take note of what came; return how long to wait before more is read, seconds."""
        self._left = min(self.at_once, self._left + (now_s - self._at_s) * self.per_s) - frames
        self._at_s = now_s
        return max(0.0, -self._left / self.per_s)
