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

    Bools = NDArray[np.bool_]
    Integers = NDArray[np.int64]

_MM_PER_HM = 100_000
#: An odometer rolls over from the last number of so many digits, or of so many bits, to near nothing.
_ROLLS_AT_HM = (10**5, 10**6, 10**7, 2**16, 2**24, 2**31)
#: Before or after rolling over it is no farther from that than 100 km.
_NEAR_HM = 1000
#: Faster than this no truck is: what an odometer gains above it, it did not drive.
_MAX_KMH = 160.0
#: Standing still while so much is driven, an odometer is stuck.
_STUCK_MM = 1_000_000
#: Of normal differences, 95 % lie within so many standard deviations.
_LIMITS = 1.96
_MIN_DAYS = 3


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


def compare(reading_hm: Integers, time_us: Integers, distance_mm: Integers, silent: Bools) -> Compared | None:
    """Compare an odometer with positions; None where it tells nothing, or once only.

    Parameters
    ----------
    reading_hm, time_us
        Of the believed fixes of one vehicle in time order; a reading of -1 is none.
    distance_mm, silent
        Of the steps between them, one fewer.
    """
    known = np.flatnonzero(reading_hm >= 0)
    if len(known) <= 1:
        return None
    reading = reading_hm[known].astype(np.int64)
    gained, driven_mm = np.diff(reading), np.diff(np.r_[0, np.cumsum(distance_mm)][known])
    if fault := _fault(reading, gained, np.diff(time_us[known]), int(driven_mm.sum())):
        return Compared(0, 0, fault)
    # Both saw the whole of a piece between two readings if none of its steps is a gap.
    seen = np.diff(np.r_[0, np.cumsum(silent)][known]) == 0
    return Compared(int(gained[seen].sum()) * _MM_PER_HM, int(driven_mm[seen].sum()))


def _fault(reading: Integers, gained: Integers, took_us: Integers, driven_mm: int) -> OdometerFault | None:
    falls = np.flatnonzero(gained < 0)
    if len(falls):
        before, after = int(reading[falls[0]]), int(reading[falls[0] + 1])
        rolls = len(falls) == 1 and after <= _NEAR_HM
        rolls = rolls and any(0 < end - before <= _NEAR_HM for end in _ROLLS_AT_HM)
        return OdometerFault.ROLLS_OVER if rolls else OdometerFault.RUNS_BACKWARDS
    # A reading is a whole number of tenths of a kilometre: one more than was driven is no jump.
    if ((gained - 1) * 0.1 > _MAX_KMH * took_us / 3.6e9).any():
        return OdometerFault.JUMPS
    return OdometerFault.STUCK if not gained.any() and driven_mm > _STUCK_MM else None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How both agree over vehicle-days: odometer minus positions, per cent of their mean."""

    days: int
    mean_percent: float
    #: Between these lie 95 % of the days.
    lower_percent: float
    upper_percent: float


def agreement(pairs: Sequence[Compared]) -> Agreement | None:
    """Return how pairs agree, without faulty ones and those without way; None where too few are left."""
    usable = [
        (p.odometer_mm, p.positions_mm) for p in pairs if p.fault is None and p.odometer_mm + p.positions_mm
    ]
    if len(usable) < _MIN_DAYS:
        return None
    odometer, positions = np.array(usable, float).T
    percent = (odometer - positions) / ((odometer + positions) / 2) * 100
    mean, spread = float(percent.mean()), float(percent.std(ddof=1))
    return Agreement(len(usable), mean, mean - _LIMITS * spread, mean + _LIMITS * spread)
