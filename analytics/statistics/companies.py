"""Companies side by side without a league table: shrunk rates, bands, funnel limits, many tests at once.

A company with no accident on little exposure is not the best one, and the highest crude rate is mostly a
small company's bad luck. Rates are therefore drawn towards the city's by as much as their own exposure is
small: λ | data ~ Gamma(x + a, e + b), a/b the reference rate (Spiegelhalter 2005 for the funnel, Hauer 1997
for the rest).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import betainc, gammainc, gammaincc, gammainccinv, gammaincinv, gammaln, ndtr, ndtri, xlogy

from analytics.statistics.inputs import MAX_COUNT, Observed, StatisticsError, read_positive, read_share
from analytics.statistics.search import first_integer, root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Shape of the prior where the data cannot fix one: rates that differ by a coefficient of variation of 0.71.
FIXED_SHAPE = 2.0
# A fitted shape beyond this says "no detectable difference": the likelihood runs to infinity.
LARGEST_SHAPE = 1000.0
SMALLEST_SHAPE = 1e-3
# Log-likelihood that a difference between companies must gain over none at all.
MIN_GAIN = 1e-4

ABOVE, BELOW, UNDECIDED = "above", "below", "undecided"
BANDS_ZH = {ABOVE: "高于", BELOW: "低于", UNDECIDED: "无法区分"}
BAND_ABOVE, BAND_BELOW = 0.8, 0.2
FEWEST_FOR_INFLATION = 10

DIVERGED = "no detectable difference between companies: the fitted prior diverges, a fixed one is used"
ALL_ZERO = "no accident at any company: the reference rate is half an accident on the whole exposure"


@dataclass(frozen=True, slots=True)
class Prior:
    """Gamma(a, b) of the companies' rates; `reason` says why it is not a fitted one."""

    a: float
    b: float
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CompanyEstimate:
    """One company's rate, drawn towards the reference rate.

    Attributes
    ----------
    crude, estimate, lower, upper
        Crude rate, posterior mean, and the central interval, per unit of exposure.
    weight
        Share of the company's own data in the estimate, e/(e+b).
    p_above, p_far_above
        Probabilities that the rate is above the reference, and above `far` times it.
    p_worst
        Probability that this company's rate is the highest of all.
    expected_rank
        1 is the highest rate.
    band
        `above` where p_above ≥ 0.8, `below` where it is ≤ 0.2, else `undecided`.
    """

    crude: float
    estimate: float
    lower: float
    upper: float
    weight: float
    p_above: float
    p_far_above: float
    p_worst: float
    expected_rank: float
    band: str


# -- the prior


def fit_prior(companies: Sequence[Observed]) -> Prior:
    """Fit Gamma(a, b) to the companies' counts by marginal maximum likelihood, and catch its divergence.

    The counts are negative binomial with mean m·e. For each shape a the best m is a root; the profile is then
    searched over ln a. Where the best shape is beyond 1000, or no better than Poisson, the counts show no
    difference between companies, the estimate runs to infinity, and a = 2 around the pooled rate is
    returned with the reason.
    """
    x, e = _arrays(companies)
    if not x.any():
        return Prior(FIXED_SHAPE, FIXED_SHAPE * float(e.sum()) / 0.5, ALL_ZERO)
    pooled = float(x.sum() / e.sum())

    def loss(log_shape: float) -> float:
        shape = math.exp(log_shape)
        return -_marginal(x, e * _best_mean(x, e, shape), shape)

    grid = np.linspace(math.log(SMALLEST_SHAPE), math.log(10 * LARGEST_SHAPE), 60)
    best = int(np.argmin([loss(g) for g in grid]))
    bounds = (grid[max(0, best - 1)], grid[min(len(grid) - 1, best + 1)])
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-9})
    poisson = float(np.sum(xlogy(x, e * pooled) - e * pooled - gammaln(x + 1)))
    if math.exp(found.x) > LARGEST_SHAPE or -found.fun - poisson < MIN_GAIN:
        return Prior(FIXED_SHAPE, FIXED_SHAPE / pooled, DIVERGED)
    shape = math.exp(found.x)
    return Prior(shape, shape / _best_mean(x, e, shape))


