"""Which limit ruled where a rule compares with one."""

from __future__ import annotations

from enum import IntEnum


class LimitSource(IntEnum):
    """Which of the limits ruled."""

    #: The registry's limit of the vehicle, or the rulebook's of its kind.
    CLASS = 0
    #: Carried by the fix.
    FIX = 1
    #: Of a speed zone, at this hour.
    ZONE = 2
    #: Not of speed: what a fence allows.
    FENCE = 3
    #: A number of the rulebook that holds for everybody.
    RULEBOOK = 4
    #: The rulebook's limit of this hour of the week.
    HOUR = 5
