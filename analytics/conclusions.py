"""What the figures allow to conclude and what not, said equally plainly; and the whole text of a verdict.

The two lists follow the British road casualty reports, which print "what we can conclude" and "what we cannot
conclude" on their first page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.phrasing import LANGUAGES, Language, fall, probability
from analytics.policy import State
from analytics.sentences import (
    NAMES,
    Text,
    both,
    counts,
    denominator,
    held_back,
    joint,
    judgement,
    projection,
    rate_to_date,
)

if TYPE_CHECKING:
    from analytics.assessment import Assessment, Indicator

ONE_INDICATOR: dict[str, Text] = {
    "accidents": {"zh": "事故", "en": "Accidents"},
    "deaths": {"zh": "死亡", "en": "Deaths"},
}
UNJUDGED = (State.SMALL, State.UNDEFINED)


def conclusions(a: Assessment) -> tuple[list[Text], list[Text]]:
    """List what the data allow to conclude, and what they do not."""
    can: list[Text] = []
    cannot: list[Text] = []
    for indicator in a.indicators:
        (can if _differs(indicator) else cannot).append(_whether_changed(indicator))
        if indicator.published not in UNJUDGED:
            sure = indicator.tested.p_half >= a.policy.confirmed
            (can if sure else cannot).append(_whether_halved(a, indicator, sure=sure))
    cannot.append(
        both(
            "不能据此认定变化由某项措施引起：前后对比没有对照。",
            "That a particular measure caused the change: a comparison of before and after has no control.",
        )
    )
    return can, cannot


def _differs(indicator: Indicator) -> bool:
    ratio = indicator.tested.ratio
    return ratio.lower > 1 or (ratio.upper is not None and ratio.upper < 1)


def _whether_changed(indicator: Indicator) -> Text:
    name, ratio = NAMES[indicator.name], indicator.tested.ratio
    if not _differs(indicator):
        return both(
            f"不能认定{name['zh']}有变化：差异可由件数的随机波动解释。",
            f"That the {name['en']} changed: chance variation of the counts can explain the difference.",
        )
    down = ratio.upper is not None and ratio.upper < 1
    return both(
        f"可以认定{name['zh']}{'低' if down else '高'}于基期，差异超出随机波动。",
        f"The {name['en']} is {'below' if down else 'above'} the baseline's by more than chance variation.",
    )


def _whether_halved(a: Assessment, indicator: Indicator, *, sure: bool) -> Text:
    name, base = NAMES[indicator.name], indicator.small_base
    target = {lang: fall(a.policy.target_ratio, base=base, language=lang) for lang in LANGUAGES}
    p = {lang: probability(indicator.tested.p_half, base=base, language=lang) for lang in LANGUAGES}
    return both(
        f"{'可以' if sure else '不能'}认定{name['zh']}的实际风险已{target['zh']}(概率{p['zh']})。",
        f"{'The' if sure else 'That the'} risk behind the {name['en']} {target['en']} "
        f"(probability {p['en']}).",
    )


def verdict_text(a: Assessment) -> dict[Language, list[str]]:
    """Return the paragraphs of a verdict in both languages, the overall one first."""
    texts: list[Text | None] = [both(f"总体：{a.wording['zh']}。", f"Overall: {a.wording['en']}.")]
    for indicator in a.indicators:
        own, name = indicator.wording, ONE_INDICATOR[indicator.name]
        texts.append(both(f"{name['zh']}：{own['zh']}。", f"{name['en']}: {own['en']}."))
        texts.append(counts(a, indicator))
        if indicator.published not in UNJUDGED:
            texts += [rate_to_date(a, indicator), judgement(a, indicator), projection(a, indicator)]
        texts.append(held_back(indicator, a.policy.consecutive_runs))
    if all(i.published not in UNJUDGED for i in a.indicators):
        texts.append(joint(a))
    texts.append(denominator(a))
    return {lang: [t[lang] for t in texts if t is not None] for lang in LANGUAGES}
