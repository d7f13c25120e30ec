"""An installation from the files of deploy/: database with roles, broker with logins."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import uuid
from contextlib import asynccontextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
import pytest

from fleet.db import connect
from fleet.entities import Company, Vehicle
from fleet.grants import ROLES
from fleet.installation import make_days_ahead
from fleet.kinds import VehicleKind
from fleet.migrate import migrate
from fleet.registry import register
from kerbsafe import parts
from kerbsafe.cli import main
from tests.integration.bench import NOW_US

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

ROOT = Path(__file__).resolve().parents[3]
PASSWORD = "correct horse/battery@staple"
#: Of ingest at the broker.
SECRET = "0123456789abcdef" * 3
GATEWAY_SECRET = "fedcba9876543210" * 3
#: Of the vehicles; one is called like a session of ours but for the dot.
CODES = ("B-1", "B-2", "kerbsafe-ingest-live")


@pytest.fixture(scope="session")
def postgres_bin() -> Path:
    """Folder with psql, pg_dump, pg_restore and pg_basebackup, no older than any server of the tests."""
    return parts.embedded_programs()


@dataclass(frozen=True)
class Deployed:
    """A database of an installation with roles."""

    #: A superuser's.
    dsn: str
    #: Folder with a file for the password of each role.
    secrets: Path

    def dsn_of(self, role: str) -> str:
        """DSN without a password, as it stands in a settings file."""
        url = urlsplit(self.dsn)
        return urlunsplit(url._replace(netloc=f"{role}@{url.hostname}:{url.port}"))

    def settings(self, process: str) -> dict[str, str]:
        """Environment in which a process finds the database under its role."""
        return {
            "KERBSAFE_DSN": self.dsn_of(f"kerbsafe_{process}"),
            "KERBSAFE_DSN_PASSWORD_FILE": str(self.secrets / f"db_{process}"),
        }

    @asynccontextmanager
    async def connected(self, role: str, application: str = "test") -> AsyncIterator[asyncpg.Connection]:
        dsn = self.dsn_of(role).replace(f"{role}@", f"{role}:{quote(PASSWORD, safe='')}@")
        connection = await connect(dsn, application=application)
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
        [str(word) for word in argv], env=env, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == expect, f"{done.stdout[-500:]}{done.stderr[-1500:]}"
    return done.stdout + done.stderr


def kerbsafe(*arguments: object, env: dict[str, str]) -> str:
    """Run a command in this process and return what it prints; `env` is added to the environment."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
        for variable, text in env.items():
            patch.setenv(variable, text)
        assert main([str(argument) for argument in arguments]) == 0
    return printed.getvalue()


@dataclass(frozen=True, slots=True)
class DeployedMosquitto(parts.MosquittoOptions):
    """deploy/mosquitto on free ports of loopback and in a folder of the test."""

    folder: Path = Path()
    device_port: int = 0
    #: The folder of the listener for devices.
    listener: str = "devices"

    def config(self, *listener: str) -> str:
        (self.folder / "data").mkdir(exist_ok=True)
        devices = self.folder / "devices"
        devices.mkdir(exist_ok=True)
        text = (ROOT / f"deploy/mosquitto/{self.listener}/devices.conf").read_text("utf-8")
        text = text.replace("listener 8883", f"listener {self.device_port} 127.0.0.1")
        for deployed in ("/run/secrets", "/mosquitto/credentials"):
            text = text.replace(deployed, str(self.folder))
        (devices / "devices.conf").write_text(text, "utf-8")
        text = (ROOT / "deploy/mosquitto/mosquitto.conf").read_text("utf-8")
        for deployed, here in {
            "/mosquitto/credentials": str(self.folder),
            "/mosquitto/data": str(self.folder / "data"),
            "/mosquitto/config/devices": str(devices),
            "listener 1883": f"listener {' '.join(listener)}",
        }.items():
            assert deployed in text
            text = text.replace(deployed, here)
        return f"{text}user root\n"

    def folders(self) -> tuple[str, ...]:
        return (str(self.folder),)


@pytest.fixture(scope="module", params=["timescaledb", "plain"])
def server(request: pytest.FixtureRequest) -> parts.PostgresServer:
    """Each kind of server in turn."""
    found: parts.PostgresServer = request.getfixturevalue(f"{request.param}_server")
    return found


@pytest.fixture(scope="module")
def deployed(
    server: parts.PostgresServer, postgres_bin: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    """Roles with passwords and a migrated database, by deploy/roles.sh as in the container."""
    name = f"kerbsafe_deployed_{uuid.uuid4().hex[:8]}"
    secrets = tmp_path_factory.mktemp("secrets")
    for role in ("owner", "ingest", "worker", "console", "gateway"):
        (secrets / f"db_{role}").write_text(f"{PASSWORD}\n")
    env = libpq(server.dsn) | {
        "PATH": f"{postgres_bin}:{os.environ['PATH']}",
        "ROLES": str(ROOT / "deploy/roles.sql"),
        "SECRETS": str(secrets),
        "DATABASE": name,
    }
    for _ in range(2):  # again, it changes nothing
        run(ROOT / "deploy/roles.sh", env=env | {"POSTGRES_USER": env["PGUSER"]})
    made = Deployed(server.database(name), secrets)
    asyncio.run(_prepare(made))
    yield made
    asyncio.run(_remove(server.dsn, name))


async def _prepare(made: Deployed) -> None:
    async with made.connected("kerbsafe_owner") as owner:
        await migrate(owner)
        await migrate(owner)
        await make_days_ahead(owner, NOW_US)


async def _remove(dsn: str, name: str) -> None:
    superuser = await asyncpg.connect(dsn)
    await superuser.execute(f"drop database {name} with (force)")
    for role in (*ROLES, "kerbsafe_gateway", "kerbsafe_owner"):
        await superuser.execute(f"drop role {role}")
    await superuser.close()


@pytest.fixture(scope="module")
def broker_files(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Password file and ACL with two trucks, as the compose file makes them; and the secrets."""
    made = tmp_path_factory.mktemp("broker")
    (made / "broker_ingest").write_text(f"{SECRET}\n")
    (made / "broker_gateway").write_text(f"{GATEWAY_SECRET}\n")
    asyncio.run(_register(deployed))
    env = deployed.settings("owner") | {
        "KERBSAFE_MOSQUITTO_PASSWORD_FILE": str(made / "passwd"),
        "KERBSAFE_MOSQUITTO_ACL_FILE": str(made / "acl"),
    }
    kerbsafe("device", "service-account", "ingest", "--secret-file", made / "broker_ingest", env=env)
    kerbsafe("device", "service-account", "gateway", "--secret-file", made / "broker_gateway", env=env)
    for code in CODES:
        said = kerbsafe("device", "add", code, "--json", env=env)
        (made / code).write_text(json.loads(said)["secret"])
    return made


async def _register(deployed: Deployed) -> None:
    async with deployed.connected("kerbsafe_owner") as owner:
        vehicles = [Vehicle(code=code, company="b", kind=VehicleKind.MIXER, limit_kmh=60) for code in CODES]
        await register(owner, Company(code="b"), vehicles)
