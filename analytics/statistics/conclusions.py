"""What the figures allow to conclude and what not, said equally plainly; and the whole text of a verdict.

The two lists follow the British road casualty reports, which print "what we can conclude" and "what we cannot
conclude" on their first page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.statistics.phrasing import LANGUAGES, Language, fall, probability
from analytics.statistics.policy import State
from analytics.statistics.sentences import (
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
    from analytics.statistics.assessment import Assessment, Indicator

RISK: dict[str, Text] = {
    "accidents": {"zh": "事故", "en": "accidents"},
    "deaths": {"zh": "死亡事故", "en": "fatal accidents"},
}
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
            p, sure = indicator.tested.p_half, a.policy.confirmed
            (can if p >= sure or p <= 1 - sure else cannot).append(_whether_halved(a, indicator))
    cannot.append(
        both(
            "不能据此认定变化由某项措施引起：前后对比没有对照。",
            "It cannot be concluded that a particular measure caused the change: "
            "a comparison of before and after has no control.",
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
            f"It cannot be concluded that the {name['en']} changed: "
            "chance variation of the counts can explain the difference.",
        )
    down = ratio.upper is not None and ratio.upper < 1
    return both(
        f"可以认定{name['zh']}{'低' if down else '高'}于基期，差异超出随机波动。",
        f"The {name['en']} is {'below' if down else 'above'} the baseline's by more than chance variation.",
    )


def _whether_halved(a: Assessment, indicator: Indicator) -> Text:
    """Say that the risk fell as far as asked, or that it did not, or that neither can be said."""
    name, base = RISK[indicator.name], indicator.small_base
    target = {lang: fall(a.policy.target_ratio, base=base, language=lang) for lang in LANGUAGES}
    p = indicator.tested.p_half
    share = {lang: probability(p, base=base, language=lang) for lang in LANGUAGES}
    if p <= 1 - a.policy.confirmed:
        return both(
            f"可以认定{name['zh']}实际风险的降幅尚未达到目标({target['zh']}的概率{share['zh']})。",
            f"The risk of {name['en']} has not fallen as far as asked "
            f"(probability that it {target['en']}: {share['en']}).",
        )
    sure = p >= a.policy.confirmed
    return both(
        f"{'可以' if sure else '不能'}认定{name['zh']}的实际风险已{target['zh']}(概率{share['zh']})。",
        f"{'The' if sure else 'It cannot be concluded that the'} risk of {name['en']} {target['en']} "
        f"(probability {share['en']}).",
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
