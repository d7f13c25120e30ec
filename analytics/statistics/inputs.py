"""What the statistics accept: counts, exposures, shares; what they refuse gets a sentence that says why.

Everything later may then rely on it: a count is a whole number in [0, 10^8], an exposure is finite and in
[10^-9, 10^15] of whatever unit, so that no quotient of them can overflow, and no NaN comes in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from fleet.errors import KerbsafeError

MAX_COUNT = 100_000_000
MIN_EXPOSURE = 1e-9
MAX_EXPOSURE = 1e15
MIN_MEAN = 1e-9
MIN_RATIO, MAX_RATIO = 1e-100, 1e100


class StatisticsError(KerbsafeError):
    """A number or a file that the statistics cannot use: which one, and why."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A count of events on an exposure, both checked.

    Attributes
    ----------
    count
        Number of events, a whole number.
    exposure
        Opportunity for them, in any one unit (m³, km, vehicle-years, loads).
    """

    count: int
    exposure: float

    @property
    def rate(self) -> float:
        """Events per unit of exposure."""
        return self.count / self.exposure


def observed(count: Any, exposure: Any, *, what: str = "") -> Observed:
    """Check a count and its exposure; `what` names the period in messages ("baseline")."""
    prefix = f"{what} " if what else ""
    return Observed(read_count(count, f"{prefix}count"), read_exposure(exposure, f"{prefix}exposure"))


def read_number(value: Any, name: str) -> float:
    """Return a finite float from a number or its text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise StatisticsError(f"{name} is {value!r}: give a number")
    try:
        number = float(value)
    except OverflowError:
        raise StatisticsError(f"{name} is too large a number to compute with") from None
    except ValueError:
        raise StatisticsError(f"{name} is {value!r}: give a number") from None
    if not math.isfinite(number):
        raise StatisticsError(f"{name} is {value!r}: give a finite number")
    return number


def read_count(value: Any, name: str) -> int:
    """Return a whole number of events in [0, 10^8]."""
    number = read_number(value, name)
    if number < 0:
        raise StatisticsError(f"{name} is {value}: a number of events cannot be negative")
    if not number.is_integer():
        raise StatisticsError(f"{name} is {value}: events are counted in whole numbers")
    if number > MAX_COUNT:
        raise StatisticsError(
            f"{name} is {value}: more than {MAX_COUNT:,} events is not a count of accidents"
        )
    return int(number)


def read_positive(value: Any, name: str) -> float:
    """Return a number above zero."""
    number = read_number(value, name)
    if number <= 0:
        raise StatisticsError(f"{name} is {value}: it must be above zero")
    return number


def read_mean(value: Any, name: str) -> float:
    """Return an expected number of events in [10^-9, 10^8]."""
    number = read_positive(value, name)
    if not MIN_MEAN <= number <= MAX_COUNT:
        raise StatisticsError(
            f"{name} is {value}: an expected number of events lies between {MIN_MEAN:g} and {MAX_COUNT:,}"
        )
    return number


def read_ratio(value: Any, name: str) -> float:
    """Return a ratio of rates in [10^-100, 10^100], whose product with a ratio of exposures is finite."""
    number = read_positive(value, name)
    if not MIN_RATIO <= number <= MAX_RATIO:
        raise StatisticsError(f"{name} is {value}: outside {MIN_RATIO:g} to {MAX_RATIO:g}, no ratio of rates")
    return number


def read_exposure(value: Any, name: str) -> float:
    """Return an exposure in [10^-9, 10^15]."""
    number = read_number(value, name)
    if number <= 0:
        raise StatisticsError(f"{name} is {value}: a rate needs an exposure above zero to be divided by")
    if not MIN_EXPOSURE <= number <= MAX_EXPOSURE:
        raise StatisticsError(
            f"{name} is {value}: outside {MIN_EXPOSURE:g} to {MAX_EXPOSURE:g}; state it in another unit"
        )
    return number


def read_share(value: Any, name: str) -> float:
    """Return a number strictly between 0 and 1."""
    number = read_number(value, name)
    if not 0 < number < 1:
        raise StatisticsError(f"{name} is {value}: it must lie between 0 and 1, both excluded")
    return number


def read_level(value: Any, name: str = "level") -> float:
    """Return a confidence level strictly between 0 and 1."""
    number = read_number(value, name)
    if not 0 < number < 1:
        raise StatisticsError(f"{name} is {value}: a confidence level lies between 0 and 1, e.g. 0.95")
    return number


def read_choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """Return one of the named choices."""
    if value not in choices:
        raise StatisticsError(f"{name} is {value!r}: choose one of {', '.join(choices)}")
    return str(value)
