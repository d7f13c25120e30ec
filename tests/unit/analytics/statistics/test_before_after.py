"""Empirical Bayes before and after, late reports, and trends: published inputs are in the worked examples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import fdtri

from analytics.statistics import before_after, late_reports, trend
from analytics.statistics.inputs import StatisticsError, observed


class TestEmpiricalBayes:
    @given(st.floats(0.01, 100), st.integers(0, 100), st.floats(0, 1))
    def test_lies_between_the_own_and_the_reference(self, expected: float, seen: int, weight: float) -> None:
        found = before_after.expected_before(expected, seen, weight)
        low, high = sorted((expected, seen))
        assert low - 1e-9 <= found.estimate <= high + 1e-9
        assert math.isfinite(found.sd)

    def test_b_without_an_exposure_is_in_expected_events(self) -> None:
        """Hauer's φ·L: 2.05 per km on 1.8 km, 4.33 expected in one year."""
        per_km = 0.0224 * 4000**0.564
        by_prior = before_after.weight_from_prior(2.05 * 1.8, exposure=None, expected=per_km * 1.8)
        assert by_prior == pytest.approx(before_after.weight_from_dispersion(per_km, 1, 2.05))
        assert by_prior == pytest.approx(0.460, abs=5e-4)

    def test_a_company_picked_for_its_bad_year(self) -> None:
        """6 on 1.2 to 2 on 1.3 looks like -69 %; against what was to be expected it is 0.63 ± 0.44."""
        weight = before_after.weight_from_prior(2 / 0.81, exposure=1.2, expected=0.81 * 1.2)
        before = before_after.expected_before(0.81 * 1.2, 6, weight)
        found = before_after.effect(before, exposure_ratio=1.3 / 1.2, observed_after=2)
        assert (found.theta, found.theta_se) == pytest.approx((0.63, 0.44), abs=6e-3)

    def test_nobody_improves_by_regression_to_the_mean(self) -> None:
        """Simulated companies with constant risk, picked for a bad year: naive says -40 %, θ says 1."""
        random = np.random.default_rng(42)
        risk = random.gamma(2, 0.5, 200_000)
        before, after = random.poisson(risk), random.poisson(risk)
        picked = before >= 4
        naive = after[picked].sum() / before[picked].sum()
        expected = [before_after.expected_before(1.0, int(x), 2 / 3) for x in before[picked]]
        assert naive < 0.7
        assert after[picked].sum() / sum(e.estimate for e in expected) == pytest.approx(1, abs=0.02)

    @pytest.mark.parametrize("weight", [0.0, 1e-12, 0.5, 1 - 1e-12])
    @pytest.mark.parametrize(("expected", "seen", "ratio"), [(1e-9, 3, 1e24), (1e8, 10**8, 1e-24), (1, 1, 1)])
    def test_the_published_formula_however_large(
        self, weight: float, expected: float, seen: int, ratio: float
    ) -> None:
        before = before_after.expected_before(expected, seen, weight)
        found = before_after.effect(before, exposure_ratio=ratio, observed_after=2)
        pi, variance = before.estimate * ratio, before.variance * ratio**2
        theta = 2 / pi / (1 + variance / pi**2)
        assert found.theta == pytest.approx(theta)
        error = theta * math.sqrt(1 / 2 + variance / pi**2) / (1 + variance / pi**2)
        assert found.theta_se == pytest.approx(error)

    @pytest.mark.parametrize("expected", [0, -1, 1e-200, 1e30, math.inf, math.nan])
    def test_expected_numbers_within_reason(self, expected: float) -> None:
        with pytest.raises(StatisticsError, match="expected is"):
            before_after.expected_before(expected, 1, 0.5)

    def test_nothing_after_has_no_standard_error(self) -> None:
        before = before_after.expected_before(2.0, 3, 0.5)
        found = before_after.effect(before, exposure_ratio=1.0, observed_after=0)
        assert (found.theta, found.theta_se, found.reason) == (0.0, None, before_after.NONE_AFTER)

    def test_nothing_expected_has_no_effect(self) -> None:
        before = before_after.expected_before(2.0, 0, 0.0)
        found = before_after.effect(before, exposure_ratio=1.0, observed_after=1)
        assert (found.theta, found.theta_se) == (None, None)
        assert found.reason is not None

    @pytest.mark.parametrize("weight", [-0.1, 1.1, math.nan])
    def test_weights_are_shares(self, weight: float) -> None:
        with pytest.raises(StatisticsError, match="weight is"):
            before_after.expected_before(1.0, 1, weight)

    def test_no_change_from_zero(self) -> None:
        assert before_after.relative_change(0, 3) is None
        assert before_after.relative_change(5, 3) == pytest.approx(-0.4)


