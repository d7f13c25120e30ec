"""The verdict of a month: the run that it describes, the runs before it as known then, and the early warning.

A run is judged exactly as `kerbsafe rates verdict` does, from the object that this command reads; the report
carries that object, so that anybody can do it again.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from analytics.ledger.counting import run_document
from analytics.ledger.scopes import Scope
from analytics.report.knowledge import DENOMINATORS, known_at
from analytics.report.periods import (
    MONTHS_OF_YEAR,
    Stage,
    Window,
    day_end,
    due_day,
    rolling_year,
    shift,
)
from analytics.report.report_input import civil_day
from analytics.statistics.assessment import assess
from analytics.statistics.inputs import StatisticsError
from analytics.statistics.monitor import cusum_path
from analytics.statistics.runs import read_case
from analytics.statistics.target import required_ratio
from fleet.language import Words, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from analytics.facts.fact import MonthFact
    from analytics.report.knowledge import Knowledge
    from analytics.report.report_input import ReportInput
    from analytics.statistics.assessment import Assessment
    from analytics.statistics.baseline import Baseline
    from analytics.statistics.policy import Policy

    Json = dict[str, Any]
    End = Literal["low", "high"]

#: Limits of the CUSUM, in accidents. A doubling of the rate is what it looks for.
YELLOW, RED = 4.0, 6.0
_DETECTED_RATIO = 2.0
MAX_MONTHS = 36


class NotJudgedError(Exception):
    """There is no verdict; its argument are the `Words` that say why."""

    @property
    def why(self) -> Words:
        """The reason."""
        return self.args[0] if isinstance(self.args[0], Words) else Words(str(self), str(self))


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict of one run.

    Attributes
    ----------
    window
        The months that it counts.
    case
        What `kerbsafe rates verdict` reads: baseline, policy, this run and the earlier ones.
    assessment
        With all that is undecided counted: unknown is not safe.
    low
        With nothing of it counted; None where nothing is undecided.
    """

    window: Window
    case: Json
    assessment: Assessment
    low: Assessment | None


@dataclass(frozen=True, slots=True)
class EarlyWarning:
    """The CUSUM: accidents beyond what the way to the target allows, added up month by month."""

    months: tuple[date, ...]
    counts: tuple[int, ...]
    references: tuple[float, ...]
    path: tuple[float, ...]

    @property
    def is_red(self) -> bool:
        """Whether the last month is beyond the red limit."""
        return bool(self.path) and self.path[-1] >= RED

    @property
    def is_yellow(self) -> bool:
        """Whether it is beyond the yellow one."""
        return bool(self.path) and self.path[-1] >= YELLOW


def judge(given: ReportInput, at: datetime | None = None) -> Judgement:
    """Judge the report's month by what was known at a time (its own as-of); raises `NotJudgedError`."""
    baseline, policy = _approved(given)
    when = at or given.as_of
    runs = list(_runs(given, baseline, policy, when))
    case, lower = (_case(baseline, policy, [run[end] for run in runs]) for end in ("high", "low"))
    undecided = case["current"] != lower["current"]
    try:
        assessment = assess(read_case(case))
        low = assess(read_case(lower)) if undecided else None
    except StatisticsError as error:
        raise NotJudgedError(Words(str(error), f"数据无法用于判断：{error}")) from None
    return Judgement(_window(given.month, baseline, policy), case, assessment, low)


def early_warning(given: ReportInput, known: Knowledge, month: date) -> EarlyWarning:
    """Add up the months to `month`, at most 36; raises `NotJudgedError` if one of them has no exposure."""
    baseline, policy = _approved(given)
    if not baseline.accidents:
        raise NotJudgedError(_ZERO)
    first = max(filter(None, (date(baseline.year + 1, 1, 1), known.ledger_from)))
    months = Window(max(first, shift(month, 1 - MAX_MONTHS)), month)
    if not months.months:
        raise NotJudgedError(_BEFORE)
    found = known.by_month(Scope.A1, months)
    counts, references = [], []
    for each in months.months:
        exposure = known.exposure(baseline.denominator, Window(each, each))
        if exposure.value is None:
            raise NotJudgedError(_no_exposure(exposure.missing))
        counts.append(found[each])
        allowed = baseline.accidents / baseline.exposure * _required(each, baseline, policy)
        # k of a Poisson CUSUM that looks for a doubling: (2λ - λ)/ln 2.
        references.append(allowed * exposure.value * (_DETECTED_RATIO - 1) / math.log(_DETECTED_RATIO))
    path, _ = cusum_path(counts, references, h=RED)
    return EarlyWarning(months.months, tuple(counts), tuple(references), tuple(float(s) for s in path))


# -- runs


def _approved(given: ReportInput) -> tuple[Baseline, Policy]:
    if given.baseline is None:
        raise NotJudgedError(Words("no baseline is approved for this scope", "本范围没有已批准的基数"))
    if given.policy is None:
        raise NotJudgedError(Words("no policy is approved", "没有已批准的判定规则"))
    return given.baseline, given.policy


def _window(month: date, baseline: Baseline, policy: Policy) -> Window:
    """Return what a run of a month counts: twelve months, in the target year those since January.

    Nothing of the baseline's own year: it would be compared with itself.
    """
    if month.year <= baseline.year:
        raise NotJudgedError(_BEFORE)
    if month.year > policy.target_year:
        year = date(policy.target_year, 1, 1)
        return Window(year, shift(year, MONTHS_OF_YEAR - 1))
    if month.year == policy.target_year:
        return Window(month.replace(month=1), month)
    return Window(max(rolling_year(month).first_month, date(baseline.year + 1, 1, 1)), month)


