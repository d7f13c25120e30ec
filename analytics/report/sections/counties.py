"""Counties and companies beside one another: intervals, shrunk rates, a funnel. Never a league table."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from analytics.ledger.accident import Range
from analytics.ledger.counting import By, Counts
from analytics.ledger.scopes import Scope
from analytics.report import cells
from analytics.report.document import Cell, Column, Figure, Kind, Note, Paragraph, Section, Table
from analytics.report.report_input import COMPANY, COUNTY
from analytics.statistics import figures
from analytics.statistics.companies import (
    BANDS_ZH,
    CompanyEstimate,
    Prior,
    company_estimates,
    fit_prior,
    funnel_inflation,
)
from analytics.statistics.inputs import Observed
from analytics.statistics.phrasing import LANGUAGES, probability
from fleet.language import Words

if TYPE_CHECKING:
    from analytics.report.context import Context
    from analytics.report.document import Block
    from analytics.statistics.phrasing import Language

_NO_LEAGUE = Words(
    "In the order of codes, not of rates: with so few accidents a rank is mostly chance.",
    "按编码排列，不按事故率排名：件数少，名次主要由偶然决定。",
)
_BANDS = {
    "above": Words("above", BANDS_ZH["above"]),
    "below": Words("below", BANDS_ZH["below"]),
    "undecided": Words("cannot be told", BANDS_ZH["undecided"]),
}
_UNNAMED = Words("not stated", "未注明")
_NONE = Counts()


class _Part(NamedTuple):
    """One county or company."""

    name: Words
    counts: Counts
    fatal: Counts
    exposure: float | None


def counties_section(context: Context) -> Section | None:
    """Return the counties of a city; a county has none."""
    if not context.given.is_city:
        return None
    parts = _parts(context, By.COUNTY, COUNTY)
    title = Words("Counties", "区县情况")
    if not parts:
        none = Words("No county is recorded.", "没有区县数据。")
        return Section("counties", title, (Paragraph(none),))
    total = context.now.count(Scope.A1, context.rolling_year)
    city = _Part(
        Words("City", "全市"),
        total,
        context.now.count(Scope.A3, context.rolling_year),
        context.now.exposure(context.denominator, context.rolling_year).value,
    )
    blocks: list[Block] = [_county_table(context, [*parts, city]), Note(_NO_LEAGUE)]
    blocks += filter(None, [_intervals(context, parts, city)])
    return Section("counties", title, tuple(blocks))


def companies_section(context: Context) -> Section | None:
    """Return the companies of a city; in a county's report there are none."""
    if not context.given.is_city:
        return None
    title = Words("Companies", "企业情况")
    parts = _parts(context, By.COMPANY, COMPANY)
    judged = [part for part in parts if part.exposure]
    left_out = [part for part in parts if not part.exposure and part.counts.accidents.high]
    blocks: list[Block] = []
    if judged:
        blocks += _companies(context, judged)
    else:
        blocks.append(
            Paragraph(
                Words(
                    "No company's denominator is recorded for the whole twelve months: rates are not given.",
                    "没有企业具备完整12个月的分母，不计算事故率。",
                )
            )
        )
    if left_out:
        blocks.append(_without_exposure(left_out))
    note = Words(
        "An accident with vehicles of two companies counts for both: companies add up to more than the city.",
        "一起事故涉及两家企业车辆时在两家分别计入，因此企业合计可能大于全市。",
    )
    return Section("companies", title, (*blocks, Note(note)))


def _parts(context: Context, by: By, prefix: str) -> list[_Part]:
    """Return every part that facts or accidents name, in the order of codes; accidents of none come last."""
    window, given = context.rolling_year, context.given
    counts, fatal = (
        {prefix + group if group else "": counts for group, counts in found.items()}
        for found in (context.now.count_by(scope, window, by) for scope in (Scope.A1, Scope.A3))
    )
    scopes = set(counts) | (set(context.now.scopes(prefix)))
    ordered = sorted(scopes, key=lambda scope: (not scope, scope))
    return [
        _Part(
            given.name(scope) if scope else _UNNAMED,
            counts.get(scope, _NONE),
            fatal.get(scope, _NONE),
            context.now.exposure(context.denominator, window, scope).value if scope else None,
        )
        for scope in ordered
    ]


