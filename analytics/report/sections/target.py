"""The target: the table behind the verdict, its sentences, and the way to the line year by year."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from analytics.ledger.scopes import Scope
from analytics.report import cells
from analytics.report.document import Cell, Column, Figure, Kind, Note, Paragraph, Section, Table
from analytics.report.periods import MONTHS_OF_YEAR, Window, shift
from analytics.statistics import figures
from analytics.statistics.conclusions import ONE_INDICATOR, verdict_text
from analytics.statistics.inputs import Observed
from analytics.statistics.phrasing import LANGUAGES, fall, probability
from analytics.statistics.runs import Phase
from fleet.language import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.report.context import Context
    from analytics.report.judging import Judgement
    from analytics.statistics.assessment import Assessment, Indicator
    from analytics.statistics.phrasing import Language

_TITLE = Words("The target", "目标完成情况")


def target_section(context: Context) -> Section:
    """Return the section."""
    judgement = context.judgement
    if isinstance(judgement, Words):
        why = Words(f"No verdict is given: {judgement.en}.", f"本期不作判断：{judgement.zh}。")
        return Section("target", _TITLE, (Paragraph(why),))
    a = judgement.assessment
    text = verdict_text(a)
    sentences = (Words(en, zh) for zh, en in zip(text["zh"], text["en"], strict=True))
    trajectory = _trajectory(context, a)
    return Section(
        "target",
        _TITLE,
        (
            _table(a, judgement),
            Note(_how_judged(a)),
            *([] if trajectory is None else [trajectory]),
            *(Paragraph(sentence) for sentence in sentences),
        ),
    )


def _table(a: Assessment, judgement: Judgement) -> Table:
    when = judgement.window.name
    target = {language: fall(a.policy.target_ratio, base=10, language=language) for language in LANGUAGES}
    columns = (
        Column(Words("Indicator", "指标"), weight=1.5),
        Column(Words(f"Baseline {a.baseline.year}", f"{a.baseline.year}年基数"), Kind.COUNT),
        Column(when, Kind.COUNT),
        Column(Words("Rate ratio", "率之比"), Kind.NUMBER),
        Column(Words("Interval", "区间"), Kind.NUMBER, parts=2, weight=1.4),
        Column(Words("Line allows", "达标上限"), Kind.COUNT),
        Column(Words("Expected (4 in 5)", "全年预计（八成）"), Kind.COUNT, parts=2, weight=1.3),
        Column(Words("P(line met)", "达标概率"), Kind.NUMBER, weight=1.1),
        Column(Words(f"P(risk {target['en']})", f"P(实际{target['zh']})"), Kind.NUMBER, weight=1.3),
    )
    rows = [*(_row(a, indicator) for indicator in a.indicators), _exposure_row(a)]
    return Table("target", Words("Target table", "目标表"), columns, tuple(rows))


def _row(a: Assessment, indicator: Indicator) -> tuple[Cell, ...]:
    name, judged, tested = ONE_INDICATOR[indicator.name], indicator.judged, indicator.tested
    forecast = judged.forecast
    running = a.run.phase is not Phase.FINAL
    return (
        cells.text(Words(name["en"], name["zh"])),
        cells.count(indicator.base_count),
        cells.count(indicator.count),
        _NOT_DEFINED if indicator.ratio is None else cells.number(indicator.ratio, 3),
        cells.ends(tested.ratio.lower, tested.ratio.upper),
        cells.count(judged.cap),
        _NONE_YET if forecast is None else cells.span(*forecast.interval80),
        _probability(judged.probability if running else None, indicator),
        _probability(tested.p_half, indicator),
    )


_NOT_DEFINED = Cell(Words("not defined", "无法定义"), (None,))
_NOTHING = Cell(Words("—", "—"), (None,))
_NONE_YET = Cell(Words("—", "—"), (None, None))


def _probability(p: float | None, indicator: Indicator) -> Cell:
    if p is None:
        return _NOTHING
    zh, en = (probability(p, base=indicator.small_base, language=language) for language in LANGUAGES)
    return Cell(Words(en, zh), (p,))


def _exposure_row(a: Assessment) -> tuple[Cell, ...]:
    unit = a.baseline.unit
    amounts = [unit.amount(v) for v in (a.baseline.exposure, a.run.exposure)]
    return (
        cells.text(
            Words(f"{unit.what_en.capitalize()}, {unit.amount_en}", f"{unit.what_zh}（{unit.amount_zh}）")
        ),
        *(cells.number(amount) for amount in amounts),
        cells.number(a.run.exposure / a.baseline.exposure, 3),
        _NONE_YET,
        _NOTHING,
        _NONE_YET,
        _NOTHING,
        _NOTHING,
    )


def _how_judged(a: Assessment) -> Words:
    policy = a.policy
    level = f"{100 * policy.level:g}%"
    return Words(
        f"Deaths are compared with the line as counted; their ratio's interval and probability rest on fatal "
        f"accidents, since deaths of one accident are not independent. Exact {level} intervals. A state "
        f"changes when {policy.consecutive_runs} reports in a row agree.",
        f"死亡按人数与达标上限比较；率之比的区间和概率按死亡事故起数计算，因同一事故中的死亡并不独立。"
        f"{level}精确区间。判断须连续{policy.consecutive_runs}期一致方予调整。",
    )


# -- the trajectory


def _trajectory(context: Context, a: Assessment) -> Figure | None:
    """Draw the years since the baseline; None with a baseline of zero, to half of which no line leads."""
    if not a.baseline.accidents or context.given.month.year > a.policy.target_year:
        return None
    points = list(_points(context, a))
    under_way = None
    if a.run.phase is Phase.RUNNING and a.run.exposure_remaining:
        under_way = figures.UnderWay(a.run.observed(a.run.accidents), a.run.exposure_remaining)
        points = [point for point in points if point[0].last_month.year < a.policy.target_year]

    @cache
    def draw(language: Language) -> bytes:
        figure = figures.trajectory(
            a.baseline.observed(a.baseline.accidents),
            [figures.YearPoint(_middle(window), seen) for window, seen in points],
            base_year=a.baseline.year,
            target_year=a.policy.target_year,
            ratio=a.policy.target_ratio,
            unit=a.baseline.denominator,
            under_way=under_way,
            language=language,
        )
        return figures.render(figure, "svg")

    return Figure(
        "trajectory",
        Words("Accident rate by year, and the way to the target", "逐年事故率与达标路径"),
        Words(
            "Rate of each year with its 80% and 95% intervals, the indicative line of equal yearly "
            "percentages, and the target. Rates need not follow the line.",
            "各年事故率及80%、95%区间，每年同比例下降的示意线与目标线；实际数据不必逐年贴合示意线。",
        ),
        draw,
        _points_table(context, a, points),
    )


def _points(context: Context, a: Assessment) -> Iterator[tuple[Window, Observed]]:
    """Yield each calendar year since the baseline, the last one up to the month, where all is recorded."""
    for year in range(a.baseline.year + 1, context.given.month.year + 1):
        first = date(year, 1, 1)
        window = Window(first, min(shift(first, MONTHS_OF_YEAR - 1), context.given.month))
        exposure = context.now.exposure(a.baseline.denominator, window).value
        if exposure and context.now.covers(window):
            yield window, Observed(context.now.count(Scope.A1, window).accidents.high, exposure)


def _middle(window: Window) -> float:
    return window.first_month.year + len(window.months) / MONTHS_OF_YEAR / 2


def _points_table(context: Context, a: Assessment, points: list[tuple[Window, Observed]]) -> Table:
    unit = a.baseline.unit
    base = a.baseline.observed(a.baseline.accidents)
    found = [(Words(f"{a.baseline.year}", f"{a.baseline.year}年"), base)]
    found += [(window.name, seen) for window, seen in points]
    if a.run.phase is Phase.RUNNING:
        found.append((Window(a.run.first, a.run.last.replace(day=1)).name, a.run.observed(a.run.accidents)))
    columns = (
        Column(Words("Period", "时段")),
        Column(Words("Accidents", "事故起数"), Kind.COUNT),
        Column(
            Words(f"{unit.what_en.capitalize()}, {unit.amount_en}", f"{unit.what_zh}（{unit.amount_zh}）"),
            Kind.NUMBER,
        ),
        Column(Words(f"Rate {unit.en}", f"事故率（{unit.zh}）"), Kind.NUMBER),
        Column(Words("Interval", "区间"), Kind.NUMBER, parts=2),
    )
    rows = tuple(
        (
            cells.text(name),
            cells.count(seen.count),
            cells.number(unit.amount(seen.exposure)),
            *cells.rate(seen.count, seen.exposure, unit, context.level),
        )
        for name, seen in found
    )
    return Table("trajectory", Words("Rates by year", "逐年事故率"), columns, rows)
