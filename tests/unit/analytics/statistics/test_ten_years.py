"""Ten simulated years with a known true effect: the verdict errs as often as theory says.

Accidents are drawn one by one (month, season, fatal or not, number of deaths), counted as the report counts
them, and judged by the same functions; theory is the enumeration over both counts. With `-s` it prints the
table of docs/statistics.md.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from analytics.statistics.baseline import Baseline
from analytics.statistics.policy import State
from analytics.statistics.rates import ratio_interval, ratio_tail
from analytics.statistics.runs import Phase, RunData
from analytics.statistics.target import required_ratio
from analytics.statistics.verdict import (
    final_characteristics,
    judge_accidents,
    judge_deaths,
    published_states,
    track_characteristics,
    worse,
)
from tests.unit.analytics.statistics import cases

BASE_YEAR, TARGET_YEAR, DECADES = 2010, 2020, 4000
GROWTH = 1.2533  # of the volume over the ten years
POLICY = cases.policy(target_year=TARGET_YEAR)
FATAL_SHARE, EXTRA_DEATHS = 0.25, 0.10
# Building stops around the spring festival: volume by month, and accidents with it.
SEASON = np.array([0.6, 0.3, 0.9, 1.1, 1.2, 1.1, 1.1, 1.1, 1.2, 1.2, 1.2, 1.0]) / 12
STATES = (
    State.ACHIEVED_CONFIRMED,
    State.ACHIEVED_FIGURE_ONLY,
    State.NOT_ACHIEVED_CLOSE,
    State.NOT_ACHIEVED,
    State.UNDEFINED,
)


@dataclass
class Tally:
    """What the verdicts said over all decades of one scenario."""

    final: Counter[State] = field(default_factory=Counter)
    overall: Counter[State] = field(default_factory=Counter)
    at_five: Counter[State] = field(default_factory=Counter)
    covered: int = 0
    rejected: int = 0
    changes: list[int] = field(default_factory=lambda: [0, 0])


def exposure_of(year: int) -> float:
    return GROWTH ** ((year - BASE_YEAR) / (TARGET_YEAR - BASE_YEAR))


def ratio_of(year: int, effect: float) -> float:
    return float(effect ** ((year - BASE_YEAR) / (TARGET_YEAR - BASE_YEAR)))


def draw_year(random: np.random.Generator, mean: float) -> tuple[int, int, int]:
    """Accidents, fatal accidents and deaths of a year, drawn month by month and one by one."""
    accidents = int(random.poisson(mean * SEASON).sum())
    fatal = int((random.random(accidents) < FATAL_SHARE).sum())
    return accidents, fatal, fatal + int(random.poisson(EXTRA_DEATHS, fatal).sum())


def baseline_of(counts: tuple[int, int, int]) -> Baseline:
    accidents, fatal, deaths = counts
    return Baseline(
        id="simulated",
        version=1,
        year=BASE_YEAR,
        scope="all",
        death_window_days=7,
        denominator="m3",
        exposure=1.0,
        accidents=accidents,
        fatal_accidents=fatal,
        deaths=deaths,
        source="simulation",
        approved_by="nobody",
        approved_at=date(2011, 1, 1),
        supersedes=None,
    )


def run_of(year: int, counts: tuple[int, int, int]) -> RunData:
    accidents, fatal, deaths = counts
    return RunData(
        as_of=date(year + 1, 4, 30),
        first=date(year, 1, 1),
        last=date(year, 12, 31),
        phase=Phase.FINAL if year == TARGET_YEAR else Phase.BEFORE,
        accidents=accidents,
        fatal_accidents=fatal,
        deaths=deaths,
        exposure=exposure_of(year),
        exposure_remaining=None,
        cusum_red=False,
        most_deaths=0,
        base_year=BASE_YEAR,
    )


def judge_decade(random: np.random.Generator, mean: float, effect: float, tally: Tally) -> None:
    baseline = baseline_of(draw_year(random, mean))
    years = range(BASE_YEAR + 1, TARGET_YEAR + 1)
    runs = [run_of(y, draw_year(random, mean * exposure_of(y) * ratio_of(y, effect))) for y in years]
    states = [judge_accidents(run, baseline, POLICY).state for run in runs]
    published = published_states(states, [False] * len(states), runs=POLICY.consecutive_runs)
    tally.final[published[-1]] += 1
    tally.overall[worse(published[-1], judge_deaths(runs[-1], baseline, POLICY).state)] += 1
    tally.at_five[states[4]] += 1
    for i, sequence in enumerate((states[:-1], published[:-1])):
        tally.changes[i] += sum(a is not b for a, b in pairwise(sequence))
    now, base = runs[-1].observed(runs[-1].accidents), baseline.observed(baseline.accidents)
    interval = ratio_interval(now, base)
    tally.covered += interval.lower <= effect and (interval.upper is None or effect <= interval.upper)
    tally.rejected += ratio_tail(now, base, ratio=0.5, alternative="less") <= 0.05


def within_error(seen: Counter[State], theory: dict[State, float]) -> None:
    """Each share within 4.5 standard errors: of a hundred comparisons less than one in a thousand fails."""
    for state in State:
        p = theory.get(state, 0.0)
        assert seen[state] / DECADES == pytest.approx(p, abs=4.5 * math.sqrt(p * (1 - p) / DECADES) + 1e-9), (
            state
        )


def print_row(mean: float, effect: float, tally: Tally, theory: dict[State, float]) -> None:
    cells = [f"{theory.get(s, 0):.3f} / {tally.final[s] / DECADES:.3f}" for s in STATES]
    wrong = sum(tally.overall[s] for s in STATES[:2]) / DECADES
    one, two = (c / DECADES for c in tally.changes)
    sys.stdout.write(
        f"| {mean:g} | {effect:g} | {' | '.join(cells)} | {wrong:.3f} | {tally.covered / DECADES:.3f} "
        f"| {tally.rejected / DECADES:.3f} | {one:.2f} / {two:.2f} |\n"
    )


@pytest.mark.long
@pytest.mark.parametrize("effect", [1.0, 0.75, 0.5, 0.3])
@pytest.mark.parametrize("mean", [5, 10, 20, 40])
def test_the_verdict_errs_as_often_as_theory_says(mean: float, effect: float) -> None:
    random, tally = np.random.default_rng([2020, mean, int(100 * effect)]), Tally()
    for _ in range(DECADES):
        judge_decade(random, mean, effect, tally)
    theory = final_characteristics(mean, effect, GROWTH, POLICY)
    print_row(mean, effect, tally, theory)
    within_error(tally.final, theory)
    required = required_ratio(2015.5, base_year=BASE_YEAR, target_year=TARGET_YEAR, ratio=0.5)
    at_five = track_characteristics(mean, ratio_of(2015, effect), exposure_of(2015), required, POLICY)
    within_error(tally.at_five, at_five)
    error = 3 * math.sqrt(0.05 * 0.95 / DECADES)
    assert tally.covered / DECADES >= 0.95 - error
    if effect >= 0.5:
        assert tally.rejected / DECADES <= 0.05 + error
    # Waiting for a second run can only make the published verdict change less often.
    assert tally.changes[1] <= tally.changes[0]
