"""Sentences of the report in Chinese and English, which print a number only where it may be printed.

Each function returns the sentence in both languages. Rules: no percentage on a base under 10 and never from
zero, the old value is the base, both numbers are always there. `phrasing` holds the rules, `conclusions` says
what can and cannot be concluded; here are the sentences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.statistics.phrasing import (
    LANGUAGES,
    SMALL_BASE,
    Language,
    counted,
    difference,
    fall,
    figure,
    interval,
    level_shown,
    percent,
    probability,
)

if TYPE_CHECKING:
    from datetime import date

    from analytics.statistics.assessment import Assessment, Indicator

Text = dict[Language, str]

NAMES: dict[str, Text] = {
    "accidents": {"zh": "事故率", "en": "accident rate"},
    "deaths": {"zh": "死亡事故率", "en": "fatal accident rate"},
}
OFFICIAL: dict[str, Text] = {
    "accidents": {"zh": "事故率", "en": "accident rate"},
    "deaths": {"zh": "死亡率", "en": "death rate"},
}


# 365 days, less the odd day of windows that are cut by month.
WHOLE_YEAR_DAYS = 364


def both(zh: str, en: str) -> Text:
    """Pair the two languages."""
    return {"zh": zh, "en": en}


# -- counts


@dataclass(frozen=True, slots=True)
class MonthCounts:
    """One month's counts: accidents, those of them that were fatal, and deaths."""

    accidents: int
    fatal: int
    deaths: int


def month(year: int, number: int, *, scope: Text, now: MonthCounts, last_year: MonthCounts) -> Text:
    """Say what happened in a month, beside the same month last year; nothing is judged by it."""
    rows = [
        (last_year.accidents, now.accidents, "起", "accident"),
        (last_year.deaths, now.deaths, "人", "death"),
    ]
    zh, en = (
        [difference(o, n, zh=unit, en=what, language=lang) for o, n, unit, what in rows] for lang in LANGUAGES
    )
    return both(
        f"{year}年{number}月发生{scope['zh']}事故{now.accidents}起({now.fatal}起死亡事故)，死亡{now.deaths}人；"
        f"与上年同月相比，事故{zh[0]}，死亡{zh[1]}。单月件数少，不据此判断趋势。",
        f"{year}-{number:02d}: {counted(now.accidents, scope['en'] + ' accident')} ({now.fatal} fatal), "
        f"{counted(now.deaths, 'death')}; against the same month last year: {en[0]}; {en[1]}. "
        "A single month holds too few events to judge a trend by.",
    )


def counts(a: Assessment, indicator: Indicator) -> Text:
    """Give the counts of both periods and nothing else: all that may be said of a small sample."""
    when, year = period(a.run.first, a.run.last), a.baseline.year
    if indicator.name == "accidents":
        return both(
            f"{when['zh']}事故{indicator.count}起，{year}年全年基数{indicator.base_count}起。",
            f"{when['en']}: {counted(indicator.count, 'accident')}, "
            f"{indicator.base_count} in the whole of {year}.",
        )
    now, base = indicator.tested.now.count, indicator.tested.base.count
    return both(
        f"{when['zh']}死亡事故{now}起、死亡{indicator.count}人，"
        f"{year}年全年基数{base}起、{indicator.base_count}人。",
        f"{when['en']}: {counted(now, 'fatal accident')} with {counted(indicator.count, 'death')}, "
        f"{base} with {indicator.base_count} in the whole of {year}.",
    )


def period(first: date, last: date) -> Text:
    """Name a period: 2020年1—8月, or its first and last day."""
    months = first.day == 1 and first.year == last.year
    if months and (last.month, last.day) == (12, 31) and first.month == 1:
        return both(f"{first.year}年", str(first.year))
    if months and first.month == last.month:
        return both(f"{first.year}年{first.month}月", f"{first:%Y-%m}")
    if months:
        return both(f"{first.year}年{first.month}—{last.month}月", f"{first:%Y-%m} to {last:%Y-%m}")
    return both(f"{first}至{last}", f"{first} to {last}")


# -- rates and the target


