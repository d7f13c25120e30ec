"""Empirical Bayes before and after: what a singled-out company would have had anyway.

A unit picked for a bad year improves by itself, by a fifth to two fifths in published data, since part of
the bad year was chance. The expected count in its place is a mixture of its own count and that of its like
(Hauer 1997; Hauer, Harwood, Council & Griffith 2002, TRR 1784).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from analytics.statistics.inputs import (
    StatisticsError,
    read_count,
    read_mean,
    read_number,
    read_positive,
    read_ratio,
)

NONE_AFTER = (
    "no event after: the formula's standard error is 0 by construction; "
    "use the exact interval of a rate ratio"
)


@dataclass(frozen=True, slots=True)
class Expected:
    """The count to be expected of one unit in the period before, κ = w·expected + (1-w)·observed.

    Attributes
    ----------
    weight
        Share w of the reference in it.
    estimate, sd
        κ and √((1-w)·κ).
    """

    weight: float
    estimate: float
    sd: float

    @property
    def variance(self) -> float:
        """Variance of the estimate, (1-w)·κ."""
        return (1 - self.weight) * self.estimate


@dataclass(frozen=True, slots=True)
class Effect:
    """Index of effectiveness θ, below 1 for fewer than expected; None with a `reason` if undefined."""

    theta: float | None
    theta_se: float | None
    reason: str | None = None


def weight_from_prior(b: float, *, exposure: float | None, expected: float) -> float:
    """Return w = b/(b + e) for a prior Gamma(a, b) whose mean a/b is the reference rate.

    Without an exposure the expected count is the exposure: the prior is then that of a multiplier with mean
    1, and b its shape a (Hauer's φ·L, so that w = 1/(1 + expected/φL)).
    """
    b = read_positive(b, "b")
    return b / (b + (expected if exposure is None else exposure))


def weight_from_dispersion(expected_per_unit: float, periods: float, phi: float) -> float:
    """Return w = 1/(1 + μ·Y/φ), with Hauer's dispersion φ per unit of length."""
    return 1 / (1 + expected_per_unit * periods / read_positive(phi, "phi"))


def expected_before(expected: float, observed: int, weight: float) -> Expected:
    """Mix what is expected of a unit's like with what was observed of it."""
    mean, count = read_mean(expected, "expected"), read_count(observed, "observed")
    w = read_number(weight, "weight")
    if not 0 <= w <= 1:
        raise StatisticsError(f"weight is {weight}: it is a share and lies in [0, 1]")
    kappa = w * mean + (1 - w) * count
    return Expected(w, kappa, math.sqrt((1 - w) * kappa))


def effect(before: Expected, *, exposure_ratio: float, observed_after: int) -> Effect:
    """Compare the count after with the one to be expected: θ = (L/π)/(1 + Var π/π²).

    Parameters
    ----------
    before
        From `expected_before`.
    exposure_ratio
        Exposure after over exposure before; π = κ times it.
    observed_after
        L, the count after.
    """
    count = read_count(observed_after, "observed_after")
    ratio = read_ratio(exposure_ratio, "exposure ratio")
    kappa, spread = before.estimate, 1 - before.weight
    if kappa == 0:
        return Effect(None, None, "nothing is expected after (weight 0 and no event before): no ratio to it")
    # Var π/π² is (1-w)/κ: multiplied out, neither a large nor a small π overflows.
    theta = count / ratio / (kappa + spread)
    if count == 0:
        return Effect(theta, None, NONE_AFTER)
    return Effect(theta, theta * math.sqrt(kappa * kappa / count + spread * kappa) / (kappa + spread))


def relative_change(old: float, new: float) -> float | None:
    """Return new/old - 1, with the old value as base; None from zero, which has no percentage."""
    return None if old == 0 else new / old - 1
