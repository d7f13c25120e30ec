"""One rate, and the ratio of two: exact and mid-P intervals, p-values, and the units a rate is printed in.

All two-sided methods are central: p is twice the smaller tail and the interval cuts α/2 on each side, so that
p < α exactly when the tested value lies outside the interval. (The "minlike" p-value of R's `poisson.test`
and of statsmodels' `exact-cond` does not agree with its own interval; see docs/statistics.md.)

The ratio is judged conditionally on the total t = x1 + x0, which leaves x1 ~ Bin(t, p) with odds
p/(1-p) = ratio · e1/e0, free of the unknown level of both rates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from scipy.special import (
    betainc,
    betainccinv,
    betaincinv,
    gammainc,
    gammaincc,
    gammainccinv,
    gammaincinv,
    ndtri,
)

from analytics.statistics.inputs import Observed, read_level, read_positive, read_ratio
from analytics.statistics.search import root

if TYPE_CHECKING:
    from collections.abc import Callable

Method = Literal["exact", "midp"]
RateMethod = Literal["exact", "midp", "score", "byar", "jeffreys"]
Alternative = Literal["less", "greater"]

BOTH_ZERO = "both counts are zero: the ratio is undefined, and the probabilities are the prior's alone"
BASE_ZERO = "the baseline count is zero: the ratio and its upper limit are undefined (division by zero)"


@dataclass(frozen=True, slots=True)
class RateUnit:
    """How a rate is scaled and named for people.

    Attributes
    ----------
    what_zh, what_en
        Name of the exposure itself (产量: volume).
    per
        Exposure that the printed rate refers to.
    zh, en
        Name of the printed rate's unit.
    amount_zh, amount_en
        Name of the exposure divided by `per` (百万方: million m³).
    """

    what_zh: str
    what_en: str
    per: float
    zh: str
    en: str
    amount_zh: str
    amount_en: str

    def scale(self, rate: float) -> float:
        """Turn events per unit of exposure into the printed rate."""
        return rate * self.per

    def amount(self, exposure: float) -> float:
        """Turn an exposure into multiples of `per`."""
        return exposure / self.per


# The one place that knows the multipliers. A published formula has 10^5 for vehicles: a misprint.
RATE_UNITS = {
    "vehicle_years": RateUnit(
        "车年数",
        "vehicle-years",
        1e4,
        "起/万车年",
        "per 10,000 vehicle-years",
        "万车年",
        "x 10,000 vehicle-years",
    ),
    "km": RateUnit(
        "里程", "distance", 1e8, "起/亿车公里", "per 100 million km", "亿车公里", "x 100 million km"
    ),
    "m3": RateUnit("产量", "volume", 1e6, "起/百万方", "per million m³", "百万方", "million m³"),
    "loads": RateUnit(
        "车次", "loads", 1e5, "起/十万车次", "per 100,000 loads", "十万车次", "x 100,000 loads"
    ),
}


@dataclass(frozen=True, slots=True)
class RateEstimate:
    """A rate with its limits, per unit of exposure."""

    rate: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class RatioEstimate:
    """A ratio of two rates; None with a `reason` where it is undefined."""

    ratio: float | None
    lower: float
    upper: float | None
    reason: str | None


# -- one rate --------------------------------------------------------------------------------------


def rate_interval(now: Observed, *, level: float = 0.95, method: RateMethod = "exact") -> RateEstimate:
    """Estimate one rate with a two-sided interval.

    Parameters
    ----------
    now
        The count and its exposure.
    level
        Confidence level in (0, 1).
    method
        `exact`: Garwood, L = ½χ²(α/2; 2x), U = ½χ²(1-α/2; 2x+2) (Biometrika 28, 1936).
        `midp`: half of P(X = x) counts in each tail; shorter, right on average, not guaranteed.
        `score`, `byar`, `jeffreys` (quantiles of Gamma(x + ½)): for comparison with other programs.
    """
    alpha = 1 - read_level(level)
    lower, upper = _MEAN_LIMITS[method](now.count, alpha)
    return RateEstimate(now.rate, lower / now.exposure, upper / now.exposure)


def rate_p_value(now: Observed, *, rate: float, method: Method = "exact") -> float:
    """Test one rate against a fixed one: p = 2·min(P(X ≤ x), P(X ≥ x)), at most 1."""
    mean = read_positive(rate, "rate") * now.exposure
    return min(1.0, 2 * min(_mean_lower(now.count, mean, method), _mean_upper(now.count, mean, method)))


def _mean_lower(x: int, mean: float, method: Method) -> float:
    """P(X ≤ x), or with half of P(X = x), for X ~ Poisson(mean)."""
    at_most = float(gammaincc(x + 1, mean))
    if method == "exact":
        return at_most
    return (at_most + (float(gammaincc(x, mean)) if x else 0.0)) / 2


def _mean_upper(x: int, mean: float, method: Method) -> float:
    """P(X ≥ x), or with half of P(X = x)."""
    at_least = float(gammainc(x, mean)) if x else 1.0
    return at_least if method == "exact" else (at_least + float(gammainc(x + 1, mean))) / 2


def _garwood(x: int, alpha: float) -> tuple[float, float]:
    lower = float(gammaincinv(x, alpha / 2)) if x else 0.0
    return lower, float(gammainccinv(x + 1, alpha / 2))


def _midp_mean(x: int, alpha: float) -> tuple[float, float]:
    low, high = _garwood(x, alpha)
    if x == 0:  # ½·e^-m = α/2
        return 0.0, -math.log(alpha)
    lower = _limit(lambda mean: _mean_upper(x, mean, "midp") - alpha / 2, low, float(x))
    upper = _limit(lambda mean: _mean_lower(x, mean, "midp") - alpha / 2, high, float(x))
    return lower, upper


def _score_mean(x: int, alpha: float) -> tuple[float, float]:
    z = -float(ndtri(alpha / 2))
    half = z * math.sqrt(x + z * z / 4)
    return max(0.0, x + z * z / 2 - half), x + z * z / 2 + half


def _byar_mean(x: int, alpha: float) -> tuple[float, float]:
    """Byar's approximation with x + ½ in both limits, which approximates mid-P (Rothman & Boice 1979).

    Of no events the lower limit is zero: at levels below 0.9 the formula would leave out the estimate.
    """
    z, n = -float(ndtri(alpha / 2)), x + 0.5
    low, high = (n * (1 - 1 / (9 * n) + sign * z / (3 * math.sqrt(n))) ** 3 for sign in (-1, 1))
    return max(0.0, low) if x else 0.0, high


def _jeffreys_mean(x: int, alpha: float) -> tuple[float, float]:
    return float(gammaincinv(x + 0.5, alpha / 2)), float(gammainccinv(x + 0.5, alpha / 2))


_MEAN_LIMITS: dict[str, Callable[[int, float], tuple[float, float]]] = {
    "exact": _garwood,
    "midp": _midp_mean,
    "score": _score_mean,
    "byar": _byar_mean,
    "jeffreys": _jeffreys_mean,
}


# -- two rates -------------------------------------------------------------------------------------


def ratio_interval(
    now: Observed, base: Observed, *, level: float = 0.95, method: Method = "exact"
) -> RatioEstimate:
    """Estimate (x1/e1)/(x0/e0) with a conditional interval.

    `exact` takes the Clopper-Pearson limits of p, `midp` counts half of P(X = x1) in each tail; either is
    then carried to the ratio by (e0/e1)·p/(1-p). With x0 = 0 there is no upper limit, with both zero no
    estimate.
    """
    alpha = 1 - read_level(level)
    x, total = now.count, now.count + base.count
    scale = base.exposure / now.exposure
    if total == 0:
        return RatioEstimate(None, 0.0, None, BOTH_ZERO)
    low, high = _odds_limits(x, total, alpha, method)
    if high is None:
        return RatioEstimate(None, low * scale, None, BASE_ZERO)
    return RatioEstimate(x / base.count * scale, low * scale, high * scale, None)


def ratio_tail(
    now: Observed, base: Observed, *, ratio: float, alternative: Alternative, method: Method = "exact"
) -> float:
    """Test the ratio one-sided: p for H0 `ratio at least` (less) or `at most` (greater) the given one.

    With `alternative="less"` and ratio 0.5 this is the target test: P(X ≤ x1 | t, odds = 0.5·e1/e0).
    """
    odds = read_ratio(ratio, "ratio") * now.exposure / base.exposure
    tail = _odds_lower if alternative == "less" else _odds_upper
    return tail(now.count, now.count + base.count, odds, method)


def ratio_p_value(now: Observed, base: Observed, *, ratio: float = 1.0, method: Method = "exact") -> float:
    """Test the ratio two-sided, central: p = 2·min(tails), at most 1."""
    tails = [ratio_tail(now, base, ratio=ratio, alternative=a, method=method) for a in ("less", "greater")]
    return min(1.0, 2 * min(tails))


def _odds_lower(x: int, total: int, odds: float, method: Method) -> float:
    """P(X ≤ x) for X ~ Bin(total, odds/(1+odds)); from 1-p, which keeps small tails accurate."""
    q = 1 / (1 + odds)
    at_most = float(betainc(total - x, x + 1, q)) if x < total else 1.0
    if method == "exact":
        return at_most
    return (at_most + (float(betainc(total - x + 1, x, q)) if x else 0.0)) / 2


def _odds_upper(x: int, total: int, odds: float, method: Method) -> float:
    """P(X ≥ x) for X ~ Bin(total, odds/(1+odds)): the lower tail of the other period's count."""
    return _odds_lower(total - x, total, 1 / odds, method)


