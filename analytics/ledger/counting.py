"""Counts for the statistics: accidents, deaths and injured by scope, company, county and month.

A city-wide figure counts an accident once, however many vehicles of the fleet were in it; a company's figure
counts it for each company that had one, by the responsibility of its own vehicles, so companies add up to
more than the city where firms met. What is undecided makes a low and a high count.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from analytics.ledger.accident import (
    DOMESTIC_WINDOW_DAYS,
    INTERNATIONAL_WINDOW_DAYS,
    Range,
    toll,
)
from analytics.ledger.scopes import SCOPE_RULES, Scope, in_scope, is_pending
from analytics.ledger.severity import SEVERITY_RULES
from fleet.schedule import CIVIL_ZONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date, datetime

    from analytics.ledger.accident import Facts, Toll

_NONE = Range(0, 0)


class By(StrEnum):
    """What counts are split by."""

    CITY = "city"
    COMPANY = "company"
    COUNTY = "county"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """Civil days, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Counts:
    """What one group of accidents amounts to, as known at one time.

    Attributes
    ----------
    accidents
        Accidents of the scope.
    fatal_7d, fatal_30d
        Those in which somebody died within 7 and within 30 civil days.
    deaths_7d, deaths_30d
        People who died so.
    serious, light
        Others hurt; who dies after day 7 is among the serious.
    most_deaths_7d, most_deaths_30d
        Most deaths in one accident, by the high count.
    pending
        Accidents of A1 whose responsibility is not known: what makes A2 a range.
    without_casualties
        Accidents of which nobody has said who was hurt.
    open_30d
        Accidents whose 30 days had not passed, the 30th included: more may die of them.
    """

    accidents: Range = _NONE
    fatal_7d: Range = _NONE
    fatal_30d: Range = _NONE
    deaths_7d: Range = _NONE
    deaths_30d: Range = _NONE
    serious: Range = _NONE
    light: Range = _NONE
    most_deaths_7d: int = 0
    most_deaths_30d: int = 0
    pending: int = 0
    without_casualties: int = 0
    open_30d: int = 0


def count(
    accidents: Iterable[Facts], scope: Scope, period: Period, as_of: datetime, by: By = By.CITY
) -> dict[str, Counts]:
    """Count the accidents that were known at `as_of`, by group; "" is a company or county nobody has named.

    `accidents` are the accounts that counted then: those of `history.as_of` that are not withdrawn.
    """
    groups: dict[str, list[Facts]] = defaultdict(list)
    for facts in accidents:
        if period.first <= facts.occurred.day <= period.last:
            for group, part in _groups(facts, by):
                if in_scope(part, scope).high:
                    groups[group].append(part)
    if by is By.CITY:
        groups.setdefault("", [])
    return {group: _counts(groups[group], scope, as_of) for group in sorted(groups)}


def _groups(facts: Facts, by: By) -> Iterator[tuple[str, Facts]]:
    """Yield the groups of an accident; to a company only its own vehicles are the fleet's."""
    match by:
        case By.CITY:
            yield "", facts
        case By.COMPANY:
            for company in facts.companies:
                own = tuple(vehicle for vehicle in facts.fleet if vehicle.company == company)
                yield company, replace(facts, vehicles=own)
        case By.COUNTY:
            yield facts.county, facts
        case By.MONTH:
            yield f"{facts.occurred.day:%Y-%m}", facts


def _counts(accidents: Sequence[Facts], scope: Scope, as_of: datetime) -> Counts:
    today = as_of.astimezone(CIVIL_ZONE).date()
    counted = [in_scope(facts, scope) for facts in accidents]
    within_7d = [toll(facts, DOMESTIC_WINDOW_DAYS) for facts in accidents]
    within_30d = [toll(facts, INTERNATIONAL_WINDOW_DAYS) for facts in accidents]
    # An accident that is undecided adds to the high count only.
    return Counts(
        accidents=_sum(counted),
        fatal_7d=_sum(map(_weighted, counted, map(_fatal, within_7d))),
        fatal_30d=_sum(map(_weighted, counted, map(_fatal, within_30d))),
        deaths_7d=_sum(map(_weighted, counted, (each.dead for each in within_7d))),
        deaths_30d=_sum(map(_weighted, counted, (each.dead for each in within_30d))),
        serious=_sum(map(_weighted, counted, (each.serious for each in within_7d))),
        light=_sum(map(_weighted, counted, (Range(each.light, each.light) for each in within_7d))),
        most_deaths_7d=max((each.dead.high for each in within_7d), default=0),
        most_deaths_30d=max((each.dead.high for each in within_30d), default=0),
        pending=sum(map(is_pending, accidents)),
        without_casualties=sum(not facts.casualties_known for facts in accidents),
        open_30d=sum((today - facts.occurred.day).days <= INTERNATIONAL_WINDOW_DAYS for facts in accidents),
    )


def _fatal(found: Toll) -> Range:
    return Range(min(found.dead.low, 1), min(found.dead.high, 1))


def _weighted(counted: Range, amount: Range) -> Range:
    return Range(amount.low if counted.low else 0, amount.high)


def _sum(ranges: Iterable[Range]) -> Range:
    total = _NONE
    for each in ranges:
        total = total.plus(each)
    return total


def run_document(
    counts: Counts,
    period: Period,
    as_of: datetime,
    *,
    window_days: Literal[7, 30],
    bound: Literal["low", "high"],
    scope: str,
    denominator: str,
    exposure: float,
) -> dict[str, Any]:
    """Return one run of the file that `kerbsafe rates verdict` reads, from one end of the counts.

    `scope`, `denominator` and `exposure` are those of the baseline that it is compared with.
    """
    fatal, deaths, most = {
        DOMESTIC_WINDOW_DAYS: (counts.fatal_7d, counts.deaths_7d, counts.most_deaths_7d),
        INTERNATIONAL_WINDOW_DAYS: (counts.fatal_30d, counts.deaths_30d, counts.most_deaths_30d),
    }[window_days]
    end = 0 if bound == "low" else 1
    return {
        "as_of": as_of.astimezone(CIVIL_ZONE).date().isoformat(),
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        "accidents": counts.accidents[end],
        "fatal_accidents": fatal[end],
        "deaths": deaths[end],
        "most_deaths_in_one_accident": min(most, deaths[end]),
        "exposure": exposure,
        "scope": scope,
        "denominator": denominator,
        "death_window_days": window_days,
    }


def rule_versions() -> dict[str, int]:
    """Return the versions of the rules that figures rest on."""
    return {"scope": SCOPE_RULES, "severity": SEVERITY_RULES}
