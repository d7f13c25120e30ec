"""A truck's drives read piece by piece: the true states at the times of its reports, and what happened."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fleet.columns import FixFlag
from fleet.units import MICROSECONDS
from simulators import sampling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from simulators.drive import Drive
    from simulators.sampling import States
    from simulators.truth import Row

    Ints = NDArray[np.int64]

#: With the ignition off a unit reports this seldom.
PARKED_INTERVAL_US = 600 * MICROSECONDS
IGNITION_ON = int(FixFlag.IGNITION_ON)


class Track:
    """One truck; asks for its next drive only when it is needed. Windows must ascend."""

    def __init__(self, drives: Iterator[Drive], interval_us: int) -> None:
        self._drives, self._interval_us = drives, interval_us
        self._present = next(drives)
        self._rows = list(self._present.truth)

    def states(self, from_us: int, until_us: int) -> list[States]:
        """Return the true states in [from, until) at multiples of the truck's interval."""
        begin = -(-from_us // self._interval_us) * self._interval_us
        times = np.arange(begin, until_us, self._interval_us)
        parts = []
        while len(times):
            within = int(np.searchsorted(times, self._present.ended_us))
            if within:
                parts += _sample(self._present, times[:within])
            times = times[within:]
            if len(times) and not self._advance():
                return parts + _sample(self._present, times)
        return parts

    def rows(self, until_us: int) -> list[Row]:
        """Return the truth of drives begun so far that starts before `until`, each row once."""
        due = [row for row in self._rows if row["started_us"] < until_us]
        self._rows = [row for row in self._rows if row["started_us"] >= until_us]
        return due

    def _advance(self) -> bool:
        following = next(self._drives, None)
        if following is None:
            return False
        self._present = following
        self._rows += following.truth
        return True


def _sample(drive: Drive, times: Ints) -> list[States]:
    """Return the states on one drive; while the ignition is off only every ten minutes."""
    parked = np.zeros(len(times), bool) if drive.parked_us is None else times >= drive.parked_us
    reported = ~parked | (times % PARKED_INTERVAL_US == 0)
    if not reported.any():
        return []
    states = sampling.sample(
        drive.truck.number,
        drive.course,
        drive.motion,
        times[reported],
        started_us=drive.started_us,
        odometer_m=drive.odometer_m,
        loaded=drive.loaded,
    )
    off = np.where(parked[reported], IGNITION_ON, 0)
    return [replace(states, flags=states.flags & ~off)]