def _odds_limits(x: int, total: int, alpha: float, method: Method) -> tuple[float, float | None]:
    """Limits of p/(1-p) given x of total > 0; the upper one is None where x = total."""
    lower = 1 / inverse if (inverse := _odds_upper_limit(total - x, total, alpha, method)) else 0.0
    return lower, _odds_upper_limit(x, total, alpha, method)


def _odds_upper_limit(x: int, total: int, alpha: float, method: Method) -> float | None:
    """Upper limit of the odds, from the quantiles of p and of 1-p apart: 1 - p would lose digits."""
    if x == total:
        return None
    exact = float(betainccinv(x + 1, total - x, alpha / 2) / betaincinv(total - x, x + 1, alpha / 2))
    if method == "exact":
        return exact
    if x == 0:  # ½·q^t = α/2
        return math.expm1(-math.log(alpha) / total)
    estimate = math.log(x / (total - x))
    log_odds = _limit(
        lambda v: _odds_lower(x, total, math.exp(v), "midp") - alpha / 2, math.log(exact), estimate
    )
    return math.exp(log_odds)


def _limit(function: Callable[[float], float], outer: float, estimate: float) -> float:
    """Find the mid-P limit between the exact limit and the estimate.

    Below a level of about 0.1 the mid-P limit would pass the estimate; the estimate is then returned, so
    that an interval always holds its estimate.
    """
    if outer == estimate or function(outer) * function(estimate) >= 0:
        return estimate
    return root(function, *sorted((outer, estimate)))
