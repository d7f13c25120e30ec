"""How many accidents neither list has, from two lists of the same accidents. Pure.

The estimate is Chapman's (1951): N = (police + 1)(insurer + 1) / (both + 1) - 1. The interval is exact: if
there are N accidents, those in both lists are hypergeometric, and N is in it unless so few, or so many, in
both were less likely than half of what is left out. It never falls below what was seen, and has no upper end
where nothing is in both.

It holds if the lists are independent, are of the same area, time and kind of accident, and if every pair
that is one accident is found. Police who call the insurer make the lists alike, and the estimate too low.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln

if TYPE_CHECKING:
    from collections.abc import Callable

#: With fewer in both lists the estimate may be far too low (Robson and Regier 1964).
MIN_IN_BOTH = 7
#: More accidents than a city has: an upper end beyond it is none.
_MOST = 10_000_000


@dataclass(frozen=True, slots=True)
class Capture:
    """Two lists, and what they say of what neither has."""

    police_only: int
    insurer_only: int
    both: int

    def __post_init__(self) -> None:
        if min(self.police_only, self.insurer_only, self.both) < 0:
            msg = "counts cannot be negative"
            raise ValueError(msg)

    @property
    def police(self) -> int:
        """Accidents that the police have."""
        return self.police_only + self.both

    @property
    def insurer(self) -> int:
        """Accidents that the insurer has."""
        return self.insurer_only + self.both

    @property
    def seen(self) -> int:
        """Accidents that at least one list has."""
        return self.police_only + self.insurer_only + self.both

    @property
    def total(self) -> float:
        """Estimate of all accidents."""
        return (self.police + 1) * (self.insurer + 1) / (self.both + 1) - 1

    @property
    def unseen(self) -> float:
        """Estimate of those that neither list has."""
        return self.total - self.seen

    @property
    def is_sound(self) -> bool:
        """Whether enough accidents are in both lists for the estimate to mean something."""
        return self.both >= MIN_IN_BOTH

    @property
    def police_share(self) -> float | None:
        """Share of the insurer's accidents that the police have too; None: the insurer has none."""
        return self.both / self.insurer if self.insurer else None

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return between what the number of all accidents lies; the upper end may be infinite."""
        tail = (1 - level) / 2
        low = _first(self.seen, lambda total: self._chance(total, at_most=True) > tail)
        above = _first(low, lambda total: self._chance(total, at_most=False) <= tail)
        return float(low), math.inf if above > _MOST else float(max(above - 1, low))

    def _chance(self, total: int, *, at_most: bool) -> float:
        """Return how likely at most, or at least, so many are in both if there are `total` accidents."""
        fewest = max(0, self.police + self.insurer - total)
        first, last = (fewest, self.both) if at_most else (self.both, min(self.police, self.insurer))
        shared = np.arange(first, last + 1)
        logs = (
            _log_choose(self.police, shared)
            + _log_choose(total - self.police, self.insurer - shared)
            - _log_choose(total, self.insurer)
        )
        return float(np.exp(logs).sum())


def _first(low: int, holds: Callable[[int], bool]) -> int:
    """Return the first number from `low` on for which something holds that then holds on."""
    if holds(low):
        return low
    step = 1
    while not holds(low + step):
        step *= 2
        if step > _MOST:
            return low + step
    before, after = low + step // 2, low + step
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if holds(middle) else (middle, after)
    return after


def _log_choose(of: int, some: object) -> np.ndarray:
    chosen = np.asarray(some, float)
    return np.asarray(gammaln(of + 1) - gammaln(chosen + 1) - gammaln(of - chosen + 1))