def _arrays(companies: Sequence[Observed]) -> tuple[Floats, Floats]:
    if not companies:
        raise StatisticsError("there are no companies to compare")
    return (
        np.array([c.count for c in companies], dtype=np.float64),
        np.array([c.exposure for c in companies], dtype=np.float64),
    )


def _best_mean(x: Floats, e: Floats, shape: float) -> float:
    """Mean rate that maximises the likelihood for a given shape: Σ a(x - me)/(a + me) = 0."""

    def score(log_mean: float) -> float:
        mean = math.exp(log_mean) * e
        return float(np.sum(shape * (x - mean) / (shape + mean)))

    rates = x[x > 0] / e[x > 0]
    low = math.log(1e-3 * x.sum() / e.sum() / x.size)
    return math.exp(root(score, low, math.log(rates.max()) + 1))


def _marginal(x: Floats, mean: Floats, shape: float) -> float:
    """Log-likelihood of negative binomial counts; log1p keeps it exact for large shapes."""
    terms = gammaln(x + shape) - gammaln(shape) - x * math.log(shape) - gammaln(x + 1)
    return float(np.sum(terms + xlogy(x, mean) - (x + shape) * np.log1p(mean / shape)))


# -- shrunk estimates


def company_estimates(
    companies: Sequence[Observed], prior: Prior, *, far: float = 1.5, level: float = 0.90
) -> list[CompanyEstimate]:
    """Return each company's shrunk rate with what can and cannot be said of it; the order given is kept.

    Parameters
    ----------
    companies
        Counts and exposures, one each.
    prior
        From `fit_prior`, or fixed by policy; its mean a/b is the reference ("city") rate.
    far
        Multiple of the reference rate for `p_far_above`.
    level
        Level of the central interval.
    """
    x, e = _arrays(companies)
    a, b, reference = x + prior.a, e + prior.b, prior.a / prior.b
    tail = (1 - read_share(level, "level")) / 2
    lower, upper = gammaincinv(a, tail) / b, gammaincinv(a, 1 - tail) / b
    p_above, p_far = gammaincc(a, reference * b), gammaincc(a, far * reference * b)
    p_worst, ranks = _p_worst(a, b), _expected_ranks(a, b)
    return [
        CompanyEstimate(
            crude=float(x[i] / e[i]),
            estimate=float(a[i] / b[i]),
            lower=float(lower[i]),
            upper=float(upper[i]),
            weight=float(e[i] / b[i]),
            p_above=float(p_above[i]),
            p_far_above=float(p_far[i]),
            p_worst=float(p_worst[i]),
            expected_rank=float(ranks[i]),
            band=band(float(p_above[i])),
        )
        for i in range(x.size)
    ]


def band(p_above: float) -> str:
    """Sort a probability of being above the reference into one of three bands."""
    if p_above >= BAND_ABOVE:
        return ABOVE
    return BELOW if p_above <= BAND_BELOW else UNDECIDED


def _p_worst(a: Floats, b: Floats, points: int = 4001) -> Floats:
    """P(rate i is the largest) = ∫ Π_{j≠i} F_j dF_i, by the trapezoid rule on a common grid; shape (n,).

    The grid spans where the largest rate can be; rates known better than its step add points of their own.
    """
    bottom, top = gammaincinv(a, 1e-9) / b, gammainccinv(a, 1e-9) / b
    high = float(top.max())
    low = max(float(bottom.max()), high * 1e-12)
    grid = np.geomspace(low, high, points)
    sharp = (top > low) & (np.sqrt(a) * math.log(high / low) > points / 10)
    own = gammaincinv(a[sharp, None], ndtr(np.linspace(-6, 6, 241))) / b[sharp, None]
    grid = np.union1d(grid, own[(own > low) & (own < high)])
    cdf = np.maximum(gammainc(a[:, None], b[:, None] * grid), 1e-300)
    others = np.exp(np.log(cdf).sum(axis=0) - np.log(cdf))
    mass = (np.diff(cdf, axis=1) * (others[:, 1:] + others[:, :-1]) / 2).sum(axis=1)
    return np.asarray(mass / mass.sum(), dtype=np.float64)


