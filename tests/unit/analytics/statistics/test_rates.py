"""Rates and their ratio: properties that hold for all counts, and the cases with zeros in words."""

from __future__ import annotations

import math
import time
from fractions import Fraction
from math import comb

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from analytics.statistics import rates
from analytics.statistics.inputs import (
    MAX_COUNT,
    MAX_EXPOSURE,
    MIN_EXPOSURE,
    Observed,
    StatisticsError,
    observed,
)
from tests.unit.analytics.statistics.strategies import (
    counts,
    exposures,
    levels,
    methods,
    periods,
    ratios,
    small_counts,
)

HUGE = [
    (Observed(1_000_000, 1.0), Observed(1_000_000, 1.0)),
    (Observed(1_000_000, MIN_EXPOSURE), Observed(1, MAX_EXPOSURE)),
    (Observed(1, MAX_EXPOSURE), Observed(1_000_000, MIN_EXPOSURE)),
    (Observed(0, MIN_EXPOSURE), Observed(MAX_COUNT, MAX_EXPOSURE)),
    (Observed(MAX_COUNT, MIN_EXPOSURE), Observed(0, MAX_EXPOSURE)),
    (Observed(MAX_COUNT, 1.0), Observed(MAX_COUNT, 1.0)),
    (Observed(0, 1.0), Observed(0, 1.0)),
]


def finite(*values: float | None) -> bool:
    return all(value is None or math.isfinite(value) for value in values)


class TestOneRate:
    @given(periods(), levels, st.sampled_from(["exact", "midp", "score", "byar", "jeffreys"]))
    @example(Observed(0, 1.0), 0.5, "byar")
    def test_interval_holds_the_estimate(self, now: Observed, level: float, method: rates.RateMethod) -> None:
        found = rates.rate_interval(now, level=level, method=method)
        assert finite(found.rate, found.lower, found.upper)
        if method != "jeffreys" or now.count:  # Jeffreys' central interval of no events leaves out zero
            assert 0 <= found.lower <= found.rate * (1 + 1e-12)
            assert found.upper >= found.rate * (1 - 1e-12)

    @given(periods(), levels)
    def test_exact_contains_midp(self, now: Observed, level: float) -> None:
        exact, midp = (rates.rate_interval(now, level=level, method=m) for m in ("exact", "midp"))
        assert exact.lower <= midp.lower * (1 + 1e-9)
        assert midp.upper <= exact.upper * (1 + 1e-9)

    @given(periods(small_counts), levels, methods, ratios)
    def test_p_below_alpha_exactly_outside_the_interval(
        self, now: Observed, level: float, method: rates.Method, multiple: float
    ) -> None:
        rate = max(now.count, 1) / now.exposure * multiple
        p = rates.rate_p_value(now, rate=rate, method=method)
        assume(abs(p - (1 - level)) > 1e-9)
        found = rates.rate_interval(now, level=level, method=method)
        assert (p < 1 - level) == (not found.lower <= rate <= found.upper)

    @given(periods(), st.floats(1e-3, 1e3))
    def test_interval_scales_with_exposure(self, now: Observed, factor: float) -> None:
        wide = rates.rate_interval(Observed(now.count, now.exposure * factor))
        assert wide.upper * factor == pytest.approx(rates.rate_interval(now).upper, rel=1e-12)

    def test_interval_widens_with_level(self) -> None:
        widths = [rates.rate_interval(observed(7, 2), level=level) for level in (0.5, 0.8, 0.95, 0.999)]
        assert [w.upper for w in widths] == sorted(w.upper for w in widths)
        assert [w.lower for w in widths] == sorted((w.lower for w in widths), reverse=True)

    def test_a_level_near_zero_still_holds_the_estimate(self) -> None:
        found = rates.rate_interval(observed(1, 1), level=0.01, method="midp")
        assert found.lower <= 1 <= found.upper

    def test_units_stand_in_one_place(self) -> None:
        """25 accidents of 2,465 mixers are about 101 per 10,000 vehicle-years (Hangzhou)."""
        scaled = {name: unit.scale(1) for name, unit in rates.RATE_UNITS.items()}
        assert scaled == {"vehicle_years": 1e4, "km": 1e8, "m3": 1e6, "loads": 1e5}
        assert rates.RATE_UNITS["vehicle_years"].scale(25 / 2465) == pytest.approx(101, abs=0.5)
        assert rates.RATE_UNITS["m3"].amount(15_958_000) == pytest.approx(15.958)


