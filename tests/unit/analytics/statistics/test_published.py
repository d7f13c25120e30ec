"""Published figures that are not in worked_examples.json: other programs, textbooks, press cases."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analytics.statistics import rates, target
from analytics.statistics.companies import Prior, company_estimates
from analytics.statistics.inputs import observed
from analytics.statistics.monitor import cusum_run_length
from analytics.statistics.trend import dispersion
from tests.unit.analytics.statistics import cross_checks


@pytest.mark.parametrize(
    ("count", "lower", "upper"),
    [
        (0, 0, 3.689),
        (1, 0.025, 5.572),
        (2, 0.242, 7.225),
        (3, 0.619, 8.767),
        (4, 1.090, 10.242),
        (5, 1.623, 11.668),
        (6, 2.202, 13.059),
        (8, 3.454, 15.763),
        (10, 4.795, 18.390),
        (12, 6.201, 20.962),
        (15, 8.395, 24.740),
        (20, 12.217, 30.888),
        (30, 20.241, 42.827),
    ],
)
def test_garwood_table(count: int, lower: float, upper: float) -> None:
    """The table every public health handbook prints."""
    found = rates.rate_interval(observed(count, 1))
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=5e-4)


def test_r_survival_cipoisson() -> None:
    """R, package survival: cipoisson(4) prints 1.089865 and 10.24153 (its root is found to 10^-4)."""
    found = rates.rate_interval(observed(4, 1))
    assert (found.lower, found.upper) == pytest.approx((1.089865, 10.24153), abs=1e-4)


@pytest.mark.parametrize(
    ("method", "lower", "upper"),
    [
        ("exact", 0.6054271, 0.8051570),
        ("score", 0.6086218, 0.8050977),
        ("byar", 0.6070833, 0.8032497),
    ],
)
def test_desctools_horse_kicks(method: rates.RateMethod, lower: float, upper: float) -> None:
    """R, package DescTools, example of PoissonCI: 196 deaths in 280 corps-years."""
    found = rates.rate_interval(observed(196, 280), method=method)
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=5e-8)


@pytest.mark.parametrize(
    ("level", "lower", "upper"), [(0.90, 31.94, 54.32), (0.95, 30.27, 56.77), (0.99, 27.18, 61.76)]
)
def test_r_poisson_test_of_one_rate(level: float, lower: float, upper: float) -> None:
    """R, poisson.test(42) at three levels, as a textbook page prints it."""
    found = rates.rate_interval(observed(42, 1), level=level)
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=5e-3)


def test_openepi_standardised_mortality_ratio() -> None:
    """OpenEpi, "Standardized Mortality Ratio": 4 deaths where 3.3 were expected, 1.212, mid-P 0.6571."""
    seen = observed(4, 3.3)
    assert seen.rate == pytest.approx(1.212, abs=5e-4)
    assert rates.rate_p_value(seen, rate=1, method="midp") == pytest.approx(0.6571, abs=5e-5)


def test_stata_iri() -> None:
    """Stata, iri 41 15 28010 19017 (breast cancer and fluoroscopy, Rothman): exact limits, mid-P tails."""
    now, base = observed(41, 28_010), observed(15, 19_017)
    found = rates.ratio_interval(now, base)
    assert (found.ratio, found.lower, found.upper) == pytest.approx((1.855759, 1.005684, 3.6093), abs=5e-5)
    tails = [rates.ratio_tail(now, base, ratio=1, alternative=a, method="midp") for a in ("less", "greater")]
    assert tails == pytest.approx([0.9823, 0.0177], abs=5e-5)
    assert rates.ratio_p_value(now, base, method="midp") == pytest.approx(0.0355, abs=5e-5)


@pytest.mark.parametrize(("shift", "arl", "with_head_start"), [(0.0, 37.2, 29.19), (0.9627, 5.49, 3.33)])
def test_lawson_s_cusum(shift: float, arl: float, with_head_start: float) -> None:
    """R, package IAcsSPCR (Lawson), arl(h = 6, k = 2, lambda = 1.88): Lucas's chart in and out of control."""
    mean = 1.88 + shift * math.sqrt(1.88)
    found = [cusum_run_length(mean, 2, 6, head_start=start).arl for start in (0, 3)]
    assert found == pytest.approx([arl, with_head_start], abs=5e-3)