# -- counties


def _county_table(context: Context, parts: list[_Part]) -> Table:
    unit = context.unit
    columns = (
        Column(Words("County", "区县"), weight=1.3),
        Column(Words("A1", "A1（起）"), Kind.COUNT, parts=2),
        Column(Words("A3 fatal", "A3死亡事故"), Kind.COUNT, parts=2),
        Column(Words("Dead, 7 days", "7日内死亡"), Kind.COUNT, parts=2),
        Column(
            Words(f"{unit.what_en.capitalize()}, {unit.amount_en}", f"{unit.what_zh}（{unit.amount_zh}）"),
            Kind.NUMBER,
        ),
        Column(Words(f"A1 {unit.en}", f"A1率（{unit.zh}）"), Kind.NUMBER),
        Column(Words("Interval", "区间"), Kind.NUMBER, parts=2, weight=1.3),
    )
    title = Words(
        f"Counties, {context.rolling_year.name.en}", f"各区县近12个月（{context.rolling_year.name.zh}）"
    )
    return Table("counties", title, columns, tuple(_county_row(context, part) for part in parts))


def _county_row(context: Context, part: _Part) -> tuple[Cell, ...]:
    unit, covered = context.unit, context.now.covers(context.rolling_year)
    deaths = cells.counted(part.counts.deaths_7d, more=bool(part.counts.without_casualties))
    exposure = part.exposure if covered else None
    return (
        cells.text(part.name),
        *(
            cell if covered else cells.unknown(2)
            for cell in (cells.counted(part.counts.accidents), cells.counted(part.fatal.accidents), deaths)
        ),
        cells.number(None if part.exposure is None else unit.amount(part.exposure)),
        *cells.rate(part.counts.accidents.high, exposure, unit, context.level),
    )


def _intervals(context: Context, parts: list[_Part], city: _Part) -> Figure | None:
    drawn = [part for part in parts if part.exposure]
    if not drawn or not city.exposure or not context.now.covers(context.rolling_year):
        return None
    seen = [Observed(part.counts.accidents.high, part.exposure or 0.0) for part in drawn]

    @cache
    def draw(language: Language) -> bytes:
        figure = figures.intervals(
            [part.name.to(language) for part in drawn],
            seen,
            unit=context.denominator,
            reference=city.counts.accidents.high / (city.exposure or 1.0),
            level=context.level,
            language=language,
        )
        return figures.render(figure, "svg")

    return Figure(
        "county_rates",
        Words("Accident rates of counties with their intervals", "各区县事故率及区间"),
        Words(
            "A line is what chance leaves open. Where it crosses the city's rate, no difference is shown.",
            "横线为随机波动所容许的范围；与全市线相交的，不能认定有差别。",
        ),
        draw,
        _county_table(context, [*drawn, city]),
    )


# -- companies


def _companies(context: Context, parts: list[_Part]) -> list[Block]:
    seen = [Observed(part.counts.accidents.high, part.exposure or 0.0) for part in parts]
    prior = fit_prior(seen)
    table = _company_table(context, parts, seen, prior)
    why = Words(
        f"Rates drawn towards that of all by as much as a company's own exposure is small"
        f"{'' if prior.reason is None else '; ' + prior.reason}. {_NO_LEAGUE.en}",
        "收缩估计：企业自身分母越小，估计值越靠近全体平均"
        f"{'' if prior.reason is None else '；各企业间未见可识别的差异，采用固定先验'}。{_NO_LEAGUE.zh}",
    )
    return [table, Note(why), *_funnel(context, parts, seen)]


