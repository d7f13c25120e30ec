"""The registry in the database: who is in it, since when, and what is read of it for the hot path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fleet.db import Queries
from fleet.directory import VehicleFacts, make_directory
from fleet.duty import Duty, Qualification, Unqualified
from fleet.entities import BEGINNING_US, unknown_vehicle
from fleet.kinds import VehicleKind
from fleet.units import to_datetime, to_us

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from fleet.directory import Directory
    from fleet.entities import Company, Vehicle

#: PostgreSQL channel that says "read the registry again".
CHANNEL = "kerbsafe_registry"

QUERIES = Queries(Path(__file__).with_name("registry.sql"))


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
