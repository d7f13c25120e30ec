"""What every figure is made of: axes, colours, error bars, labels, and a font that has Chinese."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from analytics.statistics.inputs import StatisticsError
from analytics.statistics.rates import rate_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analytics.statistics.inputs import Observed
    from analytics.statistics.phrasing import Language
    from analytics.statistics.rates import RateUnit

WIDTH_IN, HEIGHT_IN = 6.7, 3.9

# Okabe & Ito's palette: told apart by colour-blind readers, and in grey print by its lightness.
BLUE, ORANGE, GREEN, GREY, LIGHT = "#0072B2", "#D55E00", "#009E73", "#666666", "#BBBBBB"

# White behind the words, where a line may pass.
LEGEND: dict[str, Any] = {"framealpha": 0.85, "edgecolor": "none", "fancybox": False}

WORDS: dict[str, dict[Language, str]] = {
    "rate": {"zh": "事故率", "en": "Accident rate"},
    "year": {"zh": "年份", "en": "Year"},
    "baseline": {"zh": "基数", "en": "baseline"},
    "target": {"zh": "目标线", "en": "target"},
    "indicative": {"zh": "示意线(每年同比例下降)", "en": "indicative line (equal yearly percentage)"},
    "intervals": {"zh": "80%和95%区间", "en": "80% and 95% intervals"},
    "forecast": {"zh": "全年预测", "en": "forecast"},
    "city": {"zh": "全市", "en": "city"},
    "inside": {"zh": "界限", "en": "limits"},
    "month": {"zh": "月份", "en": "Month"},
    "cusum": {"zh": "累积和 S", "en": "CUSUM S"},
    "count": {"zh": "当月件数", "en": "count of the month"},
    "yellow": {"zh": "黄色界限", "en": "yellow limit"},
    "red": {"zh": "红色界限", "en": "red limit"},
}


def new_axes(height: float = HEIGHT_IN) -> tuple[Figure, Axes]:
    """Return an empty figure, `height` inches high, with only the two axes that are read."""
    figures = matplotlib_with_font()
    fig = figures.Figure(figsize=(WIDTH_IN, height), layout="constrained")
    axes = fig.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=8, length=3)
    return fig, axes


def error_bar(axes: Axes, at: float, seen: Observed, unit: RateUnit, colour: str) -> None:
    """Draw a rate as a dot on its 80 % (thick) and 95 % intervals."""
    for level, width in ((0.95, 1.2), (0.80, 4.0)):
        estimate = rate_interval(seen, level=level)
        ends = [unit.scale(estimate.lower), unit.scale(estimate.upper)]
        axes.plot([at, at], ends, color=colour, linewidth=width, solid_capstyle="butt", alpha=0.55)
    axes.plot(at, unit.scale(seen.rate), marker="o", markersize=5, color=colour, clip_on=False, zorder=3)


def label(axes: Axes, x: float, y: float, text: str, colour: str, *, right: bool = False) -> None:
    """Write a line's name just above it, to the right of x, or ending there."""
    axes.annotate(
        text,
        (x, y),
        xytext=(-2 if right else 2, 2),
        textcoords="offset points",
        color=colour,
        fontsize=8,
        ha="right" if right else "left",
        va="bottom",
    )


def rate_axis(axes: Axes, unit: RateUnit, language: Language) -> None:
    """Write what the upright axis has, and its unit."""
    name = WORDS["rate"][language]
    axes.set_ylabel(f"{name}（{unit.zh}）" if language == "zh" else f"{name} {unit.en}")


def legend(axes: Axes, entries: Sequence[tuple[str, str, str]]) -> None:
    """Explain lines by colour, style and text."""
    for colour, style, text in entries:
        axes.plot([], [], color=colour, linestyle=style, linewidth=1.3, label=text)
    axes.legend(loc="upper right", fontsize=8, **LEGEND)


@cache
def matplotlib_with_font() -> Any:
    """Import matplotlib and register the Chinese font, once."""
    try:
        import matplotlib as mpl  # noqa: PLC0415 - an extra; the statistics must work without it
        from matplotlib import figure as figures  # noqa: PLC0415 - the same
        from matplotlib.font_manager import FontProperties, fontManager  # noqa: PLC0415 - the same
        from pylopdf_fonts_zh_cn import sans_path  # noqa: PLC0415 - the same
    except ImportError as error:
        raise StatisticsError(
            f"figures need the report extra ({error.name} is missing): pip install 'kerbsafe[report]'"
        ) from None
    fontManager.addfont(sans_path())
    mpl.rcParams["font.family"] = [FontProperties(fname=sans_path()).get_name(), "DejaVu Sans"]
    mpl.rcParams["font.size"] = 9
    mpl.rcParams["text.parse_math"] = False  # a company may have a $ in its name
    return figures
