"""Odometers against positions: where a unit sends one, an independent witness of the kilometres.

Compared is what both saw: the runs between gaps. An odometer that contradicts itself is named and never used.
Agreement is told as by Bland and Altman (1986): the mean difference, and the limits between which 95 % of the
differences lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.exposure.steps import Record, Steps

    Floats = NDArray[np.float64]

_MM_PER_HM = 100_000
#: An odometer rolls over from the last number of so many digits, or of so many bits, to near nothing.
_ROLLS_AT_HM = (10**5, 10**6, 10**7, 2**16, 2**24, 2**31)
#: Before or after rolling over it is no farther from that than 100 km.
_NEAR_HM = 1000
#: Faster than this no truck is: what an odometer gains above it, it did not drive.
_MOST_KMH = 160.0
#: Standing still while so much is driven, an odometer is stuck.
_STUCK_MM = 1_000_000
#: Of normal differences, 95 % lie within so many standard deviations.
_LIMITS = 1.96
_LEAST_DAYS = 3


class OdometerFault(StrEnum):
    """Why an odometer is not used."""

    RUNS_BACKWARDS = "runs_backwards"
    ROLLS_OVER = "rolls_over"
    JUMPS = "jumps"
    STUCK = "stuck"


class Compared(NamedTuple):
    """An odometer and positions over the same ways, millimetres; or why they are not compared."""

    odometer_mm: int
    positions_mm: int
    fault: OdometerFault | None = None


def compare(of: Record, steps: Steps) -> Compared | None:
    """Compare the odometer of one vehicle with its positions; None where it sent none, or only one."""
    reading = of.fixes.odometer_hm[of.believed].astype(np.int64)
    known = np.flatnonzero(reading >= 0)
    if len(known) < 2:  # noqa: PLR2004 - one reading is no way
        return None
    upto_mm = np.r_[0, np.cumsum(steps.way_mm)][known]
    gained = np.diff(reading[known])
    driven_mm = np.diff(upto_mm)
    took_us = np.diff(of.fixes.time_us[of.believed][known])
    if fault := _fault(reading[known], gained, took_us, int(upto_mm[-1] - upto_mm[0])):
        return Compared(0, 0, fault)
    # Both ends of a piece between two readings saw all of it, if none of its steps is a gap.
    gaps = np.r_[0, np.cumsum(steps.silent)][known]
    seen = np.diff(gaps) == 0
    return Compared(int(gained[seen].sum()) * _MM_PER_HM, int(driven_mm[seen].sum()))


def _fault(
    reading: NDArray[np.int64], gained: NDArray[np.int64], took_us: NDArray[np.int64], driven_mm: int
) -> OdometerFault | None:
    falls = np.flatnonzero(gained < 0)
    if len(falls):
        before, after = int(reading[falls[0]]), int(reading[falls[0] + 1])
        rolls = len(falls) == 1 and after <= _NEAR_HM
        rolls = rolls and any(0 < end - before <= _NEAR_HM for end in _ROLLS_AT_HM)
        return OdometerFault.ROLLS_OVER if rolls else OdometerFault.RUNS_BACKWARDS
    # A reading is a whole number of tenths of a kilometre: one more than was driven is no jump.
    if ((gained - 1) * 0.1 > _MOST_KMH * took_us / 3.6e9).any():
        return OdometerFault.JUMPS
    return OdometerFault.STUCK if not gained.any() and driven_mm > _STUCK_MM else None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How odometers and positions agree over vehicle-days: odometer minus positions, per cent of their mean."""

    days: int
    mean_percent: float
    #: Between these lie 95 % of the days.
    lower_percent: float
    upper_percent: float


def agreement(pairs: Sequence[Compared]) -> Agreement | None:
    """Return how pairs agree, without faulty ones and those that drove nothing; None where too few are left."""
    usable = [
        (p.odometer_mm, p.positions_mm) for p in pairs if p.fault is None and p.odometer_mm + p.positions_mm
    ]
    if len(usable) < _LEAST_DAYS:
        return None
    odometer, positions = np.array(usable, float).T
    percent = (odometer - positions) / ((odometer + positions) / 2) * 100
    mean, spread = float(percent.mean()), float(percent.std(ddof=1))
    return Agreement(len(usable), mean, mean - _LIMITS * spread, mean + _LIMITS * spread)
