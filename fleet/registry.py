"""Companies, vehicles, devices, drivers, fences, passes: typed records, and the look-ups of the hot path.

Facts that rules read are effective-dated: the version in force is chosen by a fix's time, and the
first version of a vehicle also holds for every time before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleet.db import Queries
from fleet.duty import Duty, Qualification, Unqualified
from fleet.errors import KerbsafeError
from fleet.language import Words
from fleet.units import to_datetime, to_us
from fleet.wire.batch import OfThen
from fleet.wire.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date, datetime

    import asyncpg
    from numpy.typing import ArrayLike, NDArray

    from fleet.schedule import Schedule

#: Start of the first version of a vehicle or driver, so that older fixes have facts: 2000-01-01 UTC.
BEGINNING_US = 946_684_800_000_000
#: A later version starts at least this far ahead, so that live and settled judgement see the same facts.
NOTICE_S = 60
#: PostgreSQL channel that says "read the registry again".
CHANNEL = "kerbsafe_registry"
#: `Directory.changes_at_us` when no version is waiting to come into force.
NEVER_US = np.iinfo(np.int64).max

QUERIES = Queries(Path(__file__).with_name("registry.sql"))


class RegistryError(KerbsafeError):
    """The registry, or a file for it, is not as it must be."""


class VehicleKind(IntEnum):
    """What a vehicle carries; the names in lower case are those of the store and the files."""

    OTHER = 0
    MIXER = 1
    BULK_CEMENT = 2
    MORTAR = 3
    SILO_CARRIER = 4
    PUMP = 5

    @property
    def word(self) -> str:
        """Name in files, in the store and in rulebooks."""
        return self.name.lower()


class FenceKind(StrEnum):
    """What a fence means; what breaks it is in the rules."""

    SITE = "site"
    FORBIDDEN = "forbidden"
    PERMITTED = "permitted"
    SPEED_ZONE = "speed_zone"
    MUST_STOP = "must_stop"
    DISTRICT = "district"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """An enterprise that runs vehicles."""

    code: str
    name: str = ""
    district: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """A vehicle as it is in force at one time."""

    code: str
    company: str
    kind: VehicleKind
    #: None: the rulebook's limit of the kind.
    limit_kmh: int | None = None
    #: Code of the driver; None: nobody has said who drives.
    driver_on_duty: str | None = None
    plate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A unit on board, by its login at the broker."""

    login: str
    vehicle: str
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """A driver as in force at one time."""

    code: str
    company: str
    name: str = ""
    phone: str = ""
    #: Last civil day of the qualification; None: none is known, which is not qualified.
    qualified_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A fence as in force at one time."""

    code: str
    kind: FenceKind
    #: GeoJSON Polygon or MultiPolygon, WGS 84.
    geometry: dict[str, Any]
    name: str = ""
    #: The datum of the file that the geometry was converted from.
    source_datum: str = "wgs84"
    limit_kmh: int | None = None
    #: None: always.
    schedule: Schedule | None = None
    max_dwell_s: int | None = None
    retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Leave for one vehicle to be inside one forbidden fence in [starts_at, ends_at)."""

    code: str
    vehicle: str
    fence: str
    starts_at: datetime
    ends_at: datetime
    schedule: Schedule | None = None


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


def unknown_vehicle(code: str) -> RegistryError:
    """Return the error that the registry has no such vehicle."""
    return RegistryError(_UNKNOWN_VEHICLE.fill(code=code))


_UNKNOWN_VEHICLE = Words(
    "no vehicle {code!r} in the registry: see `kerbsafe registry list`, or import it",
    "登记中没有车辆 {code!r}：见 `kerbsafe registry list`，或先导入",
)


async def require_vehicle(connection: asyncpg.Connection, code: str) -> None:
    """Raise RegistryError if the registry has no vehicle of that code."""
    if await connection.fetchval(QUERIES["find_vehicle"], code) is None:
        raise unknown_vehicle(code)


async def registry_revision(connection: asyncpg.Connection) -> int:
    """Return the number that grows with every change of the registry."""
    return int(await connection.fetchval(QUERIES["registry_revision"]))


async def load_directory(connection: asyncpg.Connection, now_us: int) -> Directory:
    """Read the directory in force at `now_us`.

    The revision is read first: what changes meanwhile is read again at the next look at the revision.
    """
    revision = await registry_revision(connection)
    versions = await connection.fetch(QUERIES["vehicle_versions"])
    companies = await connection.fetch(QUERIES["company_codes"])
    facts = VehicleFacts(
        vehicle_id=[row["vehicle_id"] for row in versions],
        valid_from_us=[to_us(row["valid_from"]) for row in versions],
        company_id=[row["company_id"] for row in versions],
        kind=[VehicleKind[row["kind"].upper()] for row in versions],
        limit_kmh=[-1 if row["limit_kmh"] is None else row["limit_kmh"] for row in versions],
    )
    return make_directory(
        revision,
        {row["company_id"]: row["code"] for row in companies},
        {row["code"]: row["vehicle_id"] for row in versions},
        facts,
        now_us,
    )


async def load_unqualified(connection: asyncpg.Connection) -> Unqualified:
    """Read who is to drive what, and which of them are qualified until when."""
    duties = await connection.fetch(QUERIES["duties"])
    qualifications = await connection.fetch(QUERIES["qualifications"])
    return Unqualified(
        [Duty(row["vehicle_id"], to_us(row["valid_from"]), row["driver_id"]) for row in duties],
        [
            Qualification(row["driver_id"], row["code"], to_us(row["valid_from"]), row["qualified_until"])
            for row in qualifications
        ],
    )


async def register(connection: asyncpg.Connection, company: Company, vehicles: Iterable[Vehicle]) -> int:
    """Create the company and those vehicles that are not there yet; what is there stays as it is.

    For demo and play, which bring trucks of their own. Returns the number of vehicles created.
    """
    new = list({vehicle.code: vehicle for vehicle in vehicles}.values())
    if any(vehicle.company != company.code for vehicle in new):
        raise ValueError("a vehicle names another company than the one registered with it")
    async with connection.transaction():
        await connection.execute(QUERIES["lock_registry"])
        await connection.execute(QUERIES["create_company"], company.code, company.name, company.district)
        created: int = await connection.fetchval(
            QUERIES["create_vehicles"],
            company.code,
            [vehicle.code for vehicle in new],
            [vehicle.plate for vehicle in new],
            [vehicle.kind.word for vehicle in new],
            [vehicle.limit_kmh for vehicle in new],
            to_datetime(BEGINNING_US),
        )
    return created