def binomial_tail(x: int, total: int, odds: Fraction) -> Fraction:
    """P(X ≤ x) in whole numbers, to check the beta functions against."""
    p = odds / (1 + odds)
    return sum((comb(total, k) * p**k * (1 - p) ** (total - k) for k in range(x + 1)), Fraction(0))


class TestTwoRates:
    @given(small_counts, small_counts, st.integers(1, 50), st.integers(1, 50))
    def test_tails_are_those_of_the_binomial(self, x1: int, x0: int, e1: int, e0: int) -> None:
        now, base, odds = Observed(x1, e1), Observed(x0, e0), Fraction(e1, 2 * e0)
        at_most, below = (binomial_tail(x, x1 + x0, odds) for x in (x1, x1 - 1))
        for method, expected in (("exact", at_most), ("midp", (at_most + below) / 2)):
            found = rates.ratio_tail(now, base, ratio=0.5, alternative="less", method=method)  # type: ignore[arg-type]
            assert found == pytest.approx(float(expected), rel=1e-11)

    @given(periods(), periods(), levels, methods)
    def test_interval_holds_the_estimate(
        self, now: Observed, base: Observed, level: float, method: rates.Method
    ) -> None:
        found = rates.ratio_interval(now, base, level=level, method=method)
        assert finite(found.ratio, found.lower, found.upper)
        if found.ratio is not None:
            assert found.lower <= found.ratio * (1 + 1e-9)
            assert found.upper is not None
            assert found.upper >= found.ratio * (1 - 1e-9)

    @given(periods(), periods(), levels)
    def test_exact_contains_midp(self, now: Observed, base: Observed, level: float) -> None:
        exact, midp = (rates.ratio_interval(now, base, level=level, method=m) for m in ("exact", "midp"))
        assert exact.lower <= midp.lower * (1 + 1e-9)
        if exact.upper is None:
            assert midp.upper is None
        else:
            assert midp.upper is not None
            assert midp.upper <= exact.upper * (1 + 1e-9)

    @given(periods(small_counts), periods(small_counts), levels, methods, ratios)
    def test_p_below_alpha_exactly_outside_the_interval(
        self, now: Observed, base: Observed, level: float, method: rates.Method, multiple: float
    ) -> None:
        """For the ratio 1, and for any other."""
        found = rates.ratio_interval(now, base, level=level, method=method)
        for ratio in (1.0, (found.ratio or 1.0) * multiple):
            p = rates.ratio_p_value(now, base, ratio=ratio, method=method)
            if abs(p - (1 - level)) > 1e-9:
                inside = found.lower <= ratio and (found.upper is None or ratio <= found.upper)
                assert (p < 1 - level) == (not inside)

    @given(periods(), periods(), st.floats(1e-3, 1e3), methods)
    def test_scaling_both_exposures_changes_nothing(
        self, now: Observed, base: Observed, factor: float, method: rates.Method
    ) -> None:
        scaled = [Observed(o.count, o.exposure * factor) for o in (now, base)]
        first, second = (
            rates.ratio_interval(now, base, method=method),
            rates.ratio_interval(*scaled, method=method),
        )
        assert second.lower == pytest.approx(first.lower, rel=1e-9)
        assert (second.upper is None) == (first.upper is None)
        if first.upper is not None:
            assert second.upper == pytest.approx(first.upper, rel=1e-9)
        assert rates.ratio_p_value(*scaled, method=method) == pytest.approx(
            rates.ratio_p_value(now, base, method=method), rel=1e-6, abs=1e-12
        )

    @given(periods(), periods(), methods, levels)
    def test_swapping_the_periods_inverts(
        self, now: Observed, base: Observed, method: rates.Method, level: float
    ) -> None:
        there = rates.ratio_interval(now, base, method=method, level=level)
        back = rates.ratio_interval(base, now, method=method, level=level)
        assert rates.ratio_p_value(now, base, method=method) == pytest.approx(
            rates.ratio_p_value(base, now, method=method), rel=1e-9, abs=1e-300
        )
        if there.upper is not None and back.lower:
            assert back.lower == pytest.approx(1 / there.upper, rel=1e-8)
        if there.ratio and back.ratio:
            assert back.ratio == pytest.approx(1 / there.ratio, rel=1e-12)

    @given(periods(small_counts), periods(small_counts), methods)
    def test_p_falls_as_the_tested_ratio_rises(
        self, now: Observed, base: Observed, method: rates.Method
    ) -> None:
        tested = [
            rates.ratio_tail(now, base, ratio=r, alternative="less", method=method) for r in (0.3, 0.5, 0.9)
        ]
        assert tested == sorted(tested, reverse=True)