def rate_to_date(a: Assessment, indicator: Indicator) -> Text:
    """Give the rate with its interval, and how many times the baseline's it is."""
    unit, level, base = a.baseline.unit, a.policy.level, indicator.small_base
    tested, when, year = indicator.tested, period(a.run.first, a.run.last), a.baseline.year
    scaled = [unit.scale(v) for v in (tested.rate.rate, tested.rate.lower, tested.rate.upper)]
    rate = figure(scaled[0])
    zh, en = (interval(scaled[1], scaled[2], level=level, base=base, language=lang) for lang in LANGUAGES)
    if tested.ratio.ratio is None:
        return both(
            f"{when['zh']}{NAMES[indicator.name]['zh']}{rate}{unit.zh}({zh})；{year}年基数为零，不作比较。",
            f"{when['en']}: {NAMES[indicator.name]['en']} {rate} {unit.en} ({en}); "
            f"the baseline of {year} is zero, no comparison.",
        )
    times = _times(a, indicator)
    return both(
        f"{when['zh']}{NAMES[indicator.name]['zh']}{rate}{unit.zh}({zh})，{times['zh']}。",
        f"{when['en']}: {NAMES[indicator.name]['en']} {rate} {unit.en} ({en}), {times['en']}.",
    )


def _times(a: Assessment, indicator: Indicator) -> Text:
    """Say how many times the baseline's the rate is; of no event only how many times it is at most."""
    found, year, level = indicator.tested.ratio, a.baseline.year, a.policy.level
    if found.ratio == 0 and found.upper is not None:
        most, shown = figure(found.upper), level_shown(level, base=indicator.small_base)
        return both(
            f"至多为{year}年的{most}倍({shown}区间上限)",
            f"at most {most} times that of {year} (limit of the {shown} interval)",
        )
    times = figure(found.ratio or 0.0)
    zh, en = (
        interval(found.lower, found.upper, level=level, base=indicator.small_base, language=lang)
        for lang in LANGUAGES
    )
    return both(f"为{year}年的{times}倍({zh})", f"{times} times that of {year} ({en})")


def judgement(a: Assessment, indicator: Indicator) -> Text:
    """Give the official change on the named baseline, and the probability that the risk fell that far."""
    base, tested = indicator.small_base, indicator.tested
    amount = figure(a.baseline.unit.amount(a.baseline.exposure), 5)
    zh, what = ("起", "accident") if indicator.name == "accidents" else ("人", "death")
    change = official_change(indicator)
    p = {lang: probability(tested.p_half, base=base, language=lang) for lang in LANGUAGES}
    target = {lang: fall(a.policy.target_ratio, base=base, language=lang) for lang in LANGUAGES}
    how = (
        both("", "")
        if indicator.name == "accidents"
        else both("(以死亡事故件数检验)", " (tested on fatal accidents)")
    )
    return both(
        f"按{a.baseline.year}年基数({indicator.base_count}{zh}，{amount}{a.baseline.unit.amount_zh}，"
        f"第{a.baseline.version}版)，{change['zh']}；实际{target['zh']}的概率{p['zh']}{how['zh']}。",
        f"On the {a.baseline.year} baseline ({counted(indicator.base_count, what)}, {amount} "
        f"{a.baseline.unit.amount_en}, version {a.baseline.version}) {change['en']}; "
        f"probability that the risk itself {target['en']}: {p['en']}{how['en']}.",
    )


def official_change(indicator: Indicator) -> Text:
    """Say how the official rate changed, as a percentage if base and value allow one, else as a multiple."""
    name = OFFICIAL[indicator.name]
    if indicator.ratio is None:
        return both(
            f"{name['zh']}的变化无法定义(基数为零)",
            f"no change of the {name['en']} is defined (baseline zero)",
        )
    if indicator.count == 0:
        return both(
            f"{name['zh']}本期为零，不计降幅", f"the {name['en']} is zero, which is no measure of a fall"
        )
    if indicator.small_base < SMALL_BASE:
        times = figure(indicator.ratio)
        return both(f"{name['zh']}为基数的{times}倍", f"the {name['en']} is {times} times the baseline's")
    by = percent(abs(1 - indicator.ratio))
    fell = indicator.ratio <= 1
    return both(
        f"{name['zh']}{'下降' if fell else '上升'}{by}",
        f"the {name['en']} {'fell' if fell else 'rose'} by {by}",
    )


def joint(a: Assessment) -> Text:
    """Give the probability that both rates fell to the target; deaths happen inside accidents."""
    base = min(i.small_base for i in a.indicators)
    p = {lang: probability(a.joint.p_joint, base=base, language=lang) for lang in LANGUAGES}
    return both(
        f"两项指标同时达标的概率{p['zh']}。", f"Probability that both rates meet the target: {p['en']}."
    )


