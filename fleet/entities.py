"""What is registered, in force at one time: companies, vehicles, devices, drivers, fences, passes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleet.errors import KerbsafeError
from fleet.language import Words

if TYPE_CHECKING:
    from datetime import date, datetime

    from fleet.kinds import FenceKind, VehicleKind
    from fleet.schedule import Schedule

#: Start of the first version of a vehicle or driver, so that older fixes have facts: 2000-01-01 UTC.
BEGINNING_US = 946_684_800_000_000


#: A later version starts at least this far ahead, so that live and settled judgement see the same facts.
NOTICE_S = 60


class RegistryError(KerbsafeError):
    """The registry, or a file for it, is not as it must be."""


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


def unknown_vehicle(code: str) -> RegistryError:
    """Return the error that the registry has no such vehicle."""
    return RegistryError(_UNKNOWN_VEHICLE.fill(code=code))


_UNKNOWN_VEHICLE = Words(
    "no vehicle {code!r} in the registry: see `kerbsafe registry list`, or import it",
    "登记中没有车辆 {code!r}：见 `kerbsafe registry list`，或先导入",
)