def test_rule_of_three() -> None:
    """No event: the 95 % upper limit of a one-sided interval is 2.996, of a two-sided one 3.689."""
    assert rates.rate_interval(observed(0, 1), level=0.90).upper == pytest.approx(2.996, abs=5e-4)
    assert rates.rate_interval(observed(0, 1), method="midp").upper == pytest.approx(2.996, abs=5e-4)


def test_r_poisson_test_of_two_rates() -> None:
    """R, poisson.test(c(11, 21), c(800, 3011)): the same interval; its p is minlike, ours central."""
    now, base = observed(11, 800), observed(21, 3011)
    found = rates.ratio_interval(now, base)
    assert (found.ratio, found.lower, found.upper) == pytest.approx(
        (1.971488, 0.8584264, 4.2772659), rel=5e-7
    )
    assert rates.ratio_p_value(now, base) != pytest.approx(0.07967, abs=0.005)


def test_openepi_crude_table() -> None:
    """OpenEpi, "Comparing 2 Person-Time Rates", both strata together: 25/178,556 against 4/200,200."""
    now, base = observed(25, 178_556), observed(4, 200_200)
    exact, midp = (rates.ratio_interval(now, base, method=m) for m in ("exact", "midp"))
    assert exact.ratio == pytest.approx(7.008, abs=5e-4)
    assert (exact.lower, exact.upper) == pytest.approx((2.42, 27.71), abs=5e-3)
    assert (midp.lower, midp.upper) == pytest.approx((2.616, 23.57), abs=5e-3)
    one_sided = [
        rates.ratio_tail(now, base, ratio=1, alternative="greater", method=m) for m in ("exact", "midp")
    ]
    assert one_sided == pytest.approx([0.00001462, 0.000008270], rel=5e-4)
    two_sided = [rates.ratio_p_value(now, base, method=m) for m in ("exact", "midp")]
    assert two_sided == pytest.approx([0.00002923, 0.00001654], rel=5e-4)


@pytest.mark.parametrize(
    ("deaths", "exposure", "mean", "p_above_one"), [(3, 2.0, 0.86, 0.30), (30, 20.0, 1.32, 0.93)]
)
def test_asthma_mortality(deaths: int, exposure: float, mean: float, p_above_one: float) -> None:
    """Gelman et al., Bayesian Data Analysis, 2.6: prior Gamma(3, 5), one year and ten years of a city."""
    prior = Prior(3.0, 5.0)
    found = company_estimates([observed(deaths, exposure)], prior, far=1.0 / (prior.a / prior.b))[0]
    assert found.estimate == pytest.approx(mean, abs=5e-3)
    assert found.p_far_above == pytest.approx(p_above_one, abs=5e-3)


@pytest.mark.parametrize(
    ("case", "now", "base", "ratio", "lower", "upper", "p", "p_half", "p_any"),
    [
        ("Hangzhou, main city 4 to 1", (1, 1), (4, 1), 0.25, 0.005, 2.53, 0.375, 0.72, 0.91),
        ("Hangzhou, all 6 to 5", (5, 1), (6, 1), 0.83, 0.20, 3.28, 1.00, 0.19, 0.62),
        ("Hangzhou 25 to 15", (15, 1), (25, 1), 0.60, 0.29, 1.18, 0.154, 0.28, 0.94),
        ("the same per m³", (15, 41.0), (25, 31.03), 0.454, 0.22, 0.90, 0.021, 0.61, 0.993),
        ("London, killed with lorries 51 to 32", (32, 1), (51, 1), 0.627, 0.39, 0.995, 0.048, 0.16, 0.98),
        ("London, seriously 213 in 3 years to 35", (35, 1), (213, 3), 0.493, 0.33, 0.71, 0.0000, 0.52, 1.00),
    ],
)
def test_press_cases(
    case: str,
    now: tuple[int, float],
    base: tuple[int, float],
    ratio: float,
    lower: float,
    upper: float,
    p: float,
    p_half: float,
    p_any: float,
) -> None:
    """Real counts: the denominator alone takes 25 to 15 from "not shown" to "shown"."""
    after, before = observed(*now), observed(*base)
    found = rates.ratio_interval(after, before)
    assert found.upper is not None, case
    assert (found.ratio, found.lower, found.upper) == pytest.approx((ratio, lower, upper), abs=6e-3), case
    assert rates.ratio_p_value(after, before) == pytest.approx(p, abs=6e-4), case
    posterior = [target.probability_at_most(after, before, r) for r in (0.5, 1.0)]
    assert posterior == pytest.approx([p_half, p_any], abs=6e-3), case


