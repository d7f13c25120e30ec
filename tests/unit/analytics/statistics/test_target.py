"""Has the rate halved? Closed forms against simulation, order, symmetry; the official line exactly."""

from __future__ import annotations

import math
import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.statistics import target
from analytics.statistics.inputs import Observed, StatisticsError, observed
from analytics.statistics.target import Severity
from tests.unit.analytics.statistics.strategies import exposures, periods, ratios, small_counts


class TestPosterior:
    @given(periods(), periods(), ratios, ratios)
    def test_probability_rises_with_the_ratio(
        self, now: Observed, base: Observed, a: float, b: float
    ) -> None:
        low, high = (target.probability_at_most(now, base, r) for r in sorted((a, b)))
        assert 0 <= low <= high <= 1

    @given(periods(small_counts), periods(small_counts), st.floats(1e-3, 1e3))
    def test_scaling_both_exposures_changes_nothing(
        self, now: Observed, base: Observed, factor: float
    ) -> None:
        scaled = [Observed(o.count, o.exposure * factor) for o in (now, base)]
        assert target.probability_at_most(*scaled, 0.5) == pytest.approx(
            target.probability_at_most(now, base, 0.5), rel=1e-9, abs=1e-12
        )

    @given(periods(), periods(), ratios)
    def test_swapping_the_periods_inverts(self, now: Observed, base: Observed, ratio: float) -> None:
        there = target.probability_at_most(now, base, ratio)
        back = target.probability_at_most(base, now, 1 / ratio)
        # Of no events, with an argument of the incomplete beta that rounds to 1: (2/π)·√2⁻⁵³ = 6.7e-9.
        assert there + back == pytest.approx(1, abs=1e-8)

    @given(periods(small_counts), periods(small_counts), st.floats(0.01, 0.99))
    def test_quantile_inverts_the_probability(self, now: Observed, base: Observed, p: float) -> None:
        ratio = target.ratio_quantile(now, base, p)
        assert target.probability_at_most(now, base, ratio) == pytest.approx(p, abs=1e-9)

    @given(small_counts, small_counts, exposures, exposures)
    def test_fewer_accidents_are_never_less_likely_a_fall(
        self, x: int, base: int, e1: float, e0: float
    ) -> None:
        fewer, more = (
            target.probability_at_most(Observed(n, e1), Observed(base, e0), 0.5) for n in (x, x + 1)
        )
        assert fewer >= more


def simulated(now: Severity, base: Severity, draws: int) -> tuple[float, float, float]:
    """The recipe in random numbers, seed fixed."""
    random = np.random.default_rng(20150101)
    x1, x0 = now.fatal + now.other, base.fatal + base.other
    ratio = random.gamma(x1 + 0.5, 1 / now.exposure, draws) / random.gamma(x0 + 0.5, 1 / base.exposure, draws)
    share = random.beta(now.fatal + 0.5, now.other + 0.5, draws)
    share /= random.beta(base.fatal + 0.5, base.other + 0.5, draws)
    accidents, deaths = ratio <= 0.5, ratio * share <= 0.5
    return float(accidents.mean()), float(deaths.mean()), float((accidents & deaths).mean())


class TestJoint:
    def test_of_the_recipe(self) -> None:
        """20 accidents, 5 fatal, to 10, 2 fatal: both 0.570 with two million draws, and not 0.51."""
        found = target.joint(Severity(2, 8, 20.0), Severity(5, 15, 15.958))
        assert found.p_accidents == pytest.approx(0.717, abs=1e-3)
        assert found.p_deaths == pytest.approx(0.705, abs=1e-3)
        assert found.p_joint == pytest.approx(0.570, abs=1e-3)

    @pytest.mark.parametrize(
        ("now", "base"),
        [
            (Severity(2, 8, 20.0), Severity(5, 15, 15.958)),
            (Severity(0, 0, 1.0), Severity(0, 0, 1.0)),
            (Severity(0, 12, 20.0), Severity(5, 15, 15.958)),
            (Severity(0, 5, 1.0), Severity(0, 9, 2.0)),
            (Severity(20, 0, 1.0), Severity(40, 0, 1.0)),
            (Severity(1, 30, 3.0), Severity(30, 1, 1.0)),
            (Severity(0, 1_000, 1.0), Severity(1, 1_999, 1.0)),
        ],
    )
    def test_agrees_with_simulation(self, now: Severity, base: Severity) -> None:
        found, draws = target.joint(now, base), 400_000
        for mine, theirs in zip(
            (found.p_accidents, found.p_deaths, found.p_joint), simulated(now, base, draws), strict=True
        ):
            assert mine == pytest.approx(theirs, abs=4.5 * math.sqrt(0.25 / draws))

    @pytest.mark.parametrize(("f1", "f0"), [(0, 0), (0, 3), (2, 5), (10, 30)])
    def test_few_deaths_among_a_million_accidents(self, f1: int, f0: int) -> None:
        """Fatal accidents are then Poisson counts of their own: their ratio has a closed form."""
        found = target.joint(Severity(f1, 10**6, 1.0), Severity(f0, 10**6, 1.0))
        closed = target.probability_at_most(observed(f1, 1), observed(f0, 1), 0.5)
        assert found.p_deaths == pytest.approx(closed, abs=1e-5)
        assert (found.p_accidents, found.p_joint) == (0, 0)

    @given(
        small_counts, small_counts, small_counts, small_counts, exposures, exposures, st.floats(0.05, 0.95)
    )
    def test_accidents_are_the_closed_form_and_both_is_the_least(
        self, f1: int, o1: int, f0: int, o0: int, e1: float, e0: float, ratio: float
    ) -> None:
        found = target.joint(Severity(f1, o1, e1), Severity(f0, o0, e0), ratio=ratio)
        closed = target.probability_at_most(Observed(f1 + o1, e1), Observed(f0 + o0, e0), ratio)
        assert found.p_accidents == pytest.approx(closed, abs=1e-12)
        assert max(0.0, found.p_accidents + found.p_deaths - 1) - 1e-9 <= found.p_joint
        assert found.p_joint <= min(found.p_accidents, found.p_deaths)

    @pytest.mark.parametrize(
        ("now", "base"),
        [
            (Severity(500_000, 500_000, 1.0), Severity(990_000, 1_010_000, 1.0)),
            (Severity(0, 1_000_000, 1e-9), Severity(1_000_000, 0, 1e15)),
        ],
    )
    def test_a_million_accidents_take_no_second(self, now: Severity, base: Severity) -> None:
        begun = time.process_time()
        found = target.joint(now, base)
        assert time.process_time() - begun < 1
        assert all(0 <= p <= 1 for p in (found.p_accidents, found.p_deaths, found.p_joint))

    @pytest.mark.parametrize("ratio", [0, 1, 1.5, -0.5, math.nan])
    def test_targets_outside_zero_and_one(self, ratio: float) -> None:
        with pytest.raises(StatisticsError, match="target is"):
            target.joint(Severity(1, 1, 1.0), Severity(1, 1, 1.0), ratio=ratio)


