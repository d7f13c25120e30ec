"""Who is registered, as the hot path asks: facts of any vehicle at any time, ids by topic. Pure.

Facts that rules read are effective-dated: the version in force is chosen by a fix's time, and the first
version of a vehicle also holds for every time before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.entities import unknown_vehicle
from fleet.wire.batch import OfThen
from fleet.wire.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike, NDArray

#: `Directory.changes_at_us` when no version is waiting to come into force.
NEVER_US = np.iinfo(np.int64).max


class Facts(NamedTuple):
    """Columns of what was in force: company, `VehicleKind`, and class limit in km/h (-1: the rulebook's)."""

    company_id: NDArray[np.int32]
    kind: NDArray[np.int16]
    limit_kmh: NDArray[np.int16]


class VehicleFacts:
    """Every version of every vehicle's facts as sorted arrays."""

    def __init__(
        self,
        *,
        vehicle_id: ArrayLike,
        valid_from_us: ArrayLike,
        company_id: ArrayLike,
        kind: ArrayLike,
        limit_kmh: ArrayLike,
    ) -> None:
        """Take one element a version, in any order; `limit_kmh` -1 is the rulebook's."""
        vehicle = np.asarray(vehicle_id, np.int32)
        start_us = np.asarray(valid_from_us, np.int64)
        order = np.lexsort((start_us, vehicle))
        self.vehicle_id = vehicle[order]
        self.valid_from_us = start_us[order]
        self.company_id = np.asarray(company_id, np.int32)[order]
        self.kind = np.asarray(kind, np.int16)[order]
        self.limit_kmh = np.asarray(limit_kmh, np.int16)[order]
        # First row of each vehicle by its id, and whether there are more: most vehicles have one version.
        _, first, inverse, count = np.unique(
            self.vehicle_id, return_index=True, return_inverse=True, return_counts=True
        )
        self._first = np.zeros(int(self.vehicle_id.max(initial=0)) + 1, np.intp)
        self._first[self.vehicle_id[first]] = first
        self._several = count[inverse] > 1
        # (vehicle, start) as one sortable integer: starts are replaced by their rank among all starts.
        self._starts_us, rank = np.unique(self.valid_from_us, return_inverse=True)
        self._span = len(self._starts_us) + 1
        self._keys = self.vehicle_id.astype(np.int64) * self._span + rank + 1

    def rows_at(self, vehicle_id: ArrayLike, time_us: ArrayLike) -> NDArray[np.intp]:
        """Return the row of the version in force of each vehicle at each time, arrays of one length.

        A time before a vehicle's first version gets the first. Raises ValueError on a vehicle without one.
        """
        vehicle = np.asarray(vehicle_id, np.int64)
        row = self._first.take(vehicle, mode="clip")
        if vehicle.size and (not len(self.vehicle_id) or np.any(self.vehicle_id[row] != vehicle)):
            raise ValueError("a vehicle has no facts: read the directory again")
        several = self._several[row]
        if several.any():
            rank = np.searchsorted(self._starts_us, np.asarray(time_us, np.int64)[several], side="right")
            found = np.searchsorted(self._keys, vehicle[several] * self._span + rank, side="right") - 1
            row[several] = np.maximum(found, row[several])
        return row

    def at(self, vehicle_id: ArrayLike, time_us: ArrayLike) -> Facts:
        """Return the facts in force of each vehicle at each time (microseconds since 1970)."""
        row = self.rows_at(vehicle_id, time_us)
        return Facts(self.company_id[row], self.kind[row], self.limit_kmh[row])


@dataclass(frozen=True, slots=True)
class Directory:
    """Who is registered, as it stands at one moment: what the hot path asks of every topic."""

    revision: int
    facts: VehicleFacts
    #: Vehicle ids by code, and company codes by id.
    vehicles: Mapping[str, int]
    companies: Mapping[int, str]
    #: First moment, microseconds since 1970, at which another version comes into force.
    changes_at_us: int
    _codes: Mapping[int, str]
    _by_topic: Mapping[tuple[str, str], int | OfThen]
    _company_codes: frozenset[str]

    def find(self, company_code: str, vehicle_code: str) -> int | OfThen | Reason:
        """Return the id of the vehicle that a topic names, or why the topic is refused.

        With a company that the vehicle had before, or will have, it depends on when something was measured:
        what a unit kept in a tunnel comes on the topic of that time.
        """
        found = self._by_topic.get((company_code, vehicle_code))
        if found is not None:
            return found
        if company_code not in self._company_codes:
            return Reason.UNKNOWN_COMPANY
        return Reason.WRONG_COMPANY if vehicle_code in self.vehicles else Reason.UNKNOWN_VEHICLE

    def vehicle_id(self, code: str) -> int:
        """Return the id of a vehicle by its code; raise RegistryError if there is none."""
        if code not in self.vehicles:
            raise unknown_vehicle(code)
        return self.vehicles[code]

    def vehicle_code(self, vehicle_id: int) -> str:
        """Return the code of a vehicle by its id."""
        return self._codes[vehicle_id]

    def at(self, now_us: int) -> Directory:
        """Return the directory as it stands at `now_us`: itself until a version comes into force."""
        if now_us < self.changes_at_us:
            return self
        return make_directory(self.revision, self.companies, self.vehicles, self.facts, now_us)


def make_directory(
    revision: int,
    companies: Mapping[int, str],
    vehicles: Mapping[str, int],
    facts: VehicleFacts,
    now_us: int,
) -> Directory:
    """Return the directory in force at `now_us`; `companies` maps id to code, `vehicles` code to id."""
    ids = np.fromiter(vehicles.values(), np.int32, len(vehicles))
    company = facts.at(ids, np.full(len(ids), now_us)).company_id.tolist()
    later = facts.valid_from_us[facts.valid_from_us > now_us]
    codes = {vehicle_id: code for code, vehicle_id in vehicles.items()}
    by_topic: dict[tuple[str, str], int | OfThen] = {
        (companies[company_id], codes[found.vehicle_id]): found
        for company_id, found in _of_then(facts)
        if found.vehicle_id in codes
    }
    by_topic |= {
        (companies[company_id], code): vehicle_id
        for (code, vehicle_id), company_id in zip(vehicles.items(), company, strict=True)
    }
    return Directory(
        revision=revision,
        facts=facts,
        vehicles=vehicles,
        companies=companies,
        changes_at_us=int(later.min()) if len(later) else NEVER_US,
        _codes=codes,
        _by_topic=by_topic,
        _company_codes=frozenset(companies.values()),
    )


def _of_then(facts: VehicleFacts) -> Iterator[tuple[int, OfThen]]:
    """Yield each company of each vehicle that has had several, with the times at which it was its own."""
    same = facts.vehicle_id[1:] == facts.vehicle_id[:-1]
    moved = np.unique(facts.vehicle_id[1:][same & (facts.company_id[1:] != facts.company_id[:-1])])
    begins, ends = (np.searchsorted(facts.vehicle_id, moved, side) for side in ("left", "right"))
    for vehicle_id, begin, end in zip(moved.tolist(), begins.tolist(), ends.tolist(), strict=True):
        rows = slice(begin, end)
        # The first version also holds for every time before it.
        starts = [-NEVER_US, *facts.valid_from_us[rows].tolist()[1:], NEVER_US]
        spans: dict[int, list[tuple[int, int]]] = {}
        for company_id, span in zip(facts.company_id[rows].tolist(), pairwise(starts), strict=True):
            spans.setdefault(company_id, []).append(span)
        yield from ((company_id, OfThen(vehicle_id, tuple(of))) for company_id, of in spans.items())
