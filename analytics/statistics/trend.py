"""A trend over years, limits for a count to come, and whether counts vary more than Poisson would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainccinv, betaincinv, chdtrc, gammaincc, ndtr, ndtri

from analytics.statistics.inputs import Observed, StatisticsError, read_positive, read_share
from analytics.statistics.search import first_integer

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float64]

# With this few years a line looks like knowledge; print the interval only.
YEARS_FOR_A_LINE = 4
# exp(±MAX_SLOPE_SPAN) over the years seen: the likelihood keeps rising towards a rate of zero or of infinity.
MAX_SLOPE_SPAN = 20.0
# Neither a slope nor a variance comes from one number.
MIN_POINTS = 2
# A Newton step far below any printed digit.
CONVERGED = 1e-10


@dataclass(frozen=True, slots=True)
class Trend:
    """log rate = intercept + slope · (year - first year), and what it predicts for one year.

    Attributes
    ----------
    slope, slope_se
        Change of the log rate per year and its standard error.
    rate, rate_interval
        Expected rate in the year asked for, and its interval.
    count
        Expected count on the exposure asked for.
    prediction_interval
        Central interval of that count, with the uncertainty of the trend and of Poisson.
    p_at_most_cap
        Probability that the count is at most the cap; None without a cap.
    draw_line
        Whether there are years enough to draw a line.
    """

    slope: float
    slope_se: float
    rate: float
    rate_interval: tuple[float, float]
    count: float
    prediction_interval: tuple[int, int]
    p_at_most_cap: float | None
    draw_line: bool

    @property
    def yearly_change(self) -> float:
        """Relative change a year; -0.18 is a fall of 18 %."""
        return float(np.expm1(self.slope))

    def p_slope_at_most(self, slope: float) -> float:
        """Probability, as a normal tail, that the true slope is at most the given one (e.g. ln 0.5 / 5)."""
        return float(ndtr((slope - self.slope) / self.slope_se))


def poisson_trend(
    years: Sequence[float],
    observed: Sequence[Observed],
    *,
    year: float,
    exposure: float,
    cap: int | None = None,
    level: float = 0.95,
) -> Trend:
    """Fit a constant yearly percentage change and project it to `year` on `exposure`.

    Poisson regression with log exposure as offset, by Newton's method; the prediction mixes Poisson over a
    normal log rate by Gauss-Hermite quadrature (no random draws).

    Parameters
    ----------
    years
        Times of the periods, in years, at least two different ones; shape (n,).
    observed
        Counts and exposures of the periods; shape (n,).
    year, exposure
        When, and on how much exposure, the prediction is wanted.
    cap
        Largest count that meets the line.
    level
        Level of both intervals.
    """
    time = np.asarray(years, dtype=np.float64) - years[0]
    counts = np.array([o.count for o in observed], dtype=np.float64)
    offset = np.log([o.exposure for o in observed])
    _refuse_hopeless(time, counts)
    design = np.stack([np.ones_like(time), time], axis=1)
    beta, covariance = _newton(design, counts, offset)
    row = np.array([1.0, year - years[0]])
    log_rate, se = float(row @ beta), float(np.sqrt(row @ covariance @ row))
    z = -float(ndtri((1 - level) / 2))
    rates = np.exp([log_rate, log_rate - z * se, log_rate + z * se])
    cdf = _mixed_cdf(log_rate + np.log(read_positive(exposure, "exposure")), se)
    tail = (1 - level) / 2
    return Trend(
        slope=float(beta[1]),
        slope_se=float(np.sqrt(covariance[1, 1])),
        rate=float(rates[0]),
        rate_interval=(float(rates[1]), float(rates[2])),
        count=float(rates[0]) * exposure,
        prediction_interval=(cdf.quantile(tail), cdf.quantile(1 - tail)),
        p_at_most_cap=None if cap is None else cdf.at_most(cap),
        draw_line=len(years) >= YEARS_FOR_A_LINE,
    )


def _refuse_hopeless(time: Floats, counts: Floats) -> None:
    if np.unique(time).size < MIN_POINTS:
        raise StatisticsError("a trend needs at least two different years")
    if not counts.any():
        raise StatisticsError(
            "all counts are zero: no trend can be estimated, only an upper limit of the rate"
        )


def _newton(design: Floats, counts: Floats, offset: Floats) -> tuple[Floats, Floats]:
    """Maximise the Poisson likelihood; returns the coefficients and their covariance."""
    beta = np.array([np.log(counts.sum() / np.exp(offset).sum()), 0.0])
    span = float(np.ptp(design[:, 1]))
    for _ in range(100):
        mean = np.exp(design @ beta + offset)
        information = design.T @ (design * mean[:, None])
        step = np.linalg.solve(information, design.T @ (counts - mean))
        beta = beta + step * min(1.0, 2.0 / max(1e-300, float(np.abs(step).max())))
        if abs(beta[1]) * span > MAX_SLOPE_SPAN:
            break
        if float(np.abs(step).max()) < CONVERGED:
            return beta, np.linalg.inv(information)
    raise StatisticsError("the counts fix no finite trend (events at one end only): print the counts instead")


@dataclass(frozen=True, slots=True)
class _Mixture:
    """A count whose log mean is known with a normal error only: nodes and weights of its Poisson means."""

    means: Floats
    weights: Floats

    def at_most(self, n: int) -> float:
        return float(gammaincc(n + 1, self.means) @ self.weights) if n >= 0 else 0.0

    def quantile(self, probability: float) -> int:
        return first_integer(lambda n: self.at_most(n) >= probability, float(self.means @ self.weights))


def _mixed_cdf(log_mean: float, se: float) -> _Mixture:
    node, weight = np.polynomial.hermite_e.hermegauss(80)
    return _Mixture(np.exp(log_mean + se * node), weight / weight.sum())


def nelson_upper_limit(total: int, periods: float, *, ahead: float = 1.0, level: float = 0.95) -> int:
    """Return an upper prediction limit for the count of the next `ahead` periods after `total` in `periods`.

    The smallest U with U/m ≥ (X+1)/n · F(level; 2X+2, 2U) (Nelson 1970; EnvStats `predIntPois`):
    frequentist, and slightly more cautious than the Jeffreys prediction.
    """
    share = read_share(level, "level")
    d1 = total + 1.0

    def holds(upper: int) -> bool:
        if upper == 0:
            return False
        # F(level; 2a, 2b) = (b/a)·x/(1-x), x and 1-x the Beta(a, b) quantile and its complement.
        odds = float(betaincinv(d1, upper, share) / betainccinv(upper, d1, share))
        return upper / ahead >= d1 / periods * odds * upper / d1

    return first_integer(holds, total * ahead / periods)


@dataclass(frozen=True, slots=True)
class Dispersion:
    """Σ(x-μ)²/μ against χ² with one degree less than counts; ratio 1 is what Poisson gives."""

    chi2: float
    degrees: int
    ratio: float
    p_value: float


def dispersion(counts: Sequence[float], expected: Sequence[float] | None = None) -> Dispersion:
    """Test whether counts vary more than Poisson would.

    Parameters
    ----------
    counts
        Observed numbers; shape (n,), n ≥ 2.
    expected
        Their expectations, scaled to the same total; equal ones when left out. Never test deaths with it:
        several in one accident are not independent.
    """
    x = np.asarray(counts, dtype=np.float64)
    mean = np.full_like(x, x.mean()) if expected is None else np.asarray(expected, dtype=np.float64)
    if x.size < MIN_POINTS or not (mean > 0).all():
        raise StatisticsError("a dispersion test needs two counts at least, and expectations above zero")
    chi2, degrees = float(((x - mean) ** 2 / mean).sum()), x.size - 1
    return Dispersion(chi2, degrees, chi2 / degrees, float(chdtrc(degrees, chi2)))
