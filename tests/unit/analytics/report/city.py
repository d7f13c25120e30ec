"""A small city for the tests of reports: seven counties, three companies, a ledger that is written late.

Its plan is the one of the examples: twenty accidents in 2015, half the rate by 2020.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.facts.fact import MonthFact, Source
from analytics.facts.measures import Measure
from analytics.ledger.accident import (
    Casualty,
    Facts,
    Injury,
    Moment,
    Reporter,
    Responsibility,
    Role,
    Vehicle,
)
from analytics.ledger.history import Reason, Status, Version
from analytics.report.periods import Stage, day_end, due_day, shift
from analytics.report.report_input import ReportInput
from analytics.statistics.runs import read_case
from fleet.language import Words
from fleet.schedule import CIVIL_ZONE

if TYPE_CHECKING:
    from analytics.statistics.runs import Case

EXAMPLE = Path(__file__).parents[4] / "docs" / "examples" / "verdict.json"
MONTH = date(2020, 8, 1)

COUNTIES = {
    "county:01": Words("Downtown", "市本级"),
    "county:02": Words("Port", "港区"),
    "county:03": Words("North", "北县"),
}
COMPANIES = {
    "company:alpha": Words("Alpha Concrete", "甲混凝土公司"),
    "company:beta": Words("Beta Concrete", "乙混凝土公司"),
    "company:gamma": Words("=Gamma Concrete", "=丙混凝土公司"),
}
SHARES = {"county:01": 0.5, "county:02": 0.2, "county:03": 0.3}
COMPANY_SHARES = {"company:alpha": 0.6, "company:beta": 0.3, "company:gamma": 0.1}
#: Cubic metres a month of the city.
VOLUME = 1_600_000.0
#: Of the city in a month; a county has its share.
MEASURED = {
    Measure.VEHICLES_FILED: 1000.0,
    Measure.VEHICLE_DAYS: 29_450.0,
    Measure.VEHICLE_DAYS_ONLINE: 28_000.0,
    Measure.VEHICLE_DAYS_DRIVEN: 21_000.0,
    Measure.KM: 3_000_000.0,
    Measure.KM_UNSEEN: 60_000.0,
    Measure.KM_FINE: 2_400_000.0,
    Measure.TRIPS: 160_000.0,
    Measure.LOADS: 160_000.0,
    Measure.LOADS_OVER: 320.0,
    Measure.RIGHT_TURNS: 900_000.0,
    Measure.RIGHT_TURNS_EVALUABLE: 700_000.0,
    Measure.RIGHT_TURNS_ARMED: 500_000.0,
    Measure.CONFLICTS: 400.0,
    Measure.RIGHT_TURNS_MUST_STOP: 200_000.0,
    Measure.RIGHT_TURNS_NOT_STOPPED: 60_000.0,
    Measure.RIGHT_TURNS_TOO_FAST: 35_000.0,
    Measure.SPEEDINGS: 2_400.0,
    Measure.FATIGUES: 150.0,
    Measure.FATIGUE_S: 540_000.0,
    Measure.FORBIDDEN_ENTRIES: 80.0,
    Measure.PERMITTED_LEFT: 640.0,
    Measure.ALERTS: 5_000.0,
    Measure.ALERTS_RESOLVED: 4_500.0,
    Measure.FIXES: 40_000_000.0,
    Measure.FIXES_VALID: 39_000_000.0,
    Measure.VEHICLES_DRIFTING: 40.0,
}


def case() -> Case:
    """Return baseline and policy of the examples."""
    return read_case(json.loads(EXAMPLE.read_text(encoding="utf-8")))


@cache
def month_facts(last: date = MONTH) -> tuple[MonthFact, ...]:
    """Return the facts of each month, known on its third day after."""
    found: list[MonthFact] = []
    month = date(2015, 1, 1)
    while month <= last:
        known = datetime.combine(shift(month, 1) + timedelta(days=2), datetime.min.time(), UTC)
        grown = VOLUME * (1 + 0.03 * (month.year - 2019))
        found += [
            MonthFact(scope, month, Measure.VOLUME_M3, round(grown * share), None, Source.DECLARED, known)
            for scope, share in ({"city": 1.0} | SHARES | COMPANY_SHARES).items()
        ]
        found += [
            MonthFact(scope, month, measure, round(value * share), 0.97, Source.MEASURED, known)
            for measure, value in MEASURED.items()
            for scope, share in ({"city": 1.0} | SHARES).items()
        ]
        month = shift(month, 1)
    return tuple(found)


def hurt(*injuries: str, role: Role = Role.EBIKE, died: Moment | None = None) -> tuple[Casualty, ...]:
    """Return people hurt: `dead`, `serious`, `light`."""
    return tuple(Casualty(Injury(injury), role, died if injury == "dead" else None) for injury in injuries)


def moment(text: str) -> Moment:
    """Return a time of the city's clock, or a day."""
    at = datetime.fromisoformat(text).replace(tzinfo=CIVIL_ZONE)
    return Moment(at, "T" in text)


