"""What every section reads: the input, what is known now and what the report before knew, the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.report.judging import EarlyWarning, Judgement, NotJudgedError, early_warning, judge
from analytics.report.knowledge import Knowledge, known_at
from analytics.report.periods import Window, rolling_year, the_month, year_to_date
from analytics.statistics.rates import RATE_UNITS, RateUnit

if TYPE_CHECKING:
    from analytics.report.report_input import ReportInput
    from fleet.language import Words

#: What accidents are divided by where no baseline says it.
_USUAL_DENOMINATOR = "m3"
_USUAL_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Context:
    """One report's figures.

    Attributes
    ----------
    given
        The input.
    now
        What is known as of the report.
    before
        What was known when the report before was made; None: there is none.
    judgement, warning
        The verdict and the CUSUM, or why there is none.
    """

    given: ReportInput
    now: Knowledge
    before: Knowledge | None
    judgement: Judgement | Words
    warning: EarlyWarning | Words

    @property
    def month(self) -> Window:
        """The month alone."""
        return the_month(self.given.month)

    @property
    def year_to_date(self) -> Window:
        """January to the month."""
        return year_to_date(self.given.month)

    @property
    def rolling_year(self) -> Window:
        """The twelve months that end with it."""
        return rolling_year(self.given.month)

    @property
    def denominator(self) -> str:
        """What accidents are divided by: the baseline's, else the usual one."""
        return self.given.baseline.denominator if self.given.baseline else _USUAL_DENOMINATOR

    @property
    def unit(self) -> RateUnit:
        """How rates on it are printed."""
        return RATE_UNITS[self.denominator]

    @property
    def level(self) -> float:
        """Level of printed intervals."""
        return self.given.policy.level if self.given.policy else _USUAL_LEVEL


def context_of(given: ReportInput) -> Context:
    """Work out what all sections share."""
    now = known_at(given, given.as_of)
    before = None if given.previous_as_of is None else known_at(given, given.previous_as_of)
    return Context(given, now, before, _judgement(given), _warning(given, now))


def _judgement(given: ReportInput) -> Judgement | Words:
    try:
        return judge(given)
    except NotJudgedError as error:
        return error.why


def _warning(given: ReportInput, now: Knowledge) -> EarlyWarning | Words:
    try:
        return early_warning(given, now, given.month)
    except NotJudgedError as error:
        return error.why
