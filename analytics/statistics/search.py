"""Looking for a number: the first integer at which a condition holds, the root of a monotone function."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


RESOLUTION = 1e-14
# A root at zero has no relative resolution; 2^-200 of the first distance is near enough.
MAX_STEPS = 200


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


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a monotone function changes sign between two points of different sign.

    Bisection to the last bit that matters (relative 10^-14): slower than Brent's method by microseconds, and
    free of `scipy.optimize`, which takes half a second to import.
    """
    rising = function(high) > 0
    middle = (low + high) / 2
    for _ in range(MAX_STEPS):
        if middle in (low, high) or abs(high - low) <= RESOLUTION * abs(middle):
            break
        if (function(middle) > 0) == rising:
            high = middle
        else:
            low = middle
        middle = (low + high) / 2
    return middle