def _expected_ranks(a: Floats, b: Floats) -> Floats:
    """1 + Σ P(rate j > rate i); X/(X+Y) of two unit gammas is Beta(a_i, a_j). Shape (n,)."""
    above = betainc(a[:, None], a[None, :], b[:, None] / (b[:, None] + b[None, :]))
    np.fill_diagonal(above, 0.0)
    return np.asarray(1 + above.sum(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Hierarchical:
    """Posterior means with an uncertain prior: of the rates, shape (n,), and of the prior's a and b."""

    means: Floats
    a: float
    b: float


def hierarchical(companies: Sequence[Observed], *, points: int = 240) -> Hierarchical:
    """Return posterior mean rates when the prior itself is uncertain: a ~ Exp(1), b ~ Gamma(0.1, 1).

    Full Bayes by quadrature over (ln a, ln b), the model of the BUGS "pumps" example. It cannot diverge, and
    is the check on what `fit_prior` gives. Exposures must be of order one: the prior of b has a scale.
    """
    x, e = _arrays(companies)
    log_a, log_b = np.linspace(-5.0, 4.0, points)[:, None], np.linspace(-7.0, 5.0, points)[None, :]
    a, b = np.exp(log_a), np.exp(log_b)
    log_p = -a + log_a + 0.1 * log_b - b
    for count, exposure in zip(x, e, strict=True):
        log_p = log_p + gammaln(count + a) - gammaln(a) + a * log_b - (count + a) * np.log(b + exposure)
    weight = np.exp(log_p - log_p.max())
    weight /= weight.sum()
    means = [float(np.sum(weight * (c + a) / (b + t))) for c, t in zip(x, e, strict=True)]
    return Hierarchical(np.array(means), float(np.sum(weight * a)), float(np.sum(weight * b)))


# -- funnel


def funnel_limits(
    reference: float, exposure: float, *, coverage: float, inflation: float = 1.0
) -> tuple[float, float]:
    """Return the limits that `coverage` of companies at the reference rate keep on a given exposure.

    Exact Poisson limits by the interpolated quantile r - (F(r) - p)/f(r) (Spiegelhalter 2005), never below
    zero; `inflation` φ > 1 widens them by √φ on the normal scale.
    """
    mean = read_positive(reference, "reference rate") * read_positive(exposure, "exposure")
    if mean > 10 * MAX_COUNT:
        raise StatisticsError(f"the reference rate {reference:g} expects {mean:.3g} events of a company")
    z = -float(ndtri((1 - read_share(coverage, "coverage")) / 2)) * math.sqrt(max(1.0, inflation))
    low, high = (max(0.0, _smooth_quantile(mean, float(ndtr(s * z)))) for s in (-1, 1))
    return low / exposure, high / exposure


def _smooth_quantile(mean: float, p: float) -> float:
    r = first_integer(lambda n: float(gammaincc(n + 1, mean)) >= p, mean)
    mass = math.exp(xlogy(r, mean) - mean - gammaln(r + 1))
    return r - (float(gammaincc(r + 1, mean)) - p) / mass


def funnel_inflation(companies: Sequence[Observed], reference: float) -> float:
    """Return φ̂ of the residuals, winsorised at 10 % each side; 1 below ten companies or if smaller."""
    x, e = _arrays(companies)
    if x.size < FEWEST_FOR_INFLATION:
        return 1.0
    z = (x - reference * e) / np.sqrt(reference * e)
    low, high = np.quantile(z, [0.1, 0.9])
    return max(1.0, float(np.mean(np.clip(z, low, high) ** 2)))


# -- many tests


def benjamini_hochberg(p_values: Sequence[float]) -> Floats:
    """Return adjusted p-values in the order given: flag those at or under the false discovery rate.

    q_(i) = min over j ≥ i of m·p_(j)/j (Benjamini & Hochberg 1995). Shape (m,).
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise StatisticsError("p-values must lie in [0, 1]")
    order = np.argsort(p)[::-1]
    scaled = p[order] * p.size / np.arange(p.size, 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(scaled))
    return adjusted


def bonferroni(p_values: Sequence[float]) -> Floats:
    """Return p-values multiplied by their number, at most 1. Shape (m,)."""
    p = np.asarray(p_values, dtype=np.float64)
    return np.minimum(1.0, p * p.size)
