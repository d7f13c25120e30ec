"""Severity classes, derived from raw numbers: three systems live side by side in Chinese reports, one abroad.

Each answer says whether it is certain: what is unknown (a loss, whether somebody died within the window) can
only make it worse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analytics.ledger.accident import (
    DOMESTIC_WINDOW_DAYS,
    INTERNATIONAL_WINDOW_DAYS,
    toll,
)
from fleet.language import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.ledger.accident import Facts, Toll

#: Kept with what is published; goes up when a rule below changes.
SEVERITY_RULES = 1

PROPERTY, INJURY, FATAL = (
    Words("damage only", "财产损失事故"),
    Words("injury", "伤人事故"),
    Words("fatal", "死亡事故"),
)
MINOR_1991, ORDINARY_1991, MAJOR_1991, EXTRAORDINARY_1991 = (
    Words("minor", "轻微事故"),
    Words("ordinary", "一般事故"),
    Words("major", "重大事故"),
    Words("extraordinary", "特大事故"),
)
ORDINARY_493, LARGER_493, MAJOR_493, EXTRAORDINARY_493 = (
    Words("ordinary", "一般事故"),
    Words("larger", "较大事故"),
    Words("major", "重大事故"),
    Words("extraordinarily major", "特别重大事故"),
)
SLIGHT_UK, SERIOUS_UK, FATAL_UK = (
    Words("slight", "轻伤事故"),
    Words("serious", "重伤事故"),
    Words("fatal", "死亡事故"),
)
_MILLION = 1_000_000


class Class(NamedTuple):
    """A class of severity; one that is not certain is the least that it can be."""

    label: Words
    is_certain: bool


class Severity(NamedTuple):
    """One accident in each system; None where a system has no class for it."""

    #: Procedures for road accidents, art. 3; deaths within 7 days.
    three: Class
    #: Notice of the police of 1991: outdated, and still quoted.
    of_1991: Class
    #: Decree 493, art. 3.
    of_493: Class
    #: STATS19 of Great Britain; deaths within 30 days. None: nobody known to be hurt.
    uk: Class | None


def severity(facts: Facts) -> Severity:
    """Return the classes of an accident."""
    domestic, abroad = (
        _Numbers.of(facts, days) for days in (DOMESTIC_WINDOW_DAYS, INTERNATIONAL_WINDOW_DAYS)
    )
    uk = _classify(abroad, _uk, FATAL_UK, needs_loss=False)
    return Severity(
        _classify(domestic, _three, FATAL, needs_loss=False),
        _classify(domestic, _of_1991, EXTRAORDINARY_1991, needs_loss=True),
        _classify(domestic, _of_493, EXTRAORDINARY_493, needs_loss=True),
        None if uk.label is PROPERTY else uk,
    )


class _Numbers(NamedTuple):
    """What the rules ask for."""

    toll: Toll
    loss_yuan: int | None
    casualties_known: bool

    @classmethod
    def of(cls, facts: Facts, window_days: int) -> _Numbers:
        return cls(toll(facts, window_days), facts.loss_yuan, facts.casualties_known)


def _classify(
    numbers: _Numbers, rule: Callable[[int, int, int, int], Words], worst: Words, *, needs_loss: bool
) -> Class:
    """Return the least class. It is certain if it is the worst, or if nothing unknown could change it."""
    dead, serious, light = numbers.toll
    loss = numbers.loss_yuan or 0
    least = rule(dead.low, serious.high, light, loss)
    most = rule(dead.high, serious.low, light, loss)
    known = numbers.casualties_known and (numbers.loss_yuan is not None or not needs_loss)
    return Class(least, least is worst or (known and least is most))


def _three(dead: int, serious: int, light: int, _loss: int) -> Words:
    return FATAL if dead else INJURY if serious + light else PROPERTY


def _of_1991(dead: int, serious: int, light: int, loss: int) -> Words:
    # "以上" includes the number.
    by_one = dead >= 3 or serious >= 11 or loss >= 60_000  # noqa: PLR2004 - the notice's own numbers
    if by_one or (dead and serious >= 8) or (dead == 2 and serious >= 5):  # noqa: PLR2004
        return EXTRAORDINARY_1991
    if dead or serious >= 3 or loss >= 30_000:  # noqa: PLR2004
        return MAJOR_1991
    if serious or light >= 3 or loss >= 1_000:  # noqa: PLR2004
        return ORDINARY_1991
    return MINOR_1991


def _of_493(dead: int, serious: int, _light: int, loss: int) -> Words:
    # "以上" includes the number.
    steps = (
        (EXTRAORDINARY_493, 30, 100, 100 * _MILLION),
        (MAJOR_493, 10, 50, 50 * _MILLION),
        (LARGER_493, 3, 10, 10 * _MILLION),
    )
    for label, deaths, injured, yuan in steps:
        if dead >= deaths or serious >= injured or loss >= yuan:
            return label
    return ORDINARY_493


def _uk(dead: int, serious: int, light: int, _loss: int) -> Words:
    return FATAL_UK if dead else SERIOUS_UK if serious else SLIGHT_UK if light else PROPERTY
