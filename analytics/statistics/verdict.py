"""The verdict on the target: which state each indicator is in, and how often that would be wrong.

During the period the question is whether the line will be met: p_track before the target year, p_line once
it has begun. After the target year's final data the official figure decides between achieved and not, and
P(ratio ≤ target) says how much of that is chance. Accidents are tested as they are; for deaths, fatal
accidents are tested and deaths reported, since several deaths in one accident are not independent events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import gammaln, xlogy

from analytics.statistics.inputs import Observed
from analytics.statistics.policy import Policy, State
from analytics.statistics.runs import Phase
from analytics.statistics.target import line_cap, ratio_cdf, year_under_way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.statistics.baseline import Baseline
    from analytics.statistics.runs import RunData
    from analytics.statistics.target import YearForecast

    Floats = NDArray[np.float64]


# From best to worst. No verdict (SMALL) is worse than a good one, since both rates must fall and one is
# unknown; it is better than a bad one, since a target out of reach for one indicator is out of reach.
SEVERITY = (
    State.ACHIEVED_CONFIRMED,
    State.ACHIEVED_FIGURE_ONLY,
    State.ON_TRACK,
    State.SMALL,
    State.UNDEFINED,
    State.AT_RISK,
    State.NOT_ACHIEVED_CLOSE,
    State.OFF_TRACK,
    State.NOT_ACHIEVED,
)
# Between these a change waits for a second run; the others follow from the data at once.
HELD = (State.ON_TRACK, State.AT_RISK, State.OFF_TRACK)


@dataclass(frozen=True, slots=True)
class Judged:
    """One indicator of one run.

    Attributes
    ----------
    state
        What this run's data alone say.
    probability
        The probability that the state rests on: p_track, p_line or p_half; None where none does.
    cap
        Largest official count that meets the line on the period's exposure (the year's, while it runs).
    forecast
        Prediction of the year under way; None in other phases.
    """

    state: State
    probability: float | None
    cap: int
    forecast: YearForecast | None


def worse(a: State, b: State) -> State:
    """Return the worse of two states: both rates must meet the target."""
    return max(a, b, key=SEVERITY.index)


# -- one run


def judge_accidents(run: RunData, baseline: Baseline, policy: Policy) -> Judged:
    """Judge the accident rate of one run."""
    now, base = run.observed(run.accidents), baseline.observed(baseline.accidents)
    return _judge(run, now, base, policy, official=(now, base), deaths=None)


def judge_deaths(run: RunData, baseline: Baseline, policy: Policy) -> Judged:
    """Judge the death rate of one run: deaths against the line, fatal accidents for the probabilities."""
    now, base = run.observed(run.fatal_accidents), baseline.observed(baseline.fatal_accidents)
    official = run.observed(run.deaths), baseline.observed(baseline.deaths)
    fatal = run.fatal_accidents + baseline.fatal_accidents
    extra = (run.deaths + baseline.deaths - fatal) / fatal if fatal else 0.0
    return _judge(run, now, base, policy, official=official, deaths=(run.deaths, extra))


def _judge(
    run: RunData,
    now: Observed,
    base: Observed,
    policy: Policy,
    *,
    official: tuple[Observed, Observed],
    deaths: tuple[int, float] | None,
) -> Judged:
    counted, counted_base = official
    cap = line_cap(counted_base, run.whole_exposure, policy.target_ratio)
    if run.phase is Phase.FINAL:
        p_half = _p_at_most(now, base, policy.target_ratio, policy)
        state = final_states(counted.count <= cap, p_half, base.count == 0, policy)
        return Judged(State(str(state)), p_half, cap, None)
    forecast = None
    if run.phase is Phase.BEFORE:
        p = _p_at_most(now, base, run.required_ratio(policy), policy)
    elif run.exposure_remaining:
        forecast = year_under_way(now, run.exposure_remaining, cap=cap, deaths=deaths, prior=policy.prior)
        p = forecast.p_meet or 0.0
    else:
        p = float(counted.count <= cap)
    state = running_states(p, now.count + base.count, base.count == 0, policy)
    return Judged(State(str(state)), p if state in HELD else None, cap, forecast)


def _p_at_most(now: Observed, base: Observed, ratio: float, policy: Policy) -> float:
    return float(ratio_cdf(now.count, base.count, ratio * now.exposure / base.exposure, prior=policy.prior))


def running_states(p: Any, total: Any, base_is_zero: Any, policy: Policy) -> Any:
    """Return the state during the period, for arrays or single values.

    Parameters
    ----------
    p
        Probability of meeting the line (p_line) or of being on the trajectory (p_track).
    total
        Events of both periods together.
    base_is_zero
        Whether the baseline count is zero.
    """
    conditions = [base_is_zero, np.less(total, policy.small_total), np.greater_equal(p, policy.on_track)]
    conditions.append(np.greater_equal(p, policy.at_risk))
    states = [State.UNDEFINED, State.SMALL, State.ON_TRACK, State.AT_RISK]
    return np.select(conditions, [s.value for s in states], State.OFF_TRACK.value)[()]


def final_states(meets: Any, p_half: Any, base_is_zero: Any, policy: Policy) -> Any:
    """Return the state after the final data, for arrays or single values.

    Parameters
    ----------
    meets
        Whether the official ratio is at most the target.
    p_half
        P(true ratio ≤ target).
    base_is_zero
        Whether the baseline count is zero.
    """
    sure, near = np.greater_equal(p_half, policy.confirmed), np.greater_equal(p_half, policy.close)
    conditions = [base_is_zero, np.logical_and(meets, sure), meets, near]
    states = [
        State.UNDEFINED,
        State.ACHIEVED_CONFIRMED,
        State.ACHIEVED_FIGURE_ONLY,
        State.NOT_ACHIEVED_CLOSE,
    ]
    return np.select(conditions, [s.value for s in states], State.NOT_ACHIEVED.value)[()]


# -- several runs


def published_states(states: Sequence[State], urgent: Sequence[bool], *, runs: int) -> list[State]:
    """Hold a change back until `runs` runs in a row agree.

    Recomputed each time from each run's data as they were known then. ON_TRACK, AT_RISK and OFF_TRACK are
    held. The others follow at once (there is no judging with too few events, and final data are final), and
    so does a change for the worse in an urgent run (a red CUSUM, an accident with many deaths).

    Parameters
    ----------
    states
        What each run's own data say, oldest first.
    urgent
        Whether that run is urgent.
    """
    published: list[State] = []
    for i, state in enumerate(states):
        last = published[-1] if published else None
        agreed = i + 1 >= runs and all(s is state for s in states[i + 1 - runs : i])
        worsens = last is not None and worse(state, last) is state
        if last is None or state not in HELD or agreed or (urgent[i] and worsens):
            published.append(state)
        else:
            published.append(last)
    return published


# -- how often is it wrong?


def final_characteristics(
    mean_base: float, true_ratio: float, exposure_ratio: float, policy: Policy
) -> dict[State, float]:
    """Return the probability of each final state, by enumeration over both counts.

    Parameters
    ----------
    mean_base
        Expected count of the base year.
    true_ratio
        True ratio of the rates.
    exposure_ratio
        e1/e0.
    """
    x1, x0, mass = _both_counts(mean_base * true_ratio * exposure_ratio, mean_base)
    base = [line_cap(Observed(int(x), 1.0), exposure_ratio, policy.target_ratio) for x in x0[0]]
    p_half = ratio_cdf(x1, x0, policy.target_ratio * exposure_ratio, prior=policy.prior)
    return _tally(final_states(x1 <= np.array(base), p_half, x0 == 0, policy), mass)


def track_characteristics(
    mean_base: float, true_ratio: float, exposure_ratio: float, required: float, policy: Policy
) -> dict[State, float]:
    """Return the probability of each state of a run before the target year, judged against `required`."""
    x1, x0, mass = _both_counts(mean_base * true_ratio * exposure_ratio, mean_base)
    p_track = ratio_cdf(x1, x0, required * exposure_ratio, prior=policy.prior)
    return _tally(running_states(p_track, x1 + x0, x0 == 0, policy), mass)


def _both_counts(mean1: float, mean0: float) -> tuple[Floats, Floats, Floats]:
    """Return the counts of both periods as a column and a row, and the probability of each pair."""
    columns = [np.arange(np.ceil(mean + 12 * np.sqrt(mean) + 30)) for mean in (mean1, mean0)]
    m1, m0 = (
        np.exp(xlogy(x, mean) - mean - gammaln(x + 1))
        for x, mean in zip(columns, (mean1, mean0), strict=True)
    )
    return columns[0][:, None], columns[1][None, :], m1[:, None] * m0[None, :]


def _tally(states: Any, mass: Floats) -> dict[State, float]:
    found = {state: float(mass[states == state.value].sum()) for state in State}
    return {state: p for state, p in found.items() if p > 0}
