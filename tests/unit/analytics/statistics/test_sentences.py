"""Text that cannot mislead: no percentage on a base under ten, never from zero, no word that overstates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.statistics import sentences
from analytics.statistics.assessment import Assessment, assess
from analytics.statistics.conclusions import conclusions, verdict_text
from analytics.statistics.phrasing import (
    LANGUAGES,
    counted,
    difference,
    fall,
    figure,
    forbidden_words,
    interval,
    misleading,
    probability,
)
from analytics.statistics.policy import WORDING
from analytics.statistics.sentences import MonthCounts, Text, both
from tests.unit.analytics.statistics import cases

if TYPE_CHECKING:
    from collections.abc import Iterator

SCOPE = both("专用车辆", "special vehicle")


def every_sentence(a: Assessment) -> Iterator[str]:
    """Each sentence of a verdict, in both languages."""
    for text in verdict_text(a).values():
        yield from text
    for texts in conclusions(a):
        yield from (text[language] for text in texts for language in LANGUAGES)


def assessed(x0: int, f0: int, x1: int, f1: int, phase: str) -> Assessment:
    baseline = cases.baseline(accidents=x0, fatal_accidents=f0, deaths=f0)
    make = {
        "running": cases.run,
        "final": cases.final_run,
        "before": lambda **k: cases.earlier_year(2018, **k),
    }
    return assess(cases.case(make[phase](accidents=x1, fatal_accidents=f1, deaths=f1), baseline=baseline))


class TestVerdictText:
    @given(
        st.one_of(st.integers(0, 9), st.integers(10, 60)),
        st.integers(0, 60),
        st.integers(0, 60),
        st.integers(0, 60),
        st.sampled_from(["before", "running", "final"]),
    )
    def test_every_count_gives_words_that_do_not_mislead(
        self, x0: int, f0: int, x1: int, f1: int, phase: str
    ) -> None:
        """Zeros included: no nan, no None, no open brace, no big word; no percent sign on a small base."""
        a = assessed(x0, min(x0, f0), x1, min(x1, f1), phase)
        all_small = a.accidents.small_base < 10  # the deaths' base is no larger
        for sentence in every_sentence(a):
            assert not re.search(r"\b(?:nan|inf|None)\b|[{}]", sentence), sentence
            assert misleading(sentence, base=0 if all_small else 10) == []
        for indicator in a.indicators:
            for say in (sentences.counts, sentences.rate_to_date, sentences.judgement, sentences.projection):
                for text in (say(a, indicator) or {}).values():
                    assert misleading(text, base=indicator.small_base) == []

    def test_a_small_sample_gets_counts_only(self) -> None:
        a = assessed(3, 1, 2, 0, "running")
        text = verdict_text(a)["zh"]
        assert "事故：样本小，仅列件数，不作趋势判断。" in text
        assert "2020年1—8月事故2起，2015年全年基数3起。" in text
        assert not any("倍" in sentence or "概率" in sentence for sentence in text)

    def test_a_part_of_a_year_is_not_compared_with_a_whole_one(self) -> None:
        """8 until August after 20 in 2015 is no fall of 60 %."""
        text = " ".join(verdict_text(assess(cases.case(cases.run())))["zh"])
        assert "60%" not in text
        assert "本期不足一年，件数不与基数直接比较" in text

    def test_of_a_final_year(self) -> None:
        text = verdict_text(assess(cases.case(cases.final_run(accidents=12, fatal_accidents=2, deaths=2))))
        assert text["zh"][1] == "事故：统计口径上已达到目标；实际风险下降≥50%的概率为54%。"
        assert (
            "事故件数由20起变为12起，减少8起(−40%)；产量由15.958变为20百万方(+25%)。如产量不变，事故率为基数的0.6倍。"
            in text["zh"]
        )
        assert (
            "on unchanged volume the accident rate would be 0.6 times the baseline's."
            in text["en"][-1].lower()
        )
        joint = next(s for s in text["zh"] if s.startswith("两项指标同时达标的概率"))
        assert "%" not in joint  # the deaths' base is 6

    def test_what_can_and_cannot_be_concluded(self) -> None:
        many = cases.baseline(accidents=200, fatal_accidents=50, deaths=55)
        can, cannot = conclusions(
            assess(cases.case(cases.final_run(accidents=60, fatal_accidents=40, deaths=41), baseline=many))
        )
        assert [t["zh"] for t in can] == [
            "可以认定事故率低于基期，差异超出随机波动。",
            "可以认定事故的实际风险已下降≥50%(概率高于99%)。",
            "可以认定死亡事故率低于基期，差异超出随机波动。",
        ]
        assert [t["zh"] for t in cannot][-1] == "不能据此认定变化由某项措施引起：前后对比没有对照。"
        assert "不能认定死亡事故的实际风险已下降≥50%(概率12%)。" in [t["zh"] for t in cannot]

    def test_a_rate_that_rose_has_not_fallen_as_far_as_asked(self) -> None:
        can, _ = conclusions(assess(cases.case(cases.final_run(accidents=60, fatal_accidents=2, deaths=2))))
        assert [t["zh"] for t in can] == [
            "可以认定事故率高于基期，差异超出随机波动。",
            "可以认定事故实际风险的降幅尚未达到目标(下降≥50%的概率低于1%)。",
        ]
        assert can[1]["en"] == (
            "The risk of accidents has not fallen as far as asked "
            "(probability that it fell by 50% or more: under 1%)."
        )

    def test_no_accident_is_no_fall_to_zero(self) -> None:
        """Nothing happened: an upper limit is said, and neither "0 times" nor "-100 %" of the rate."""
        a = assess(cases.case(cases.final_run(accidents=0, fatal_accidents=0, deaths=0)))
        text = verdict_text(a)
        assert "2020年事故率0起/百万方(95%区间0—0.184)，至多为2015年的0.162倍(95%区间上限)。" in text["zh"]
        assert any("死亡率本期为零，不计降幅" in sentence for sentence in text["zh"])
        assert not any("的0倍" in sentence for sentence in text["zh"])
        assert not any(re.search(r"\b0 times", sentence) for sentence in text["en"])

    @pytest.mark.parametrize(("number", "text"), [(0, "0 deaths"), (1, "1 death"), (2, "2 deaths")])
    def test_english_counts(self, number: int, text: str) -> None:
        assert counted(number, "death") == text

    def test_a_state_held_back_is_explained(self) -> None:
        july = cases.run(
            as_of="2020-08-05",
            to="2020-07-31",
            accidents=9,
            exposure=11_200_000,
            exposure_remaining=8_800_000,
        )
        text = verdict_text(assess(cases.case(cases.run(), july)))
        assert "以上判断沿用前期；本期数据的达标概率为54%，须连续2期一致方予调整。" in text["zh"]


class TestMonth:
    def test_of_a_month(self) -> None:
        text = sentences.month(2020, 3, scope=SCOPE, now=MonthCounts(3, 1, 1), last_year=MonthCounts(5, 0, 0))
        assert text["zh"] == (
            "2020年3月发生专用车辆事故3起(1起死亡事故)，死亡1人；与上年同月相比，"
            "事故由5起变为3起，减少2起，死亡由0人变为1人，增加1人。单月件数少，不据此判断趋势。"
        )
        assert text["en"].startswith(
            "2020-03: 3 special vehicle accidents (1 fatal), 1 death; against the same month last year: "
            "from 5 to 3 accidents, 2 fewer; from 0 to 1 death, 1 more."
        )

    @given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 40), st.integers(0, 40))
    def test_never_a_percentage_from_a_small_month(self, a0: int, d0: int, a1: int, d1: int) -> None:
        text = sentences.month(
            2020, 3, scope=SCOPE, now=MonthCounts(a1, 0, d1), last_year=MonthCounts(a0, 0, d0)
        )
        assert all(misleading(t, base=0) == [] for t in text.values())


class TestRestatement:
    before, after = both("进展符合预期", "on track"), both("存在不达标风险", "at risk")

    @pytest.mark.parametrize(
        ("after", "ends"), [(before, "结论不变。"), (after, "结论由“进展符合预期”变为“存在不达标风险”。")]
    )
    def test_says_what_and_why(self, after: Text, ends: str) -> None:
        text = sentences.restatement(
            "2020年3月死亡人数",
            old="1",
            new="2",
            reason="death_8_to_30_days",
            before=self.before,
            after=after,
        )
        assert text["zh"] == f"本期修订：2020年3月死亡人数由1改为2，原因：第8—30日死亡；{ends}"


class TestPhrasing:
    @pytest.mark.parametrize(
        ("old", "new", "zh"),
        [
            (5, 3, "由5起变为3起，减少2起"),  # not "down 66.67 %"
            (0, 1, "由0起变为1起，增加1起"),  # not "up 100 %"
            (2, 3, "由2起变为3起，增加1起"),  # not "up 50 %"
            (9, 1, "由9起变为1起，减少8起"),
            (10, 5, "由10起变为5起，减少5起(−50%)"),
            (20, 25, "由20起变为25起，增加5起(+25%)"),
            (3, 3, "均为3起，没有变化"),
            (0, 0, "均为0起，没有变化"),
        ],
    )
    def test_differences_have_the_old_value_as_base(self, old: int, new: int, zh: str) -> None:
        assert difference(old, new, zh="起", en="accident", language="zh") == zh
        english = difference(old, new, zh="起", en="accident", language="en")
        assert ("%" in english) == (old >= 10 and old != new)

    @pytest.mark.parametrize(
        ("p", "large", "small"),
        [
            (0.0, "低于1%", "低于0.01"),
            (0.004, "低于1%", "低于0.01"),
            (0.0051, "1%", "0.01"),
            (0.5417, "54%", "0.54"),
            (0.994, "99%", "0.99"),
            (0.996, "高于99%", "高于0.99"),
            (1.0, "高于99%", "高于0.99"),
        ],
    )
    def test_probabilities_are_never_certain(self, p: float, large: str, small: str) -> None:
        assert probability(p, base=20, language="zh") == large
        assert probability(p, base=9, language="zh") == small

    def test_the_fall_asked_for(self) -> None:
        assert fall(0.5, base=20, language="zh") == "下降≥50%"
        assert fall(0.5, base=9, language="zh") == "降至基数的0.5倍或以下"
        assert fall(0.7, base=20, language="en") == "fell by 30% or more"

    def test_an_interval_without_an_end_says_so(self) -> None:
        assert interval(1.5, None, level=0.95, base=0, language="zh") == "0.95区间1.5以上，上限无法定义"
        assert interval(0.2, 1.25, level=0.95, base=20, language="en") == "95% interval 0.2 to 1.25"

    @pytest.mark.parametrize(
        ("value", "text"),
        [(15.958, "16"), (0.0000123456, "0.0000123"), (1234567, "1230000"), (0, "0"), (1.25, "1.25")],
    )
    def test_figures_have_no_exponent(self, value: float, text: str) -> None:
        assert figure(value) == text

    @pytest.mark.parametrize(
        "text",
        [
            "事故率大幅下降",
            "事故显著减少",
            "该企业全市最差",
            "a significant fall",
            "fell dramatically",
            "the worst company",
            "Deaths plummeted",
        ],
    )
    def test_forbidden_words(self, text: str) -> None:
        assert forbidden_words(text)
        assert misleading(text, base=100)

    @pytest.mark.parametrize(
        "text", ["下降50%", "下降五十个百分点", "down 50 percent", "down 5 per cent", "50％"]
    )
    def test_percentages_are_found_in_any_spelling(self, text: str) -> None:
        assert misleading(text, base=9)
        assert misleading(text, base=10) == []

    def test_the_policy_s_own_words_are_clean(self) -> None:
        for texts in WORDING.values():
            for text in texts.values():
                assert misleading(text, base=0) == []
