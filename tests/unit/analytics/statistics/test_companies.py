"""Companies side by side: shrinkage, bands, the diverging prior, funnel limits, many tests."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.statistics import companies
from analytics.statistics.inputs import Observed, StatisticsError, observed
from tests.unit.analytics.statistics.strategies import periods, small_counts

FLEET = [
    observed(x, e)
    for x, e in zip([2, 0, 1, 0, 2, 1, 4, 2], [0.30, 0.45, 0.60, 0.80, 1.10, 1.50, 2.40, 3.20], strict=True)
]


class TestPrior:
    def test_a_fleet_without_a_difference_gets_the_fixed_prior(self) -> None:
        """The marginal likelihood of eight firms runs to infinity (χ² 11.5 on 7 degrees)."""
        prior = companies.fit_prior(FLEET)
        assert (prior.a, prior.reason) == (2.0, companies.DIVERGED)
        assert prior.a / prior.b == pytest.approx(12 / 10.35)

    @pytest.mark.parametrize(
        "seen",
        [
            [observed(5, 1)],
            [observed(3, 1), observed(6, 2)],
            [observed(10, 1)] * 20,
            [observed(1_000_000, 1)] * 3,
        ],
    )
    def test_no_difference_at_all(self, seen: list[Observed]) -> None:
        assert companies.fit_prior(seen).reason == companies.DIVERGED

    def test_no_accident_at_all(self) -> None:
        prior = companies.fit_prior([observed(0, 1), observed(0, 3)])
        assert prior.reason == companies.ALL_ZERO
        assert prior.a / prior.b == pytest.approx(0.5 / 4)

    def test_a_real_difference_is_found(self) -> None:
        """Rates drawn from Gamma(3, 2) come back as such."""
        random = np.random.default_rng(3)
        exposure = random.uniform(5, 50, 400)
        drawn = random.poisson(random.gamma(3, 1 / 2, 400) * exposure)
        prior = companies.fit_prior(
            [observed(int(x), float(e)) for x, e in zip(drawn, exposure, strict=True)]
        )
        assert prior.reason is None
        assert prior.a == pytest.approx(3, rel=0.2)
        assert prior.a / prior.b == pytest.approx(1.5, rel=0.1)

    @given(st.lists(periods(small_counts), min_size=1, max_size=12))
    def test_always_a_usable_prior(self, seen: list[Observed]) -> None:
        prior = companies.fit_prior(seen)
        assert 0 < prior.a < 1e6
        assert 0 < prior.b < math.inf
        for found in companies.company_estimates(seen, prior):
            numbers = [
                found.estimate,
                found.lower,
                found.upper,
                found.p_above,
                found.p_worst,
                found.expected_rank,
            ]
            assert all(math.isfinite(n) for n in numbers)

    def test_nobody(self) -> None:
        with pytest.raises(StatisticsError, match="no companies"):
            companies.fit_prior([])


class TestEstimates:
    found = companies.company_estimates(FLEET, companies.fit_prior(FLEET))

    def test_rates_are_drawn_to_the_city(self) -> None:
        expected = [1.98, 0.92, 1.29, 0.79, 1.42, 0.93, 1.45, 0.81]
        assert [c.estimate for c in self.found] == pytest.approx(expected, abs=6e-3)

    def test_the_first_of_the_league_is_a_coin_toss(self) -> None:
        first = self.found[0]
        assert (first.lower, first.upper) == pytest.approx((0.67, 3.83), abs=6e-3)
        assert (first.p_far_above, first.p_worst) == pytest.approx((0.53, 0.42), abs=6e-3)
        assert first.expected_rank == pytest.approx(2.5, abs=0.05)
        assert first.band == companies.UNDECIDED

    def test_probabilities_of_being_worst_sum_to_one_and_ranks_to_all_places(self) -> None:
        assert sum(c.p_worst for c in self.found) == pytest.approx(1)
        assert sum(c.expected_rank for c in self.found) == pytest.approx(8 * 9 / 2)

    def test_worst_and_rank_agree_with_simulation(self) -> None:
        random, prior = np.random.default_rng(9), companies.fit_prior(FLEET)
        drawn = np.stack(
            [random.gamma(c.count + prior.a, 1 / (c.exposure + prior.b), 200_000) for c in FLEET], axis=1
        )
        worst = np.bincount(drawn.argmax(axis=1), minlength=8) / len(drawn)
        ranks = (drawn[:, None, :] > drawn[:, :, None]).sum(axis=2).mean(axis=0) + 1
        assert [c.p_worst for c in self.found] == pytest.approx(worst, abs=0.005)
        assert [c.expected_rank for c in self.found] == pytest.approx(ranks, abs=0.02)

    @pytest.mark.parametrize(
        "seen",
        [
            [(1_000_000, 1e6), (1_001_000, 1e6), (0, 1e-3)],  # two known to a thousandth, one unknown
            [(1_000_000, 1e6), (1_001_000, 1e6), (5, 2), (0, 1e-9)],
            [(0, 1e-9), (10**8, 1e15)],
        ],
    )
    def test_worst_among_millions_of_accidents(self, seen: list[tuple[int, float]]) -> None:
        random, prior = np.random.default_rng(9), companies.Prior(2.0, 2.0)
        drawn = [random.gamma(x + prior.a, 1 / (e + prior.b), 400_000) for x, e in seen]
        worst = np.bincount(np.argmax(drawn, axis=0), minlength=len(seen)) / 400_000
        found = companies.company_estimates([observed(*each) for each in seen], prior)
        assert [c.p_worst for c in found] == pytest.approx(worst, abs=0.004)

    def test_more_own_exposure_weighs_more(self) -> None:
        weights = [c.weight for c in self.found]
        assert weights == sorted(weights)

    @pytest.mark.parametrize(
        ("p", "expected"),
        [
            (0.8, "above"),
            (0.79, "undecided"),
            (0.5, "undecided"),
            (0.21, "undecided"),
            (0.2, "below"),
            (0, "below"),
        ],
    )
    def test_three_bands(self, p: float, expected: str) -> None:
        assert companies.band(p) == expected
        assert set(companies.BANDS_ZH) == {"above", "below", "undecided"}

    def test_a_thousand_companies(self) -> None:
        random, begun = np.random.default_rng(1), time.process_time()
        many = [observed(int(random.poisson(e)), float(e)) for e in random.uniform(0.1, 5, 1000)]
        found = companies.company_estimates(many, companies.fit_prior(many))
        assert sum(c.p_worst for c in found) == pytest.approx(1)
        assert time.process_time() - begun < 5


class TestFunnel:
    @pytest.mark.parametrize(
        ("exposure", "low", "high", "far_low", "far_high"),
        [(1, 0, 3.46, 0, 5.56), (2, 0, 2.81, 0, 4.09), (4, 0.14, 2.35, 0, 3.20)],
    )
    def test_interpolated_limits(
        self, exposure: float, low: float, high: float, far_low: float, far_high: float
    ) -> None:
        near = companies.funnel_limits(1.2533, exposure, coverage=0.95)
        far = companies.funnel_limits(1.2533, exposure, coverage=0.998)
        assert (*near, *far) == pytest.approx((low, high, far_low, far_high), abs=6e-3)

    @given(st.floats(0.01, 1e4), st.floats(0.01, 1e4), st.floats(1, 5))
    def test_hold_the_reference_and_widen(self, rate: float, exposure: float, inflation: float) -> None:
        low, high = companies.funnel_limits(rate, exposure, coverage=0.95)
        wide_low, wide_high = companies.funnel_limits(rate, exposure, coverage=0.95, inflation=inflation)
        assert 0 <= wide_low <= low <= rate or rate * exposure < 0.1
        assert high <= wide_high * (1 + 1e-9)
        assert math.isfinite(wide_high)

    def test_inflation_needs_ten_companies(self) -> None:
        wild = [observed(n, 1) for n in (0, 0, 9, 0, 12, 0, 1, 15, 0)]
        assert companies.funnel_inflation(wild, 3.0) == 1.0
        assert companies.funnel_inflation([*wild, observed(0, 1)], 3.0) > 2

    def test_inflation_is_never_below_one(self) -> None:
        assert companies.funnel_inflation([observed(3, 1)] * 12, 3.0) == 1.0


class TestManyTests:
    def test_a_fleet_of_eight_flags_nobody(self) -> None:
        """The worst firm's mid-P of 0.027 becomes 0.21."""
        adjusted = companies.benjamini_hochberg([0.027, 0.9, 0.7, 0.6, 0.5, 0.8, 0.4, 0.3])
        assert adjusted[0] == pytest.approx(0.216, abs=1e-3)

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
    def test_between_the_raw_and_bonferroni(self, p: list[float]) -> None:
        adjusted = companies.benjamini_hochberg(p)
        assert (adjusted >= np.array(p) - 1e-15).all()
        assert (adjusted <= companies.bonferroni(p) + 1e-15).all()
        assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= -1e-15).all()

    def test_bad_p(self) -> None:
        with pytest.raises(StatisticsError, match="p-values"):
            companies.benjamini_hochberg([0.1, math.nan])
