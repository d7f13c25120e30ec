"""One run of the report: the period's counts as they were known on a date, and the file that holds several.

The file of `kerbsafe rates verdict` has a baseline, a policy, the current run, and the earlier ones with
their data as known then; docs/statistics.md shows one.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

from analytics.statistics.baseline import (
    Baseline,
    impossible_counts,
    read_baseline,
    read_denominator,
    read_window,
)
from analytics.statistics.inputs import Observed, StatisticsError, read_count, read_exposure, read_number
from analytics.statistics.policy import Policy, read_policy
from analytics.statistics.records import Fields, accept, as_is, read_date, read_flag, read_text
from analytics.statistics.target import Severity, required_ratio


class Phase(StrEnum):
    """Where in time a run stands relative to the target year."""

    BEFORE = "before"
    RUNNING = "running"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class RunData:
    """Counts of one period as known at `as_of`.

    Attributes
    ----------
    as_of
        Date at which the data were as they stand here.
    first, last
        First and last day of the period.
    phase
        Before the target year, while it runs, or after its final data.
    accidents, fatal_accidents, deaths
        Counts; deaths within the baseline's window.
    exposure
        In the baseline's unit.
    exposure_remaining
        Expected until the end of the target year; None outside it.
    cusum_red
        Whether the red CUSUM limit is passed.
    most_deaths
        Most deaths in one accident of the period.
    """

    as_of: date
    first: date
    last: date
    phase: Phase
    accidents: int
    fatal_accidents: int
    deaths: int
    exposure: float
    exposure_remaining: float | None
    cusum_red: bool
    most_deaths: int
    base_year: int

    @property
    def severity(self) -> Severity:
        """Accidents split by whether somebody died."""
        return Severity(self.fatal_accidents, self.accidents - self.fatal_accidents, self.exposure)

    @property
    def whole_exposure(self) -> float:
        """Exposure of the period, and of what remains of the year while it runs."""
        return self.exposure + (self.exposure_remaining or 0.0)

    @property
    def middle(self) -> float:
        """Middle of the period in years, e.g. 2018.5."""
        return (_decimal_year(self.first) + _decimal_year(self.last + timedelta(days=1))) / 2

    def observed(self, count: int) -> Observed:
        """One of the counts on the period's exposure."""
        return Observed(count, self.exposure)

    def required_ratio(self, policy: Policy) -> float:
        """Ratio that the indicative line asks for at the middle of the period."""
        return required_ratio(
            self.middle,
            base_year=self.base_year,
            target_year=policy.target_year,
            ratio=policy.target_ratio,
        )

    def urgent(self, policy: Policy) -> bool:
        """Say whether a change for the worse must not wait for a second run."""
        return self.cusum_red or self.most_deaths >= policy.urgent_deaths


@dataclass(frozen=True, slots=True)
class Case:
    """All that a verdict rests on; the last run is the current one."""

    baseline: Baseline
    policy: Policy
    runs: tuple[RunData, ...]


def _decimal_year(day: date) -> float:
    days = 366 if calendar.isleap(day.year) else 365
    return day.year + (day.timetuple().tm_yday - 1) / days


def read_case(value: Any) -> Case:
    """Read the verdict file's object, or raise with all of its errors.

    Keys: `baseline`, `policy`, `current`, and optionally `earlier`, a list of runs, oldest first.
    """
    problems: list[str] = []
    fields = Fields(value, "file", problems)
    baseline = read_baseline(fields.take("baseline", as_is, {}), problems)
    policy = read_policy(fields.take("policy", as_is, {}), problems)
    current, earlier = fields.take("current", as_is, {}), fields.take("earlier", _as_list, [])
    fields.finish()
    places = [f"earlier[{i}]" for i in range(len(earlier or []))] + ["current"]
    read = [
        _read_run(run, place, baseline, policy, problems)
        for place, run in zip(places, [*(earlier or []), current], strict=True)
    ]
    runs = tuple(run for run in read if run is not None)
    if any(a.as_of >= b.as_of for a, b in pairwise(runs)):
        problems.append(
            "earlier runs must be listed oldest first, each with a later as_of than the one before"
        )
    if baseline and policy and policy.target_year <= baseline.year:
        problems.append(
            f"policy.target_year {policy.target_year} must come after baseline.year {baseline.year}"
        )
    return Case(accept(baseline, problems, "the file"), accept(policy, problems, "the file"), runs)


