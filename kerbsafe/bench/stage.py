"""A city for a bench: TimescaleDB with fsync, Mosquitto, a registry, and our own processes."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec

from fleet import db
from fleet.clock import Clock
from fleet.entities import Company, Vehicle
from fleet.installation import make_days_ahead, set_clock
from fleet.kinds import VehicleKind
from fleet.migrate import migrate
from fleet.registry import load_directory, register
from fleet.registry_import.entry import Choices
from fleet.registry_import.reading import read_registry
from fleet.registry_import.store import import_registry
from fleet.units import MICROSECONDS
from kerbsafe import parts
from kerbsafe.bench import QUERIES, traffic
from kerbsafe.bench.probes import Probes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

DATABASE = "bench"


@dataclass(frozen=True, slots=True)
class Stage:
    """The running parts, and how `kerbsafe` reaches them."""

    server: parts.PostgresServer
    broker: parts.Broker
    folder: Path

    @property
    def dsn(self) -> str:
        """The bench's own database, a sandbox."""
        return self.server.database(DATABASE)

    @property
    def settings(self) -> dict[str, str]:
        """What our processes need to know."""
        return {"KERBSAFE_DSN": self.dsn, "KERBSAFE_BROKER": self.broker.url, "KERBSAFE_LOG_LEVEL": "warning"}

    @contextmanager
    def process(self, *arguments: str) -> Iterator[Probes]:
        """Run one of our processes until the end of the block."""
        with self.killable(*arguments) as running:
            yield Probes(running.port)

    @contextmanager
    def killable(self, *arguments: str) -> Iterator[parts.Process]:
        """Run one of our processes until the end of the block, or until it is killed."""
        log = self.folder / f"{arguments[0]}.log"
        with parts.kerbsafe_process(*arguments, settings=self.settings, log_path=log) as running:
            yield running

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[asyncpg.Connection]:
        """Open a connection to the database."""
        connection = await db.connect(self.dsn, application="bench")
        try:
            yield connection
        finally:
            await connection.close(timeout=5)


@contextmanager
def stage() -> Iterator[Stage]:
    """Start the parts; stop them at the end of the block."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="kerbsafe-bench-")))
        server = stack.enter_context(parts.timescaledb(durable=True))
        broker = stack.enter_context(parts.mosquitto(parts.MosquittoOptions(tcp_nodelay=False)))
        asyncio.run(_prepare(server))
        yield Stage(server, broker, folder)


async def _prepare(server: parts.PostgresServer) -> None:
    """Have the server note when each transaction was committed: what is measured ends there."""
    connection = await asyncpg.connect(server.dsn)
    await connection.execute(QUERIES["track_commits"])
    await connection.close()
    await asyncio.to_thread(server.restart)
    connection = await asyncpg.connect(server.dsn)
    await connection.execute(f"create database {DATABASE}")
    await connection.close()


@dataclass(frozen=True, slots=True)
class City:
    """Who drives, and what time it is when they begin."""

    traffic: traffic.Traffic
    #: Vehicle id of each truck, by index.
    vehicle_id: list[int]


async def found(stage: Stage, driven: traffic.Traffic, *, fences: dict[str, Any] | None = None) -> City:
    """Make the schema, a sandbox whose clock stands at the first fix, trucks, and fences."""
    async with stage.connect() as connection:
        await migrate(connection, sandbox=True)
        await make_days_ahead(connection, driven.start_us)
        await set_clock(connection, clock_at(driven.start_us, rate=1e-6))
        city = await populate(connection, driven)
        if fences is not None:
            contents = read_registry(msgspec.json.encode(fences))
            await import_registry(
                connection, contents, now_us=driven.start_us, sandbox=True, choices=Choices(datum="wgs84")
            )
        await connection.execute(QUERIES["vacuum"])
    return city


async def populate(connection: asyncpg.Connection, driven: traffic.Traffic) -> City:
    """Register the trucks of some traffic."""
    vehicles = [
        Vehicle(code=code, company=traffic.COMPANY, kind=VehicleKind.MIXER, limit_kmh=traffic.LIMIT_KMH)
        for code in driven.codes
    ]
    await register(connection, Company(code=traffic.COMPANY), vehicles)
    directory = await load_directory(connection, driven.start_us)
    return City(driven, [directory.vehicles[code] for code in driven.codes])


def clock_at(event_us: int, *, rate: float) -> Clock:
    """Return a sandbox's clock that shows `event_us` now."""
    return Clock(time.time_ns() // 1000, event_us, rate, sandbox=True)


def wall_start_us() -> int:
    """Return a whole second of today for the first fix, early enough that no bench runs past midnight."""
    day_us = 86_400 * MICROSECONDS
    return time.time_ns() // 1000 // day_us * day_us


def with_rounds(driven: traffic.Traffic, rounds: int) -> traffic.Traffic:
    """Return the same trucks over another time."""
    return replace(driven, rounds=rounds)
