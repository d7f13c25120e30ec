"""Figures: vectors with Chinese glyphs from the wheel's font, the same bytes for the same data."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from analytics.statistics import chart, drawings, figures
from analytics.statistics.inputs import StatisticsError, observed
from kerbsafe.cli import main

EXAMPLES = Path(__file__).resolve().parents[4] / "docs" / "examples"
KINDS = ("trajectory", "funnel", "cusum", "intervals")


def example(kind: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((EXAMPLES / f"{kind}.json").read_text("utf-8"))
    return value


@pytest.mark.parametrize("kind", KINDS)
class TestEveryKind:
    def test_svg_has_outlines_and_no_text_that_needs_a_font(self, kind: str) -> None:
        """Drawn twice, the bytes are the same; filterwarnings=error makes a missing glyph a failure here."""
        first, second = (drawings.draw(kind, example(kind), language="zh", form="svg") for _ in range(2))
        assert first == second
        text = first.decode()
        assert text.startswith("<?xml")
        assert "<text" not in text
        assert "NotoSansSC" in text  # the ids of the glyph outlines
        assert "<image" not in text

    def test_pdf_embeds_the_font(self, kind: str) -> None:
        first, second = (drawings.draw(kind, example(kind), language="en", form="pdf") for _ in range(2))
        assert first == second
        assert first.startswith(b"%PDF-")
        assert b"NotoSansSC" in first
        assert b"/Subtype /Image" not in first
        assert b"CreationDate" not in first

    def test_unknown_keys_are_refused(self, kind: str) -> None:
        with pytest.raises(StatisticsError, match=f"{kind}.colour is not a known key"):
            drawings.draw(kind, example(kind) | {"colour": "red"}, language="zh", form="svg")

    def test_an_empty_object_names_what_is_missing(self, kind: str) -> None:
        with pytest.raises(StatisticsError, match=r"is missing.*is missing"):
            drawings.draw(kind, {}, language="zh", form="svg")


class TestContent:
    def test_a_halved_rate_ends_on_the_target(self) -> None:
        base = observed(20, 10_000_000)
        fig = figures.trajectory(base, [], base_year=2015, target_year=2020, ratio=0.5, unit="m3")
        indicative, target_line = fig.axes[0].lines[3], fig.axes[0].lines[4]
        heights = [float(y) for y in indicative.get_ydata()]
        assert (heights[0], heights[-1]) == pytest.approx((2.0, 1.0))
        assert target_line.get_ydata()[0] == pytest.approx(1.0)

    def test_only_companies_outside_the_far_limits_are_named(self) -> None:
        rows = example("funnel")["companies"]
        seen = [observed(r["count"], r["exposure"]) for r in rows]
        pooled = sum(s.count for s in seen) / sum(s.exposure for s in seen)
        drawn = figures.funnel([r["label"] for r in rows], seen, reference=pooled, unit="m3")
        named = {text.get_text() for text in drawn.axes[0].texts}
        assert named & {r["label"] for r in rows} == {"企业壬"}

    def test_alarms_of_the_cusum_are_marked(self) -> None:
        fig = figures.cusum(["1", "2", "3"], [0, 4, 4], [1.0, 1.0, 1.0], yellow=2, red=5)
        marked = fig.axes[0].lines[1]
        assert [float(x) for x in marked.get_xdata()] == [2.0]

    def test_a_dollar_in_a_name_is_no_formula(self) -> None:
        rows = [{"label": r"浙F$\\foo$_1", "count": 1, "exposure": 1e6}]
        assert drawings.draw("intervals", example("intervals") | {"rows": rows}, language="zh", form="svg")

    def test_rows_keep_the_order_given(self) -> None:
        """An interval chart is not a league table."""
        rows = [observed(9, 1e6), observed(0, 1e6), observed(4, 1e6)]
        fig = figures.intervals(["c", "a", "b"], rows, unit="m3")
        assert [t.get_text() for t in fig.axes[0].get_yticklabels()] == ["c", "a", "b"]


class TestBadInput:
    @pytest.mark.parametrize(
        ("kind", "changes", "says"),
        [
            ("trajectory", {"target_year": 2014}, "must come after the baseline's year"),
            ("trajectory", {"baseline": {"year": 2015, "count": 0, "exposure": 1}}, "baseline.count is 0"),
            ("trajectory", {"years": [{"year": 1990, "count": 1, "exposure": 1}]}, "1990 is not between"),
            ("trajectory", {"under_way": {"count": 1, "exposure": 1, "remaining": 0}}, "above zero"),
            (
                "trajectory",
                {"years": [{"year": 2016, "count": -1, "exposure": 1}]},
                r"years\[0\].count is -1",
            ),
            ("funnel", {"companies": []}, "list of 1 to 500 objects"),
            (
                "funnel",
                {"companies": [{"label": "a", "count": 0, "exposure": 1}]},
                "no company has an accident",
            ),
            ("funnel", {"reference": 1e300}, "funnel.reference is 1e\\+300: give a rate"),
            ("funnel", {"reference": 1e10}, "expects .* events of a company"),
            ("cusum", {"k": 0}, "cusum.k is 0"),
            ("cusum", {"yellow": 6, "red": 6}, "the yellow limit must be below the red one"),
            ("intervals", {"level": 2}, "level is 2"),
            ("intervals", {"rows": [{"label": "", "count": 1, "exposure": 1}]}, r"rows\[0\].label is ''"),
        ],
    )
    def test_sentences(self, kind: str, changes: dict[str, Any], says: str) -> None:
        with pytest.raises(StatisticsError, match=says):
            drawings.draw(kind, example(kind) | changes, language="zh", form="svg")

    def test_an_ending_nobody_draws(self) -> None:
        with pytest.raises(StatisticsError, match="the ending of the file is 'gif'"):
            drawings.draw("funnel", example("funnel"), language="zh", form="gif")

    def test_without_the_extra_the_remedy_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pylopdf_fonts_zh_cn", None)
        chart.matplotlib_with_font.cache_clear()
        try:
            with pytest.raises(StatisticsError, match=re.escape("pip install 'kerbsafe[report]'")):
                drawings.draw("funnel", example("funnel"), language="zh", form="svg")
        finally:
            chart.matplotlib_with_font.cache_clear()


class TestCommand:
    def test_png_for_those_who_need_pixels(self, tmp_path: Path) -> None:
        out = tmp_path / "cusum.png"
        assert main(["rates", "figure", "cusum", str(EXAMPLES / "cusum.json"), str(out)]) == 0
        assert out.read_bytes().startswith(b"\x89PNG")

    def test_writes_the_file(self, tmp_path: Path) -> None:
        out = tmp_path / "funnel.svg"
        assert (
            main(["rates", "figure", "funnel", str(EXAMPLES / "funnel.json"), str(out), "--language", "en"])
            == 0
        )
        assert out.read_bytes() == drawings.draw("funnel", example("funnel"), language="en", form="svg")

    def test_a_place_that_cannot_be_written(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "none" / "funnel.svg"
        assert main(["rates", "figure", "funnel", str(EXAMPLES / "funnel.json"), str(out)]) == 2
        assert "cannot be written" in capsys.readouterr().err
