"""What changed since the report before: old and new value, the reason, and the effect of all of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from analytics.facts.measures import Measure
from analytics.ledger import history
from analytics.ledger.accident import DOMESTIC_WINDOW_DAYS, INTERNATIONAL_WINDOW_DAYS, Facts, toll
from analytics.ledger.history import Reason, Version
from analytics.ledger.scopes import NO, UNDECIDED, Scope, in_scope
from analytics.report import cells
from analytics.report.document import Cell, Column, Table
from analytics.report.judging import NotJudgedError, judge
from analytics.report.knowledge import county_scope
from analytics.report.periods import Stage, due_day, month_end, shift
from analytics.report.report_input import CITY, civil_day
from fleet.language import Words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from analytics.report.context import Context
    from analytics.report.report_input import ReportInput

REASONS = {
    Reason.NEW: Words("new report", "新报"),
    Reason.LATE: Words("late report", "迟报"),
    Reason.DEATHS_WITHIN_7_DAYS: Words("death within 7 days", "7日内死亡"),
    Reason.DEATHS_WITHIN_30_DAYS: Words("death on day 8 to 30", "第8—30日死亡"),
    Reason.RESPONSIBILITY: Words("finding of responsibility", "责任认定"),
    Reason.CORRECTION: Words("correction of the record", "录入更正"),
    Reason.CLOSED: Words("case closed", "结案"),
    Reason.NOT_COUNTED: Words("withdrawn: not of this ledger", "撤销（非本口径）"),
    Reason.MERGED: Words("merged with another", "重复合并"),
    Reason.REINSTATED: Words("reinstated", "恢复计入"),
}
_DENOMINATORS = {
    Measure.VOLUME_M3: Words("concrete (m³)", "混凝土产量（方）"),
    Measure.KM: Words("distance (km)", "行驶里程（公里）"),
    Measure.LOADS: Words("loads", "运次"),
    Measure.VEHICLES_FILED: Words("vehicles filed", "备案车辆数"),
}
_DENOMINATOR = Words("corrected or completed figure", "数据更正或补报")


class Restatement(NamedTuple):
    """One change."""

    item: Words
    old: Words
    new: Words
    reason: Words


def restatements(context: Context) -> list[Restatement]:
    """Return the changes to what the report before had, in the order of what they are about."""
    if context.before is None or context.given.previous_as_of is None:
        return []
    last = _last_month_reported(context.given)
    return [*_accidents(context, last, context.given.previous_as_of), *_facts(context, last)]


def restatement_table(context: Context, found: list[Restatement]) -> Table:
    """Return the changes numbered, with the effect on the conclusion of the report before."""
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            cells.text(cells.same(f"{context.given.number}-{place:02d}")),
            *(cells.text(part) for part in each),
        )
        for place, each in enumerate(found, 1)
    )
    columns = (
        Column(Words("No.", "编号"), weight=1.1),
        Column(Words("What", "项目")),
        Column(Words("Was", "原值"), weight=1.9),
        Column(Words("Is", "新值"), weight=1.9),
        Column(Words("Reason", "原因"), weight=0.9),
    )
    return Table("restatements", Words("Restatements", "修订清单"), columns, rows)


def effect(context: Context) -> Words | None:
    """Say what the changes make of the conclusion of the report before; None: it had none."""
    given, before = context.given, context.given.previous_as_of
    if before is None:
        return None
    last = _last_month_reported(given)
    try:
        old = judge(_of_month(given, last, before), before).assessment
        new = judge(_of_month(given, last, given.as_of), given.as_of).assessment
    except NotJudgedError:
        return None
    if old.state is new.state:
        return Words(
            f"The conclusion on {last:%Y-%m} is unchanged: {new.wording['en']}.",
            f"{last.year}年{last.month}月的结论不变：{new.wording['zh']}。",
        )
    return Words(
        f"The conclusion on {last:%Y-%m} changes from “{old.wording['en']}” to “{new.wording['en']}”.",
        f"{last.year}年{last.month}月的结论由“{old.wording['zh']}”变为“{new.wording['zh']}”。",
    )


def changed_headline(context: Context) -> list[Words]:
    """Return what the first page says of restatements."""
    found = restatements(context)
    if not found:
        return []
    number = Words(
        f"{len(found)} figures of earlier reports are restated (see the list).",
        f"本期修订以往报告数据{len(found)}项（见修订清单）。",
    )
    made = effect(context)
    return [number if made is None else Words(f"{number.en} {made.en}", number.zh + made.zh)]


def _of_month(given: ReportInput, month: date, at: datetime) -> ReportInput:
    return replace(given, month=month, as_of=at)


def _last_month_reported(given: ReportInput) -> date:
    """Return the last month that the report before was about: this one, or the one before."""
    before = given.previous_as_of
    if before is not None and civil_day(before) >= due_day(given.month, Stage.FLASH):
        return given.month
    return shift(given.month, -1)


# -- accidents


def _accidents(context: Context, last: date, then: datetime) -> Iterator[Restatement]:
    given = context.given
    for code in sorted(given.ledger):
        versions = given.ledger[code]
        old, new = history.as_of(versions, then), history.as_of(versions, given.as_of)
        if new is None or new is old:
            continue
        if not any(_reported(context, version, last) for version in (old, new)):
            continue
        was, now = _account(old, context), _account(new, context)
        if was != now:
            yield Restatement(Words(f"accident {code}", f"事故{code}"), was, now, REASONS[new.reason])


def _reported(context: Context, version: Version | None, last: date) -> bool:
    """Whether a version is of this scope and of a month that the report before was about."""
    if version is None or version.facts.occurred.day > month_end(last):
        return False
    given = context.given
    return given.scope == CITY or county_scope(version.facts.county, given) == given.scope


def _account(version: Version | None, context: Context) -> Words:
    """Say what of a version figures rest on: so that what does not change them is no restatement."""
    if version is None:
        return Words("not in the ledger", "台账中没有")
    if not version.counts:
        return Words("not counted", "不计入")
    facts = version.facts
    scopes = " ".join(
        f"{scope}{'?' if answer == UNDECIDED else ''}"
        for scope in Scope
        if (answer := in_scope(facts, scope)) != NO
    )
    if not scopes:
        return Words("in no class", "不属于A类")
    county = (
        context.given.name(county_scope(facts.county, context.given)) if facts.county else cells.NOT_RECORDED
    )
    return Words(
        f"{facts.occurred.day}, {county.en}, {scopes}; {_people(facts).en}",
        f"{facts.occurred.day}，{county.zh}，{scopes}；{_people(facts).zh}",
    )


def _people(facts: Facts) -> Words:
    domestic, abroad = toll(facts, DOMESTIC_WINDOW_DAYS), toll(facts, INTERNATIONAL_WINDOW_DAYS)
    dead, later, serious = (
        cells.counted(each).shown for each in (domestic.dead, abroad.dead, domestic.serious)
    )
    return Words(
        f"dead {dead.en} (30 days: {later.en}), seriously hurt {serious.en}, lightly {domestic.light}",
        f"死亡{dead.zh}（30日内{later.zh}），重伤{serious.zh}，轻伤{domestic.light}",
    )


# -- figures of months


def _facts(context: Context, last: date) -> Iterator[Restatement]:
    """Yield the denominators that changed: what rates are divided by, of the scope and its parts."""
    given, now, before = context.given, context.now, context.before
    if before is None:
        return
    wanted = (given.scope, "county:", "company:") if given.is_city else (given.scope,)
    keys = {
        (fact.month, fact.scope)
        for fact in given.facts
        if fact.month <= last and fact.measure in _DENOMINATORS and fact.scope.startswith(wanted)
    }
    for month, scope in sorted(keys):
        for measure, what in _DENOMINATORS.items():
            old, new = before.fact(measure, month, scope), now.fact(measure, month, scope)
            if (old and old.value) == (new and new.value):
                continue
            place = given.name(scope)
            item = Words(
                f"{what.en} of {place.en}, {month:%Y-%m}", f"{place.zh}{month.year}年{month.month}月{what.zh}"
            )
            was, now_ = (
                cells.NOT_RECORDED if fact is None else cells.same(f"{fact.value:,.10g}")
                for fact in (old, new)
            )
            yield Restatement(item, was, now_, _DENOMINATOR)
