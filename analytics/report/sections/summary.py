"""First page: the verdicts in boxes, what can and cannot be concluded, and what calls for attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.report.cells import words
from analytics.report.document import Boxes, Bullets, Paragraph, Section, Tone, VerdictBox
from analytics.report.judging import RED, YELLOW, EarlyWarning, Judgement
from analytics.report.nowcasting import late_reports
from analytics.report.periods import Stage
from analytics.report.sections.restatements import changed_headline
from analytics.report.sections.windows import month_sentence
from analytics.statistics.conclusions import ONE_INDICATOR, conclusions
from analytics.statistics.phrasing import LANGUAGES, fall, figure, probability
from analytics.statistics.policy import State
from fleet.language import Words

if TYPE_CHECKING:
    from analytics.report.context import Context
    from analytics.report.document import Block
    from analytics.statistics.assessment import Assessment, Indicator

TONES = {
    State.ON_TRACK: Tone.GOOD,
    State.ACHIEVED_CONFIRMED: Tone.GOOD,
    State.ACHIEVED_FIGURE_ONLY: Tone.GOOD,
    State.AT_RISK: Tone.UNCERTAIN,
    State.NOT_ACHIEVED_CLOSE: Tone.UNCERTAIN,
    State.OFF_TRACK: Tone.BAD,
    State.NOT_ACHIEVED: Tone.BAD,
    State.SMALL: Tone.NONE,
    State.UNDEFINED: Tone.NONE,
}
_OVERALL = Words("Overall (both rates must meet the target)", "总体（两项指标均须达标）")


def summary_section(context: Context) -> Section:
    """Return the page that is read if no other is."""
    judgement = context.judgement
    blocks: list[Block] = [Paragraph(month_sentence(context)), _verdicts(judgement)]
    if isinstance(judgement, Judgement):
        can, cannot = conclusions(judgement.assessment)
        blocks += [
            Bullets(
                Words("What can be concluded this month", "本月可以得出的结论"),
                tuple(map(words, can)) or (Words("Nothing of the kind.", "无。"),),
            ),
            Bullets(Words("What cannot be concluded", "不能得出的结论"), tuple(map(words, cannot))),
        ]
    attention = [
        _alarm(context.warning),
        *_still_to_come(context),
        *_undecided(context),
        *changed_headline(context),
    ]
    blocks.append(Bullets(Words("For attention", "需要关注"), tuple(attention)))
    return Section("summary", Words("Summary", "结论摘要"), tuple(blocks))


def _verdicts(judgement: Judgement | Words) -> Boxes:
    if isinstance(judgement, Words):
        why = Words(f"No verdict is given: {judgement.en}.", f"本期不作判断：{judgement.zh}。")
        return Boxes((VerdictBox(_OVERALL, why, Tone.NONE, ()),))
    a = judgement.assessment
    overall = VerdictBox(_OVERALL, Words(a.wording["en"], a.wording["zh"]), TONES[a.state], _joint(a))
    each = tuple(_box(a, indicator) for indicator in a.indicators)
    return Boxes((overall, *each))


def _joint(a: Assessment) -> tuple[tuple[Words, Words], ...]:
    base = min(indicator.small_base for indicator in a.indicators)
    zh, en = (probability(a.joint.p_joint, base=base, language=language) for language in LANGUAGES)
    return ((Words("Probability that both have fallen so far", "两项同时达标的概率"), Words(en, zh)),)


def _box(a: Assessment, indicator: Indicator) -> VerdictBox:
    name = ONE_INDICATOR[indicator.name]
    base = indicator.small_base
    zh, en = (probability(indicator.tested.p_half, base=base, language=language) for language in LANGUAGES)
    target = {language: fall(a.policy.target_ratio, base=base, language=language) for language in LANGUAGES}
    ratio = (
        Words("not defined (baseline zero)", "无法定义（基数为零）")
        if indicator.ratio is None
        else Words(f"{figure(indicator.ratio)} times", f"{figure(indicator.ratio)}倍")
    )
    numbers = [
        (Words(f"Rate against {a.baseline.year}", f"率与{a.baseline.year}年相比"), ratio),
        (
            Words(f"Probability that the risk {target['en']}", f"实际风险{target['zh']}的概率"),
            Words(en, zh),
        ),
    ]
    return VerdictBox(
        Words(name["en"], name["zh"]),
        Words(indicator.wording["en"], indicator.wording["zh"]),
        TONES[indicator.published],
        (*numbers, *_projected(a, indicator)),
    )


def _projected(a: Assessment, indicator: Indicator) -> tuple[tuple[Words, Words], ...]:
    forecast = indicator.judged.forecast
    if forecast is None:
        return ()
    low, high = forecast.interval80
    name = Words(
        f"Expected for {a.policy.target_year} (4 in 5)", f"{a.policy.target_year}年全年预计（五次中四次）"
    )
    cap = indicator.judged.cap
    return ((name, Words(f"{low}–{high}; the line allows {cap}", f"{low}—{high}；达标上限{cap}")),)


def _alarm(warning: EarlyWarning | Words) -> Words:
    if isinstance(warning, Words):
        return Words(
            f"The early warning could not be computed: {warning.en}.", f"预警图无法计算：{warning.zh}。"
        )
    value = figure(warning.path[-1])
    if warning.is_red:
        return Words(
            f"The early warning is red (S = {value}, limit {RED:g}): more accidents than the way to the "
            "target allows, beyond chance; look for the cause.",
            f"预警为红色（S={value}，界限{RED:g}）：事故多于达标路径所允许的件数，超出随机波动，应查找原因。",
        )
    if warning.is_yellow:
        return Words(
            f"The early warning is yellow (S = {value}, limit {YELLOW:g}).",
            f"预警为黄色（S={value}，界限{YELLOW:g}）。",
        )
    return Words(
        f"The early warning is quiet (S = {value}, limits {YELLOW:g} and {RED:g}).",
        f"预警未触发（S={value}，界限{YELLOW:g}和{RED:g}）。",
    )


def _still_to_come(context: Context) -> list[Words]:
    """Say of flash figures how many accidents the month may come to."""
    given = context.given
    if given.stage is not Stage.FLASH:
        return []
    found = late_reports(given, context.now, context.denominator, given.month)
    if found is None:
        return []
    low, high = found.interval95
    return [
        Words(
            f"{found.reported} accidents of the month are reported; by past delays "
            f"{figure(found.expected)} are expected in the end (19 in 20: {low}–{high}).",
            f"本月已报{found.reported}起；按以往迟报情况，最终预计{figure(found.expected)}起"
            f"（95%区间{low}—{high}起）。",
        )
    ]


def _undecided(context: Context) -> list[Words]:
    """Say what is undecided and whether the verdict hangs on it."""
    if isinstance(context.judgement, Words) or context.judgement.low is None:
        return []
    high, low = context.judgement.assessment, context.judgement.low
    zh = "结论不变" if high.state is low.state else f"则结论为“{low.wording['zh']}”"
    en = "the verdict is the same" if high.state is low.state else f"the verdict is “{low.wording['en']}”"
    return [
        Words(
            f"Accidents that are not decided yet are counted as accidents of the scope. Without them {en}.",
            f"尚未查明的事故按计入处理；如均不计入，{zh}。",
        )
    ]
