"""The worker process: settles what is due, keeps the tables' retention, shows its backlog."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from alerts import outbox
from alerts.conflicts import OUTCOMES
from alerts.knowledge import Knowledge
from alerts.matching import Verdict
from alerts.outbox import Outbox
from alerts.settle import Settled, Settler
from alerts.store import QUERIES
from alerts.vitals import Vitals
from fleet import db, service
from fleet.clock import WALL
from fleet.migrate import require_schema
from fleet.stopping import rest
from fleet.units import to_datetime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    import asyncpg

    from fleet.settings import Settings

DEFAULT_PORT = 9412
#: Settling is done with what the live processes leave over of the machine.
NICER = 10
#: How long to wait, in real time, when nothing is due.
IDLE_S = 1.0
#: Old rows are deleted this often.
PURGE_EVERY_S = 600.0
#: What Prometheus sees of the store is read this often.
LOOK_EVERY_S = 30.0

_log = structlog.get_logger("worker")


class Metrics:
    """What Prometheus sees of the worker."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.segments = Counter("kerbsafe_settler_segments", "Segments settled.", registry=registry)
        self.fixes = Counter("kerbsafe_settler_fixes", "Fixes judged by the settler.", registry=registry)
        self.seconds = Counter("kerbsafe_settler_busy_seconds", "Seconds spent settling.", registry=registry)
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
        self.backlog_vehicles = Gauge(
            "kerbsafe_settler_backlog_vehicles", "Vehicles that wait for the settler.", registry=registry
        )
        self.backlog_seconds = Gauge(
            "kerbsafe_settler_backlog_seconds", "How long the oldest of them has waited.", registry=registry
        )

    def add(self, settled: Settled, seconds: float) -> None:
        """Count one round."""
        self.segments.inc(settled.segments)
        self.fixes.inc(settled.fixes)
        self.seconds.inc(seconds)
        for verdict, count in settled.verdicts.items():
            self.verdicts.labels(verdict).inc(count)
        for outcome, count in settled.detections.items():
            self.detections.labels(outcome).inc(count)


async def run(settings: Settings) -> None:
    """Settle what is due until told to stop."""
    if hasattr(os, "nice"):
        os.nice(NICER)
    async with _connections(settings) as (connection, aside, knowledge):
        metrics, vitals = Metrics(), Vitals()
        settler = Settler(lambda: knowledge.context)

        async def not_ready() -> Sequence[str]:
            return knowledge.not_fresh()  # a worker that is answered works; its backlog has an alert rule

        async def settle(stopping: asyncio.Event) -> None:
            while not stopping.is_set():
                await _settle_due(connection, settler, knowledge.now_us, metrics)
                await rest(stopping, IDLE_S)

        async def purge(stopping: asyncio.Event) -> None:
            while not stopping.is_set():
                for what in ("purge_feed", "purge_batches", "purge_shadows"):
                    await connection_of_purge.execute(QUERIES[what], to_datetime(knowledge.now_us()))
                await connection_of_purge.execute(outbox.QUERIES["purge_outbox"], to_datetime(WALL.now_us()))
                await rest(stopping, PURGE_EVERY_S)

        async def look(stopping: asyncio.Event) -> None:
            while not stopping.is_set():
                await vitals.read(connection_of_vitals, knowledge.now_us())
                await rest(stopping, LOOK_EVERY_S)

        port = DEFAULT_PORT if settings.http_port is None else settings.http_port
        async with service.watched(settings.http_host, port, not_ready=not_ready):
            connection_of_purge = await db.connect(settings.dsn, application="worker purge")
            connection_of_vitals = await db.connect(settings.dsn, application="worker vitals")
            connection_of_outbox = await db.connect(settings.dsn, application="worker")
            notices = Outbox(
                connection_of_outbox,
                outbox.webhook_of(settings),
                settings.webhook_severity,
                settings.console_origin,
                outbox.Metrics(),
            )
            try:
                await service.run(
                    {
                        "settler": settle,
                        "purge": purge,
                        "vitals": look,
                        "notices": notices.run,
                        "facts": lambda stopping: knowledge.keep_fresh(aside, stopping),
                    }
                )
            finally:
                await db.leave(connection_of_purge, connection_of_vitals, connection_of_outbox)


async def drain(settings: Settings, progress: Callable[[Settled], None] | None = None) -> Settled:
    """Settle all that is stored, whatever its age; return what was done in total."""
    async with _connections(settings) as (connection, _aside, knowledge):
        settler, total = Settler(lambda: knowledge.context), Settled()
        while (done := await settler.round(connection, knowledge.now_us(), drain=True)) is not None:
            total.add(done)
            if progress is not None:
                progress(total)
        return total


@contextlib.asynccontextmanager
async def _connections(
    settings: Settings,
) -> AsyncIterator[tuple[asyncpg.Connection, asyncpg.Connection, Knowledge]]:
    connection = await db.connect(settings.dsn, application="worker settle")
    aside = await db.connect(settings.dsn, application="worker")
    try:
        await require_schema(connection)
        await db.hold_role(aside, "worker")
        yield connection, aside, await Knowledge.read(aside)
    finally:
        await db.leave(connection, aside)


async def _settle_due(
    connection: asyncpg.Connection, settler: Settler, now_us: Callable[[], int], metrics: Metrics
) -> None:
    while True:
        started_s = time.perf_counter()
        settled = await settler.round(connection, now_us())
        row = await connection.fetchrow(
            QUERIES["backlog"], to_datetime(now_us()), timedelta(seconds=settler.horizon_s(now_us()))
        )
        metrics.backlog_vehicles.set(row["vehicles"])
        metrics.backlog_seconds.set(row["oldest_s"])
        if settled is None:
            return
        metrics.add(settled, time.perf_counter() - started_s)
        await asyncio.sleep(0)
