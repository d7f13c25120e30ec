"""How long somebody must wait after wrong passwords. Pure: the time is an argument.

The first few mistakes cost nothing; from then on the wait doubles up to a limit. What was long ago is
forgotten, and what is remembered is bounded.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple


class _Failures(NamedTuple):
    number: int
    last_s: float


class Throttle:
    """Counts failures by key; `console/guesses.py` has the keys."""

    def __init__(
        self, *, free: int, longest_s: float = 300.0, forget_s: float = 900.0, remembered: int = 10_000
    ) -> None:
        """Let `free` failures pass; then make wait 1, 2, 4 ... `longest_s` seconds."""
        self._free = free
        self._longest_s = longest_s
        self._forget_s = forget_s
        self._remembered = remembered
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait_s(self, key: str, now_s: float) -> float:
        """Return for how many seconds a key may not try; 0: it may."""
        failures = self._recent(key, now_s)
        over = failures.number - self._free
        if over < 0:
            return 0.0
        pause_s = min(2.0 ** min(over, 30), self._longest_s)
        return max(0.0, failures.last_s + pause_s - now_s)

    def failed(self, key: str, now_s: float) -> None:
        """Count a failure."""
        failures = self._recent(key, now_s)
        self._failures[key] = _Failures(failures.number + 1, now_s)
        self._failures.move_to_end(key)
        while len(self._failures) > self._remembered:
            self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget the failures of a key."""
        self._failures.pop(key, None)

    def _recent(self, key: str, now_s: float) -> _Failures:
        failures = self._failures.get(key, _Failures(0, now_s))
        return failures if now_s - failures.last_s <= self._forget_s else _Failures(0, now_s)