def _runs(given: ReportInput, baseline: Baseline, policy: Policy, at: datetime) -> Iterator[dict[End, Json]]:
    """Yield the first run of each earlier month as known then, where there was one; then the run itself.

    Each by the low and by the high end of its counts.
    """
    measure = DENOMINATORS[baseline.denominator]
    own = [fact for fact in given.facts if (fact.scope, fact.measure) == (given.scope, measure)]
    given = replace(given, facts=own)
    month = date(baseline.year + 1, 1, 1)
    while month < given.month:
        then = _first_report(own, month)
        # What could not be judged then was not published as a run.
        if then is not None and civil_day(then) < civil_day(at):
            with suppress(NotJudgedError):
                yield _run(given, baseline, policy, month, then)
        month = shift(month, 1)
    yield _run(given, baseline, policy, given.month, at)


def _first_report(own: Sequence[MonthFact], month: date) -> datetime | None:
    """Return when a month's first report was made: when due, or when its denominator came.

    None: it came so late that the next month's report was due; or it came with many others, in bulk.
    """
    due, next_due = (due_day(each, Stage.FLASH) for each in (month, shift(month, 1)))
    known = min((fact.known_from for fact in own if fact.month == month), default=None)
    return max(day_end(due), known) if known is not None and civil_day(known) < next_due else None


def _run(
    given: ReportInput, baseline: Baseline, policy: Policy, month: date, at: datetime
) -> dict[End, Json]:
    known, window = known_at(given, at), _window(month, baseline, policy)
    if not known.covers(window):
        raise NotJudgedError(_no_ledger(known, window))
    exposure = known.exposure(baseline.denominator, window)
    if exposure.value is None:
        raise NotJudgedError(_no_exposure(exposure.missing))
    more: Json = {"as_of": civil_day(at).isoformat(), "cusum_red": _is_red(given, known, month)}
    year_end = date(policy.target_year, MONTHS_OF_YEAR, 1)
    if month >= year_end and civil_day(at) >= due_day(year_end, Stage.FINAL):
        more["final"] = True
    elif window.last_month.year == policy.target_year:
        more["exposure_remaining"] = _remaining(given, known, window, exposure.value)
    counts = known.count(Scope.A1, window)
    ends: tuple[End, End] = ("low", "high")
    return {
        end: run_document(
            counts,
            window.period,
            at,
            window_days=30 if baseline.death_window_days == 30 else 7,  # noqa: PLR2004 - the two there are
            bound=end,
            scope=baseline.scope,
            denominator=baseline.denominator,
            exposure=exposure.value,
        )
        | more
        for end in ends
    }


def _is_red(given: ReportInput, known: Knowledge, month: date) -> bool:
    try:
        return early_warning(given, known, month).is_red
    except NotJudgedError:
        return False


def _remaining(given: ReportInput, known: Knowledge, window: Window, so_far: float) -> float:
    """Return the exposure still expected in the target year: as planned, or as in the year before."""
    if window.last_month.month == MONTHS_OF_YEAR:
        return 0.0
    if given.planned_exposure is not None:
        return max(0.0, given.planned_exposure - so_far)
    rest = Window(shift(window.last_month, 1), window.first_month.replace(month=MONTHS_OF_YEAR))
    expected = known.exposure(given.baseline.denominator, rest.year_before()) if given.baseline else None
    if expected is None or expected.value is None:
        raise NotJudgedError(
            Words(
                "the exposure of the rest of the target year is neither planned nor recorded for the year "
                "before",
                "目标年剩余月份的分母既无计划数，也无上年同期记录",
            )
        )
    return expected.value


def _required(month: date, baseline: Baseline, policy: Policy) -> float:
    """Return the ratio that the way to the target asks for in the middle of a month."""
    moment = month.year + (month.month - 0.5) / MONTHS_OF_YEAR
    return required_ratio(
        min(moment, policy.target_year + 0.5),
        base_year=baseline.year,
        target_year=policy.target_year,
        ratio=policy.target_ratio,
    )


# -- the object of `kerbsafe rates verdict`


def _case(baseline: Baseline, policy: Policy, runs: list[Json]) -> Json:
    wording = {
        language: {state.value: text for state, text in texts.items()}
        for language, texts in policy.wording.items()
    }
    return {
        "baseline": asdict(baseline)
        | {"approved_at": baseline.approved_at.isoformat(), "hash": baseline.hash},
        "policy": asdict(policy) | {"approved_at": policy.approved_at.isoformat(), "wording": wording},
        "earlier": runs[:-1],
        "current": runs[-1],
    }


# -- why there is no verdict

_BEFORE = Words(
    "the month is not after the baseline's year: there is nothing to compare it with",
    "本月不在基期年之后，无从比较",
)


_ZERO = Words("the baseline counts no accident: there is no way to half of it", "基数为零，不存在减半的路径")


def _no_exposure(missing: tuple[date, ...]) -> Words:
    months = listed(Words(f"{month:%Y-%m}", f"{month.year}年{month.month}月") for month in missing)
    return Words(f"the denominator is not recorded for {months.en}", f"{months.zh}的分母未记录")


def _no_ledger(known: Knowledge, window: Window) -> Words:
    if known.ledger_from is None:
        return Words("the ledger of accidents was empty", "事故台账为空")
    return Words(
        f"the ledger of accidents is kept since {known.ledger_from}, after the beginning of {window.name.en}",
        f"事故台账自{known.ledger_from}起登记，晚于{window.name.zh}的起始",
    )