def projection(a: Assessment, indicator: Indicator) -> Text | None:
    """Give the cap and the prediction for the year under way; None in other phases."""
    forecast, judged = indicator.judged.forecast, indicator.judged
    if forecast is None or judged.probability is None:
        return None
    unit, base = a.baseline.unit, indicator.small_base
    whole = figure(unit.amount(a.run.whole_exposure), 5)
    low, high = forecast.interval80
    p = {lang: probability(judged.probability, base=base, language=lang) for lang in LANGUAGES}
    shown = "0.8" if base < SMALL_BASE else "80%"
    zh, what = ("起", "accident") if indicator.name == "accidents" else ("人", "death")
    return both(
        f"全年{unit.what_zh}按{whole}{unit.amount_zh}计，达标上限{judged.cap}{zh}，已发生{indicator.count}{zh}，"
        f"达标概率{p['zh']}，{shown}预测区间{low}—{high}{zh}。",
        f"On {whole} {unit.amount_en} for the year the line allows {counted(judged.cap, what)}; "
        f"{indicator.count} so far, probability of meeting it {p['en']}, "
        f"{shown} prediction interval {low} to {high}.",
    )


def denominator(a: Assessment) -> Text:
    """Show the count beside the denominator, since either can make a rate fall.

    A part of a year is not compared with the whole baseline year: its count is smaller by itself.
    """
    old, new, base = a.baseline.exposure, a.run.exposure, a.baseline.accidents
    unit = a.baseline.unit
    amounts = [figure(unit.amount(v), 5) for v in (old, new)]
    if (a.run.last - a.run.first).days + 1 < WHOLE_YEAR_DAYS:
        return both(
            f"本期不足一年，件数不与基数直接比较：本期{a.run.accidents}起、{amounts[1]}{unit.amount_zh}，"
            f"基数{base}起、{amounts[0]}{unit.amount_zh}。",
            f"Less than a year: the count is not compared with the baseline's directly; "
            f"{counted(a.run.accidents, 'accident')} on {amounts[1]} {unit.amount_en} now, "
            f"{base} on {amounts[0]} then.",
        )
    zh, en = (difference(base, a.run.accidents, zh="起", en="accident", language=lang) for lang in LANGUAGES)
    small = base < SMALL_BASE
    change = both(f"{figure(new / old)}倍", f"{figure(new / old)} times") if small else _signed(new / old)
    same = both("", "")
    if base and a.run.accidents:
        times = figure(a.run.accidents / base)
        same = both(
            f"如{unit.what_zh}不变，事故率为基数的{times}倍。",
            f" On unchanged {unit.what_en} the accident rate would be {times} times the baseline's.",
        )
    return both(
        f"事故件数{zh}；{unit.what_zh}由{amounts[0]}变为{amounts[1]}{unit.amount_zh}({change['zh']})。{same['zh']}",
        f"Count: {en}; {unit.what_en}: from {amounts[0]} to {amounts[1]} {unit.amount_en} "
        f"({change['en']}).{same['en']}",
    )


def _signed(ratio: float) -> Text:
    sign = "+" if ratio > 1 else ""
    return both(sign + percent(ratio - 1), sign + percent(ratio - 1))


def held_back(indicator: Indicator, runs: int) -> Text | None:
    """Say that this run's data point to another state, which has to wait; None where they do not."""
    p = indicator.judged.probability
    if indicator.judged.state is indicator.published or p is None:
        return None
    zh, en = (probability(p, base=indicator.small_base, language=lang) for lang in LANGUAGES)
    return both(
        f"以上判断沿用前期；本期数据的达标概率为{zh}，须连续{runs}期一致方予调整。",
        f"The state above is the earlier one; by this run's data the probability of meeting the target is "
        f"{en}, and the state changes when {runs} runs in a row agree.",
    )


REASONS: dict[str, Text] = {
    "late_report": both("迟报", "late report"),
    "death_8_to_30_days": both("第8—30日死亡", "death on day 8 to 30"),
    "responsibility": both("责任认定", "finding of responsibility"),
    "denominator": both("分母更正", "corrected denominator"),
}


def restatement(item: str, *, old: str, new: str, reason: str, before: Text, after: Text) -> Text:
    """Say what was restated, why, and whether that changed the conclusion from `before` to `after`."""
    why = REASONS[reason]
    same = before == after
    zh = "不变" if same else f"由“{before['zh']}”变为“{after['zh']}”"
    en = "is unchanged" if same else f"changes from “{before['en']}” to “{after['en']}”"
    return both(
        f"本期修订：{item}由{old}改为{new}，原因：{why['zh']}；结论{zh}。",
        f"Restated: {item} from {old} to {new}, reason: {why['en']}; the conclusion {en}.",
    )
