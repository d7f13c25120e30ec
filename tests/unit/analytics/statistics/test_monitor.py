"""Early warning: run lengths against published tables and simulation, paths, and charts between events."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.statistics import monitor
from analytics.statistics.inputs import StatisticsError

EXPECTED = 12.5328 / 12  # accidents a month at the target


class TestRunLength:
    @pytest.mark.parametrize(
        ("h", "in_control", "half_more", "double", "triple"),
        [
            (3.0, 44, 10.5, 5.1, 2.6),
            (4.0, 96, 15.5, 6.8, 3.2),
            (5.0, 202, 21.4, 8.4, 3.8),
            (6.0, 416, 28.1, 10.1, 4.4),
        ],
    )
    def test_our_design(
        self, h: float, in_control: float, half_more: float, double: float, triple: float
    ) -> None:
        """Yellow at 4 is one false alarm in eight years, and a doubling seen in seven months."""
        found = [monitor.cusum_run_length(EXPECTED * m, 1.5, h).arl for m in (1, 1.5, 2, 3)]
        assert found == pytest.approx([in_control, half_more, double, triple], rel=6e-3, abs=0.06)

    @pytest.mark.parametrize(
        ("mean", "k", "h", "head_start"),
        [(1.044, "1.5", 4, 0), (0.25, "0.25", 3, 1.5), (0.52, "0.948", 2, 0), (2.4, 3, 5, "0.7")],
    )
    def test_agrees_with_simulation(
        self, mean: float, k: float | str, h: float, head_start: float | str
    ) -> None:
        random, runs = np.random.default_rng(1985), 20_000
        value, length = np.full(runs, float(head_start)), np.zeros(runs)
        going = np.ones(runs, dtype=bool)
        while going.any():
            length[going] += 1
            value = np.maximum(0, value + random.poisson(mean, runs) - float(k))
            going &= value < h - 1e-9
        found = monitor.cusum_run_length(mean, k, h, head_start=head_start).arl
        assert found == pytest.approx(length.mean(), abs=4.5 * length.std() / math.sqrt(runs))

    @given(
        st.floats(0.05, 5),
        st.decimals("0.1", 4, places=1),
        st.decimals("0.5", 8, places=1),
        st.decimals("0.1", 2, places=1),
    )
    def test_order(self, mean: float, k: object, h: object, more: object) -> None:
        """Larger h or k means fewer alarms; a head start or a larger mean more of them."""

        def arl(*, mu: float = mean, add_k: object = 0, add_h: object = 0, start: str = "0") -> float:
            found = monitor.cusum_run_length(
                mu,
                f"{float(str(k)) + float(str(add_k)):.1f}",
                f"{float(str(h)) + float(str(add_h)):.1f}",
                head_start=start,
            )
            return math.inf if found.arl is None else found.arl

        plain = arl() * (1 + 1e-6)
        assert 1 <= plain <= arl(add_h=more) * (1 + 2e-6)
        assert plain <= arl(add_k=more) * (1 + 2e-6)
        assert arl(start="0.3") <= plain
        assert arl(mu=mean * 1.5) <= plain

    def test_an_alarm_at_exactly_h(self) -> None:
        """k = 0.1 three times and one event are 0.7 exactly; floats would miss the limit 0.7."""
        exact = monitor.cusum_run_length(0.5, "0.1", "0.9").arl
        above = monitor.cusum_run_length(0.5, "0.1", "0.9001").arl
        assert exact is not None
        assert above is not None
        assert exact < above

    @pytest.mark.parametrize(
        ("chart", "reason"),
        [
            ((0, 1, 2), monitor.ARL_NEVER),
            ((1e-3, 3, 10), monitor.ARL_TOO_LONG),
            ((1e-9, 0.5, 4), monitor.ARL_TOO_LONG),
            ((1, 4, 60), monitor.ARL_TOO_LONG),
        ],
    )
    def test_practically_never(self, chart: tuple[float, float, float], reason: str) -> None:
        found = monitor.cusum_run_length(*chart)
        assert (found.arl, found.reason) == (None, reason)

    def test_a_huge_mean_alarms_at_once(self) -> None:
        assert monitor.cusum_run_length(1e6, 1, 2).arl == pytest.approx(1)

    @pytest.mark.parametrize(
        ("mean", "k", "h", "head_start", "expected"),
        [
            (1, 1, 20_000, 0, 20_000**2),  # a walk without drift, reflected at zero, takes h² steps to h
            (1e6, 1_000_500, 1500, 0, 21.066),  # 20.97 ± 0.14 by simulation
            (1e6, 1_000_000, 1, 0, 2.00106),  # a million and one or more
            (1e8, 1, 10, 0, 1),
        ],
    )
    def test_large_counts_and_charts(
        self, mean: float, k: float, h: float, head_start: float, expected: float
    ) -> None:
        begun = time.process_time()
        found = monitor.cusum_run_length(mean, k, h, head_start=head_start).arl
        assert found == pytest.approx(expected, rel=2e-4)
        assert time.process_time() - begun < 3

    def test_a_k_too_fine_for_the_lattice_is_rounded_and_said(self) -> None:
        begun = time.process_time()
        found = monitor.cusum_run_length(1.044, "1.50712345", 6)
        assert found.k == pytest.approx(1.50712345, abs=1e-6)
        assert found.arl == pytest.approx(594.87, abs=0.01)
        assert time.process_time() - begun < 2

    @pytest.mark.parametrize(
        ("chart", "says"),
        [
            ({"mean": -1, "k": 1, "h": 2}, "negative"),
            ({"mean": 1, "k": 0, "h": 2}, "above zero"),
            ({"mean": 1, "k": 1, "h": 0}, "above zero"),
            ({"mean": 1, "k": 1, "h": 2, "head_start": 2}, r"\[0, h\)"),
            ({"mean": 1, "k": 1, "h": 2, "head_start": -0.1}, r"\[0, h\)"),
            ({"mean": 1, "k": 1, "h": 1e7}, "smaller h"),
            ({"mean": 1, "k": 1, "h": 1e9}, "h is 1e\\+09: no chart of accidents"),
            ({"mean": 1, "k": 1e300, "h": 10}, "k is 1e\\+300: no chart of accidents"),
            ({"mean": 1e300, "k": 1, "h": 10}, "mean is 1e\\+300: no chart of accidents"),
            ({"mean": 1e4, "k": 1, "h": 2e4}, "use rounder k and h"),
            ({"mean": "many", "k": 1, "h": 2}, "give a number"),
            ({"mean": 1, "k": math.nan, "h": 2}, "finite"),
        ],
    )
    def test_bad_input(self, chart: dict[str, float], says: str) -> None:
        with pytest.raises(StatisticsError, match=says):
            monitor.cusum_run_length(**chart)


class TestPath:
    def test_adds_up_and_stays_after_the_alarm(self) -> None:
        path, alarm = monitor.cusum_path([0, 2, 3, 0, 0], [1, 1, 1, 1, 1], h=3)
        assert list(path) == [0, 1, 3, 2, 1]
        assert list(alarm) == [False, False, True, False, False]

    def test_varying_exposure_and_a_head_start(self) -> None:
        path, _ = monitor.cusum_path([1, 1], [0.5, 2.0], h=4, head_start=2.0)
        assert list(path) == [2.5, 1.5]

    def test_log_likelihood_form_is_the_same_chart(self) -> None:
        """W = x·ln2 - λ0·E alarms where S = x - λ0·E/ln2 does."""
        counts, mean = [1, 0, 3, 2, 4], 1.044
        k = monitor.reference_value(mean, 2 * mean)
        path, _ = monitor.cusum_path(counts, [k] * 5, h=4)
        value, likelihood = 0.0, []
        for count in counts:
            value = max(0.0, value + count * math.log(2) - mean)
            likelihood.append(value)
        assert path * math.log(2) == pytest.approx(likelihood)

    def test_reference_value_of_a_doubling(self) -> None:
        assert monitor.reference_value(1.044, 2.089) == pytest.approx(1.507, abs=5e-4)

    def test_nothing_to_detect(self) -> None:
        with pytest.raises(StatisticsError, match="nothing to detect"):
            monitor.reference_value(1, 1)


class TestBetweenEvents:
    def test_limits_of_the_exposure_between(self) -> None:
        """Two fatal accidents within 20,000 m³ are a signal; beyond 2.94 million m³ is good news."""
        found = monitor.between_limits(0.798)
        assert (found.low, found.very_low, found.high) == pytest.approx((0.0202, 0.0011, 2.94), rel=0.02)

    def test_g_chart(self) -> None:
        assert monitor.g_chart_limit(30) == pytest.approx(121.5, abs=0.05)
        assert [monitor.geometric_quantile(30, p) for p in (0.00135, 0.5, 0.99865)] == [0, 21, 201]

    @given(st.floats(0.5, 1000), st.floats(0.001, 0.999))
    def test_geometric_quantile_is_the_first_to_reach(self, mean: float, p: float) -> None:
        q = mean / (mean + 1)
        n = monitor.geometric_quantile(mean, p)
        assert 1 - q ** (n + 1) >= p - 1e-12
        assert n == 0 or 1 - q**n < p + 1e-12

    def test_ewma(self) -> None:
        assert monitor.ewma_limit(1.044) == pytest.approx(1.96, abs=5e-3)
        assert list(monitor.ewma_path([1, 0], weight=0.5, start=0)) == [0.5, 0.25]
