"""Leading indicators: what can be judged month by month, each with its denominator and grade of evidence."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from analytics.facts.measures import Measure
from analytics.report import cells
from analytics.report.document import Cell, Column, Figure, Kind, Note, Paragraph, Section, Table
from analytics.report.judging import RED, YELLOW, EarlyWarning
from analytics.report.periods import shift, the_month
from analytics.statistics import figures
from fleet.language import Words

if TYPE_CHECKING:
    from datetime import date

    from analytics.report.context import Context
    from analytics.report.periods import Window
    from analytics.statistics.phrasing import Language


class _Indicator(NamedTuple):
    """Events per so much of a denominator.

    `seen` and `seen_of` make the evaluable share: how much of what there was could be judged.
    """

    name: Words
    events: Measure
    denominator: Measure
    per: float
    seen: Measure | None
    seen_of: Measure | None
    grade: str


_THOUSAND = 1000.0
_INDICATORS = (
    _Indicator(
        Words("Speeding, per 1,000 km", "超速（次/千公里）"),
        Measure.SPEEDINGS,
        Measure.KM,
        _THOUSAND,
        None,
        None,
        "B",
    ),
    _Indicator(
        Words("Fatigue driving, per 1,000 vehicle-days driven", "疲劳驾驶（次/千出车日）"),
        Measure.FATIGUES,
        Measure.VEHICLE_DAYS_DRIVEN,
        _THOUSAND,
        None,
        None,
        "A",
    ),
    _Indicator(
        Words("Right turns without a stop, per 1,000 that must stop", "右转必停路口未停（次/千次应停右转）"),
        Measure.RIGHT_TURNS_NOT_STOPPED,
        Measure.RIGHT_TURNS_MUST_STOP,
        _THOUSAND,
        Measure.RIGHT_TURNS_EVALUABLE,
        Measure.RIGHT_TURNS,
        "C",
    ),
    _Indicator(
        Words("Right turns too fast, per 1,000 evaluable", "右转过快（次/千次可评价右转）"),
        Measure.RIGHT_TURNS_TOO_FAST,
        Measure.RIGHT_TURNS_EVALUABLE,
        _THOUSAND,
        Measure.RIGHT_TURNS_EVALUABLE,
        Measure.RIGHT_TURNS,
        "C",
    ),
    _Indicator(
        Words("Blind-spot conflicts, per 1,000 right turns with a camera", "盲区冲突（次/千次有摄像右转）"),
        Measure.CONFLICTS,
        Measure.RIGHT_TURNS_ARMED,
        _THOUSAND,
        Measure.RIGHT_TURNS_ARMED,
        Measure.RIGHT_TURNS,
        "C",
    ),
    _Indicator(
        Words("Entries into forbidden areas, per 1,000 trips", "驶入禁行区（次/千趟）"),
        Measure.FORBIDDEN_ENTRIES,
        Measure.TRIPS,
        _THOUSAND,
        None,
        None,
        "C",
    ),
    _Indicator(
        Words("Permitted area or route left, per 1,000 trips", "驶出许可区域（次/千趟）"),
        Measure.PERMITTED_LEFT,
        Measure.TRIPS,
        _THOUSAND,
        None,
        None,
        "C",
    ),
    _Indicator(
        Words("Overloads, per 1,000 loads", "超载（次/千车次）"),
        Measure.LOADS_OVER,
        Measure.LOADS,
        _THOUSAND,
        None,
        None,
        "C",
    ),
)


def indicator_section(context: Context) -> Section:
    """Return the section."""
    return Section(
        "indicators",
        Words("Leading indicators and early warning", "先行指标与预警"),
        (_table(context), Note(_NOTE), *_warning(context)),
    )


_NOTE = Words(
    "Exact intervals. Evaluable: how much of it could be judged; what could not be is not counted as safe. "
    "Evidence: A tied to crashes of trucks, B tied to crashes elsewhere or to conflicts, C plausible only. "
    "Not verified with this city's data. Indicators do not enter the verdict on the target.",
    "括号内为精确区间。可评价率：能够评价的比例，不能评价的不视为安全。证据等级：A与货车事故有关联，"
    "B与其他事故或冲突有关联，C仅属合理推断。未经本市数据验证。先行指标不参与目标判断。",
)


def _table(context: Context) -> Table:
    month = context.month
    windows = (month, the_month(shift(context.given.month, -1)), month.year_before())
    level = f"{100 * context.level:g}%"
    columns = (
        Column(Words("Indicator", "指标"), weight=2.4),
        Column(Words("Events", "次数"), Kind.COUNT),
        Column(month.name, Kind.NUMBER),
        Column(Words(f"{level} interval", f"{level}区间"), Kind.NUMBER, parts=2, weight=1.3),
        Column(Words("Month before", "上月"), Kind.NUMBER),
        Column(Words("Year before", "上年同月"), Kind.NUMBER),
        Column(Words("Evaluable", "可评价率"), Kind.SHARE),
        Column(Words("Evidence", "证据"), weight=0.8),
    )
    rows = tuple(_row(context, indicator, windows) for indicator in _INDICATORS)
    return Table("indicators", Words("Leading indicators", "先行指标"), columns, rows)


def _row(context: Context, indicator: _Indicator, windows: tuple[Window, ...]) -> tuple[Cell, ...]:
    month = windows[0]
    events = context.now.amount(indicator.events, month).value
    rates = [_rate(context, indicator, window) for window in windows]
    return (
        cells.text(indicator.name),
        cells.unknown() if events is None else cells.count(round(events)),
        rates[0][0],
        rates[0][1],
        rates[1][0],
        rates[2][0],
        _evaluable(context, indicator, month),
        cells.text(cells.same(indicator.grade)),
    )


def _rate(context: Context, indicator: _Indicator, window: Window) -> tuple[Cell, Cell]:
    events = context.now.amount(indicator.events, window).value
    amount = context.now.amount(indicator.denominator, window).value
    if events is None or amount is None:
        return cells.unknown(), cells.unknown(2)
    if amount <= 0:
        return Cell(cells.NOTHING_TO_COUNT, (None,)), Cell(cells.NOTHING_TO_COUNT, (None, None))
    return cells.rate_per(round(events), amount, indicator.per, context.level)


def _evaluable(context: Context, indicator: _Indicator, month: Window) -> Cell:
    if indicator.seen is None or indicator.seen_of is None:
        coverage = context.now.amount(indicator.events, month).coverage
        return cells.unknown() if coverage is None else cells.share(coverage * 100, 100)
    seen, of = (context.now.amount(measure, month).value for measure in (indicator.seen, indicator.seen_of))
    return cells.share(seen, of)


# -- early warning


def _warning(context: Context) -> list[Figure | Paragraph]:
    warning = context.warning
    if isinstance(warning, Words):
        return [
            Paragraph(
                Words(
                    f"The early warning could not be computed: {warning.en}.",
                    f"预警图无法计算：{warning.zh}。",
                )
            )
        ]

    @cache
    def draw(language: Language) -> bytes:
        figure = figures.cusum(
            [f"{month:%Y-%m}" for month in warning.months],
            warning.counts,
            warning.references,
            yellow=YELLOW,
            red=RED,
            language=language,
        )
        return figures.render(figure, "svg")

    description = Words(
        f"Accidents beyond what the way to the target allows, added up. Yellow at {YELLOW:g}, red at "
        f"{RED:g}; it looks for a doubling.",
        f"逐月累加超出达标路径允许件数的事故。达到{YELLOW:g}为黄色，达到{RED:g}为红色；用于发现事故率翻倍。",
    )
    title = Words("Early warning: CUSUM of accidents", "预警：事故累积和图")
    return [Figure("cusum", title, description, draw, _warning_table(warning))]


def _warning_table(warning: EarlyWarning) -> Table:
    columns = (
        Column(Words("Month", "月份"), Kind.DATE),
        Column(Words("Accidents", "事故起数"), Kind.COUNT),
        Column(Words("Reference", "参考值"), Kind.NUMBER),
        Column(Words("CUSUM S", "累积和 S"), Kind.NUMBER),
    )
    rows = tuple(
        (_month(month), cells.count(count), cells.number(reference), cells.number(value))
        for month, count, reference, value in zip(
            warning.months, warning.counts, warning.references, warning.path, strict=True
        )
    )
    return Table("cusum", Words("CUSUM by month", "逐月累积和"), columns, rows)


def _month(month: date) -> Cell:
    return Cell(Words(f"{month:%Y-%m}", f"{month.year}年{month.month}月"), (month,))