def _company_table(context: Context, parts: list[_Part], seen: list[Observed], prior: Prior) -> Table:
    unit = context.unit
    columns = (
        Column(Words("Company", "企业"), weight=1.6),
        Column(Words("A1", "A1（起）"), Kind.COUNT, parts=2, weight=0.8),
        Column(
            Words(f"{unit.what_en.capitalize()}, {unit.amount_en}", f"{unit.what_zh}（{unit.amount_zh}）"),
            Kind.NUMBER,
        ),
        Column(Words(f"Shrunk rate {unit.en}", f"收缩率（{unit.zh}）"), Kind.NUMBER, weight=1.2),
        Column(Words("9 in 10", "90%区间"), Kind.NUMBER, parts=2, weight=1.2),
        Column(Words("P(above)", "P(高于平均)"), Kind.NUMBER),
        Column(Words("P(1.5 times)", "P(高于1.5倍)"), Kind.NUMBER),
        Column(Words("Band", "分组"), weight=1.1),
    )
    rows = tuple(
        _company_row(context, part, estimate)
        for part, estimate in zip(parts, company_estimates(seen, prior), strict=True)
    )
    title = Words(
        f"Companies, {context.rolling_year.name.en}", f"企业近12个月（{context.rolling_year.name.zh}）"
    )
    return Table("companies", title, columns, rows)


def _company_row(context: Context, part: _Part, estimate: CompanyEstimate) -> tuple[Cell, ...]:
    unit = context.unit
    return (
        cells.text(part.name),
        cells.counted(part.counts.accidents),
        cells.number(unit.amount(part.exposure or 0.0), 3),
        cells.number(unit.scale(estimate.estimate), 3),
        cells.ends(unit.scale(estimate.lower), unit.scale(estimate.upper)),
        _probability(estimate.p_above),
        _probability(estimate.p_far_above),
        cells.text(_BANDS[estimate.band]),
    )


def _probability(p: float) -> Cell:
    """Show a probability by itself, not in per cent: a company's counts are small."""
    zh, en = (probability(p, base=0, language=language) for language in LANGUAGES)
    return Cell(Words(en, zh), (p,))


def _funnel(context: Context, parts: list[_Part], seen: list[Observed]) -> list[Figure]:
    events = sum(each.count for each in seen)
    if not events:
        return []
    reference = events / sum(each.exposure for each in seen)

    @cache
    def draw(language: Language) -> bytes:
        figure = figures.funnel(
            [part.name.to(language) for part in parts],
            seen,
            reference=reference,
            unit=context.denominator,
            inflation=funnel_inflation(seen, reference),
            language=language,
        )
        return figures.render(figure, "svg")

    unit = context.unit
    data = Table(
        "company_rates",
        Words("Crude rates of companies", "企业粗事故率"),
        (
            Column(Words("Company", "企业")),
            Column(Words("A1", "A1（起）"), Kind.COUNT),
            Column(
                Words(
                    f"{unit.what_en.capitalize()}, {unit.amount_en}", f"{unit.what_zh}（{unit.amount_zh}）"
                ),
                Kind.NUMBER,
            ),
            Column(Words(f"Crude rate {unit.en}", f"粗率（{unit.zh}）"), Kind.NUMBER),
        ),
        tuple(
            (
                cells.text(part.name),
                cells.count(each.count),
                cells.number(unit.amount(each.exposure)),
                cells.number(unit.scale(each.rate), 3),
            )
            for part, each in zip(parts, seen, strict=True)
        ),
    )
    description = Words(
        "A point is a company. Between the lines chance alone explains the rate; named are those outside the "
        "outer ones.",
        "一点为一家企业。位于两线之间的，随机波动即可解释；仅标注超出外侧界限的企业。",
    )
    title = Words("Companies: crude rate and exposure", "企业粗事故率与分母（漏斗图）")
    return [Figure("funnel", title, description, draw, data)]


def _without_exposure(parts: list[_Part]) -> Table:
    columns = (
        Column(Words("Company", "企业")),
        Column(Words("A1", "A1（起）"), Kind.COUNT, parts=2),
        Column(Words("Denominator", "分母"), Kind.NUMBER),
    )
    rows = tuple(
        (cells.text(part.name), cells.counted(Range(*part.counts.accidents)), cells.unknown())
        for part in parts
    )
    title = Words("Companies whose denominator is not recorded", "分母未记录的企业")
    return Table("companies_without_exposure", title, columns, rows)
