"""Looking for an integer: quantiles of counts, and limits defined by an inequality."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def first_integer(holds: Callable[[int], bool], guess: float = 1.0) -> int:
    """Return the smallest n ≥ 0 at which `holds` is true, for a condition that stays true from there on.

    Doubles from `guess` until it holds, then halves: about 2·log2(n) evaluations.
    """
    low, high = -1, max(1, int(guess))
    while not holds(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