def _as_list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise StatisticsError(f"{name} is {value!r}: give a list of runs, oldest first")
    return value


def _read_run(
    value: Any, where: str, baseline: Baseline | None, policy: Policy | None, problems: list[str]
) -> RunData | None:
    """Read one run; compared with the baseline for the same scope, unit and death window."""
    before = len(problems)
    fields = Fields(value, where, problems)
    values = {
        "as_of": fields.take("as_of", read_date),
        "first": fields.take("from", read_date),
        "last": fields.take("to", read_date),
        "accidents": fields.take("accidents", read_count),
        "fatal_accidents": fields.take("fatal_accidents", read_count),
        "deaths": fields.take("deaths", read_count),
        "exposure": fields.take("exposure", read_exposure),
        "exposure_remaining": fields.take("exposure_remaining", _read_remaining, None),
        "cusum_red": fields.take("cusum_red", read_flag, False),
        "most_deaths": fields.take("most_deaths_in_one_accident", read_count, 0),
    }
    final = fields.take("final", read_flag, False)
    same = {
        "scope": fields.take("scope", read_text),
        "denominator": fields.take("denominator", read_denominator),
        "death_window_days": fields.take("death_window_days", read_window),
    }
    fields.finish()
    if len(problems) > before or baseline is None or policy is None:
        return None
    problems += impossible_counts(where, values["accidents"], values["fatal_accidents"], values["deaths"])
    problems += _differences(where, same, baseline)
    if values["first"].year <= baseline.year:
        problems.append(f"{where}: the period begins in or before the baseline year {baseline.year}")
    phase = _phase(where, values, final, policy, problems)
    return RunData(phase=phase, base_year=baseline.year, **values) if len(problems) == before else None


def _read_remaining(value: Any, name: str) -> float:
    return 0.0 if value is not None and read_number(value, name) == 0 else read_exposure(value, name)


def _differences(where: str, same: dict[str, Any], baseline: Baseline) -> list[str]:
    """Say in what a run differs from the baseline, so that the two cannot be compared."""
    return [
        f"{where}.{name} is {mine!r}, the baseline's is {getattr(baseline, name)!r}: not comparable"
        for name, mine in same.items()
        if mine != getattr(baseline, name)
    ]


def _phase(where: str, values: dict[str, Any], final: bool, policy: Policy, problems: list[str]) -> Phase:
    first, last, remaining = values["first"], values["last"], values["exposure_remaining"]
    year = policy.target_year
    whole = (first, last) == (date(year, 1, 1), date(year, 12, 31))
    running = not final and last.year == year
    checks = (
        (first > last, f"{where}: the period ends before it begins"),
        (values["as_of"] < last, f"{where}.as_of is before the end of the period it describes"),
        (last.year > year, f"{where}: the period ends after the target year {year}"),
        (final and not whole, f"{where}: final data are those of the whole target year {year}"),
        (running and first != date(year, 1, 1), f"{where}: in the target year count from 1 January"),
        (running and remaining is None, f"{where}.exposure_remaining is missing: the year is under way"),
        (
            not running and remaining is not None,
            f"{where}.exposure_remaining belongs to the target year only",
        ),
        (values["most_deaths"] > values["deaths"], f"{where}: more deaths in one accident than in all"),
    )
    problems += [text for wrong, text in checks if wrong]
    if final:
        return Phase.FINAL
    return Phase.RUNNING if running else Phase.BEFORE
