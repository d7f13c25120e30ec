"""Which terminals cannot see a turn, why, and what is to be done about each."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from analytics.quality.figures import DRIFTS_FROM

if TYPE_CHECKING:
    from analytics.quality.sums import Sums

#: From this share of a vehicle's right turns on a reason is a fault of its terminal, not of the day.
TOLD_SHARE = 0.1
#: On fewer turns no share is told.
FEWEST_TURNS = 10
#: Unfit fixes from which the antenna is to be looked at.
UNFIT_SHARE = 0.05


class Fault(StrEnum):
    """What is wrong with a terminal, worst first: what hides more comes before what hides less."""

    #: It is filed, and was never heard; it was heard before, and not in the span.
    NEVER_HEARD = "never_heard"
    SILENT = "silent"
    #: Its usual interval is too long for turns; single intervals are.
    INTERVAL = "interval"
    GAPS = "gaps"
    #: The speed it reports lags behind its positions, or has another scale.
    SPEED = "speed"
    #: Its clock is off.
    CLOCK = "clock"
    #: Its positions jump, or too many are unfit.
    DRIFT = "drift"
    UNFIT = "unfit"
    #: What it sent was lost on the way to us: ours to mend.
    TRANSPORT = "transport"


class Diagnosis(NamedTuple):
    """One fault of one terminal, and how much it touches."""

    fault: Fault
    #: Of `whole` turns, fixes or episodes so many; both 0 where nothing was heard.
    part: int
    whole: int


def diagnose(one: Sums) -> list[Diagnosis]:
    """Return the faults of one vehicle's terminal, worst first; none: nothing wrong was found."""
    if not one.connected:
        return [Diagnosis(Fault.NEVER_HEARD, 0, 0)]
    if not one.online:
        return [Diagnosis(Fault.SILENT, 0, 0)]
    shares = [
        Diagnosis(fault, part, one.turns)
        for fault, part in (
            (Fault.INTERVAL, one.coarse),
            (Fault.GAPS, one.gap),
            (Fault.SPEED, one.speed_disagrees),
            (Fault.TRANSPORT, one.transport_gap),
        )
        if one.turns >= FEWEST_TURNS and part >= TOLD_SHARE * one.turns
    ]
    if one.speed_faults and not any(each.fault == Fault.SPEED for each in shares):
        shares.append(Diagnosis(Fault.SPEED, one.speed_faults, one.speed_faults))
    if one.clock_drifts:
        shares.append(Diagnosis(Fault.CLOCK, one.clock_drifts, one.clock_drifts))
    if one.jumps >= DRIFTS_FROM:
        shares.append(Diagnosis(Fault.DRIFT, one.jumps, one.fixes))
    if (unfit := one.fixes - one.qualified) > UNFIT_SHARE * one.fixes:
        shares.append(Diagnosis(Fault.UNFIT, unfit, one.fixes))
    order = list(Fault)
    return sorted(shares, key=lambda each: order.index(each.fault))


def hidden_share(one: Sums) -> float | None:
    """Return how much of its turns a terminal hides, 0 to 1: all if it was not heard; None: nobody turned."""
    if not one.online:
        return 1.0
    return one.unseen_turns / one.turns if one.turns else None
