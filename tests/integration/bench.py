"""A store with a registry, a transport whose batches are given, and small drives: the pipeline on a bench."""

from __future__ import annotations

import asyncio
import json
import math
import time
from typing import TYPE_CHECKING, Any

from alerts.in_force.context import Context
from alerts.live.live_state import LiveState
from alerts.rulebook.rulebook_store import load_rulebooks
from alerts.settling.record import Record
from alerts.settling.settle import Settler
from fleet.entities import Company, Vehicle
from fleet.kinds import VehicleKind
from fleet.registry import load_directory, register
from fleet.units import MICROSECONDS
from fleet.wire.batch import Published
from ingest.pipeline import writer
from ingest.pipeline.hotpath import HotPath
from ingest.pipeline.log import Batch
from ingest.pipeline.newest import Newest
from tests.unit.alerts.tracks import DOCUMENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    import asyncpg

    from ingest.pipeline.quota import Quota
    from ingest.pipeline.receipt import Receipt

DEGREES_PER_M = 180 / (math.pi * 6_371_008.8)
#: The databases have room for the days around today; within them no test depends on which day it is.
NOW_US = int(time.time()) // 3600 * 3600 * MICROSECONDS


class ListLog:
    """A transport whose batches are given beforehand; remembers what was released."""

    connected = True
    urgent = False  # nothing waits but what is yielded next
    caught_up_since_us: int | None = None

    def __init__(self, batches: Sequence[Batch]) -> None:
        self.given = batches
        self.released: list[Batch] = []

    async def batches(self, *, idle_s: float | None = None) -> AsyncIterator[Batch]:  # noqa: ARG002
        for batch in self.given:
            yield batch

    async def record(self, batch: Batch, connection: asyncpg.Connection) -> None:
        pass

    def release(self, batch: Batch) -> None:
        self.released.append(batch)


class Meanwhile:
    """Judges as the settler does. What is given happens first: between what it reads and what it writes."""

    def __init__(self, *happenings: Callable[[], Awaitable[object]], always: bool = False) -> None:
        self.happenings = list(happenings)
        #: Every time, not only once.
        self.always = always
        self.loop = asyncio.get_running_loop()

    def __call__(self, *arguments: Any) -> Record:
        if self.happenings:
            happening = self.happenings[0] if self.always else self.happenings.pop(0)
            asyncio.run_coroutine_threadsafe(_happen(happening), self.loop).result(timeout=60)
        return Record.judge(*arguments)


async def _happen(happening: Callable[[], Awaitable[object]]) -> None:
    await happening()


def fix(at_s: float, speed_kmh: float | None = None, **fields: object) -> dict[str, object]:
    """A fix `at_s` seconds after NOW, on a straight street northwards."""
    made = {"time": NOW_US // 1000 + round(at_s * 1000), "lat": 30.7 + at_s * 1e-4, "lon": 120.7}
    if speed_kmh is not None:
        made["speed_kmh"] = speed_kmh
    return made | fields


def batch(received_s: float, *payloads: object, vehicle: str = "T1", kind: str = "fix") -> Batch:
    messages = [
        Published(f"kerbsafe/v1/acme/{vehicle}/{kind}", p if isinstance(p, bytes) else json.dumps(p).encode())
        for p in payloads
    ]
    source = "history" if kind == "history" else "live"
    return Batch(messages, NOW_US + round(received_s * MICROSECONDS), source, 0)


class Bench:
    """A store with a registry, and ways to push batches through."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.receipts: list[Receipt] = []
        self.state = LiveState()
        self.newest = Newest()
        #: Whether live batches wait whenever one has been committed.
        self.urgent = False
        self.quota: Quota | None = None

    async def start(self) -> None:
        vehicles = [
            Vehicle(code=f"T{n}", company="acme", kind=VehicleKind.MIXER, limit_kmh=60) for n in (1, 2)
        ]
        await register(self.connection, Company(code="acme"), vehicles)
        await writer.prepare(self.connection)
        self.directory = await load_directory(self.connection, NOW_US)
        self.context = Context(await load_rulebooks(self.connection, NOW_US, DOCUMENT), self.directory.facts)

    async def push(self, *batches: Batch, caught_up_since_s: float | None = None) -> None:
        """Push batches through the pipeline, as if it had listened without a backlog since then."""
        log = ListLog(batches)
        log.urgent = self.urgent
        if caught_up_since_s is not None:
            log.caught_up_since_us = NOW_US + round(caught_up_since_s * MICROSECONDS)
        path = HotPath(
            self.connection,
            log,
            self.state,
            directory=lambda: self.directory,
            context=lambda: self.context,
            committed=self.receipts.append,
            newest=self.newest,
            quota=self.quota,
        )
        await path.run()

    async def forget(self, *tables: str) -> None:
        """Empty tables and those that refer to them, also what nobody may delete, for the next example."""
        async with self.connection.transaction():
            await self.connection.execute("set local session_replication_role = replica")
            await self.connection.execute(f"truncate {', '.join(tables)} cascade")

    async def drain(self) -> dict[str, int]:
        settler, verdicts = Settler(lambda: self.context), dict[str, int]()
        async for done in settler.drained(self.connection, lambda: NOW_US + 3600 * MICROSECONDS):
            for verdict, count in done.verdicts.items():
                verdicts[verdict] = verdicts.get(verdict, 0) + count
        return verdicts

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in await self.connection.fetch(query)]

    async def episodes(self) -> list[tuple[object, ...]]:
        """(vehicle, start, end, peak, limit, status, settled_as), seconds after NOW."""
        return await self.rows(
            f"""select code, round(extract(epoch from started_at) - {NOW_US // MICROSECONDS})::int,
                   round(extract(epoch from ended_at) - {NOW_US // MICROSECONDS})::int,
                   peak, limit_value, status, settled_as
            from episode join vehicle using (vehicle_id) order by 1, 2"""
        )


def drive(*speeds: tuple[int, int], start_s: int = -200) -> list[dict[str, object]]:
    """1 Hz fixes: (seconds, km/h) one after another, and as far north as these lead."""
    fixes, at_s = [], start_s
    lat = fix(at_s)["lat"]
    for seconds, speed in speeds:
        step = speed / 3.6 * DEGREES_PER_M
        fixes += [fix(at_s + i, speed, lat=lat + i * step) for i in range(seconds)]
        at_s, lat = at_s + seconds, lat + seconds * step
    return fixes


def arriving(fixes: Sequence[dict[str, object]], delay_s: float = 0.2, **where: str) -> list[Batch]:
    """Each fix in a batch of its own, received `delay_s` after it was measured."""
    return [batch(f["time"] / 1000 - NOW_US / MICROSECONDS + delay_s, f, **where) for f in fixes]
