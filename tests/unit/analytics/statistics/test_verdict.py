"""The verdict: its states, how often it is wrong, and when it may change."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analytics.statistics import target
from analytics.statistics.assessment import assess
from analytics.statistics.inputs import observed
from analytics.statistics.policy import State
from analytics.statistics.verdict import (
    HELD,
    SEVERITY,
    final_characteristics,
    final_states,
    judge_accidents,
    judge_deaths,
    published_states,
    running_states,
    track_characteristics,
    worse,
)
from tests.unit.analytics.statistics import cases

POLICY = cases.policy()
COLUMNS = (State.ACHIEVED_CONFIRMED, State.ACHIEVED_FIGURE_ONLY, State.NOT_ACHIEVED_CLOSE, State.NOT_ACHIEVED)
ON, AT, OFF, SMALL = State.ON_TRACK, State.AT_RISK, State.OFF_TRACK, State.SMALL


# Columns confirmed / figure only / close / not, by base mean and true ratio, for e1/e0 = 1.2533.
CHARACTERISTICS = {
    (5, 1.0): (0.010, 0.130, 0.127, 0.733),
    (5, 0.75): (0.034, 0.250, 0.175, 0.541),
    (5, 0.5): (0.109, 0.406, 0.183, 0.302),
    (5, 0.3): (0.265, 0.478, 0.135, 0.122),
    (10, 1.0): (0.002, 0.055, 0.077, 0.865),
    (10, 0.75): (0.018, 0.181, 0.155, 0.647),
    (10, 0.5): (0.106, 0.408, 0.179, 0.307),
    (10, 0.3): (0.350, 0.477, 0.095, 0.079),
    (20, 1.0): (0.000, 0.012, 0.027, 0.961),
    (20, 0.75): (0.006, 0.105, 0.120, 0.769),
    (20, 0.5): (0.100, 0.407, 0.187, 0.305),
    (20, 0.3): (0.479, 0.422, 0.062, 0.037),
    (40, 1.0): (0.000, 0.001, 0.003, 0.996),
    (40, 0.75): (0.001, 0.039, 0.069, 0.890),
    (40, 0.5): (0.102, 0.402, 0.199, 0.298),
    (40, 0.3): (0.682, 0.282, 0.026, 0.010),
}


class TestOperatingCharacteristics:
    @pytest.mark.parametrize("key", CHARACTERISTICS, ids=str)
    def test_match_the_table(self, key: tuple[int, float]) -> None:
        """Printed, the undefined are a fifth column; the table has them in its last, and 0 to 0 in close."""
        mean, ratio = key
        found = final_characteristics(mean, ratio, 1.2533, POLICY)
        undefined, none_at_all = np.exp(-mean), np.exp(-mean - mean * ratio * 1.2533)
        assert found.pop(State.UNDEFINED, 0.0) == pytest.approx(undefined, abs=1e-9)
        columns = [found.get(state, 0.0) for state in COLUMNS]
        columns[2] += none_at_all
        columns[3] += undefined - none_at_all
        assert columns == pytest.approx(CHARACTERISTICS[key], abs=6e-4)

    @given(st.floats(0.1, 60), st.floats(0.05, 3), st.floats(0.1, 10), st.floats(0.2, 1.0))
    def test_probabilities_sum_to_one(
        self, mean: float, ratio: float, exposure: float, required: float
    ) -> None:
        for found in (
            final_characteristics(mean, ratio, exposure, POLICY),
            track_characteristics(mean, ratio, exposure, required, POLICY),
        ):
            assert sum(found.values()) == pytest.approx(1, abs=1e-9)

    def test_confirmed_is_wrong_at_most_one_time_in_ten(self) -> None:
        for mean in (5, 10, 20, 40):
            for ratio, most in ((0.5, 0.11), (1.0, 0.011)):
                found = final_characteristics(mean, ratio, 1.2533, POLICY)
                assert found.get(State.ACHIEVED_CONFIRMED, 0) <= most


class TestFinal:
    @pytest.mark.parametrize(
        ("accidents", "state"),
        [
            (5, State.ACHIEVED_CONFIRMED),
            (7, State.ACHIEVED_CONFIRMED),
            (8, State.ACHIEVED_FIGURE_ONLY),
            (12, State.ACHIEVED_FIGURE_ONLY),
            (13, State.NOT_ACHIEVED_CLOSE),
            (16, State.NOT_ACHIEVED),
            (40, State.NOT_ACHIEVED),
        ],
    )
    def test_accidents(self, accidents: int, state: State) -> None:
        """20 on 15.958 million m³ against a final year on 20.0: the line is 12."""
        case = cases.case(cases.final_run(accidents=accidents, fatal_accidents=2, deaths=2))
        judged = judge_accidents(case.runs[-1], case.baseline, case.policy)
        assert (judged.state, judged.cap, judged.forecast) == (state, 12, None)
        expected = target.probability_at_most(observed(accidents, 20.0), observed(20, 15.958), 0.5)
        assert judged.probability == pytest.approx(expected)

    def test_deaths_meet_the_line_but_fatal_accidents_carry_the_probability(self) -> None:
        case = cases.case(cases.final_run(accidents=10, fatal_accidents=3, deaths=3))
        judged = judge_deaths(case.runs[-1], case.baseline, case.policy)
        assert judged.cap == 3  # 0.5 · 6 / 15.958 · 20 = 3.76
        assert judged.state is State.ACHIEVED_FIGURE_ONLY
        expected = target.probability_at_most(observed(3, 20.0), observed(5, 15.958), 0.5)
        assert judged.probability == pytest.approx(expected)

    @given(st.integers(0, 60), st.integers(0, 60))
    def test_every_pair_of_counts_has_one_state_with_words(self, x1: int, x0: int) -> None:
        baseline = cases.baseline(accidents=x0, fatal_accidents=0, deaths=0)
        found = assess(
            cases.case(cases.final_run(accidents=x1, fatal_accidents=0, deaths=0), baseline=baseline)
        )
        assert found.accidents.published in (*COLUMNS, State.UNDEFINED)
        assert (found.accidents.published is State.UNDEFINED) == (x0 == 0)
        assert found.state is State.UNDEFINED or found.deaths.published is State.UNDEFINED
        assert all(found.accidents.wording.values())

    def test_arrays_and_single_values_agree(self) -> None:
        meets, p = np.array([True, True, False, False, True]), np.array([0.95, 0.5, 0.5, 0.1, 0.99])
        zero = np.array([False, False, False, False, True])
        many = [str(s) for s in final_states(meets, p, zero, POLICY)]
        assert many == [str(final_states(m, q, z, POLICY)) for m, q, z in zip(meets, p, zero, strict=True)]
        assert many == [s.value for s in (*COLUMNS, State.UNDEFINED)]


class TestDuring:
    @pytest.mark.parametrize(
        ("so_far", "state", "p"), [(7, ON, 0.752), (8, AT, 0.541), (9, AT, 0.311), (10, OFF, 0.131)]
    )
    def test_the_year_under_way(self, so_far: int, state: State, p: float) -> None:
        case = cases.case(cases.run(accidents=so_far))
        judged = judge_accidents(case.runs[-1], case.baseline, case.policy)
        assert judged.state is state
        assert judged.probability == pytest.approx(p, abs=6e-4)
        assert judged.cap == 12

    def test_before_the_target_year_the_line_is_the_trajectory(self) -> None:
        """13 in 2018 on 18.0: the ratio asked for in mid-2018 is 0.66."""
        case = cases.case(cases.earlier_year(2018, accidents=13))
        judged = judge_accidents(case.runs[-1], case.baseline, case.policy)
        required = case.runs[-1].required_ratio(case.policy)
        assert required == pytest.approx(0.660, abs=6e-4)
        expected = target.probability_at_most(observed(13, 18.0), observed(20, 15.958), required)
        assert judged.probability == pytest.approx(expected)
        assert judged.state is AT

    def test_the_last_day_of_the_year_is_certain(self) -> None:
        last = {"as_of": "2021-01-05", "to": "2020-12-31", "exposure": 20_000_000, "exposure_remaining": 0}
        for accidents, state in ((12, ON), (13, OFF)):
            case = cases.case(cases.run(**last, accidents=accidents))
            assert judge_accidents(case.runs[-1], case.baseline, case.policy).state is state

    def test_few_events_are_not_judged(self) -> None:
        """2 fatal accidents after 5: fewer than ten in all."""
        found = assess(cases.case(cases.run()))
        assert found.deaths.published is SMALL
        assert found.deaths.judged.probability is None

    def test_a_zero_baseline_comes_before_a_small_one(self) -> None:
        assert running_states(0.9, 3, True, POLICY) == State.UNDEFINED.value

    @example(0.7, 50)
    @example(0.3, 50)
    @given(st.floats(0, 1), st.integers(10, 99))
    def test_thresholds(self, p: float, total: int) -> None:
        state = State(str(running_states(p, total, False, POLICY)))
        assert state is (ON if p >= 0.7 else AT if p >= 0.3 else OFF)


class TestBoth:
    def test_the_overall_verdict_is_the_worse(self) -> None:
        assert sorted(SEVERITY, key=SEVERITY.index) == list(SEVERITY)
        assert set(SEVERITY) == set(State)
        for a, b in itertools.product(State, repeat=2):
            assert worse(a, b) in (a, b)
            assert worse(a, b) is worse(b, a)

    def test_an_unknown_indicator_is_never_good(self) -> None:
        """Both rates must fall: one that cannot be judged keeps the whole from being on track."""
        assert worse(ON, SMALL) is SMALL
        assert worse(State.ACHIEVED_CONFIRMED, State.UNDEFINED) is State.UNDEFINED
        assert worse(OFF, SMALL) is OFF

    def test_of_the_example(self) -> None:
        found = assess(cases.case(cases.run()))
        assert (found.accidents.published, found.deaths.published, found.state) == (AT, SMALL, AT)
        assert found.wording == found.accidents.wording


class TestHysteresis:
    @pytest.mark.parametrize(
        ("states", "urgent", "published"),
        [
            ([ON], [0], [ON]),
            ([ON, AT], [0, 0], [ON, ON]),
            ([ON, AT, AT], [0, 0, 0], [ON, ON, AT]),
            ([ON, AT, ON, AT, ON], [0] * 5, [ON] * 5),
            ([ON, AT, OFF, OFF], [0] * 4, [ON, ON, ON, OFF]),
            ([ON, OFF], [0, 1], [ON, OFF]),  # a red CUSUM does not wait
            ([OFF, ON], [0, 1], [OFF, OFF]),  # good news does
            ([SMALL, ON, ON], [0] * 3, [SMALL, SMALL, ON]),
            ([ON, SMALL], [0, 0], [ON, SMALL]),  # too few events to go on saying it
            ([AT, State.NOT_ACHIEVED], [0, 0], [AT, State.NOT_ACHIEVED]),  # final data are final
        ],
    )
    def test_two_runs_in_a_row(self, states: list[State], urgent: list[int], published: list[State]) -> None:
        assert published_states(states, [bool(u) for u in urgent], runs=2) == published

    def test_one_run_is_enough_where_policy_says_so(self) -> None:
        assert published_states([ON, AT, OFF], [False] * 3, runs=1) == [ON, AT, OFF]

    @given(st.lists(st.sampled_from(HELD), min_size=1, max_size=12), st.integers(1, 3))
    def test_a_published_state_was_seen_and_lasts(self, states: list[State], runs: int) -> None:
        published = published_states(states, [False] * len(states), runs=runs)
        for i, state in enumerate(published):
            assert state in states[: i + 1]
            if i and state is not published[i - 1]:
                assert states[i + 1 - runs : i + 1] == [state] * runs

    def test_a_state_held_back_keeps_its_own_probability_and_says_so(self) -> None:
        """July was off track with 7 %; August alone would be at risk."""
        july = cases.run(
            as_of="2020-08-05",
            to="2020-07-31",
            accidents=9,
            exposure=11_200_000,
            exposure_remaining=8_800_000,
        )
        found = assess(cases.case(cases.run(), july))
        assert (found.accidents.judged.state, found.accidents.published) == (AT, OFF)
        assert "54" not in found.accidents.wording["zh"]

    def test_an_accident_with_three_deaths_does_not_wait(self) -> None:
        july = cases.run(
            as_of="2020-08-05",
            to="2020-07-31",
            accidents=6,
            exposure=11_200_000,
            exposure_remaining=8_800_000,
        )
        calm = assess(cases.case(cases.run(accidents=9), july))
        grave: dict[str, Any] = {
            "accidents": 9,
            "fatal_accidents": 3,
            "deaths": 5,
            "most_deaths_in_one_accident": 3,
        }
        assert calm.accidents.published is ON
        assert assess(cases.case(cases.run(**grave), july)).accidents.published is AT

    def test_recomputed_from_data_as_known_then(self) -> None:
        """A late report changes the run it reaches, not what an earlier run said."""
        july = cases.run(
            as_of="2020-08-05",
            to="2020-07-31",
            accidents=7,
            exposure=11_200_000,
            exposure_remaining=8_800_000,
        )
        corrected = july | {"accidents": 10}
        as_known, restated = (assess(cases.case(cases.run(), run)).accidents for run in (july, corrected))
        assert as_known.published is AT
        assert restated.published is OFF
        assert assess(cases.case(july)) == assess(cases.case(july))
