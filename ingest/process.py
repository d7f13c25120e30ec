"""The ingest process: connections, tasks and probes around the hot path."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING

import structlog

from alerts.knowledge import Knowledge
from fleet import db, service
from fleet.installation import days_ahead, make_days_ahead
from fleet.migrate import require_schema
from ingest import checkpoints, writer
from ingest.hotpath import HotPath
from ingest.metrics import Metrics
from ingest.mqtt import MqttLog, MqttOptions
from ingest.mqtt_link import Address
from ingest.strangers import Strangers

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from fleet.settings import Settings
    from ingest.receipt import Receipt

DEFAULT_PORT = 9411
#: Room for coming days is made this often, in real time; in a sandbox event time may run faster.
DAYS_EVERY_S = 60.0
#: With room for fewer days than this the process says that it is not ready.
DAYS_NEEDED = 2

_log = structlog.get_logger("ingest")


async def run(settings: Settings, *, auto_register: bool = False) -> None:
    """Run ingest until it is told to stop, or until a part of it fails."""
    async with contextlib.AsyncExitStack() as stack:

        async def connect() -> asyncpg.Connection:
            connection = await db.connect(settings.dsn, application="ingest")
            stack.push_async_callback(connection.close, timeout=5)
            return connection

        # The role's lock, facts and days each have a connection; the hot path's is its alone.
        hot, aside = await connect(), await connect()
        await require_schema(hot)
        await db.hold_role(aside, "ingest")
        knowledge = await Knowledge.read(aside, settings.rulebook_document())
        await make_days_ahead(aside, knowledge.now_us())
        await writer.prepare(hot)
        state = await checkpoints.restore(hot, knowledge.context)
        _log.info("restored", vehicles=len(state))

        metrics = Metrics()
        log = MqttLog(_options(settings), now_us=knowledge.now_us)
        strangers = Strangers(await connect(), knowledge) if auto_register else None

        def committed(receipt: Receipt) -> None:
            metrics.add(receipt)
            metrics.vehicles.set(len(state))
            metrics.connected.set(log.connected)

        path = HotPath(
            hot,
            log,
            state,
            directory=knowledge.directory,
            context=lambda: knowledge.context,
            committed=committed,
            strangers=strangers,
        )
        days = await connect()
        port = DEFAULT_PORT if settings.http_port is None else settings.http_port

        async def not_ready() -> Sequence[str]:
            return await _not_ready(log, days, knowledge)

        async with service.watched(settings.http_host, port, not_ready=not_ready):
            await service.run(
                {
                    "hot path": lambda stopping: _run_hot_path(path, log, stopping),
                    "facts": lambda stopping: knowledge.keep_fresh(aside, stopping),
                    "days ahead": lambda stopping: _make_days(days, knowledge, stopping),
                }
            )


def _options(settings: Settings) -> MqttOptions:
    broker = settings.broker
    return MqttOptions(
        address=Address(broker.host, broker.port, ssl.create_default_context() if broker.tls else None),
        username=broker.user,
        password=settings.broker_password(),
        receive_max=settings.receive_maximum,
        max_unacked_bytes=settings.unacked_bytes,
        linger_s=settings.batch_age_ms / 1000,
    )


async def _run_hot_path(path: HotPath, log: MqttLog, stopping: asyncio.Event) -> None:
    async with log:
        stopper = asyncio.create_task(stopping.wait())
        stopper.add_done_callback(lambda _: log.stop())
        try:
            await path.run()
        finally:
            stopper.cancel()


async def _make_days(connection: asyncpg.Connection, knowledge: Knowledge, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        await make_days_ahead(connection, knowledge.now_us())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), DAYS_EVERY_S)


async def _not_ready(log: MqttLog, connection: asyncpg.Connection, knowledge: Knowledge) -> list[str]:
    reasons = []
    if not log.connected:
        reasons.append("the broker does not deliver live messages: see KERBSAFE_BROKER and the broker's log")
    ahead = await days_ahead(connection, knowledge.now_us())
    if ahead < DAYS_NEEDED:
        reasons.append(f"the store has room for {ahead} days ahead, fewer than {DAYS_NEEDED}")
    return reasons
