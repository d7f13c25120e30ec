"""Months, the windows that figures are given for, and the days on which the stages of a report are due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.ledger.counting import Period
from fleet.language import Words
from fleet.schedule import CIVIL_ZONE

if TYPE_CHECKING:
    from collections.abc import Iterator

MONTHS_OF_YEAR = 12


class Stage(StrEnum):
    """How far a month's figures have come: 快报, 修订一, 修订二, 定稿, 更正."""

    FLASH = "flash"
    FIRST = "first"
    SECOND = "second"
    FINAL = "final"
    #: After the final report: a numbered correction.
    CORRECTION = "correction"


STAGE_NAMES = {
    Stage.FLASH: Words("flash figures (preliminary)", "快报（初步）"),
    Stage.FIRST: Words("first revision", "修订一"),
    Stage.SECOND: Words("second revision", "修订二"),
    Stage.FINAL: Words("final", "定稿"),
    Stage.CORRECTION: Words("correction after the final report", "更正通知（定稿后）"),
}
#: What may change against the stage before.
STAGE_CHANGES = {
    Stage.FLASH: Words("everything may still change", "各项数据均可能变动"),
    Stage.FIRST: Words(
        "late reports, deaths up to day 30 and severity are in", "已计入迟报、30日内死亡和伤情变化"
    ),
    Stage.SECOND: Words("findings of responsibility are in", "已计入责任认定结果"),
    Stage.FINAL: Words(
        "frozen; a later change is a numbered correction", "数据冻结；此后变动以更正通知编号发布"
    ),
    Stage.CORRECTION: Words(
        "changes after the final report, each with its reason", "定稿后的变动，逐项列明原因"
    ),
}
#: The day of the flash figures, and the days after which the last accident's 30 days and reports are over.
_FLASH_DAY, _FIRST_AFTER_DAYS = 5, 40
_SECOND_AFTER_MONTHS = 3
_FINAL_MONTH, _FINAL_DAY = 4, 30


def month_of(day: date) -> date:
    """Return the first day of a day's month."""
    return day.replace(day=1)


def shift(month: date, months: int) -> date:
    """Return the first day of the month so many months later (or earlier)."""
    number = month.year * MONTHS_OF_YEAR + month.month - 1 + months
    return date(number // MONTHS_OF_YEAR, number % MONTHS_OF_YEAR + 1, 1)


def month_end(month: date) -> date:
    """Return the last day of a month."""
    return shift(month, 1) - timedelta(days=1)


def day_end(day: date) -> datetime:
    """Return when a civil day is over: what was known "as of" it was known by then."""
    return datetime.combine(day + timedelta(days=1), time(), CIVIL_ZONE)


def due_day(month: date, stage: Stage) -> date:
    """Return the day on which a stage of a month's report is due; a correction has none of its own."""
    match stage:
        case Stage.FLASH:
            return shift(month, 1).replace(day=_FLASH_DAY)
        case Stage.FIRST:
            return month_end(month) + timedelta(days=_FIRST_AFTER_DAYS)
        case Stage.SECOND:
            return month_end(shift(month, _SECOND_AFTER_MONTHS))
        case _:
            return date(month.year + 1, _FINAL_MONTH, _FINAL_DAY)


def stage_on(month: date, day: date) -> Stage | None:
    """Return the stage that a report as of a day is; None: not even the flash figures are due."""
    if day > due_day(month, Stage.FINAL):
        return Stage.CORRECTION
    reached = [stage for stage in Stage if stage is not Stage.CORRECTION and due_day(month, stage) <= day]
    # In the order of their days: of a December the final report is due soon after the second revision.
    return max(reached, key=lambda stage: due_day(month, stage), default=None)


def report_before(month: date, stage: Stage) -> date:
    """Return the day as of which the report before was due: an earlier stage, or the month before."""
    if stage is Stage.CORRECTION:
        return due_day(month, Stage.FINAL)
    own = [due_day(month, each) for each in Stage if each is not Stage.CORRECTION]
    earlier = [day for day in own if day < due_day(month, stage)]
    return max(earlier, default=due_day(shift(month, -1), Stage.FLASH))


@dataclass(frozen=True, slots=True)
class Window:
    """Whole months, both included."""

    first_month: date
    last_month: date

    @property
    def period(self) -> Period:
        """The civil days."""
        return Period(self.first_month, month_end(self.last_month))

    @property
    def months(self) -> tuple[date, ...]:
        """The first day of each month."""
        return tuple(self._each())

    def _each(self) -> Iterator[date]:
        month = self.first_month
        while month <= self.last_month:
            yield month
            month = shift(month, 1)

    @property
    def name(self) -> Words:
        """The window as people write it: 2020年8月, 2020年1—8月, 2019年9月—2020年8月."""
        first, last = self.first_month, self.last_month
        if first == last:
            return Words(f"{first:%Y-%m}", f"{first.year}年{first.month}月")
        if (first.month, last.month) == (1, MONTHS_OF_YEAR) and first.year == last.year:
            return Words(f"{first.year}", f"{first.year}年")
        if first.year == last.year:
            return Words(f"{first:%Y-%m} to {last:%Y-%m}", f"{first.year}年{first.month}—{last.month}月")
        return Words(
            f"{first:%Y-%m} to {last:%Y-%m}", f"{first.year}年{first.month}月—{last.year}年{last.month}月"
        )

    def year_before(self) -> Window:
        """Return the same months of the year before."""
        return Window(shift(self.first_month, -MONTHS_OF_YEAR), shift(self.last_month, -MONTHS_OF_YEAR))


def the_month(month: date) -> Window:
    """Return the month alone."""
    return Window(month, month)


def year_to_date(month: date) -> Window:
    """Return January to the month."""
    return Window(month.replace(month=1), month)


def rolling_year(month: date) -> Window:
    """Return the twelve months that end with it."""
    return Window(shift(month, 1 - MONTHS_OF_YEAR), month)
