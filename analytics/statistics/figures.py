"""Figures of the report as vectors: trajectory, funnel, CUSUM, intervals.

Each function returns a matplotlib figure; `render` makes bytes that depend on nothing but the data and
the versions of the libraries (no date, no random ids). The font is Noto Sans SC from a wheel: Chinese text
looks alike on every machine. matplotlib and the font are the `report` extra.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.statistics import chart
from analytics.statistics.chart import BLUE, GREEN, GREY, LEGEND, LIGHT, ORANGE, WORDS
from analytics.statistics.companies import funnel_limits
from analytics.statistics.inputs import Observed, StatisticsError
from analytics.statistics.monitor import cusum_path
from analytics.statistics.phrasing import Language, figure
from analytics.statistics.rates import RATE_UNITS, RateUnit, rate_interval
from analytics.statistics.target import required_ratio, year_under_way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMS = ("svg", "pdf", "png")
MAX_TICKS = 12
# One company in twenty is outside the 95 % limits by chance alone; named are those outside these.
FAR_COVERAGE = 0.998


@dataclass(frozen=True, slots=True)
class YearPoint:
    """A year's (or window's) count, placed at the middle of it, e.g. 2018.5."""

    middle: float
    observed: Observed


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The target year so far, and the exposure still expected."""

    observed: Observed
    remaining: float


# -- the four figures


