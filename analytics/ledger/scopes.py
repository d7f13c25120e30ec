"""Which accidents a figure counts: A1 headline, A2 with own responsibility, A3 fatal; and by which rule.

A1  handled by the police, a vehicle of the fleet in it, at least one person hurt or dead, whoever is to blame
A2  of these, where a vehicle of the fleet has equal responsibility or more
A3  of these, where somebody died within 7 days

What is not known yet makes an accident undecided: it is in the high count and not in the low one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.ledger.accident import (
    AT_LEAST_EQUAL,
    DECIDED,
    DOMESTIC_WINDOW_DAYS,
    Range,
    toll,
)

if TYPE_CHECKING:
    from analytics.ledger.accident import Facts

#: Kept with what is published; goes up when a rule above changes.
SCOPE_RULES = 1


class Scope(StrEnum):
    """Classes of accidents that are published side by side."""

    A1 = "A1"
    A2 = "A2"
    A3 = "A3"


#: In the low and in the high count.
YES, UNDECIDED, NO = Range(1, 1), Range(0, 1), Range(0, 0)


def in_scope(facts: Facts, scope: Scope) -> Range:
    """Return how an accident counts: `YES`, `NO` or `UNDECIDED`."""
    return _both(_a1(facts), {Scope.A1: YES, Scope.A2: _is_own(facts), Scope.A3: _is_fatal(facts)}[scope])


def is_pending(facts: Facts) -> bool:
    """Say whether A2 waits for a finding, or never gets one."""
    return in_scope(facts, Scope.A1).high == 1 and _is_own(facts) == UNDECIDED


def _a1(facts: Facts) -> Range:
    if not facts.police_handled or not facts.fleet:
        return NO
    if facts.casualties:
        return YES
    return NO if facts.casualties_known else UNDECIDED


def _is_own(facts: Facts) -> Range:
    found = [vehicle.responsibility for vehicle in facts.fleet]
    if any(share in AT_LEAST_EQUAL for share in found):
        return YES
    return NO if all(share in DECIDED for share in found) else UNDECIDED


def _is_fatal(facts: Facts) -> Range:
    dead = toll(facts, DOMESTIC_WINDOW_DAYS).dead
    if dead.low:
        return YES
    return NO if facts.casualties_known and not dead.high else UNDECIDED


def _both(one: Range, other: Range) -> Range:
    return Range(min(one.low, other.low), min(one.high, other.high))