def accident(when: str, people: tuple[Casualty, ...] = (), **more: Any) -> Facts:
    """Return an accident of the police, with one mixer of a company turning right."""
    company = more.pop("company", "alpha")
    share = more.pop("responsibility", Responsibility.MAIN)
    mixer = Vehicle(True, f"{company}-1", company=company, kind="mixer", manoeuvre="06", responsibility=share)
    values: dict[str, Any] = {
        "county": "01",
        "road_class": "22",
        "police_handled": True,
        "casualties_known": True,
        "casualties": people or hurt("light"),
        "vehicles": (mixer,),
    }
    return Facts(occurred=moment(when), reporter=Reporter.POLICE, **(values | more))


def version(facts: Facts, recorded: str, number: int = 1, reason: Reason = Reason.NEW) -> Version:
    """Return a version recorded (and known) at a time of the city's clock."""
    at = datetime.fromisoformat(recorded).replace(tzinfo=CIVIL_ZONE)
    return Version(number, at, at, Status.REPORTED, reason, "registrar", "", facts)


def ledger(last: date = MONTH) -> dict[str, list[Version]]:
    """Return a ledger of one accident a month, two in each third, recorded a few days later."""
    found: dict[str, list[Version]] = {}
    month, number = date(2015, 1, 1), 0
    while month <= last:
        for place in range(2 if month.month % 3 == 0 and month.year < 2020 else 1):
            number += 1
            day = month + timedelta(days=(number * 7) % 27)
            fatal = number % 4 == 0
            died = Moment(datetime.combine(day, datetime.min.time(), CIVIL_ZONE), False)
            people = hurt("dead", "light", died=died) if fatal else hurt(("serious", "light")[number % 2])
            facts = accident(
                f"{day}T{(number * 5) % 24:02d}:30",
                people,
                company=("alpha", "beta", "gamma")[number % 3],
                county=("01", "港区", "03")[number % 3 if place else 0],
            )
            recorded = datetime.combine(day + timedelta(days=1 + number % 9), datetime.min.time())
            found[f"A{number:04d}"] = [version(facts, recorded.isoformat())]
        month = shift(month, 1)
    return found


def report_input(month: date = MONTH, stage: Stage = Stage.FLASH, **more: Any) -> ReportInput:
    """Return the input of a month's report, as of the day on which its stage is due."""
    found = case()
    values: dict[str, Any] = {
        "as_of": day_end(due_day(month, stage)),
        "scope": "city",
        "facts": month_facts(last=month),
        "ledger": ledger(month),
        "baseline": found.baseline,
        "policy": found.policy,
        "previous_as_of": day_end(due_day(shift(month, -1), Stage.FLASH)),
        "ledger_from": date(2015, 1, 1),
        "planned_exposure": 20_000_000.0,
        "names": COUNTIES | COMPANIES,
    }
    return ReportInput(month=month, stage=stage, **(values | more))