class TestLine:
    @pytest.mark.parametrize(
        ("base", "exposure", "cap"),
        [
            (observed(20, 15.958), 20.0, 12),  # 12.53
            (observed(20, 10), 10.0, 10),  # exactly ten meets the line
            (observed(3, 0.3), 0.1, 0),  # 0.5 · 3/0.3 · 0.1 is exactly 0.5
            (observed(6, 0.3), 0.1, 1),  # floats would make it 0.9999999999999999
            (observed(0, 1), 5.0, 0),
        ],
    )
    def test_cap(self, base: Observed, exposure: float, cap: int) -> None:
        assert target.line_cap(base, exposure, 0.5) == cap

    @given(st.integers(0, 1000), st.decimals(1, 1000, places=3), st.decimals(1, 1000, places=3))
    def test_cap_is_the_largest_count_on_the_line(self, count: int, e0: object, e1: object) -> None:
        cap = target.line_cap(observed(count, float(str(e0))), float(str(e1)), 0.5)
        line = Fraction(count) / Fraction(str(e0)) / 2
        assert Fraction(cap) / Fraction(str(e1)) <= line < Fraction(cap + 1) / Fraction(str(e1))


class TestYearUnderWay:
    @pytest.mark.parametrize(
        ("so_far", "p"),
        [(6, 0.894), (7, 0.752), (8, 0.541), (9, 0.311), (10, 0.131), (12, 0.65**12.5), (13, 0)],
    )
    def test_probability_of_the_line(self, so_far: int, p: float) -> None:
        found = target.year_under_way(observed(so_far, 13.0), 7.0, cap=12)
        assert found.p_meet == pytest.approx(p, abs=6e-4)

    @pytest.mark.parametrize("extra", [0.0, 0.1, 0.5])
    def test_agrees_with_simulation(self, extra: float) -> None:
        random, draws = np.random.default_rng(7), 200_000
        fatal = random.poisson(random.gamma(4.5, 1 / 13.0, draws) * 7.0)
        totals = 5 + fatal + random.poisson(fatal * extra)
        found = target.year_under_way(observed(4, 13.0), 7.0, cap=8, deaths=(5, extra))
        assert found.p_meet == pytest.approx((totals <= 8).mean(), abs=0.005)
        assert found.mean_total == pytest.approx(totals.mean(), rel=0.01)
        for tail, interval in ((0.1, found.interval80), (0.025, found.interval95)):
            assert (totals < interval[0]).mean() <= tail + 0.003
            assert (totals > interval[1]).mean() <= tail + 0.003

    @given(small_counts, st.floats(0.1, 100), st.floats(0.1, 100), st.integers(0, 60))
    def test_a_higher_cap_is_more_likely_met(self, x: int, done: float, rest: float, cap: int) -> None:
        lower, higher = (target.year_under_way(Observed(x, done), rest, cap=c).p_meet for c in (cap, cap + 1))
        assert lower is not None
        assert higher is not None
        assert 0 <= lower <= higher <= 1
        assert lower == 0 or x <= cap

    def test_a_million_events(self) -> None:
        begun = time.process_time()
        found = target.year_under_way(observed(1_000_000, 13.0), 7.0, cap=1_538_462)
        assert found.p_meet == pytest.approx(0.5, abs=0.01)
        assert time.process_time() - begun < 1

    def test_a_line_of_millions_of_deaths(self) -> None:
        found = target.year_under_way(observed(10, 1), 1.0, cap=10**8, deaths=(11, 0.1))
        assert found.p_meet == pytest.approx(1)

    def test_deaths_beyond_reason_are_refused(self) -> None:
        with pytest.raises(StatisticsError, match="check counts"):
            target.year_under_way(observed(1000, 1e-6), 1e6, deaths=(1000, 0.1))
