"""How many accidents of a month are still to be reported, from how late those of the past were.

What the ledger recorded in bulk when it was begun says nothing of delays, and neither does what is so recent
that its late reports are still to come: both are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from analytics.ledger import history
from analytics.ledger.scopes import NO, Scope, in_scope
from analytics.report.knowledge import county_scope
from analytics.report.periods import Window, month_end, shift
from analytics.report.report_input import CITY, civil_day
from analytics.statistics.inputs import MIN_EXPOSURE, Observed
from analytics.statistics.late_reports import completeness, nowcast
from analytics.statistics.target import year_under_way
from fleet.schedule import CIVIL_ZONE

if TYPE_CHECKING:
    from datetime import date

    from analytics.report.knowledge import Knowledge
    from analytics.report.report_input import ReportInput

#: After so many days a report is taken not to come any more.
SETTLED_DAYS = 180
#: A completeness of fewer past accidents would be a guess.
MIN_DELAYS = 10
_MONTHS_OF_RATE = 12


@dataclass(frozen=True, slots=True)
class LateReports:
    """Reported and expected accidents of one month.

    Attributes
    ----------
    reported
        Known by now, those undecided among them.
    complete
        Share of a month's accidents that are known at this age.
    expected
        Known by now and still to come.
    interval95
        Where the final count is expected to lie, nineteen times in twenty.
    """

    month: date
    reported: int
    complete: float
    expected: float
    interval95: tuple[int, int]


def late_reports(given: ReportInput, known: Knowledge, denominator: str, month: date) -> LateReports | None:
    """Expect a month's final count; None where the past says too little of delays or of the rate."""
    delays = reporting_delays(given)
    before = Window(shift(month, -_MONTHS_OF_RATE), shift(month, -1))
    past = known.exposure(denominator, before).value
    exposure = known.exposure(denominator, Window(month, month)).value
    if len(delays) < MIN_DELAYS or not past or not exposure or not known.covers(before):
        return None
    complete = _complete(delays, month, civil_day(known.at))
    reported = known.count(Scope.A1, Window(month, month)).accidents.high
    seen = Observed(known.count(Scope.A1, before).accidents.high, past)
    missing = max(exposure * (1 - complete), MIN_EXPOSURE)
    rest = year_under_way(seen, missing)
    low, high = (end - seen.count for end in rest.interval95)
    expected = nowcast(reported, complete, prior_mean=seen.rate * exposure).expected
    return LateReports(month, reported, complete, expected, (reported + low, reported + high))


def reporting_delays(given: ReportInput) -> list[int]:
    """Return the days from accident to first record, of accidents whose reports are all in."""
    recorded = [
        (min(version.recorded_at for version in versions), history.as_of(versions, given.as_of))
        for versions in given.ledger.values()
    ]
    known = [(first, version) for first, version in recorded if version is not None]
    if not known:
        return []
    begun = min(first for first, _version in known)
    settled = civil_day(given.as_of) - timedelta(days=SETTLED_DAYS)
    return [
        (first.astimezone(CIVIL_ZONE).date() - version.facts.occurred.day).days
        for first, version in known
        if version.counts
        and in_scope(version.facts, Scope.A1) != NO
        and (given.scope == CITY or county_scope(version.facts.county, given) == given.scope)
        and version.facts.occurred.at > begun
        and version.facts.occurred.day <= settled
    ]


def _complete(delays: list[int], month: date, day: date) -> float:
    """Average over the days of a month: its last accident is younger than its first."""
    last = month_end(month)
    ages = [(day - last).days + back for back in range(last.day)]
    return sum(completeness(delays, age) for age in ages) / len(ages)
