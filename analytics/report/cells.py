"""Cells of tables: what is shown and the raw values behind it, with the rules for small numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.report.document import Cell
from analytics.statistics.inputs import Observed
from analytics.statistics.phrasing import SMALL_BASE, figure
from analytics.statistics.rates import rate_interval
from fleet.language import Words

if TYPE_CHECKING:
    from datetime import date

    from analytics.ledger.accident import Range
    from analytics.statistics.rates import RateUnit
    from analytics.statistics.sentences import Text

NOT_RECORDED = Words("not recorded", "未记录")
NOTHING_TO_COUNT = Words("nothing to count", "无可计对象")
#: Decimals of a share in per cent.
_SHARE_DIGITS = 1
_THOUSAND = 1000


def words(text: Text) -> Words:
    """Take a sentence of the statistics over."""
    return Words(text["en"], text["zh"])


def same(text: str) -> Words:
    """Return a text that is the same in both languages."""
    return Words(text, text)


def text(said: Words) -> Cell:
    """Return a cell of text."""
    return Cell(said, (said.en,))


def unknown(parts: int = 1) -> Cell:
    """Return a cell of what is not recorded, for a column of so many parts."""
    return Cell(NOT_RECORDED, (None,) * parts)


def count(number: int) -> Cell:
    """Return a count."""
    return Cell(same(str(number)), (number,))


def counted(found: Range, *, more: bool = False) -> Cell:
    """Return a count of which some cases are undecided; `more`: nobody has said that these are all."""
    low, high = found
    zh, en = (str(low) if low == high else f"{low}{dash}{high}" for dash in ("—", "–"))
    plus = "+" if more else ""
    return Cell(Words(en + plus, zh + plus), (low, None if more else high))


def span(low: int, high: int) -> Cell:
    """Return where a count is expected to lie."""
    return Cell(Words(f"{low}–{high}", f"{low}—{high}"), (low, high))


def number(value: float | None, digits: int = 4) -> Cell:
    """Return a number with its significant digits."""
    return unknown() if value is None else Cell(same(shown(value, digits)), (value,))


def shown(value: float, digits: int = 4) -> str:
    """Write a number with significant digits and, from a thousand on, commas."""
    if abs(value) >= _THOUSAND:
        return f"{float(f'{value:.{digits}g}'):,.0f}" if abs(value) >= 10**digits else f"{value:,.0f}"
    return figure(value, digits)


def day(value: date | None) -> Cell:
    """Return a day."""
    return unknown() if value is None else Cell(same(value.isoformat()), (value,))


def share(part: float | None, whole: float | None) -> Cell:
    """Return a share: in per cent, or as both numbers where the whole is too small for it."""
    if part is None or whole is None:
        return unknown()
    if whole <= 0:
        return Cell(NOTHING_TO_COUNT, (None,))
    if whole < SMALL_BASE:
        return Cell(same(f"{shown(part)}/{shown(whole)}"), (part / whole,))
    return Cell(same(f"{100 * part / whole:.{_SHARE_DIGITS}f}%"), (part / whole,))


def ends(low: float | None, high: float | None, digits: int = 3) -> Cell:
    """Return the two ends of an interval of a rate or a ratio."""
    if low is None:
        return unknown(2)
    if high is None:
        return Cell(Words(f"from {figure(low, digits)}", f"{figure(low, digits)}以上"), (low, None))
    a, b = figure(low, digits), figure(high, digits)
    return Cell(Words(f"{a}–{b}", f"{a}—{b}"), (low, high))


def rate(events: int, exposure: float | None, unit: RateUnit, level: float) -> tuple[Cell, Cell]:
    """Return a rate in its printed unit, and its exact interval."""
    if not exposure:
        return unknown(), unknown(2)
    return rate_per(events, exposure, unit.per, level)


def rate_per(events: int, amount: float, per: float, level: float) -> tuple[Cell, Cell]:
    """Return events per so much of an amount, and the exact interval."""
    estimate = rate_interval(Observed(events, amount), level=level)
    low, middle, high = (per * value for value in (estimate.lower, estimate.rate, estimate.upper))
    return number(middle, 3), ends(low, high)
