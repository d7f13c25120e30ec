"""Early warning from counts month by month: CUSUM with its run length, time-between, g and EWMA charts.

A month's count alone says nothing (one accident a month: P(0) = 37 %). A CUSUM adds the evidence up and has
a known rate of false alarms; it is the only outcome chart that may speak between yearly verdicts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaincc, gammaln, xlogy

from analytics.statistics.inputs import MAX_COUNT, StatisticsError, read_number, read_positive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# A finer lattice than this is solved no better, only slower.
MAX_STATES = 20_000
# Ways from state to state; more take gigabytes, and belong to counts so large that a CUSUM is not needed.
MAX_STEPS = 4_000_000
# Events of a smaller probability than this change no run length below `MAX_ARL`.
NEGLIGIBLE = 1e-20
# Longer than any institution lives; the linear system loses its digits beyond (1e-8 of it at 1e8).
MAX_ARL = 1e9
ARL_TOO_LONG = "more than 10^9 periods between false alarms: in practice the chart never alarms"
ARL_NEVER = "with a mean of zero nothing ever happens, and the chart never alarms"


@dataclass(frozen=True, slots=True)
class RunLength:
    """Average number of periods until an alarm.

    Attributes
    ----------
    arl
        Mean number of periods, the alarm's included; None with a `reason` where it is practically infinite.
    k
        The reference value used: the one given, or the nearest on a lattice of at most 20,000 states.
    """

    arl: float | None
    k: float
    reason: str | None = None


# -- CUSUM


def reference_value(mean0: float, mean1: float) -> float:
    """Return k = (μ1 - μ0)/ln(μ1/μ0), which detects a change of the mean from μ0 to μ1 soonest.

    Both per period, or both per unit of exposure. Round it to few digits for use.
    """
    low, high = read_positive(mean0, "mean in control"), read_positive(mean1, "mean to detect")
    if low == high:
        raise StatisticsError(f"mean in control and mean to detect are both {low:g}: nothing to detect")
    return (high - low) / math.log(high / low)


def cusum_path(
    counts: Sequence[int], references: Sequence[float], *, h: float, head_start: float = 0.0
) -> tuple[Floats, NDArray[np.bool_]]:
    """Run the chart S_t = max(0, S_{t-1} + x_t - r_t) and mark where S ≥ h.

    After an alarm S is kept, not reset, until the review is closed; the caller then starts a new path.

    Parameters
    ----------
    counts
        Events per period; shape (n,).
    references
        r_t = k per period, or k·E_t with varying exposure; shape (n,).
    h
        Decision interval.
    head_start
        S_0, e.g. h/2 for a fast initial response.

    Returns
    -------
    The values S_1 … S_n, and the mask of alarms, each of shape (n,).
    """
    value, path = head_start, np.empty(len(counts))
    for i, (count, reference) in enumerate(zip(counts, references, strict=True)):
        value = max(0.0, value + count - reference)
        path[i] = value
    return path, path >= read_positive(h, "h")


def cusum_run_length(
    mean: float | str, k: float | str, h: float | str, *, head_start: float | str = 0
) -> RunLength:
    """Return the average run length of the chart for Poisson counts of a constant mean (alarm at S ≥ h).

    Markov chain on the lattice that k and the head start span (Brook & Evans 1972; Lucas 1985): the mean
    times to absorption solve (I - Q)·T = 1. Decimals are taken as written (0.948 is 237/250), so that the
    lattice is hit exactly and S = h is an alarm.

    Parameters
    ----------
    mean
        Mean count per period, in control or not.
    k, h
        Reference value and decision interval.
    head_start
        S_0 in [0, h).
    """
    mu = read_number(mean, "mean")
    if mu < 0:
        raise StatisticsError(f"mean is {mean}: a mean number of events cannot be negative")
    step, limit, start = _decimal(k, "k"), _decimal(h, "h"), _decimal(head_start, "head start")
    for value, name in ((mu, "mean"), (step, "k"), (limit, "h")):
        if value > MAX_COUNT:
            raise StatisticsError(
                f"{name} is {float(value):g}: no chart of accidents counts above {MAX_COUNT:,}"
            )
    if step <= 0 or limit <= 0:
        raise StatisticsError("k and h must be above zero: they are counts of events")
    if not 0 <= start < limit:
        raise StatisticsError(f"head start is {head_start}: it must lie in [0, h), and h is {h}")
    if mu == 0:
        return RunLength(None, float(step), ARL_NEVER)
    step, per_unit = _lattice(step, start, limit)
    states = math.ceil(limit * per_unit)
    arl = _absorption_times(mu, states, int(step * per_unit), per_unit)[int(start * per_unit)]
    if not 1 <= arl <= MAX_ARL:
        return RunLength(None, float(step), ARL_TOO_LONG)
    return RunLength(float(arl), float(step))


def _decimal(value: float | str, name: str) -> Fraction:
    read_number(value, name)
    return Fraction(str(value).strip().replace("_", ""))


def _lattice(step: Fraction, start: Fraction, limit: Fraction) -> tuple[Fraction, int]:
    """Return the reference value and the number of lattice points per event, within `MAX_STATES`."""
    most = max(1, int(MAX_STATES / limit))
    if (per_unit := math.lcm(step.denominator, start.denominator)) <= most:
        return step, per_unit
    # The nearest fraction with a denominator small enough: off by less than 1/most².
    rounded = max(step.limit_denominator(most), Fraction(1, most))
    return rounded, rounded.denominator


def _absorption_times(mean: float, states: int, down: int, per_unit: int) -> Floats:
    """Mean numbers of periods until S leaves 0 … states-1, from each state; shape (states,)."""
    # Sparse matrices take a fifth of a second to import, and only this function needs them.
    from scipy.sparse import csc_array, eye_array  # noqa: PLC0415 - see above
    from scipy.sparse.linalg import splu  # noqa: PLC0415 - see above

    if states > MAX_STATES:
        raise StatisticsError(
            f"h needs {states:,} lattice states; {MAX_STATES:,} are the most: use a smaller h"
        )
    # Fewer events than `least` lead down to zero from every state, more than `most` out of the lattice.
    least = max(0, (down - states) // per_unit + 1)
    most = (states - 1 + down) // per_unit
    events = np.arange(least, most + 1)
    mass = np.exp(xlogy(events, mean) - mean - gammaln(events + 1.0))
    jumps, mass = (events * per_unit - down)[mass > NEGLIGIBLE], mass[mass > NEGLIGIBLE]
    if int(np.sum(states - np.abs(jumps))) > MAX_STEPS:
        raise StatisticsError(
            f"mean {mean:g} with {states:,} lattice states is too large: use rounder k and h"
        )
    state = np.arange(states)
    to_zero = (down - state) // per_unit  # this many events or fewer
    rows, columns = [state], [np.zeros(states, dtype=np.int64)]
    values = [np.where(to_zero >= 0, gammaincc(np.maximum(to_zero, 0) + 1.0, mean), 0.0)]
    for jump, probability in zip(jumps.tolist(), mass.tolist(), strict=True):
        start = state[max(0, 1 - jump) : min(states, states - jump)]
        rows.append(start)
        columns.append(start + jump)
        values.append(np.full(start.size, probability))
    within = csc_array(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(states, states)
    )
    system = (eye_array(states, format="csc") - within).tocsc()
    try:
        return np.asarray(splu(system).solve(np.ones(states)), dtype=np.float64)
    except RuntimeError:  # exactly singular in floats: the chance of an alarm is below 10^-16 a period
        return np.full(states, np.inf)


# -- time and exposure between events


@dataclass(frozen=True, slots=True)
class BetweenLimits:
    """Limits of the exposure between two events; below `low` is bad news, above `high` good news."""

    low: float
    very_low: float
    high: float


def between_limits(mean_exposure: float, *, tail: float = 0.025, far_tail: float = 0.00135) -> BetweenLimits:
    """Return probability limits for an exponential exposure between events.

    Parameters
    ----------
    mean_exposure
        Exposure per event in control.
    tail, far_tail
        Probabilities below `low` (and above `high`), and below `very_low`.
    """
    mean = read_positive(mean_exposure, "mean exposure between events")
    return BetweenLimits(
        low=-mean * math.log1p(-tail), very_low=-mean * math.log1p(-far_tail), high=-mean * math.log(tail)
    )


def g_chart_limit(mean_days: float) -> float:
    """Return the 3-sigma upper limit ḡ + 3·√(ḡ(ḡ+1)) of days between events (Benneyan 2001).

    It has no useful lower limit and so cannot warn of worse; use the CUSUM for that.
    """
    mean = read_positive(mean_days, "mean days between events")
    return mean + 3 * math.sqrt(mean * (mean + 1))


def geometric_quantile(mean_days: float, probability: float) -> int:
    """Return the smallest number of event-free days whose cumulative probability reaches the given one."""
    mean = read_positive(mean_days, "mean days between events")
    return max(0, math.ceil(math.log1p(-probability) / math.log(mean / (mean + 1))) - 1)


def ewma_path(values: Sequence[float], *, weight: float, start: float) -> Floats:
    """Return z_t = w·x_t + (1-w)·z_{t-1}; for leading indicators with larger counts only. Shape (n,)."""
    current, path = start, np.empty(len(values))
    for i, value in enumerate(values):
        current = weight * value + (1 - weight) * current
        path[i] = current
    return path


def ewma_limit(mean: float, *, weight: float = 0.2, width: float = 2.7) -> float:
    """Return the upper limit μ0 + L·√(w·μ0/(2-w)) of an EWMA of Poisson counts."""
    mu = read_positive(mean, "mean")
    return mu + width * math.sqrt(weight * mu / (2 - weight))