@pytest.mark.parametrize(
    ("count", "base", "range_", "low", "half", "high"),
    [
        (12, 20, "a fifth", 0.525, 0.542, 0.559),
        (2, 5, "deaths", 0.653, 0.696, 0.743),
        (0, 5, "no death", 0.946, 0.976, 1.000),
        (0, 2, "the prior speaks", 0.768, 0.863, 1.000),
    ],
)
def test_prior_sensitivity(count: int, base: int, range_: str, low: float, half: float, high: float) -> None:
    found = target.prior_sensitivity(observed(count, 20.0), observed(base, 15.958), 0.5)
    assert [found[a] for a in (1.0, 0.5, 0.001)] == pytest.approx([low, half, high], abs=6e-4), range_


@pytest.mark.parametrize(
    ("mean", "lucky", "missed", "power"),
    [
        (1, 0.333, 0.535, 0.012),
        (3, 0.267, 0.420, 0.110),
        (5, 0.185, 0.431, 0.190),
        (8, 0.114, 0.445, 0.295),
        (10, 0.084, 0.451, 0.355),
        (15, 0.042, 0.460, 0.474),
        (20, 0.022, 0.466, 0.577),
        (30, 0.006, 0.472, 0.730),
        (50, 0.001, 0.478, 0.898),
    ],
)
def test_how_much_can_be_known(mean: float, lucky: float, missed: float, power: float) -> None:
    """Exact: "a fall by half" by luck, the line missed when truly halved, power to show a fall."""
    x = np.arange(int(mean + 12 * math.sqrt(mean) + 30))

    def mass(m: float) -> np.ndarray:
        return np.array([math.exp(k * math.log(m) - m - math.lgamma(k + 1)) for k in x])

    base = observed  # counts with equal exposure
    same = np.outer(mass(mean), mass(mean))
    halved = np.outer(mass(mean / 2), mass(mean))
    meets = np.array([[k1 <= target.line_cap(base(int(k0), 1), 1, 0.5) for k0 in x] for k1 in x])
    with_base = meets & (x > 0)[None, :]
    assert same[with_base].sum() == pytest.approx(lucky, abs=6e-4)
    assert 1 - halved[with_base].sum() == pytest.approx(missed, abs=6e-4)
    shown = [
        [
            rates.ratio_tail(base(int(k1), 1), base(int(k0), 1), ratio=1, alternative="less", method="midp")
            <= 0.05
            for k0 in x
        ]
        for k1 in x
    ]
    assert halved[np.array(shown)].sum() == pytest.approx(power, abs=6e-4)


def test_indicative_line() -> None:
    """A halving in five years is -12.94 % a year and a factor of 0.98851 a month."""
    line = [
        target.required_ratio(y + 0.5, base_year=2015, target_year=2020, ratio=0.5) for y in range(2015, 2021)
    ]
    assert line == pytest.approx([1, 0.871, 0.758, 0.660, 0.574, 0.500], abs=6e-4)
    assert line[1] - 1 == pytest.approx(-0.1294, abs=5e-5)
    assert line[1] ** (1 / 12) == pytest.approx(0.98851, abs=5e-6)


def test_fleet_of_eight_shows_no_difference() -> None:
    """χ² 11.5 on 7 degrees, p 0.12."""
    exposure = np.array([0.30, 0.45, 0.60, 0.80, 1.10, 1.50, 2.40, 3.20])
    counts = [2, 0, 1, 0, 2, 1, 4, 2]
    found = dispersion(counts, exposure * sum(counts) / exposure.sum())
    assert (found.chi2, found.degrees, found.p_value) == pytest.approx((11.5, 7, 0.12), abs=0.05)


def test_other_tests_of_the_same_hypothesis() -> None:
    """Gu, Ng, Tang & Schucany (2008), the same women, H0: ratio at most 1.5: score, Wald, and the E-test.

    They round in between: 0.2398, 0.2309, 0.2453.
    """
    now, base = observed(41, 28_010), observed(15, 19_017)
    found = [
        test(now, base, ratio=1.5, side="greater")
        for test in (cross_checks.score_p_value, cross_checks.wald_p_value, cross_checks.e_test_p_value)
    ]
    assert found == pytest.approx([0.2399, 0.2310, 0.2454], abs=5e-5)
