"""All that a report rests on: facts, ledger, baseline and policy, as they were known on a date."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from analytics.report.periods import Stage, due_day, month_of, stage_on
from fleet.errors import KerbsafeError
from fleet.language import Words
from fleet.schedule import CIVIL_ZONE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from analytics.facts.fact import MonthFact
    from analytics.ledger.history import Version
    from analytics.statistics.baseline import Baseline
    from analytics.statistics.policy import Policy

CITY = "city"
COUNTY, COMPANY = "county:", "company:"


class ReportError(KerbsafeError):
    """A report cannot be made of that; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class ReportInput:
    """What one report is made of. Nothing else enters it, neither the clock nor a file.

    Attributes
    ----------
    month
        First day of the month.
    as_of
        Aware time; what became known later is not in the report.
    scope
        `city`, or `county:` with a code.
    stage
        What the report is published as; `stage_of` gives the one that belongs to `as_of`.
    facts
        Facts of months of every scope, each as it was known over time: also those restated since, so that
        earlier runs can be made again. What is not in the list is not recorded.
    ledger
        Every version of every accident, by code.
    baseline, policy
        None: none is approved for this scope, and no verdict is given.
    previous_as_of
        When the report was made that this one is compared with; None: there is none.
    ledger_from
        First day from which the ledger is kept; None: the month of its first accident.
    planned_exposure
        Exposure of the whole target year in the baseline's unit, as planned; None: the months to come are
        taken as those of the year before.
    names
        What people call a scope (`county:330402`); one without a name is shown by its code.
    simulated
        Whether it is an example; facts of a simulated source make it one, too.
    """

    month: date
    as_of: datetime
    scope: str
    stage: Stage
    facts: Sequence[MonthFact]
    ledger: Mapping[str, Sequence[Version]]
    baseline: Baseline | None
    policy: Policy | None
    previous_as_of: datetime | None = None
    ledger_from: date | None = None
    planned_exposure: float | None = None
    names: Mapping[str, Words] = field(default_factory=dict)
    simulated: bool = False

    @property
    def is_city(self) -> bool:
        """Whether it is the report of the whole city."""
        return self.scope == CITY

    @property
    def number(self) -> str:
        """What names this report: month, scope unless it is the city, stage; of a correction its day too."""
        place = "" if self.is_city else "-" + self.scope.replace(":", "-")
        day = f"-{civil_day(self.as_of):%Y%m%d}" if self.stage is Stage.CORRECTION else ""
        return f"{self.month:%Y-%m}{place}-{self.stage}{day}"

    def name(self, scope: str) -> Words:
        """Return what people call a scope."""
        if scope in self.names:
            return self.names[scope]
        if scope == CITY:
            return Words("the city", "全市")
        code = scope.partition(":")[2]
        return Words(code, code)


def civil_day(at: datetime) -> date:
    """Return the civil day of a time; midnight belongs to the day that ends."""
    return (at.astimezone(CIVIL_ZONE) - timedelta(microseconds=1)).date()


def require_closed(given: ReportInput) -> None:
    """Raise `ReportError` if the month cannot be reported yet: half a month must not look whole."""
    month, day = f"{given.month:%Y-%m}", civil_day(given.as_of)
    if given.month != month_of(given.month):
        raise ReportError(f"{given.month} is not the first day of a month")
    if day < due_day(given.month, Stage.FLASH):
        due = due_day(given.month, Stage.FLASH)
        raise ReportError(
            Words(
                f"{month} is not closed as of {day}: its first figures are due as of {due}",
                f"截至{day}，{month}尚未关账：首次数据（快报）应以{due}为截止日",
            )
        )
    recorded = {
        fact.scope for fact in given.facts if fact.month == given.month and fact.known_from <= given.as_of
    }
    if given.scope not in recorded:
        raise ReportError(
            Words(
                f"{month} is not closed as of {day}: no fact of {given.scope} is recorded for it; "
                "`kerbsafe days list` says what it waits for, `kerbsafe facts import` takes what is declared",
                f"截至{day}，{month}尚未关账：没有{given.scope}的月度数据；"
                "`kerbsafe days list` 列出未关账的原因，`kerbsafe facts import` 导入申报数据",
            )
        )
    if not any(version.recorded_at <= given.as_of for one in given.ledger.values() for version in one):
        raise ReportError(
            Words(
                f"the ledger of accidents is empty as of {day}, which is not that nothing happened: "
                "`kerbsafe accidents import FILE` records a list",
                f"截至{day}，事故台账为空，这不等于没有发生事故：请用 `kerbsafe accidents import 文件` 登记",
            )
        )


def require_stage(given: ReportInput) -> None:
    """Raise `ReportError` if a stage is claimed that is not reached."""
    day, due = civil_day(given.as_of), due_day(given.month, given.stage)
    if day >= due:
        return
    reached = stage_on(given.month, day)
    raise ReportError(
        f"the stage {given.stage} of {given.month:%Y-%m} is due as of {due}; as of {day} it is {reached}"
    )
