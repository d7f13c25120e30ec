"""How many accidents neither list has: Chapman's estimate from two lists of the same accidents. Pure.

Chapman 1951: N = (police + 1)(insurer + 1) / (both + 1) - 1, with the variance of Seber 1970. The interval is
that of Chao 1987, on the logarithm of what nobody has seen, so that it never falls below what was seen.
Where one list holds all of the other, that variance is 0: then the upper end is by the exact limit of the
share that the longer list holds.

It holds if the lists are independent, are of the same area, time and kind of accident, and if every pair
that is one accident is found. Police who call the insurer make the lists alike, and the estimate too low.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtri

#: With fewer in both lists the estimate may be far too low (Robson and Regier 1964).
LEAST_IN_BOTH = 7


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
    def seen(self) -> int:
        """Accidents that at least one list has."""
        return self.police_only + self.insurer_only + self.both

    @property
    def total(self) -> float:
        """Chapman's estimate of all accidents."""
        police, insurer = self.police_only + self.both, self.insurer_only + self.both
        return (police + 1) * (insurer + 1) / (self.both + 1) - 1

    @property
    def unseen(self) -> float:
        """Estimate of those that neither list has."""
        return self.total - self.seen

    @property
    def is_sound(self) -> bool:
        """Whether enough accidents are in both lists for the estimate to mean something."""
        return self.both >= LEAST_IN_BOTH

    @property
    def police_share(self) -> float | None:
        """Share of the insurer's accidents that the police have too; None: the insurer has none."""
        insurer = self.insurer_only + self.both
        return self.both / insurer if insurer else None

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return between what the number of all accidents lies."""
        unseen, variance = self.unseen, self._variance
        if variance <= 0:
            return float(self.seen), self._highest(level)
        factor = math.exp(float(ndtri((1 + level) / 2)) * math.sqrt(math.log1p(variance / unseen**2)))
        return self.seen + unseen / factor, self.seen + unseen * factor

    def _highest(self, level: float) -> float:
        """Return the upper end where a list has nothing of its own: all of it are in the other list."""
        police, insurer = self.police_only + self.both, self.insurer_only + self.both
        if not self.both:
            return math.inf
        share = ((1 - level) / 2) ** (1 / self.both)
        return max(
            insurer / share if not self.police_only else 0, police / share if not self.insurer_only else 0
        )

    @property
    def _variance(self) -> float:
        police, insurer = self.police_only + self.both, self.insurer_only + self.both
        top = (police + 1) * (insurer + 1) * self.police_only * self.insurer_only
        return top / ((self.both + 1) ** 2 * (self.both + 2))
