"""Figures from JSON objects: what `kerbsafe rates figure` reads, checked with every error at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.statistics import figures
from analytics.statistics.baseline import read_denominator
from analytics.statistics.companies import funnel_inflation
from analytics.statistics.inputs import (
    MAX_COUNT,
    MAX_EXPOSURE,
    MIN_EXPOSURE,
    Observed,
    StatisticsError,
    read_choice,
    read_count,
    read_exposure,
    read_level,
    read_mean,
    read_positive,
    read_share,
)
from analytics.statistics.records import Fields, accept, as_is, read_text, read_year

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from analytics.statistics.phrasing import Language

MAX_ROWS = 500


def draw(kind: str, value: Any, *, language: str, form: str) -> bytes:
    """Return a figure of one kind (trajectory, funnel, cusum, intervals) as `svg`, `pdf` or `png`."""
    read_choice(kind, "figure", tuple(KINDS))
    read_choice(language, "language", ("zh", "en"))
    read_choice(form, "the ending of the file", figures.FORMS)
    problems: list[str] = []
    fields = Fields(value, kind, problems)
    return figures.render(KINDS[kind](fields, problems, language), form)


def _trajectory(fields: Fields, problems: list[str], language: Language) -> Figure:
    """Keys: unit, baseline {year, count, exposure}, target_year, target_ratio, years [...], under_way."""
    unit = fields.take("unit", read_denominator)
    target_year = fields.take("target_year", read_year)
    ratio = fields.take("target_ratio", read_share)
    base_year, base = _year(fields.take("baseline", as_is, {}), "baseline", problems)
    years = [
        _year(row, f"years[{i}]", problems) for i, row in enumerate(fields.take("years", _rows, []) or [])
    ]
    under_way = _under_way(fields.take("under_way", as_is, None), problems)
    fields.finish()
    accept(base, problems, "the figure")
    if target_year <= base_year:
        raise StatisticsError(f"target_year {target_year} must come after the baseline's year {base_year}")
    baseline = accept(base, problems, "the figure")
    if not baseline.count:
        raise StatisticsError("baseline.count is 0: no line can be drawn to half of it; take several years")
    if outside := [year for year, _ in years if not base_year < year <= target_year]:
        raise StatisticsError(
            f"years: {outside[0]} is not between the baseline's year {base_year} and {target_year}"
        )
    return figures.trajectory(
        baseline,
        [figures.YearPoint(year + 0.5, seen) for year, seen in years if seen is not None],
        base_year=base_year,
        target_year=target_year,
        ratio=ratio,
        unit=unit,
        under_way=under_way,
        language=language,
    )


def _funnel(fields: Fields, problems: list[str], language: Language) -> Figure:
    """Keys: unit, companies [{label, count, exposure}], reference (a rate; the pooled one when left out)."""
    unit, rows = fields.take("unit", read_denominator), fields.take("companies", _rows)
    reference = fields.take("reference", _read_rate, None)
    labels, companies = _labelled(rows, "companies", problems)
    fields.finish()
    accept(companies or None, problems, "the figure")
    pooled = sum(c.count for c in companies) / sum(c.exposure for c in companies)
    if reference is None and not pooled:
        raise StatisticsError("no company has an accident: give a reference rate to draw a funnel around")
    middle = reference or pooled
    inflation = funnel_inflation(companies, middle)
    return figures.funnel(
        labels, companies, reference=middle, unit=unit, inflation=inflation, language=language
    )


def _cusum(fields: Fields, problems: list[str], language: Language) -> Figure:
    """Keys: months [{label, count, exposure}], k per unit of exposure, yellow, red."""
    rows, k = fields.take("months", _rows), fields.take("k", read_positive)
    yellow, red = fields.take("yellow", read_mean), fields.take("red", read_mean)
    labels, months = _labelled(rows, "months", problems)
    fields.finish()
    accept(months or None, problems, "the figure")
    if yellow >= red:
        raise StatisticsError(f"yellow is {yellow:g}: the yellow limit must be below the red one, {red:g}")
    return figures.cusum(
        labels,
        [m.count for m in months],
        [k * m.exposure for m in months],
        yellow=yellow,
        red=red,
        language=language,
    )


def _intervals(fields: Fields, problems: list[str], language: Language) -> Figure:
    """Keys: unit, rows [{label, count, exposure}], reference (a rate), level."""
    unit, rows = fields.take("unit", read_denominator), fields.take("rows", _rows)
    reference = fields.take("reference", _read_rate, None)
    level = fields.take("level", read_level, 0.95)
    labels, seen = _labelled(rows, "rows", problems)
    fields.finish()
    accept(seen or None, problems, "the figure")
    return figures.intervals(labels, seen, unit=unit, reference=reference, level=level, language=language)


KINDS: dict[str, Callable[[Fields, list[str], Any], Figure]] = {
    "trajectory": _trajectory,
    "funnel": _funnel,
    "cusum": _cusum,
    "intervals": _intervals,
}


# -- parts


def _read_rate(value: Any, name: str) -> float:
    """Return a rate per unit of exposure, within what counts and exposures can give."""
    rate = read_positive(value, name)
    if not 1 / MAX_EXPOSURE <= rate <= MAX_COUNT / MIN_EXPOSURE:
        raise StatisticsError(f"{name} is {value}: give a rate per one unit of exposure")
    return rate


def _rows(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_ROWS:
        raise StatisticsError(f"{name} must be a list of 1 to {MAX_ROWS} objects")
    return value


def _labelled(rows: Any, where: str, problems: list[str]) -> tuple[list[str], list[Observed]]:
    labels, seen = [], []
    for i, row in enumerate(rows or []):
        fields = Fields(row, f"{where}[{i}]", problems)
        labels.append(fields.take("label", read_text))
        count, exposure = fields.take("count", read_count), fields.take("exposure", read_exposure)
        fields.finish()
        if count is not None and exposure is not None:
            seen.append(Observed(count, exposure))
    return labels, seen


def _year(value: Any, where: str, problems: list[str]) -> tuple[int, Observed | None]:
    fields = Fields(value, where, problems)
    year = fields.take("year", read_year)
    count, exposure = fields.take("count", read_count), fields.take("exposure", read_exposure)
    fields.finish()
    if year is None or count is None or exposure is None:
        return 0, None
    return year, Observed(count, exposure)


def _under_way(value: Any, problems: list[str]) -> figures.UnderWay | None:
    if value is None:
        return None
    fields = Fields(value, "under_way", problems)
    count, exposure = fields.take("count", read_count), fields.take("exposure", read_exposure)
    remaining = fields.take("remaining", read_exposure)
    fields.finish()
    if count is None or exposure is None or remaining is None:
        return None
    return figures.UnderWay(Observed(count, exposure), remaining)
