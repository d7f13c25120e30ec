"""What was known at a time: accidents as they counted then, and the facts of months that held then."""

from __future__ import annotations

import calendar
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from analytics.facts.measures import Measure
from analytics.ledger import history
from analytics.ledger.counting import By, count
from analytics.ledger.scopes import NO, Scope, in_scope
from analytics.report.periods import month_of
from analytics.report.report_input import COUNTY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from analytics.facts.fact import MonthFact
    from analytics.ledger.accident import Facts
    from analytics.ledger.counting import Counts
    from analytics.report.periods import Window
    from analytics.report.report_input import ReportInput

#: What a rate of each denominator is divided by; vehicle-years are made of the vehicles filed.
DENOMINATORS: Mapping[str, Measure] = {
    "m3": Measure.VOLUME_M3,
    "km": Measure.KM,
    "loads": Measure.LOADS,
    "vehicle_years": Measure.VEHICLES_FILED,
}


class Amount(NamedTuple):
    """A sum over the months of a window.

    Attributes
    ----------
    value
        None: not recorded for each month.
    missing
        The months that nothing is recorded of.
    coverage
        The lowest share of what ought to have been seen; None: a declared figure, or nothing recorded.
    """

    value: float | None
    missing: tuple[date, ...] = ()
    coverage: float | None = None


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What was known of one scope, city or county, at a time.

    Attributes
    ----------
    at
        The time.
    accidents
        The accounts that counted then, by code, of this scope.
    ledger_from
        First day of which the ledger says something; None: it was empty.
    """

    at: datetime
    scope: str
    accidents: Mapping[str, Facts]
    ledger_from: date | None
    _facts: Mapping[tuple[str, date, Measure], MonthFact]

    # -- accidents

    def covers(self, window: Window) -> bool:
        """Whether the ledger was kept in the whole of a window: else no accident is not none."""
        return self.ledger_from is not None and self.ledger_from <= window.first_month

    def count(self, scope: Scope, window: Window) -> Counts:
        """Count the accidents of a window."""
        return count(self.accidents.values(), scope, window.period, self.at)[""]

    def count_by(self, scope: Scope, window: Window, by: By) -> dict[str, Counts]:
        """Count the accidents of a window by group."""
        return count(self.accidents.values(), scope, window.period, self.at, by)

    def by_month(self, scope: Scope, window: Window) -> Counter[date]:
        """Count the accidents of each month of a window, those undecided among them."""
        period = window.period
        return Counter(
            month_of(facts.occurred.day)
            for facts in self.accidents.values()
            if period.first <= facts.occurred.day <= period.last and in_scope(facts, scope) != NO
        )

    # -- facts of months

    def fact(self, measure: Measure, month: date, scope: str | None = None) -> MonthFact | None:
        """Return the fact that held; None: not recorded."""
        return self._facts.get((scope or self.scope, month, measure))

    def amount(self, measure: Measure, window: Window, scope: str | None = None) -> Amount:
        """Add a measure up over the months of a window."""
        found = {month: self.fact(measure, month, scope) for month in window.months}
        missing = tuple(month for month, fact in found.items() if fact is None)
        held = [fact for fact in found.values() if fact is not None]
        coverage = min((fact.coverage for fact in held if fact.coverage is not None), default=None)
        return Amount(None if missing else sum(fact.value for fact in held), missing, coverage)

    def exposure(self, denominator: str, window: Window, scope: str | None = None) -> Amount:
        """Return the exposure of a window in the unit of a denominator (`RATE_UNITS`)."""
        measure = DENOMINATORS[denominator]
        if denominator != "vehicle_years":
            return self.amount(measure, window, scope)
        years = [_vehicle_years(self.fact(measure, month, scope)) for month in window.months]
        missing = tuple(month for month, each in zip(window.months, years, strict=True) if each is None)
        return Amount(None if missing else sum(each for each in years if each is not None), missing)

    def scopes(self, prefix: str) -> list[str]:
        """Return the scopes with a prefix (`company:`) of which a fact is recorded, in the order of codes."""
        return sorted({scope for scope, _month, _measure in self._facts if scope.startswith(prefix)})

    def months(self, measure: Measure) -> list[date]:
        """Return the months of which this scope has a fact of the measure."""
        return sorted(month for scope, month, what in self._facts if (scope, what) == (self.scope, measure))


def _vehicle_years(filed: MonthFact | None) -> float | None:
    if filed is None:
        return None
    days = calendar.monthrange(filed.month.year, filed.month.month)[1]
    return filed.value * days / (366 if calendar.isleap(filed.month.year) else 365)


def known_at(given: ReportInput, at: datetime) -> Knowledge:
    """Return what was known at a time, of the report's scope."""
    current = {code: history.as_of(versions, at) for code, versions in sorted(given.ledger.items())}
    counting = {
        code: _by_code(version.facts, given)
        for code, version in current.items()
        if version and version.counts
    }
    return Knowledge(
        at=at,
        scope=given.scope,
        accidents={
            code: facts
            for code, facts in counting.items()
            if given.is_city or COUNTY + facts.county == given.scope
        },
        ledger_from=given.ledger_from or _first_month(counting.values()),
        _facts=_held(given.facts, at),
    )


def _first_month(accidents: Iterable[Facts]) -> date | None:
    first = min((facts.occurred.day for facts in accidents), default=None)
    return None if first is None else month_of(first)


def _by_code(facts: Facts, given: ReportInput) -> Facts:
    """Return an accident with its county by code: lists name one county in more than one way."""
    code = county_scope(facts.county, given).removeprefix(COUNTY)
    return facts if code == facts.county else replace(facts, county=code)


def county_scope(county: str, given: ReportInput) -> str:
    """Return the scope of a county that the ledger names by its code or in words; "" of none."""
    if not county:
        return ""
    by_name = {
        name: scope for scope, words in given.names.items() if scope.startswith(COUNTY) for name in words
    }
    return by_name.get(county, COUNTY + county)


def _held(facts: Sequence[MonthFact], at: datetime) -> dict[tuple[str, date, Measure], MonthFact]:
    """Return the facts that held at a time: of two that say the same, the one known last."""
    held: dict[tuple[str, date, Measure], MonthFact] = {}
    for fact in sorted(facts, key=lambda fact: fact.known_from):
        if fact.known_from <= at and (fact.known_to is None or at < fact.known_to):
            held[fact.scope, fact.month, fact.measure] = fact
    return held
