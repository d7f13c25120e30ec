"""Late reports: how many accidents of a month are still to come in, from how complete older months were.

Print reported and expected side by side. The chain ladder x/c leaves a reported zero at zero;
Bornhuetter-Ferguson x + λ(1-c) does not, and is steadier for small counts (terms: Lawless 1994).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.statistics.inputs import StatisticsError, read_count, read_number

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Nowcast:
    """Reported and expected events of one period.

    Attributes
    ----------
    reported
        Known by now.
    expected
        Known by now and still to come, Bornhuetter-Ferguson.
    chain_ladder
        Reported over completeness, for comparison; None where nothing can have been reported yet.
    """

    reported: int
    expected: float
    chain_ladder: float | None


def completeness(delays_days: Sequence[int], age_days: int) -> float:
    """Return the share of past events that were known `age_days` after they happened.

    Parameters
    ----------
    delays_days
        Days from event to report, of events old enough that all of their reports are in.
    age_days
        Age of the period that is to be completed.
    """
    if not delays_days:
        raise StatisticsError("completeness needs past events with their reporting delays")
    return sum(delay <= age_days for delay in delays_days) / len(delays_days)


def nowcast(reported: int, complete: float, *, prior_mean: float) -> Nowcast:
    """Complete one period's reported count.

    Parameters
    ----------
    reported
        Events known by now.
    complete
        Share in [0, 1] of events that are known at this age.
    prior_mean
        Expected number of events of the period, from the rate and its exposure.
    """
    count, share, mean = (
        read_count(reported, "reported"),
        read_number(complete, "completeness"),
        read_number(prior_mean, "prior mean"),
    )
    if not 0 <= share <= 1:
        raise StatisticsError(f"completeness is {complete}: it is a share and lies in [0, 1]")
    if mean < 0:
        raise StatisticsError(f"prior mean is {prior_mean}: an expected number cannot be negative")
    return Nowcast(count, count + mean * (1 - share), count / share if share else None)
