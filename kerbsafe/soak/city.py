"""The parts of a storm: a database on a small disk, a broker, our processes, and proxies between them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec

from fleet import db
from fleet.clock import WALL
from fleet.entities import Company, Vehicle
from fleet.installation import make_days_ahead
from fleet.kinds import VehicleKind
from fleet.migrate import migrate
from fleet.registry import register
from fleet.registry_import.entry import Choices
from fleet.registry_import.reading import read_registry
from fleet.registry_import.store import import_registry
from kerbsafe import parts
from kerbsafe.bench import traffic
from kerbsafe.soak.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

DATABASE = "soak"
#: The database's own disk: what a storm stores, and room to spare.
DISK = "2g"
FENCES, FENCE_VERTICES = 300, 40
LOOK_S = 0.05
#: A supervisor starts again what has ended after this.
RESTART_S = 0.5
START_S = 60.0


@dataclass(slots=True)
class Kept:
    """One of our processes, started again whenever it ends, as systemd does."""

    process: parts.Process
    starts: int = 1

    def kill(self) -> None:
        """End it as kill -9 does, wherever it is, be it in its start."""
        if (pid := self.process.part.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def keep(self) -> None:
        """Start it again and again, until cancelled."""
        part = self.process.part
        while True:
            await asyncio.sleep(LOOK_S)
            if part.alive():
                continue
            await asyncio.sleep(RESTART_S)
            self.starts += 1
            with contextlib.suppress(parts.PartFailedError):
                # To its end even if we are cancelled: two may not talk to one warden.
                await asyncio.shield(asyncio.to_thread(part.start, START_S))


@dataclass(slots=True)
class City:
    """What is running."""

    server: parts.PostgresServer
    broker: parts.Broker
    #: Where the database's data is, if that is a disk of its own.
    disk: Path | None
    #: Why it is not.
    no_disk: str
    #: The way of the devices to the broker; of ingest to the broker; of ingest and worker to the database.
    air: Proxy
    delivery: Proxy
    store: Proxy
    ingest: Kept
    worker: Kept

    @property
    def dsn(self) -> str:
        """The database, past the proxy."""
        return self.server.database(DATABASE)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[asyncpg.Connection]:
        """Open a connection past the proxy."""
        connection = await db.connect(self.dsn, application="soak")
        try:
            yield connection
        finally:
            await connection.close(timeout=5)

    @asynccontextmanager
    async def supervised(self) -> AsyncIterator[None]:
        """Start our processes again whenever they end, until the end of the block."""
        keeping = [asyncio.create_task(kept.keep()) for kept in (self.ingest, self.worker)]
        try:
            yield
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)


@asynccontextmanager
async def city(
    codes: Sequence[str], *, autosave_s: int, log_folder: Path | None = None
) -> AsyncIterator[City]:
    """Start everything, with these trucks in the registry; stop it at the end of the block."""
    with ExitStack() as stack:
        folder = stack.enter_context(_folder())
        disk, why_not = stack.enter_context(_small_disk(folder / "disk"))
        server = stack.enter_context(parts.timescaledb(disk, durable=True))
        options = parts.MosquittoOptions(
            persistence_dir=_made(folder / "broker"), autosave_s=autosave_s, tcp_nodelay=False
        )
        broker = stack.enter_context(parts.mosquitto(options))
        await _found(server, codes)
        logs = log_folder or folder
        async with AsyncExitStack() as running:
            air, delivery, store = [
                await running.enter_async_context(Proxy(port).listening())
                for port in (broker.port, broker.port, server.port)
            ]
            settings = {
                "KERBSAFE_DSN": _through(server.database(DATABASE), store.port),
                "KERBSAFE_BROKER": f"mqtt://127.0.0.1:{delivery.port}",
                "KERBSAFE_LOG_LEVEL": "warning",
            }
            kept = []
            for name in ("ingest", "worker"):
                starting = parts.kerbsafe_process(name, settings=settings, log_path=logs / f"{name}.log")
                # In a thread, for what it waits for comes through our proxies.
                kept.append(Kept(await asyncio.to_thread(running.enter_context, starting)))
            yield City(server, broker, disk, why_not, air, delivery, store, *kept)


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder that the database's user may enter."""
    with TemporaryDirectory(prefix="kerbsafe-soak-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@contextmanager
def _small_disk(folder: Path) -> Iterator[tuple[Path | None, str]]:
    """Mount a disk that can be filled; yield its folder, or None and the reason why there is none."""
    if os.environ.get("KERBSAFE_TEST_DSN"):
        yield None, "the server of KERBSAFE_TEST_DSN is not ours to fill"
        return
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if sys.platform != "linux" or os.geteuid() != 0 or mount is None or umount is None:
        yield None, "only root on Linux can mount a small disk for the database"
        return
    folder.mkdir()
    command = (mount, "-t", "tmpfs", "-o", f"size={DISK},mode=755", "kerbsafe-soak", str(folder))
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        yield None, f"no disk could be mounted ({done.stderr.strip()})"
        return
    try:
        yield folder, ""
    finally:
        subprocess.run((umount, "--lazy", str(folder)), check=False, capture_output=True)


async def _found(server: parts.PostgresServer, codes: Sequence[str]) -> None:
    """Make the database, its schema, the trucks and fences."""
    connection = await asyncpg.connect(server.dsn)
    await connection.execute(f"create database {DATABASE}")
    await connection.close()
    connection = await db.connect(server.database(DATABASE), application="soak")
    await migrate(connection, sandbox=False)
    now_us = WALL.now_us()
    await make_days_ahead(connection, now_us)
    company = Company(code=traffic.COMPANY)
    await register(
        connection,
        company,
        [
            Vehicle(code=code, company=traffic.COMPANY, kind=VehicleKind.MIXER, limit_kmh=traffic.LIMIT_KMH)
            for code in codes
        ],
    )
    await _draw_fences(connection, now_us)
    await connection.close()


async def _draw_fences(connection: asyncpg.Connection, now_us: int) -> None:
    fences: dict[str, Any] = traffic.fences(FENCES, FENCE_VERTICES)
    contents = read_registry(msgspec.json.encode(fences))
    await import_registry(connection, contents, now_us=now_us, sandbox=False, choices=Choices(datum="wgs84"))


def _through(dsn: str, port: int) -> str:
    """Return a DSN that leads through a proxy."""
    parsed = urlsplit(dsn)
    address = f"{parsed.username}@127.0.0.1:{port}"
    return urlunsplit(parsed._replace(netloc=address))
