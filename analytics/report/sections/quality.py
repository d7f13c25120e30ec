"""Data quality: what is missing or undecided, what is still to be reported, and every restatement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.facts.measures import Measure
from analytics.ledger.accident import unknown_codes
from analytics.ledger.scopes import Scope
from analytics.report import cells
from analytics.report.document import Cell, Column, Kind, Note, Paragraph, Section, Table
from analytics.report.nowcasting import MIN_DELAYS, late_reports
from analytics.report.periods import STAGE_CHANGES, STAGE_NAMES, Stage, due_day, shift
from analytics.report.report_input import COUNTY
from analytics.report.sections.restatements import effect, restatement_table, restatements
from fleet.language import Words
from fleet.schedule import CIVIL_ZONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.report.context import Context

_MONTHS_NOWCAST = 3
#: Sums of parts that differ from the whole by less are equal but for rounding.
_EQUAL = 1e-6


def quality_section(context: Context) -> Section:
    """Return the section."""
    blocks = [
        _restated(context),
        *_effect(context),
        _stages(context),
        _late(context),
        Note(_LATE),
        _ledger(context),
        *_sums(context),
    ]
    return Section("quality", Words("Data quality and restatements", "数据质量与修订"), tuple(blocks))


# -- restatements


def _restated(context: Context) -> Table | Paragraph:
    found = restatements(context)
    if found:
        return restatement_table(context, found)
    if context.before is None:
        return Paragraph(
            Words(
                "There is no earlier report to compare with: nothing is restated.",
                "没有可比的前次报告，无修订事项。",
            )
        )
    return Paragraph(Words("Nothing is restated since the report before.", "与前次报告相比，无修订事项。"))


def _effect(context: Context) -> Iterator[Paragraph]:
    if restatements(context) and (made := effect(context)) is not None:
        yield Paragraph(made)


def _stages(context: Context) -> Table:
    month = context.given.month
    columns = (
        Column(Words("Stage", "阶段"), weight=1.3),
        Column(Words("As of", "截止日"), Kind.DATE),
        Column(Words("What it settles", "允许的变动"), weight=2.5),
        Column(Words("This report", "本报告"), weight=0.8),
    )
    rows = tuple(
        (
            cells.text(STAGE_NAMES[stage]),
            Cell(Words("when due", "视情况"), (None,))
            if stage is Stage.CORRECTION
            else cells.day(due_day(month, stage)),
            cells.text(STAGE_CHANGES[stage]),
            cells.text(Words("●", "●") if stage is context.given.stage else Words("", "")),
        )
        for stage in Stage
    )
    return Table("stages", Words("Stages of this month's figures", "本月数据的各阶段"), columns, rows)


# -- late reports


_LATE = Words(
    "Expected: what is reported and what past delays let expect. The verdict rests on what is reported.",
    "预计：已报起数加上按以往迟报情况推算的起数。判断只依据已报起数。",
)


def _late(context: Context) -> Table | Paragraph:
    months = [shift(context.given.month, -back) for back in range(_MONTHS_NOWCAST)]
    found = [late_reports(context.given, context.now, context.denominator, month) for month in months]
    kept = [each for each in found if each is not None]
    if not kept:
        return Paragraph(
            Words(
                f"How many accidents are still to be reported cannot be estimated: fewer than {MIN_DELAYS} "
                "past accidents with their delays, or no denominator of the year before.",
                f"无法推算迟报起数：以往可用于推算的事故不足{MIN_DELAYS}起，或缺少此前12个月的分母。",
            )
        )
    columns = (
        Column(Words("Month", "月份"), Kind.DATE),
        Column(Words("Reported A1", "已报A1（起）"), Kind.COUNT),
        Column(Words("Complete", "完整度"), Kind.NUMBER),
        Column(Words("Expected", "预计（起）"), Kind.NUMBER),
        Column(Words("19 in 20", "95%区间"), Kind.COUNT, parts=2),
    )
    rows = tuple(
        (
            Cell(Words(f"{each.month:%Y-%m}", f"{each.month.year}年{each.month.month}月"), (each.month,)),
            cells.count(each.reported),
            cells.number(each.complete, 2),
            cells.number(each.expected, 3),
            cells.span(*each.interval95),
        )
        for each in kept
    )
    return Table("late", Words("Late reports", "迟报推算"), columns, rows)


# -- what is missing


def _ledger(context: Context) -> Table:
    counts = context.now.count(Scope.A1, context.rolling_year)
    accidents = context.now.accidents.values()
    codes = sum(1 for facts in accidents if unknown_codes(facts))
    recorded = max(
        version.recorded_at
        for versions in context.given.ledger.values()
        for version in versions
        if version.recorded_at <= context.given.as_of
    )
    rows = [
        (Words("Ledger kept since", "台账起始"), cells.day(context.now.ledger_from)),
        (
            Words("Last entry in the ledger", "台账最近登记"),
            cells.day(recorded.astimezone(CIVIL_ZONE).date()),
        ),
        (
            Words("Accidents of 12 months without responsibility", "近12个月责任未定"),
            cells.count(counts.pending),
        ),
        (
            Words("of these nobody has said who was hurt", "近12个月伤亡未说明"),
            cells.count(counts.without_casualties),
        ),
        (Words("30 days not yet over", "未满30日"), cells.count(counts.open_30d)),
        (Words("Accidents with codes that no table has", "含未知代码的事故"), cells.count(codes)),
        *_denominators(context),
        (Words("Insurers' claims not reported to the police", "保险有案而公安无案"), cells.unknown()),
    ]
    columns = (Column(Words("What", "项目"), weight=2.5), Column(Words("Value", "数值"), Kind.NUMBER))
    return Table(
        "ledger",
        Words("Completeness", "完整性"),
        columns,
        tuple((cells.text(name), cell) for name, cell in rows),
    )


def _denominators(context: Context) -> Iterator[tuple[Words, Cell]]:
    """Yield how many of twelve months the denominators are recorded for."""
    for measure, name in (
        (Measure.VOLUME_M3, Words("Months with concrete volume, of 12", "混凝土产量有记录的月数（共12）")),
        (Measure.KM, Words("Months with distance, of 12", "里程有记录的月数（共12）")),
        (
            Measure.VEHICLES_FILED,
            Words("Months with vehicles filed, of 12", "备案车辆数有记录的月数（共12）"),
        ),
    ):
        missing = len(context.now.amount(measure, context.rolling_year).missing)
        yield name, cells.count(len(context.rolling_year.months) - missing)
    coverage = context.now.amount(Measure.KM, context.month).coverage
    yield (
        Words("Coverage of the month's distance", "当月里程的覆盖率"),
        cells.unknown() if coverage is None else cells.share(100 * coverage, 100),
    )


def _sums(context: Context) -> Iterator[Note]:
    """Say by how much the counties' denominators add up to something else than the city's."""
    counties = context.now.scopes(COUNTY)
    if not context.given.is_city or not counties:
        return
    whole = context.now.exposure(context.denominator, context.rolling_year).value
    parts = [context.now.exposure(context.denominator, context.rolling_year, each).value for each in counties]
    unit = context.unit
    if whole is None or None in parts:
        yield Note(
            Words(
                f"Whether the counties' {unit.what_en} adds up to the city's cannot be said: "
                "not all is recorded.",
                f"无法核对各区县{unit.what_zh}之和与全市是否一致：记录不全。",
            )
        )
        return
    total = sum(part for part in parts if part is not None)
    if abs(total - whole) <= _EQUAL * max(total, whole):
        yield Note(
            Words(
                f"The counties' {unit.what_en} adds up to the city's.",
                f"各区县{unit.what_zh}之和与全市一致。",
            )
        )
        return
    a, b = (cells.shown(unit.amount(value), 5) for value in (total, whole))
    yield Note(
        Words(
            f"The counties' {unit.what_en} adds up to {a} {unit.amount_en}, the city's is {b}: "
            "both are kept.",
            f"各区县{unit.what_zh}之和为{a}{unit.amount_zh}，全市为{b}{unit.amount_zh}，两数并存，不作调整。",
        )
    )
