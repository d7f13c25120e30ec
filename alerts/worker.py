"""The worker process: settles what is due, keeps the tables' retention, shows its backlog."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter

from alerts.episodes.pairing import Verdict
from alerts.knowledge import Knowledge
from alerts.notices import outbox
from alerts.notices.outbox import Outbox
from alerts.rules.camera.conflicts import OUTCOMES
from alerts.settling.settle import Settled, Settler
from alerts.store.store import QUERIES
from alerts.store.vitals import Backlog, Vitals
from fleet import audit, db, service
from fleet.clock import WALL
from fleet.migrate import require_schema
from fleet.stopping import rest, unless
from fleet.units import to_datetime

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

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


async def _nothing_more(_connections: db.Connections, _knowledge: Knowledge) -> Mapping[str, service.Task]:
    return {}


async def run(
    settings: Settings,
    more: Callable[[db.Connections, Knowledge], Awaitable[Mapping[str, service.Task]]] = _nothing_more,
) -> None:
    """Settle what is due until told to stop; `more` tasks of the process may come from who knows us."""
    if hasattr(os, "nice"):
        os.nice(NICER)
    async with contextlib.AsyncExitStack() as stack:
        connections = db.Connections(settings.dsn, "worker")
        stack.push_async_callback(connections.close)
        worker = await _open(connections, settings)
        port = DEFAULT_PORT if settings.http_port is None else settings.http_port
        await stack.enter_async_context(service.watched(settings.http_host, port, not_ready=worker.not_ready))
        others = await more(connections, worker.knowledge)
        await service.run({**worker.tasks(), **others}, grace_s=STOP_S)


@dataclass(frozen=True, slots=True)
class _Lanes:
    """A connection for each task: none waits for another's question."""

    settler: asyncpg.Connection
    settler_aside: asyncpg.Connection
    purge: asyncpg.Connection
    vitals: asyncpg.Connection
    backlog: asyncpg.Connection
    facts: asyncpg.Connection


@dataclass(frozen=True, slots=True)
class _Worker:
    """The parts of a worker process, opened."""

    lanes: _Lanes
    knowledge: Knowledge
    #: Entries of the audit are kept for so long.
    audit_days: int
    settler: Settler
    notices: Outbox
    metrics: Metrics
    vitals: Vitals
    backlog: Backlog

    def tasks(self) -> dict[str, service.Task]:
        """Return what runs until the process is told to stop, by the name that the log has for it."""
        return {
            "settler": lambda stopping: _while_busy(self._settle, stopping),
            "settler of who is set aside": lambda stopping: _while_busy(self._settle_aside, stopping),
            "backlog": lambda stopping: _every(BACKLOG_EVERY_S, self._count_backlog, stopping),
            "purge": lambda stopping: _every(PURGE_EVERY_S, self._purge, stopping),
            "vitals": lambda stopping: _every(LOOK_EVERY_S, self._read_vitals, stopping),
            "notices": self.notices.run,
            "facts": lambda stopping: self.knowledge.keep_fresh(self.lanes.facts, stopping),
        }

    async def not_ready(self) -> list[str]:
        """Return why this process should not be relied on now: its backlog is no reason, it has an alert."""
        return self.knowledge.not_fresh()

    async def _settle(self) -> bool:
        """Settle one round; say whether there was something to do."""
        started_s = time.perf_counter()
        settled = await self.settler.round(self.lanes.settler, self.knowledge.now_us())
        if settled is not None:
            self.metrics.add(settled)
            self.metrics.seconds.inc(time.perf_counter() - started_s)
        return settled is not None

    async def _settle_aside(self) -> bool:
        """Settle one round of who is set aside; say whether there was something to do."""
        settled = await self.settler.round_aside(self.lanes.settler_aside, self.knowledge.now_us)
        if settled is not None:
            self.metrics.add(settled)
        return settled is not None

    async def _count_backlog(self) -> None:
        now_us, settler = self.knowledge.now_us(), self.settler
        await self.backlog.read(self.lanes.backlog, now_us, settler.horizon(now_us), settler.aside.vehicles)

    async def _read_vitals(self) -> None:
        await self.vitals.read(self.lanes.vitals, self.knowledge.now_us())

    async def _purge(self) -> None:
        """Delete what is older than its table keeps it."""
        for what in ("purge_feed", "purge_batches", "purge_shadows"):
            await self.lanes.purge.execute(QUERIES[what], to_datetime(self.knowledge.now_us()))
        await self.lanes.purge.execute(outbox.QUERIES["purge_outbox"], to_datetime(WALL.now_us()))
        await audit.purge(self.lanes.purge, self.audit_days)


async def _open(connections: db.Connections, settings: Settings) -> _Worker:
    """Take the role, read what the database knows, and give each task its connection."""
    facts = await connections.open()
    await require_schema(facts)
    await db.hold_role(facts, "worker", tended=True)
    knowledge = await Knowledge.read(facts)
    notices = Outbox(
        await connections.open(),
        outbox.webhook_of(settings),
        settings.webhook_severity,
        settings.console_origin,
        outbox.Metrics(),
    )
    lanes = _Lanes(
        settler=await connections.open("settle"),
        settler_aside=await connections.open("aside"),
        purge=await connections.open("purge"),
        vitals=await connections.open("vitals"),
        backlog=await connections.open("vitals"),
        facts=facts,
    )
    settler = Settler(lambda: knowledge.context)
    return _Worker(lanes, knowledge, settings.audit_days, settler, notices, Metrics(), Vitals(), Backlog())


async def drain(settings: Settings, progress: Callable[[Settled], None] | None = None) -> Settled:
    """Settle all that is stored, whatever its age; return what was done in total."""
    async with contextlib.AsyncExitStack() as stack:
        connections = db.Connections(settings.dsn, "worker")
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
