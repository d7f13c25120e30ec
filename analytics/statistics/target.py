"""Has the rate halved? Two questions kept apart, in closed form.

1. Will the official figure be at or below the line? The baseline is a fixed published number and the count
   of the year under way is predicted: `line_cap`, `year_under_way`.
2. Has the risk itself fallen that far? The baseline is a small random count too: `probability_at_most`,
   `joint`.

The prior of every rate is Gamma(a, b → 0), a = ½ (Jeffreys) unless said; then λ1/λ0 = (e0/e1)·B/(1-B) with
B ~ Beta(x1+a, x0+a), so that P(ratio ≤ r) is one incomplete beta function. No random numbers are drawn
anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betainccinv, betaincinv, gammaincc

from analytics.statistics.inputs import Observed, StatisticsError, read_exposure, read_ratio, read_share
from analytics.statistics.search import first_integer

JEFFREYS = 0.5
# The range of priors that a printed probability is accompanied by: nearly none, Jeffreys, uniform.
PRIOR_SHAPES = (0.001, 0.5, 1.0)
# The distribution of deaths is summed term by term; more than this is no forecast of deaths.
MAX_COMPOUND = 100_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Joint:
    """Probabilities that accidents, deaths, and both have fallen to the target ratio."""

    p_accidents: float
    p_deaths: float
    p_joint: float


@dataclass(frozen=True, slots=True)
class Severity:
    """Accidents of one period, split by whether somebody died, and their exposure."""

    fatal: int
    other: int
    exposure: float


@dataclass(frozen=True, slots=True)
class YearForecast:
    """What the year under way will come to.

    Attributes
    ----------
    mean_rest
        Expected number of events on the remaining exposure.
    mean_total
        The same and what has already happened.
    p_meet
        Probability that the year's total is at most the cap; None without a cap.
    interval80, interval95
        Central prediction intervals of the year's total.
    """

    mean_rest: float
    mean_total: float
    p_meet: float | None
    interval80: tuple[int, int]
    interval95: tuple[int, int]


# -- question 2: the risk --------------------------------------------------------------------------


def probability_at_most(now: Observed, base: Observed, ratio: float, *, prior: float = JEFFREYS) -> float:
    """P(λ1/λ0 ≤ ratio | counts) = I_u(x1+a, x0+a), u = ρ/(1+ρ), ρ = ratio·e1/e0."""
    odds = read_ratio(ratio, "ratio") * now.exposure / base.exposure
    return float(ratio_cdf(now.count, base.count, odds, prior=prior))


def ratio_cdf(x1: Any, x0: Any, odds: Any, *, prior: float = JEFFREYS) -> Any:
    """Return the same for arrays of counts and of odds ρ = ratio·e1/e0, broadcast together."""
    return betainc(np.add(x1, prior), np.add(x0, prior), np.divide(odds, np.add(1.0, odds)))


def ratio_quantile(now: Observed, base: Observed, probability: float, *, prior: float = JEFFREYS) -> float:
    """Return the ratio that the posterior lies below with the given probability."""
    p = read_share(probability, "probability")
    a, b = now.count + prior, base.count + prior
    return _odds_quantile(a, b, p) * base.exposure / now.exposure


def _odds_quantile(a: float, b: float, p: float) -> float:
    """B/(1-B) of the Beta(a, b) quantile, from two quantiles: neither loses its digits near 0 or 1."""
    return float(betaincinv(a, b, p) / betainccinv(b, a, p))


def prior_sensitivity(now: Observed, base: Observed, ratio: float) -> dict[float, float]:
    """P(λ1/λ0 ≤ ratio) under each shape of `PRIOR_SHAPES`: with zeros it is the prior that speaks."""
    return {shape: probability_at_most(now, base, ratio, prior=shape) for shape in PRIOR_SHAPES}


def joint(now: Severity, base: Severity, *, ratio: float = 0.5, prior: float = JEFFREYS) -> Joint:
    """P(accidents and deaths have both fallen to `ratio`), by quadrature over two closed forms.

    Accidents λ ~ Gamma(x+a, e), the fatal share s ~ Beta(fatal+½, other+½) in both periods, all independent;
    deaths go as λ·s (deaths per fatal accident are taken as unchanged and cancel). Deaths happen inside
    accidents, so the two are strongly dependent, and a product of the two probabilities would be wrong.
    With G(q) = P(λ1/λ0 ≤ ratio·q), closed form, p_joint = E[G(min(1, s0/s1))] and p_deaths = E[G(s0/s1)]; the
    expectations are taken by double-exponential quadrature over the quantiles of s1 and s0, cut where s0/s1
    is 1 (the bend of the minimum) and where G is ½ (a step, where accidents are many). 81 x 81 nodes a piece
    agree with 161 x 161 to 10^-8, for any counts.
    """
    read_share(ratio, "target")
    odds = ratio * now.exposure / base.exposure
    x1, x0 = now.fatal + now.other, base.fatal + base.other
    node, weight = _double_exponential()
    s1 = betaincinv(now.fatal + 0.5, now.other + 0.5, node)[:, None]
    a, b = base.fatal + 0.5, base.other + 0.5
    bends = sorted((1.0, _odds_quantile(x1 + prior, x0 + prior, 0.5) / odds))
    cuts: list[Any] = [0.0, *(betainc(a, b, np.minimum(1.0, bend * s1)) for bend in bends), 1.0]
    p_accidents, p_deaths, p_joint = float(ratio_cdf(x1, x0, odds, prior=prior)), 0.0, 0.0
    for low, high in pairwise(cuts):
        quotient = betaincinv(a, b, low + (high - low) * node) / s1
        mass = weight[:, None] * (high - low) * weight
        p_deaths += float(np.sum(mass * ratio_cdf(x1, x0, odds * quotient, prior=prior)))
        p_joint += float(np.sum(mass * ratio_cdf(x1, x0, odds * np.minimum(1.0, quotient), prior=prior)))
    return Joint(p_accidents, _share(p_deaths), min(_share(p_joint), p_accidents, _share(p_deaths)))


def _share(value: float) -> float:
    """Take a probability that rounding left a bit outside [0, 1] back to the edge."""
    return min(1.0, max(0.0, value))


def _double_exponential(nodes: int = 40, step: float = 0.08) -> tuple[Floats, Floats]:
    """Nodes and weights on (0, 1) that cope with singular ends (Takahasi & Mori 1974)."""
    t = np.arange(-nodes, nodes + 1) * step
    node = 1 / (1 + np.exp(-np.pi * np.sinh(t)))
    weight = step * np.pi * np.cosh(t) * node * (1 - node)
    return node, weight / weight.sum()


# -- question 1: the official figure ---------------------------------------------------------------


def line_cap(base: Observed, exposure: float, ratio: float) -> int:
    """Return the largest count whose rate on `exposure` is at most `ratio` times the baseline rate.

    Decimals are taken as written: 0.5 · 20 / 15.958 · 20.0 is 12.53…, but 0.5 · 20 / 10 · 10 is exactly 10,
    which floats may miss.
    """
    line = _exact(ratio) * base.count / _exact(base.exposure)
    return int(line * _exact(exposure))


def _exact(number: float) -> Fraction:
    return Fraction(repr(float(number)))


def year_under_way(
    so_far: Observed,
    remaining: float,
    *,
    cap: int | None = None,
    deaths: tuple[int, float] | None = None,
    prior: float = JEFFREYS,
) -> YearForecast:
    """Predict the year's count from what has happened and the exposure still to come.

    The remaining count is NegBin(r = x+a, p = E/(E+E_f)).

    Parameters
    ----------
    so_far
        Events and exposure of the year to date.
    remaining
        Exposure still expected, in the same unit.
    cap
        Largest total that meets the line.
    deaths
        Where `so_far` counts fatal accidents and deaths are to be predicted: the deaths so far, and the mean
        number m of deaths beyond the first in a fatal accident, which then kills 1 + Poisson(m) people.
    """
    rest = read_exposure(remaining, "remaining exposure")
    already, extra = deaths or (so_far.count, 0.0)
    shape, p = so_far.count + prior, so_far.exposure / (so_far.exposure + rest)
    mean_rest = shape * rest / so_far.exposure * (1 + extra)
    if extra and mean_rest > MAX_COMPOUND:
        raise StatisticsError(
            f"{mean_rest:.3g} deaths would be predicted: check counts and remaining exposure"
        )

    def at_most(n: int) -> float:
        return _compound_cdf(n, shape, p, extra)

    def quantile(probability: float) -> int:
        return already + first_integer(lambda n: at_most(n) >= probability, mean_rest)

    p_meet = None if cap is None else at_most(cap - already)
    return YearForecast(
        mean_rest=mean_rest,
        mean_total=already + mean_rest,
        p_meet=p_meet,
        interval80=(quantile(0.1), quantile(0.9)),
        interval95=(quantile(0.025), quantile(0.975)),
    )


def _compound_cdf(n: int, shape: float, p: float, extra: float) -> float:
    """P(N ≤ n) for N ~ NegBin(shape, p), or for N + Poisson(N·extra)."""
    if n < 0:
        return 0.0
    if extra == 0:
        return float(betainc(shape, n + 1, p))
    # More fatal accidents than `most` have no probability left; a cap of millions is not summed term by term.
    most = first_integer(lambda m: float(betainc(shape, m + 1, p)) > 1 - 1e-15, shape)
    fatal = np.arange(min(n, most) + 1.0)
    cdf = betainc(shape, fatal + 1, p)
    mass = np.diff(cdf, prepend=0.0)
    return float(mass @ gammaincc(n - fatal + 1, fatal * extra))


# -- the way to the line ---------------------------------------------------------------------------


def required_ratio(moment: float, *, base_year: int, target_year: int, ratio: float) -> float:
    """Return the ratio a constant yearly percentage fall would have reached.

    ratio^((t - (base_year + ½)) / (target_year - base_year)), t in years, the middle of the window judged
    (2018.5 for the year 2018). It is an indicative line: no one should expect the figures to match it.
    """
    if target_year <= base_year:
        raise StatisticsError(f"target year {target_year} must come after the baseline year {base_year}")
    passed = (moment - (base_year + 0.5)) / (target_year - base_year)
    return float(read_share(ratio, "target") ** max(0.0, passed))
