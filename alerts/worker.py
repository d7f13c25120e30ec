"""The worker process: settles what is due, keeps the tables' retention, shows its backlog."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter

from alerts.episodes.matching import Verdict
from alerts.knowledge import Knowledge
from alerts.notices import outbox
from alerts.notices.outbox import Outbox
from alerts.rules.camera.conflicts import OUTCOMES
from alerts.settling.settle import Settled, Settler
from alerts.store.store import QUERIES
from alerts.store.vitals import Backlog, Vitals
from fleet import db, service
from fleet.clock import WALL
from fleet.migrate import require_schema
from fleet.stopping import rest, unless
from fleet.units import to_datetime

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

    import asyncpg

    from fleet.settings import Settings

DEFAULT_PORT = 9412
#: Settling is done with what the live processes leave over of the machine.
NICER = 10
#: How long to wait, in real time, when nothing is due.
IDLE_S = 1.0
#: Old rows are deleted this often.
PURGE_EVERY_S = 600.0
#: What Prometheus sees of the store is read this often, and of the settler's backlog.
LOOK_EVERY_S, BACKLOG_EVERY_S = 30.0, 5.0
#: A worker that is told to stop breaks off what it does, and has ended after twice this at the latest.
#: Nothing is lost: what is not committed is done again.
STOP_S = 1.5

_log = structlog.get_logger("worker")


class Metrics:
    """What Prometheus sees of the worker."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.segments = Counter("kerbsafe_settler_segments", "Segments settled.", registry=registry)
        self.fixes = Counter("kerbsafe_settler_fixes", "Fixes judged by the settler.", registry=registry)
        self.seconds = Counter(
            "kerbsafe_settler_busy_seconds",
            "Seconds spent settling, but for who is set aside.",
            registry=registry,
        )
        self.verdicts = Counter(
            "kerbsafe_settler_verdicts",
            "Episodes by what settling made of them.",
            ("verdict",),
            registry=registry,
        )
        for verdict in Verdict:  # Prometheus does not see the first increase of a new series
            self.verdicts.labels(verdict)
        self.detections = Counter(
            "kerbsafe_settler_detections",
            "What blind-spot cameras saw, by what became of it.",
            ("outcome",),
            registry=registry,
        )
        for outcome in OUTCOMES:
            self.detections.labels(outcome)

    def add(self, settled: Settled) -> None:
        """Count one round."""
        self.segments.inc(settled.segments)
        self.fixes.inc(settled.fixes)
        for verdict, count in settled.verdicts.items():
            self.verdicts.labels(verdict).inc(count)
        for outcome, count in settled.detections.items():
            self.detections.labels(outcome).inc(count)


async def _nothing_more(_connections: Connections, _knowledge: Knowledge) -> Mapping[str, service.Task]:
    return {}


