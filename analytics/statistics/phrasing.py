"""How a number may be put into words: no percentage on a base under 10, never from zero, no big words.

The rules come from what went wrong in print: "5 to 3 accidents, down 66.67 %" (the base was wrong, it is 40
%), "up 100 %" from zero to one, "deaths up 50 %" from two to three.
"""

from __future__ import annotations

import re
from typing import Literal

import numpy as np

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")

# Below this base a percentage pretends to a precision that counts do not have.
SMALL_BASE = 10
ALL_HUNDREDTHS = 100

FORBIDDEN = re.compile(
    r"大幅|显著|骤降|锐减|猛增|最差|\b(?:significan\w*|dramatic\w*|sharp\w*|plummet\w*|soar\w*|worst)\b",
    re.IGNORECASE,
)
PERCENT = re.compile(r"[%％‰]|百分|\bper ?cent|个百分点", re.IGNORECASE)


def forbidden_words(text: str) -> list[str]:
    """Return the words in a text that overstate what small counts can show."""
    return FORBIDDEN.findall(text)


def misleading(text: str, *, base: int) -> list[str]:
    """Return what a text about counts with the given base may not contain: such words, and percentages."""
    return forbidden_words(text) + (PERCENT.findall(text) if base < SMALL_BASE else [])


def figure(value: float, digits: int = 3) -> str:
    """Write a number with the given significant digits, without exponent or trailing zeros."""
    return np.format_float_positional(value, precision=digits, unique=False, fractional=False, trim="-")


def percent(share: float) -> str:
    """Write a share as whole per cent."""
    return f"{round(100 * share):d}%".replace("-", "−")


def probability(p: float, *, base: int, language: Language) -> str:
    """Write a probability: 54%, or 0.54 beside a base under 10; never 0 or 100 per cent."""
    small = base < SMALL_BASE
    over, under = {"zh": ("高于", "低于"), "en": ("over ", "under ")}[language]
    hundredths = round(100 * p)
    if hundredths >= ALL_HUNDREDTHS:
        return over + ("0.99" if small else "99%")
    if hundredths <= 0:
        return under + ("0.01" if small else "1%")
    return f"0.{hundredths:02d}" if small else f"{hundredths}%"


def fall(ratio: float, *, base: int, language: Language) -> str:
    """Write the fall that a target ratio asks for: 下降≥50%, or as a multiple beside a base under 10."""
    if base < SMALL_BASE:
        return {
            "zh": f"降至基数的{figure(ratio)}倍或以下",
            "en": f"fell to {figure(ratio)} of the baseline or less",
        }[language]
    return {"zh": f"下降≥{percent(1 - ratio)}", "en": f"fell by {percent(1 - ratio)} or more"}[language]


def level_shown(level: float, *, base: int) -> str:
    """Write an interval's level: 95%, or 0.95 beside a base under 10."""
    return figure(level, 6) if base < SMALL_BASE else f"{figure(100 * level, 6)}%"


def interval(lower: float, upper: float | None, *, level: float, base: int, language: Language) -> str:
    """Write an interval with its level; an interval without an upper limit says so."""
    shown = level_shown(level, base=base)
    if upper is None:
        return {
            "zh": f"{shown}区间{figure(lower)}以上，上限无法定义",
            "en": f"{shown} interval from {figure(lower)}, no upper limit",
        }[language]
    return {
        "zh": f"{shown}区间{figure(lower)}—{figure(upper)}",
        "en": f"{shown} interval {figure(lower)} to {figure(upper)}",
    }[language]


def counted(number: int, what: str) -> str:
    """Write a number of things in English: 1 death, 2 deaths, 0 fatal accidents."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def difference(old: int, new: int, *, zh: str, en: str, language: Language) -> str:
    """Write how a count changed: both numbers, the difference, a percentage if the old one allows it.

    Parameters
    ----------
    old, new
        The counts; the old one is the base.
    zh, en
        What is counted: the Chinese measure word (起, 人) and the English singular.
    """
    by = abs(new - old)
    share = f"({'−' if new < old else '+'}{percent(by / old)})" if old >= SMALL_BASE and by else ""
    if language == "zh":
        if not by:
            return f"均为{new}{zh}，没有变化"
        return f"由{old}{zh}变为{new}{zh}，{'减少' if new < old else '增加'}{by}{zh}{share}"
    if not by:
        return f"{counted(new, en)} in both, no change"
    more = f"{by} {'fewer' if new < old else 'more'}{' ' + share if share else ''}"
    return f"from {old} to {counted(new, en)}, {more}"
