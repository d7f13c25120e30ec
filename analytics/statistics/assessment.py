"""The figures behind a verdict: everything one run says about accidents, deaths and both, with its words.

Official figures (what the authority publishes) and tested ones (what the probabilities rest on) are kept
apart: the same counts for accidents, deaths and fatal accidents for deaths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.statistics import rates, target
from analytics.statistics.phrasing import LANGUAGES, Language, fall, probability
from analytics.statistics.verdict import judge_accidents, judge_deaths, published_states, worse

if TYPE_CHECKING:
    from analytics.statistics.baseline import Baseline
    from analytics.statistics.inputs import Observed
    from analytics.statistics.policy import Policy, State
    from analytics.statistics.rates import RateEstimate, RatioEstimate
    from analytics.statistics.runs import Case, RunData
    from analytics.statistics.target import Joint
    from analytics.statistics.verdict import Judged


@dataclass(frozen=True, slots=True)
class Tested:
    """What can be inferred from one pair of counts.

    Attributes
    ----------
    now, base
        The counts and exposures.
    rate, base_rate
        Rates per unit of exposure with exact intervals.
    ratio
        Ratio of the rates with its exact interval.
    p_two_sided, p_target_one_sided
        p-values against ratio 1, and against a ratio of the target or more.
    p_half, p_any
        P(true ratio ≤ target) and P(true ratio < 1).
    p_half_range
        Smallest and largest p_half over the priors of `target.PRIOR_SHAPES`.
    """

    now: Observed
    base: Observed
    rate: RateEstimate
    base_rate: RateEstimate
    ratio: RatioEstimate
    p_two_sided: float
    p_target_one_sided: float
    p_half: float
    p_any: float
    p_half_range: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator of the current run.

    Attributes
    ----------
    name
        `accidents` or `deaths`.
    count, base_count
        Official counts.
    ratio
        Official ratio of the rates; None where the baseline is zero.
    tested
        Inference, on fatal accidents where the indicator is deaths.
    judged
        What this run's data alone say.
    published
        The state after the rule of consecutive runs.
    wording
        The published state in words, by language.
    """

    name: str
    count: int
    base_count: int
    ratio: float | None
    tested: Tested
    judged: Judged
    published: State
    wording: dict[Language, str]

    @property
    def small_base(self) -> int:
        """The smaller base of the two kinds of counts: it decides whether percentages may be printed."""
        return min(self.base_count, self.tested.base.count)


@dataclass(frozen=True, slots=True)
class Assessment:
    """The verdict of the current run with the figures behind it."""

    run: RunData
    baseline: Baseline
    policy: Policy
    accidents: Indicator
    deaths: Indicator
    joint: Joint
    state: State
    wording: dict[Language, str]

    @property
    def indicators(self) -> tuple[Indicator, Indicator]:
        """Both indicators, accidents first."""
        return self.accidents, self.deaths


def infer(now: Observed, base: Observed, *, ratio: float, level: float, prior: float) -> Tested:
    """Compute everything that is said of one pair of counts, for a target ratio."""
    by_prior = target.prior_sensitivity(now, base, ratio).values()
    return Tested(
        now=now,
        base=base,
        rate=rates.rate_interval(now, level=level),
        base_rate=rates.rate_interval(base, level=level),
        ratio=rates.ratio_interval(now, base, level=level),
        p_two_sided=rates.ratio_p_value(now, base),
        p_target_one_sided=rates.ratio_tail(now, base, ratio=ratio, alternative="less"),
        p_half=target.probability_at_most(now, base, ratio, prior=prior),
        p_any=target.probability_at_most(now, base, 1.0, prior=prior),
        p_half_range=(min(by_prior), max(by_prior)),
    )


def assess(case: Case) -> Assessment:
    """Judge the last run of a case, holding back changes that the earlier runs do not bear out."""
    run, baseline, policy = case.runs[-1], case.baseline, case.policy
    both = run.accidents, baseline.accidents
    accidents = _indicator(case, "accidents", official=both, tested=both)
    deaths = _indicator(
        case,
        "deaths",
        official=(run.deaths, baseline.deaths),
        tested=(run.fatal_accidents, baseline.fatal_accidents),
    )
    state = worse(accidents.published, deaths.published)
    same = [i for i in (accidents, deaths) if i.published is state]
    decisive = min(same, key=lambda i: i.judged.probability or 0.0)
    return Assessment(
        run=run,
        baseline=baseline,
        policy=policy,
        accidents=accidents,
        deaths=deaths,
        joint=target.joint(run.severity, baseline.severity, ratio=policy.target_ratio, prior=policy.prior),
        state=state,
        wording=decisive.wording,
    )


def _indicator(case: Case, name: str, *, official: tuple[int, int], tested: tuple[int, int]) -> Indicator:
    run, baseline, policy = case.runs[-1], case.baseline, case.policy
    judge = judge_accidents if name == "accidents" else judge_deaths
    judged = [judge(each, baseline, policy) for each in case.runs]
    states = [each.state for each in judged]
    published = published_states(
        states, [each.urgent(policy) for each in case.runs], runs=policy.consecutive_runs
    )[-1]
    # A state held back is worded with the probability of the last run that showed it, not with this run's.
    shown = judged[len(states) - 1 - states[::-1].index(published)]
    count, base_count = official
    now, base = run.observed(tested[0]), baseline.observed(tested[1])
    return Indicator(
        name=name,
        count=count,
        base_count=base_count,
        ratio=run.observed(count).rate / baseline.observed(base_count).rate if base_count else None,
        tested=infer(now, base, ratio=policy.target_ratio, level=policy.level, prior=policy.prior),
        judged=judged[-1],
        published=published,
        wording=wording(published, shown, policy, base=min(base_count, base.count)),
    )


def wording(state: State, judged: Judged, policy: Policy, *, base: int) -> dict[Language, str]:
    """Put a state into the policy's words, with the probability it was judged by."""
    return {
        language: policy.wording[language][state].format(
            p=probability(judged.probability or 0.0, base=base, language=language),
            target=fall(policy.target_ratio, base=base, language=language),
        )
        for language in LANGUAGES
    }