class TestNowcast:
    def test_three_months(self) -> None:
        """1, 2, 1 reported at completeness .80, .92, .97: chain ladder 4.45, Bornhuetter-Ferguson 4.39."""
        found = [
            late_reports.nowcast(x, c, prior_mean=1.25)
            for x, c in zip([1, 2, 1], [0.80, 0.92, 0.97], strict=True)
        ]
        assert sum(n.chain_ladder or 0 for n in found) == pytest.approx(4.45, abs=5e-3)
        assert sum(n.expected for n in found) == pytest.approx(4.39, abs=5e-3)

    def test_a_reported_zero_does_not_stay_zero(self) -> None:
        found = late_reports.nowcast(0, 0.5, prior_mean=2.0)
        assert (found.expected, found.chain_ladder) == (1.0, 0.0)

    def test_nothing_can_be_known_yet(self) -> None:
        found = late_reports.nowcast(0, 0.0, prior_mean=2.0)
        assert (found.expected, found.chain_ladder) == (2.0, None)

    def test_completeness_from_past_delays(self) -> None:
        delays = [0, 1, 1, 3, 8, 30, 45]
        assert [late_reports.completeness(delays, age) for age in (0, 1, 30, 60)] == [1 / 7, 3 / 7, 6 / 7, 1]

    @pytest.mark.parametrize("share", [-0.1, 1.01])
    def test_bad_completeness(self, share: float) -> None:
        with pytest.raises(StatisticsError, match="completeness"):
            late_reports.nowcast(1, share, prior_mean=1)

    def test_no_past(self) -> None:
        with pytest.raises(StatisticsError, match="past events"):
            late_reports.completeness([], 3)


class TestTrend:
    years = (2015, 2016, 2017, 2018)

    def test_a_constant_rate_has_no_slope(self) -> None:
        seen = [observed(10, 2.0)] * 4
        found = trend.poisson_trend(self.years, seen, year=2020, exposure=2.0)
        assert found.slope == pytest.approx(0, abs=1e-9)
        assert found.count == pytest.approx(10)

    def test_an_exact_halving_is_found(self) -> None:
        seen = [observed(n, 1.0) for n in (8000, 4000, 2000, 1000)]
        found = trend.poisson_trend(self.years, seen, year=2019, exposure=1.0)
        assert found.yearly_change == pytest.approx(-0.5, abs=1e-9)
        assert found.rate == pytest.approx(500)

    def test_three_years_draw_no_line(self) -> None:
        seen = [observed(n, 1.0) for n in (9, 8, 7)]
        assert not trend.poisson_trend(self.years[:3], seen, year=2020, exposure=1).draw_line
        assert trend.poisson_trend(self.years, [*seen, observed(7, 1)], year=2020, exposure=1).draw_line

    @pytest.mark.parametrize(
        ("counts", "says"),
        [([0, 0, 0, 0], "all counts are zero"), ([5, 0, 0, 0], "no finite"), ([0, 0, 0, 7], "no finite")],
    )
    def test_hopeless_counts_get_words(self, counts: list[int], says: str) -> None:
        with pytest.raises(StatisticsError, match=says):
            trend.poisson_trend(self.years, [observed(n, 1) for n in counts], year=2020, exposure=1)

    def test_one_year_is_no_trend(self) -> None:
        with pytest.raises(StatisticsError, match="two different years"):
            trend.poisson_trend([2015], [observed(3, 1)], year=2020, exposure=1)

    def test_the_prediction_agrees_with_simulation(self) -> None:
        seen = [observed(n, e) for n, e in zip([20, 18, 15, 13], [15.958, 16.8, 17.7, 18.6], strict=True)]
        found = trend.poisson_trend(self.years, seen, year=2020, exposure=20.0, cap=12)
        random = np.random.default_rng(5)
        se = math.log(found.rate_interval[1] / found.rate) / 1.959964
        drawn = random.poisson(np.exp(random.normal(math.log(found.rate * 20.0), se, 400_000)))
        assert found.p_at_most_cap == pytest.approx((drawn <= 12).mean(), abs=0.004)
        assert found.prediction_interval == (int(np.quantile(drawn, 0.025)), int(np.quantile(drawn, 0.975)))

    @given(st.integers(0, 1_000_000), st.floats(0.5, 100), st.floats(0.1, 5), st.floats(0.5, 0.999))
    def test_nelsons_limit_is_the_smallest_that_holds(
        self, total: int, n: float, m: float, level: float
    ) -> None:
        upper = trend.nelson_upper_limit(total, n, ahead=m, level=level)

        def holds(u: int) -> bool:
            return bool(u / m >= (total + 1) / n * fdtri(2 * total + 2, 2 * u, level) * (1 + 1e-9))

        assert upper >= 1
        assert holds(upper + 1)
        assert upper == 1 or not holds(upper - 1)

    def test_dispersion_needs_two_counts(self) -> None:
        with pytest.raises(StatisticsError, match="two counts"):
            trend.dispersion([3])
