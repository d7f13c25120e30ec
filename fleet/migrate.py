"""Bring a database to the schema of this version, forward only, and refuse one that is not at it.

A migration is a file `migrations/NNNN_name.sql`. It is applied once, in one transaction with its record in
the table `migration`; a file that was changed afterwards, or a record that this version has no file for, is
an error. `kerbsafe migrate` calls `migrate`; every service calls `require_schema` at its start.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from fleet.db import DatabaseError, Queries, said
from fleet.grants import grant
from fleet.installation import found_installation

if TYPE_CHECKING:
    from collections.abc import Sequence

_HERE = Path(__file__).parent
MIGRATIONS = _HERE / "migrations"
_SQL = Queries(_HERE / "migrate.sql")
_FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of a folder of migrations."""

    version: int
    name: str
    sql: str
    sha256: str


@dataclass(frozen=True, slots=True)
class TimescaleDB:
    """How far TimescaleDB is there."""

    #: The server has it installed.
    available: bool
    #: The server has loaded its library.
    loaded: bool
    #: This database uses it.
    used: bool


@dataclass(frozen=True, slots=True)
class _Applied:
    """What a database says of one migration."""

    version: int
    name: str
    sha256: str


def read_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """Return the migrations of a folder in order; their numbers must be 1, 2, 3 and so on."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None or int(match[1]) != len(found) + 1:
            msg = f"{path}: the next migration must be called {len(found) + 1:04}_name.sql"
            raise ValueError(msg)
        data = path.read_bytes()
        found.append(Migration(int(match[1]), match[2], data.decode(), sha256(data).hexdigest()))
    return found


async def migrate(
    connection: asyncpg.Connection, *, sandbox: bool = False, plain: bool = False, folder: Path = MIGRATIONS
) -> list[str]:
    """Apply what is missing and return the names of what was applied, e.g. `["0001_frame"]`.

    Then the roles of our processes, where the server has them, get the rights that they need.

    Parameters
    ----------
    connection
        Of a user who may create tables; outside a transaction.
    sandbox
        A new database becomes a sandbox: it plays recorded drives and its clock can be moved.
    plain
        Do without TimescaleDB although the server has it. Only a new database can choose.

    Raises
    ------
    DatabaseError
        If the schema is newer than this version, a file was changed after it was applied, TimescaleDB cannot
        be used, or `sandbox` is asked of a database that holds real data.
    """
    migrations = read_migrations(folder)
    await connection.execute(_SQL["lock"])
    try:
        applied = await _read_applied(connection)
        _check(migrations, applied)
        if not applied and not plain:
            await _use_timescaledb(connection)
        await connection.execute(_SQL["make_record"])
        missing = migrations[len(applied) :]
        for migration in missing:
            await _apply(connection, migration)
        await found_installation(connection, sandbox=sandbox)
        if folder == MIGRATIONS:
            await grant(connection)
    finally:
        if not connection.is_closed():
            await connection.execute(_SQL["unlock"])
    return [_file_name(migration) for migration in missing]


async def require_schema(connection: asyncpg.Connection, folder: Path = MIGRATIONS) -> None:
    """Raise `DatabaseError`, with the remedy, unless the database is at the schema of this version."""
    migrations = read_migrations(folder)
    applied = await _read_applied(connection)
    _check(migrations, applied)
    if len(applied) < len(migrations):
        raise DatabaseError(
            f"the schema of this database is at version {len(applied)}, this Kerbsafe needs "
            f"{len(migrations)}: run `kerbsafe migrate`"
        )


async def _read_applied(connection: asyncpg.Connection) -> list[_Applied]:
    if not await connection.fetchval(_SQL["has_record"]):
        return []
    return [_Applied(*row) for row in await connection.fetch(_SQL["list_applied"])]


def _check(migrations: Sequence[Migration], applied: Sequence[_Applied]) -> None:
    """Raise unless what was applied is how our files begin."""
    if len(applied) > len(migrations):
        raise DatabaseError(
            f"the schema of this database is at version {applied[-1].version}, this Kerbsafe knows only "
            f"{len(migrations)}: use the newer Kerbsafe that made it"
        )
    for migration, known in zip(migrations, applied, strict=False):
        if (known.version, known.sha256) != (migration.version, migration.sha256):
            raise DatabaseError(
                f"migration {_file_name(migration)} is not the file that this database was made with "
                f"({known.version:04}_{known.name}, sha256 {known.sha256[:12]}): use the release that "
                "made it, or a new database"
            )


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    async with connection.transaction():
        try:
            await connection.execute(migration.sql)
        except asyncpg.PostgresError as error:
            raise DatabaseError(
                f"migration {_file_name(migration)} failed and left nothing behind: {said(error)}"
            ) from error
        await connection.execute(_SQL["record"], migration.version, migration.name, migration.sha256)


async def find_timescaledb(connection: asyncpg.Connection) -> TimescaleDB:
    """Return how far TimescaleDB is there."""
    return TimescaleDB(*await connection.fetchrow(_SQL["find_timescaledb"]))


async def _use_timescaledb(connection: asyncpg.Connection) -> None:
    """Switch TimescaleDB on in a new database where the server has it."""
    found = await find_timescaledb(connection)
    if found.used or not found.available:
        return
    if not found.loaded:
        raise DatabaseError(
            "the server has TimescaleDB but does not load it: add it to shared_preload_libraries and restart "
            "the server, or run `kerbsafe migrate --plain` to do without"
        )
    try:
        await connection.execute("create extension if not exists timescaledb")
    except asyncpg.InsufficientPrivilegeError as error:
        raise DatabaseError(
            "this user may not switch TimescaleDB on: have a superuser run `create extension timescaledb` in "
            "this database, or run `kerbsafe migrate --plain` to do without"
        ) from error


def _file_name(migration: Migration) -> str:
    return f"{migration.version:04}_{migration.name}"