def trajectory(
    baseline: Observed,
    points: Sequence[YearPoint],
    *,
    base_year: int,
    target_year: int,
    ratio: float,
    unit: str,
    under_way: UnderWay | None = None,
    language: Language = "zh",
) -> Figure:
    """Draw yearly rates with 80 % and 95 % intervals, the indicative line, the target, and the forecast."""
    scale = RATE_UNITS[unit]
    fig, axes = chart.new_axes()
    base = scale.scale(baseline.rate)
    chart.error_bar(axes, base_year + 0.5, baseline, scale, GREY)
    for point in points:
        chart.error_bar(axes, point.middle, point.observed, scale, BLUE)
    times = np.linspace(base_year + 0.5, target_year + 0.5, 61)
    line = [
        base * required_ratio(t, base_year=base_year, target_year=target_year, ratio=ratio) for t in times
    ]
    axes.plot(times, line, color=GREEN, linestyle=(0, (4, 2)), linewidth=1.2)
    axes.axhline(base * ratio, color=ORANGE, linewidth=1)
    target = f"{WORDS['target'][language]} {figure(base * ratio)}"
    chart.label(axes, base_year + 0.58, base * ratio, target, ORANGE)
    chart.label(axes, base_year + 0.58, base, f"{WORDS['baseline'][language]} {figure(base)}", GREY)
    if under_way is not None:
        _forecast(axes, target_year + 0.5, under_way, scale, language)
    shown = range(base_year, target_year + 1, 1 + (target_year - base_year) // MAX_TICKS)
    axes.set_xticks([year + 0.5 for year in shown])
    axes.set_xticklabels([str(year) for year in shown])
    axes.set_xlim(base_year, target_year + 1)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(WORDS["year"][language])
    chart.rate_axis(axes, scale, language)
    chart.legend(
        axes,
        [(GREEN, "--", WORDS["indicative"][language]), (BLUE, "-", WORDS["intervals"][language])],
    )
    return fig


def funnel(
    labels: Sequence[str],
    companies: Sequence[Observed],
    *,
    reference: float,
    unit: str,
    inflation: float = 1.0,
    language: Language = "zh",
) -> Figure:
    """Draw companies' rates over exposure with 95 % and 99.8 % limits; named are those outside the latter."""
    scale = RATE_UNITS[unit]
    fig, axes = chart.new_axes()
    largest = max(c.exposure for c in companies) * 1.12
    # Where fewer than a tenth of an accident is expected, the interpolated limits mean nothing.
    exposures = np.linspace(min(0.1 / reference, largest / 2), largest, 400)
    for coverage, style in ((0.95, "-"), (FAR_COVERAGE, "--")):
        limits = [funnel_limits(reference, e, coverage=coverage, inflation=inflation) for e in exposures]
        low, high = (scale.scale(1) * np.array(side) for side in zip(*limits, strict=True))
        axes.plot(scale.amount(1) * exposures, low, color=GREY, linestyle=style, linewidth=1)
        axes.plot(scale.amount(1) * exposures, high, color=GREY, linestyle=style, linewidth=1)
    axes.axhline(scale.scale(reference), color=GREEN, linewidth=1)
    for label, company in zip(labels, companies, strict=True):
        least, most = funnel_limits(reference, company.exposure, coverage=FAR_COVERAGE, inflation=inflation)
        outside = not least <= company.rate <= most
        at = scale.amount(company.exposure), scale.scale(company.rate)
        colour = ORANGE if outside else BLUE
        axes.plot(*at, marker="o", markersize=4.5, color=colour, linestyle="none", clip_on=False, zorder=3)
        if outside:
            chart.label(axes, *at, label, ORANGE, right=company.exposure > 0.7 * largest)
    city = f"{WORDS['city'][language]} {figure(scale.scale(reference))}"
    axes.set_xlim(0, scale.amount(largest))
    chart.label(axes, scale.amount(largest), scale.scale(reference), city, GREEN, right=True)
    axes.set_ylim(0, 1.08 * max(scale.scale(3 * reference), *(scale.scale(c.rate) for c in companies)))
    english = f"{scale.what_en.capitalize()} ({scale.amount_en.removeprefix('x ')})"
    axes.set_xlabel(f"{scale.what_zh}（{scale.amount_zh}）" if language == "zh" else english)
    chart.rate_axis(axes, scale, language)
    limit = WORDS["inside"][language]
    chart.legend(axes, [(GREY, "-", f"95% {limit}"), (GREY, "--", f"99.8% {limit}")])
    return fig


def cusum(
    labels: Sequence[str],
    counts: Sequence[int],
    references: Sequence[float],
    *,
    yellow: float,
    red: float,
    language: Language = "zh",
) -> Figure:
    """Draw the CUSUM with its two limits above the monthly counts it adds up."""
    path, _ = cusum_path(counts, references, h=red)
    fig, axes = chart.new_axes()
    at = np.arange(len(counts))
    axes.bar(at, counts, width=0.6, color=LIGHT, label=WORDS["count"][language])
    line: dict[str, Any] = {
        "color": BLUE,
        "marker": "o",
        "markersize": 3,
        "linewidth": 1.3,
        "clip_on": False,
        "zorder": 3,
    }
    axes.plot(at, path, label=WORDS["cusum"][language], **line)
    alarmed = path >= red
    axes.plot(at[alarmed], path[alarmed], color=ORANGE, marker="o", markersize=5, linestyle="none", zorder=4)
    for level, colour, name in ((yellow, "#B8860B", "yellow"), (red, ORANGE, "red")):
        axes.axhline(level, color=colour, linewidth=1, linestyle=(0, (4, 2)))
        chart.label(axes, -0.5, level, f"{WORDS[name][language]} {figure(level)}", colour)
    step = max(1, len(labels) // MAX_TICKS)
    axes.set_xticks(at[::step])
    axes.set_xticklabels(labels[::step], rotation=45, ha="right", fontsize=7.5)
    axes.set_xlim(-0.6, len(counts) - 0.4)
    axes.set_ylim(0, 1.2 * max(red, float(path.max()), *counts))
    axes.set_ylabel(WORDS["cusum"][language] + {"zh": "、", "en": ", "}[language] + WORDS["count"][language])
    axes.legend(loc="upper left", fontsize=8, ncols=2, **LEGEND)
    return fig


def intervals(
    labels: Sequence[str],
    rows: Sequence[Observed],
    *,
    unit: str,
    reference: float | None = None,
    level: float = 0.95,
    language: Language = "zh",
) -> Figure:
    """Draw one rate and its exact interval a row, in the order given: not a league table."""
    scale = RATE_UNITS[unit]
    fig, axes = chart.new_axes(height=max(1.6, 0.7 + 0.32 * len(rows)))
    for i, row in enumerate(rows):
        estimate = rate_interval(row, level=level)
        low, mid, high = (scale.scale(v) for v in (estimate.lower, estimate.rate, estimate.upper))
        axes.plot([low, high], [i, i], color=BLUE, linewidth=1.6, solid_capstyle="butt")
        axes.plot(mid, i, marker="o", markersize=5, color=BLUE, clip_on=False, zorder=3)
    if reference is not None:
        axes.axvline(scale.scale(reference), color=GREEN, linewidth=1)
        axes.annotate(
            f"{WORDS['city'][language]} {figure(scale.scale(reference))}",
            (scale.scale(reference), -0.5),
            xytext=(3, 0),
            textcoords="offset points",
            color=GREEN,
            fontsize=8,
            va="bottom",
        )
    axes.set_yticks(range(len(rows)))
    axes.set_yticklabels(labels)
    axes.set_ylim(len(rows) - 0.5, -0.8)
    axes.set_xlim(left=0)
    shown = f"{figure(100 * level)}%"
    unit_name = f"（{scale.zh}，{shown}区间）" if language == "zh" else f" {scale.en} ({shown} intervals)"
    axes.set_xlabel(WORDS["rate"][language] + unit_name)
    return fig


# -- parts


def _forecast(axes: Axes, at: float, year: UnderWay, unit: RateUnit, language: Language) -> None:
    """Draw the year's rate so far, and beside it where the whole year may end."""
    chart.error_bar(axes, at - 0.12, year.observed, unit, BLUE)
    forecast = year_under_way(year.observed, year.remaining)
    whole, at = year.observed.exposure + year.remaining, at + 0.18
    for (low, high), width in ((forecast.interval95, 1.2), (forecast.interval80, 4.0)):
        ends = [unit.scale(low / whole), unit.scale(high / whole)]
        axes.plot([at, at], ends, color=ORANGE, linewidth=width, solid_capstyle="butt", alpha=0.55)
    axes.plot(at, unit.scale(forecast.mean_total / whole), marker="D", markersize=4.5, color=ORANGE)
    top = unit.scale(forecast.interval95[1] / whole)
    axes.annotate(
        WORDS["forecast"][language],
        (at, top),
        xytext=(0, 3),
        textcoords="offset points",
        color=ORANGE,
        fontsize=8,
        ha="center",
    )


# -- bytes


def render(fig: Figure, form: str) -> bytes:
    """Return the figure's bytes as `svg`, `pdf` or `png`, the same for the same data."""
    if form not in FORMS:
        raise StatisticsError(f"a figure cannot be written as {form!r}: choose one of {', '.join(FORMS)}")
    import matplotlib as mpl  # noqa: PLC0415 - an extra; the statistics must work without it

    metadata: dict[str, dict[str, Any]] = {
        "svg": {"Date": None, "Creator": "kerbsafe"},
        "pdf": {"CreationDate": None, "ModDate": None, "Producer": "kerbsafe", "Creator": "kerbsafe"},
        "png": {"Software": "kerbsafe"},
    }
    out = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "kerbsafe", "svg.fonttype": "path", "pdf.fonttype": 3}):
        fig.savefig(out, format=form, metadata=metadata[form], dpi=150)
    return out.getvalue()