async def run(
    settings: Settings,
    more: Callable[[Connections, Knowledge], Awaitable[Mapping[str, service.Task]]] = _nothing_more,
) -> None:
    """Settle what is due until told to stop; `more` tasks of the process may come from who knows us."""
    if hasattr(os, "nice"):
        os.nice(NICER)
    async with contextlib.AsyncExitStack() as stack:
        connections = Connections(settings)
        stack.push_async_callback(connections.close)
        # Each task has a connection of its own: none waits for another's question.
        aside = await connections.open()
        await require_schema(aside)
        await db.hold_role(aside, "worker")
        knowledge = await Knowledge.read(aside)
        settler, metrics = Settler(lambda: knowledge.context), Metrics()
        notices = Outbox(
            await connections.open(),
            outbox.webhook_of(settings),
            settings.webhook_severity,
            settings.console_origin,
            outbox.Metrics(),
        )
        lane, lane_aside = await connections.open("settle"), await connections.open("aside")
        purges = await connections.open("purge")
        looks, counts = await connections.open("vitals"), await connections.open("vitals")
        vitals, backlog = Vitals(), Backlog()

        async def not_ready() -> Sequence[str]:
            return knowledge.not_fresh()  # a worker that is answered works; its backlog has an alert rule

        async def settle() -> bool:
            started_s = time.perf_counter()
            settled = await settler.round(lane, knowledge.now_us())
            if settled is not None:
                metrics.add(settled)
                metrics.seconds.inc(time.perf_counter() - started_s)
            return settled is not None

        async def settle_aside() -> bool:
            settled = await settler.round_aside(lane_aside, knowledge.now_us)
            if settled is not None:
                metrics.add(settled)
            return settled is not None

        async def look() -> None:
            await vitals.read(looks, knowledge.now_us())

        async def count() -> None:
            now_us = knowledge.now_us()
            await backlog.read(counts, now_us, settler.horizon(now_us), settler.aside.vehicles)

        port = DEFAULT_PORT if settings.http_port is None else settings.http_port
        await stack.enter_async_context(service.watched(settings.http_host, port, not_ready=not_ready))
        await service.run(
            {
                "settler": lambda stopping: _while_busy(settle, stopping),
                "settler of who is set aside": lambda stopping: _while_busy(settle_aside, stopping),
                "backlog": lambda stopping: _every(BACKLOG_EVERY_S, count, stopping),
                "purge": lambda stopping: _every(PURGE_EVERY_S, lambda: _purge(purges, knowledge), stopping),
                "vitals": lambda stopping: _every(LOOK_EVERY_S, look, stopping),
                "notices": notices.run,
                "facts": lambda stopping: knowledge.keep_fresh(aside, stopping),
                **await more(connections, knowledge),
            },
            grace_s=STOP_S,
        )


async def drain(settings: Settings, progress: Callable[[Settled], None] | None = None) -> Settled:
    """Settle all that is stored, whatever its age; return what was done in total."""
    async with contextlib.AsyncExitStack() as stack:
        connections = Connections(settings)
        stack.push_async_callback(connections.close)
        connection, aside = await connections.open("aside"), await connections.open()
        await require_schema(connection)
        await db.hold_role(aside, "worker")
        knowledge = await Knowledge.read(aside)
        settler, total = Settler(lambda: knowledge.context), Settled()
        async for done in settler.drained(connection, knowledge.now_us):
            total.add(done)
            if progress is not None:
                progress(total)
        return total


class Connections:
    """The worker's connections: opened one by one, closed together, so that one that hangs delays none."""

    def __init__(self, settings: Settings) -> None:
        self._dsn = settings.dsn
        self._open: list[asyncpg.Connection] = []

    async def open(self, purpose: str = "") -> asyncpg.Connection:
        """Open one more; `fleet.waiting` has the limits of each purpose."""
        self._open.append(await db.connect(self._dsn, application=f"worker {purpose}".rstrip()))
        return self._open[-1]

    async def close(self) -> None:
        """Close all."""
        await db.leave(*self._open)


async def _while_busy(work: Callable[[], Coroutine[Any, Any, bool]], stopping: asyncio.Event) -> None:
    """Work without a pause while there is something to do; break off when told to stop."""
    while not stopping.is_set():
        if not await unless(stopping, work()):
            await rest(stopping, IDLE_S)


async def _every(
    seconds: float, work: Callable[[], Coroutine[Any, Any, None]], stopping: asyncio.Event
) -> None:
    """Do something now and then; break off when told to stop."""
    while not stopping.is_set():
        await unless(stopping, work())
        await rest(stopping, seconds)


async def _purge(connection: asyncpg.Connection, knowledge: Knowledge) -> None:
    for what in ("purge_feed", "purge_batches", "purge_shadows"):
        await connection.execute(QUERIES[what], to_datetime(knowledge.now_us()))
    await connection.execute(outbox.QUERIES["purge_outbox"], to_datetime(WALL.now_us()))
