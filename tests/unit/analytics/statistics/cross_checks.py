"""Other people's tests of two rates: score, Wald and E-test, to compare with other programs.

No verdict rests on them, so the product does not have them: the score and Wald tests are approximations, and
the E-test is not conditional and has no matching interval. `rates.ratio_tail` is what the reports use.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.special import gammaln, ndtr, xlogy

from analytics.statistics.inputs import Observed, StatisticsError, read_ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Side = Literal["less", "greater", "two-sided"]
# The E-test enumerates both counts; beyond this the normal approximations are as good.
MAX_ENUMERATED = 4000


def score_p_value(now: Observed, base: Observed, *, ratio: float = 1.0, side: Side = "two-sided") -> float:
    """Test with the variance under H0: z = (x1 - ρ·x0)/√(ρ·(x1 + x0)), ρ = ratio·e1/e0 (Gu et al. 2008)."""
    rho = read_ratio(ratio, "ratio") * now.exposure / base.exposure
    total = now.count + base.count
    return _normal_p((now.count - rho * base.count) / math.sqrt(rho * total), side) if total else 1.0


def wald_p_value(now: Observed, base: Observed, *, ratio: float = 1.0, side: Side = "two-sided") -> float:
    """Test with the variance estimated from the counts: z = (x1 - ρ·x0)/√(x1 + ρ²·x0)."""
    rho = read_ratio(ratio, "ratio") * now.exposure / base.exposure
    z = _wald(now.count, base.count, rho)
    return _normal_p(float(z), side)


def e_test_p_value(now: Observed, base: Observed, *, ratio: float = 1.0, side: Side = "two-sided") -> float:
    """Return the E-test: the Wald statistic's exact distribution at the rates estimated under H0.

    Krishnamoorthy & Thomson 2004 for ratio 1; the same with ρ for any other ratio (Gu et al. 2008).
    """
    rho = read_ratio(ratio, "ratio") * now.exposure / base.exposure
    total = now.count + base.count
    if total == 0:
        return 1.0
    mean0 = total / (1 + rho)
    y1, p1 = _likely(rho * mean0)
    y0, p0 = _likely(mean0)
    statistic, seen = _wald(y1[:, None], y0[None, :], rho), _wald(now.count, base.count, rho)
    # A hair of tolerance, so that ties by rounding count as ties.
    extreme = {
        "greater": statistic >= seen - 1e-10,
        "less": statistic <= seen + 1e-10,
        "two-sided": np.abs(statistic) >= abs(seen) - 1e-10,
    }[side]
    return min(1.0, float(p1 @ extreme @ p0))


def _wald(x1: Any, x0: Any, rho: float) -> Any:
    spread = np.sqrt(np.add(x1, rho * rho * np.asarray(x0)))
    return np.where(spread > 0, np.subtract(x1, rho * np.asarray(x0)) / np.where(spread > 0, spread, 1), 0.0)


def _likely(mean: float) -> tuple[Floats, Floats]:
    """Return the counts that hold all but about 10^-15 of a Poisson distribution, and their probabilities."""
    half = 8 * math.sqrt(mean) + 40
    low, high = max(0, int(mean - half)), int(mean + half)
    if high - low > MAX_ENUMERATED:
        raise StatisticsError(f"the E-test enumerates counts; {mean:.3g} expected events are too many for it")
    x = np.arange(low, high + 1.0)
    return x, np.exp(xlogy(x, mean) - mean - gammaln(x + 1))


def _normal_p(z: float, side: Side) -> float:
    tails = {"less": float(ndtr(z)), "greater": float(ndtr(-z)), "two-sided": 2 * float(ndtr(-abs(z)))}
    return tails[side]
