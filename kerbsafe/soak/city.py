"""The parts of a storm: a database on a small disk, a broker, our processes, and proxies between them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
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
from kerbsafe.soak import QUERIES
from kerbsafe.soak.proxy import HOST, Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

DATABASE = "soak"
#: The database's own disk: what a storm stores, and room to spare.
DISK = "2g"
FENCES, FENCE_VERTICES = 300, 40
#: Of the city's half side, what may be driven in.
PERMITTED = 0.9
#: The broker tells its figures so often, not every 10 s: a storm has not the time.
SYS_INTERVAL_S = 1
LOOK_S = 0.05
#: A supervisor starts again what has ended after this.
RESTART_S = 0.5
START_S = 60.0


@dataclass(slots=True)
class Kept:
    """One of our processes, started again whenever it ends, as systemd does."""

    process: parts.Process
    #: Its way to the database.
    store: Proxy
    starts: int = 1
    #: Nobody starts it.
    is_away: bool = False

    def kill(self) -> None:
        """End it as kill -9 does, wherever it is, be it in its start."""
        if (pid := self.process.part.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Kill it, and start it no sooner than at the end of the block."""
        self.is_away = True
        try:
            self.kill()
            yield
        finally:
            self.is_away = False

    async def keep(self) -> None:
        """Start it again and again, until cancelled."""
        part = self.process.part
        while True:
            await asyncio.sleep(LOOK_S)
            if part.alive() or self.is_away:
                continue
            await asyncio.sleep(RESTART_S)
            if self.is_away:
                continue
            self.starts += 1
            # To its end even if we are cancelled: two may not talk to one warden.
            starting = asyncio.create_task(asyncio.to_thread(part.start, START_S))
            with contextlib.suppress(parts.PartFailedError):
                try:
                    await asyncio.shield(starting)
                except asyncio.CancelledError:
                    await asyncio.wait({starting})
                    starting.exception()
                    raise


@dataclass(slots=True)
class City:
    """What is running."""

    server: parts.PostgresServer
    broker: parts.Broker
    #: Where the database's data is, if that is a disk of its own.
    disk: Path | None
    #: Why it is not.
    no_disk: str
    #: Where the broker keeps sessions and queues.
    broker_folder: Path
    #: The way of the devices to the broker, and of ingest to the broker.
    air: Proxy
    delivery: Proxy
    ingest: Kept
    worker: Kept

    @property
    def dsn(self) -> str:
        """The database, past the proxies."""
        return self.server.database(DATABASE)

    @property
    def stores(self) -> tuple[Proxy, Proxy]:
        """The ways to the database."""
        return self.ingest.store, self.worker.store

    @property
    def environment(self) -> dict[str, str]:
        """What whoever looks at ingest's end of the city is told; there is no console."""
        probes = {"ingest": self.ingest.process.port, "worker": self.worker.process.port}
        where = {**probes, "console": parts.free_port()}
        return {
            **_ways(self.dsn, self.ingest.store, self.delivery),
            "KERBSAFE_PROBES": ",".join(f"{name}={HOST}:{port}" for name, port in where.items()),
        }

    def limit_queues(self, messages: int) -> None:
        """Have the broker keep no more messages than this for who is away; for that it must start anew."""
        if self.broker.log_path is None:
            raise parts.PartUnavailableError("this broker is not ours to limit")
        config = self.broker.log_path.with_name("mosquitto.conf")
        changed = re.sub(
            r"^max_queued_messages .*$",
            f"max_queued_messages {messages}",
            config.read_text("utf-8"),
            flags=re.MULTILINE,
        )
        config.write_text(changed, "utf-8")
        self.broker.restart()

    async def move(self, trucks: Sequence[str], company: str, valid_from_us: int) -> None:
        """Have the registry say that trucks belong to another company from a time on."""
        rows = [{"code": code, "company": company} for code in trucks]
        contents = read_registry(msgspec.json.encode({"vehicles": rows}))
        async with self.connect() as connection:
            await register(connection, Company(code=company), [])
            now_us = WALL.now_us()
            await import_registry(connection, contents, now_us=now_us, valid_from_us=valid_from_us)

    def forget_sessions(self) -> None:
        """Remove what a broker that does not run has kept."""
        for file in self.broker_folder.iterdir():
            file.unlink()

    async def gaps(self, source: str) -> int:
        """Return how many gaps of a source were told."""
        async with self.connect() as connection:
            return int(await connection.fetchval(QUERIES["count_gaps"], source))

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
            persistence_dir=(broker_folder := _made(folder / "broker")),
            autosave_s=autosave_s,
            sys_interval_s=SYS_INTERVAL_S,
            tcp_nodelay=False,
        )
        broker = stack.enter_context(parts.mosquitto(options))
        await _found(server, codes)
        logs = log_folder or folder
        async with AsyncExitStack() as running:
            air, delivery, *stores = [
                await running.enter_async_context(Proxy(port).listening())
                for port in (broker.port, broker.port, server.port, server.port)
            ]
            kept = []
            for name, store in zip(("ingest", "worker"), stores, strict=True):
                settings = _ways(server.database(DATABASE), store, delivery)
                settings["KERBSAFE_LOG_LEVEL"] = "warning"
                starting = parts.kerbsafe_process(name, settings=settings, log_path=logs / f"{name}.log")
                # In a thread, for what it waits for comes through our proxies.
                kept.append(Kept(await asyncio.to_thread(running.enter_context, starting), store))
            yield City(server, broker, disk, why_not, broker_folder, air, delivery, *kept)


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
    fences["features"].append(traffic.operating_area(PERMITTED))
    contents = read_registry(msgspec.json.encode(fences))
    await import_registry(connection, contents, now_us=now_us, sandbox=False, choices=Choices(datum="wgs84"))


def _ways(dsn: str, store: Proxy, delivery: Proxy) -> dict[str, str]:
    """Return the settings that lead to database and broker through proxies."""
    parsed = urlsplit(dsn)
    through = parsed._replace(netloc=f"{parsed.username}@{HOST}:{store.port}")
    return {"KERBSAFE_DSN": urlunsplit(through), "KERBSAFE_BROKER": f"mqtt://{HOST}:{delivery.port}"}