class TestZeroes:
    @pytest.mark.parametrize("method", ["exact", "midp"])
    def test_nothing_before(self, method: rates.Method) -> None:
        found = rates.ratio_interval(observed(5, 1), observed(0, 2), method=method)
        assert (found.ratio, found.upper) == (None, None)
        assert found.lower > 0
        assert found.reason == rates.BASE_ZERO

    def test_nothing_after(self) -> None:
        found = rates.ratio_interval(observed(0, 20.0), observed(5, 15.958))
        assert (found.ratio, found.lower, found.reason) == (0.0, 0.0, None)
        assert found.upper == pytest.approx(0.8707, abs=5e-5)

    @pytest.mark.parametrize("method", ["exact", "midp"])
    def test_nothing_at_all(self, method: rates.Method) -> None:
        found = rates.ratio_interval(observed(0, 1), observed(0, 2), method=method)
        assert (found.ratio, found.lower, found.upper) == (None, 0.0, None)
        assert found.reason == rates.BOTH_ZERO
        assert rates.ratio_p_value(observed(0, 1), observed(0, 2)) == 1.0


class TestExtremes:
    @pytest.mark.parametrize(("now", "base"), HUGE)
    @pytest.mark.parametrize("method", ["exact", "midp"])
    def test_nothing_but_finite_numbers_leaves(
        self, now: Observed, base: Observed, method: rates.Method
    ) -> None:
        begun = time.process_time()
        found = rates.ratio_interval(now, base, method=method)
        p = [
            rates.ratio_tail(now, base, ratio=0.5, alternative=a, method=method) for a in ("less", "greater")
        ]
        one = rates.rate_interval(now, method=method)
        assert finite(found.ratio, found.lower, found.upper, one.lower, one.upper, *p)
        assert all(0 <= value <= 1 for value in p)
        assert time.process_time() - begun < 1

    def test_a_million_is_nearly_normal(self) -> None:
        found = rates.ratio_interval(observed(1_000_000, 1), observed(1_000_000, 1))
        assert found.lower == pytest.approx(math.exp(-1.959964 * math.sqrt(2e-6)), rel=2e-6)
        one = rates.rate_interval(observed(1_000_000, 1), method="midp")
        assert (one.lower, one.upper) == pytest.approx((1e6 - 1959.0, 1e6 + 1961.0), abs=2)


class TestBadInput:
    @pytest.mark.parametrize(
        ("count", "exposure", "says"),
        [
            (-1, 1, "cannot be negative"),
            (1.5, 1, "whole numbers"),
            (True, 1, "give a number"),
            ("three", 1, "give a number"),
            (None, 1, "give a number"),
            (math.nan, 1, "finite"),
            (math.inf, 1, "finite"),
            (10**9, 1, "not a count of accidents"),
            (10**30, 1, "not a count of accidents"),
            (10**400, 1, "too large a number"),
            (1, 0, "above zero"),
            (1, -2, "above zero"),
            (1, math.inf, "finite"),
            (1, 1e-12, "another unit"),
            (1, 1e18, "another unit"),
        ],
    )
    def test_counts_and_exposures(self, count: object, exposure: object, says: str) -> None:
        with pytest.raises(StatisticsError, match=says):
            observed(count, exposure)

    @pytest.mark.parametrize("level", [0, 1, -0.5, 1.5, math.nan, "high"])
    def test_levels(self, level: float) -> None:
        with pytest.raises(StatisticsError, match="level is"):
            rates.rate_interval(observed(1, 1), level=level)

    @pytest.mark.parametrize("ratio", [0, -1, math.nan, 1e-310, 1e300])
    def test_ratios(self, ratio: float) -> None:
        with pytest.raises(StatisticsError, match="ratio is"):
            rates.ratio_tail(observed(1, 1), observed(1, 1), ratio=ratio, alternative="less")

    @given(counts, exposures)
    def test_text_is_read_like_a_number(self, count: int, exposure: float) -> None:
        """The command line hands over text."""
        assert observed(str(count), repr(exposure)) == Observed(count, exposure)
