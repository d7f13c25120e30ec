"""Credentials in the database: issue, revoke, list. Only hashes are stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fleet.credentials import Account, Role, device_account, service_account
from fleet.db import Queries
from fleet.entities import RegistryError
from fleet.registry import require_vehicle
from fleet.units import to_datetime

if TYPE_CHECKING:
    import asyncpg

_SQL = Queries(Path(__file__).with_name("accounts.sql"))

#: Logins of our own services begin so; no login of a device has a dot.
SERVICE_PREFIX = "kerbsafe."


async def lock_accounts(connection: asyncpg.Connection) -> None:
    """Wait until no other session changes credentials or the broker's files; held until the session ends."""
    await connection.execute(_SQL["lock_accounts"])


async def put_device_secret(
    connection: asyncpg.Connection, *, vehicle: str, login: str, secret_hash: str, renew: bool
) -> None:
    """Give a device a new secret, and create the device if there is none of this login.

    Raises
    ------
    RegistryError
        If the vehicle is unknown, the login belongs to another vehicle, or it has a secret (or had one
        that was revoked) and `renew` is false.
    """
    await require_vehicle(connection, vehicle)
    found = await connection.fetchrow(_SQL["find_device"], login)
    if found is not None and found["vehicle"] != vehicle:
        raise RegistryError(
            f"the login {login!r} belongs to vehicle {found['vehicle']}: choose another with --login"
        )
    if found is not None and found["has_secret"] and not renew:
        raise _taken(login, revoked=found["revoked_at"] is not None)
    await connection.execute(_SQL["put_device_secret"], login, vehicle, secret_hash)


async def put_service_secret(
    connection: asyncpg.Connection, *, login: str, role: Role, secret_hash: str, renew: bool
) -> None:
    """Give one of our own services a new secret.

    Raises
    ------
    RegistryError
        If there is such a login and `renew` is false, or it has another role.
    """
    found = await connection.fetchrow(_SQL["find_service"], login)
    if found is not None and found["role"] != role:
        raise RegistryError(f"the login {login!r} is of a {found['role']}: choose another with --name")
    if found is not None and not renew:
        raise _taken(login, revoked=found["revoked_at"] is not None)
    await connection.execute(_SQL["put_service_secret"], login, role, secret_hash)


def _taken(login: str, *, revoked: bool) -> RegistryError:
    state = "was revoked" if revoked else "has a secret, which cannot be shown again"
    return RegistryError(f"the login {login!r} {state}: --renew issues a new one")


async def revoke(connection: asyncpg.Connection, login: str) -> None:
    """Take a login back.

    Raises
    ------
    RegistryError
        If there is no such login in use.
    """
    if not await connection.fetchval(_SQL["revoke"], login):
        raise RegistryError(f"no login {login!r} is in use: see `kerbsafe device list`")


async def read_accounts(connection: asyncpg.Connection, now_us: int) -> list[Account]:
    """Return the accounts of all devices and services whose credentials are in use."""
    devices = await connection.fetch(_SQL["device_accounts"], to_datetime(now_us))
    services = await connection.fetch(_SQL["service_accounts"])
    return [
        *(
            device_account(row["login"], row["secret_hash"], row["vehicle"], row["companies"])
            for row in devices
        ),
        *(service_account(row["login"], row["secret_hash"], Role(row["role"])) for row in services),
    ]


async def list_accounts(connection: asyncpg.Connection) -> list[dict[str, str | None]]:
    """Return every login with vehicle, role, model and state, without anything secret."""
    return [dict(row) for row in await connection.fetch(_SQL["list_accounts"])]
