"""Who drives a vehicle without a valid qualification, and when: an answer for any vehicle and time. Pure."""

from __future__ import annotations

from datetime import MAXYEAR, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.schedule import CIVIL_ZONE
from fleet.units import to_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from numpy.typing import NDArray

#: Of whom nothing is known, or who is qualified.
NOBODY = -1
_ALWAYS_US, _NEVER_US = -(2**62), 2**62


class Duty(NamedTuple):
    """From a time on somebody drives a vehicle; no driver: nobody has said who."""

    vehicle_id: int
    from_us: int
    driver_id: int | None


class Qualification(NamedTuple):
    """From a time on a driver is qualified to the end of a civil day; none: not at all."""

    driver_id: int
    code: str
    from_us: int
    until: date | None


class Unqualified:
    """When vehicles are driven by somebody without a valid qualification."""

    def __init__(self, duties: Sequence[Duty], qualifications: Iterable[Qualification]) -> None:
        """Take every version of both; what holds before the first of a vehicle or driver is that one."""
        of: dict[int, list[Qualification]] = {}
        for one in sorted(qualifications, key=lambda one: (one.driver_id, one.from_us)):
            of.setdefault(one.driver_id, []).append(one)
        #: Codes of drivers by id.
        self.codes = {driver_id: versions[0].code for driver_id, versions in of.items()}
        rows = []
        ordered = sorted(duties, key=lambda duty: (duty.vehicle_id, duty.from_us))
        for place, duty in enumerate(ordered):
            follows = ordered[place + 1] if place + 1 < len(ordered) else None
            until_us = follows.from_us if follows and follows.vehicle_id == duty.vehicle_id else _NEVER_US
            first = place == 0 or ordered[place - 1].vehicle_id != duty.vehicle_id
            from_us = _ALWAYS_US if first else duty.from_us
            spans = [(from_us, NOBODY)]
            if duty.driver_id in of:
                spans = [
                    (max(since, from_us), duty.driver_id if lacks else NOBODY)
                    for since, till, lacks in _steps(of[duty.driver_id])
                    if since < until_us and till > from_us
                ]
            rows += [(duty.vehicle_id, *span) for span in spans]
        rows = sorted(rows, key=lambda row: row[:2])
        vehicle, since, driver = (np.array([row[column] for row in rows], np.int64) for column in range(3))
        self._driver = driver.astype(np.int32)
        self._starts_us = np.unique(since)
        # Vehicle and rank of the start make one growing integer.
        self._span = len(self._starts_us) + 1
        self._keys = vehicle * self._span + np.searchsorted(self._starts_us, since, side="right")
        #: By vehicle id, which are small and dense: somebody drives it at some time without a qualification.
        self._asked = np.zeros(int(vehicle.max(initial=-1)) + 2, np.bool_)
        self._asked[vehicle[driver != NOBODY]] = True

    @property
    def is_empty(self) -> bool:
        """Everybody who is on duty is qualified."""
        return not self._asked.any()

    def at(self, vehicle_id: NDArray[np.int32], time_us: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the id of who drives each vehicle without being qualified, or `NOBODY`."""
        found = np.full(len(vehicle_id), NOBODY, np.int32)
        asked = np.flatnonzero(self._asked[np.minimum(vehicle_id, len(self._asked) - 1)])
        if len(asked):
            rank = np.searchsorted(self._starts_us, time_us[asked], side="right")
            keys = vehicle_id[asked].astype(np.int64) * self._span + rank
            found[asked] = self._driver[np.searchsorted(self._keys, keys, side="right") - 1]
        return found


def _steps(versions: Sequence[Qualification]) -> Iterator[tuple[int, int, bool]]:
    """Yield from when to when a driver lacks a qualification, or has one, without a gap."""
    for place, one in enumerate(versions):
        since = _ALWAYS_US if place == 0 else one.from_us
        till = versions[place + 1].from_us if place + 1 < len(versions) else _NEVER_US
        ends = since if one.until is None else min(max(_day_after_us(one.until), since), till)
        if since < ends:
            yield since, ends, False
        if ends < till:
            yield ends, till, True


def _day_after_us(day: date) -> int:
    if day.year == MAXYEAR:
        return _NEVER_US  # for ever, as people write it
    return to_us(datetime.combine(day + timedelta(days=1), time(), CIVIL_ZONE))
