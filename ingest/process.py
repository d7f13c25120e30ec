"""The ingest process: connections, tasks and probes around the hot path."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import secrets
import ssl
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import structlog
from prometheus_client import REGISTRY

from alerts.engine.engine import JUDGED_BY
from alerts.in_force.rulebooks import RulebookError
from alerts.knowledge import Knowledge
from fleet import db, service
from fleet.migrate import require_schema
from fleet.units import MICROSECONDS
from ingest.commands.carrier import HEARS, Carrier
from ingest.commands.prompt_file import PromptFileError, read_prompts
from ingest.days_ahead import DaysAhead
from ingest.gateway.publications import PublisherOptions
from ingest.gateway.publisher import Publisher
from ingest.metrics import Metrics, SessionCollector
from ingest.mqtt.broker_status import BrokerStatus
from ingest.mqtt.mqtt_link import Address
from ingest.mqtt.mqtt_log import MqttLog, MqttOptions
from ingest.mqtt.transport import TransportAccount
from ingest.pipeline import checkpoints, writer
from ingest.pipeline.auto_registration import AutoRegistration
from ingest.pipeline.hotpath import HotPath
from ingest.pipeline.progress import Progress

if TYPE_CHECKING:
    import asyncpg
    from prometheus_client import CollectorRegistry

    from alerts.live.live_state import LiveState
    from fleet.settings import Settings
    from ingest.pipeline.receipt import Receipt

DEFAULT_PORT = 9411
#: Container objects made, and not given back, after which cyclic garbage is looked for.
GARBAGE_AFTER = 100_000
#: How long the event loop may wait for the thread that judges, at each question of a transaction. At the
#: interpreter's own 5 ms the commit would be the slowest part of the way.
SWITCH_S = 0.001
#: A vehicle reports if its newest judged fix is at most this old.
REPORTING_S = 300

_log = structlog.get_logger("ingest")


async def run(settings: Settings, *, auto_register: bool = False) -> None:
    """Run ingest until it is told to stop, or until a part of it fails."""
    async with contextlib.AsyncExitStack() as stack:
        connections = db.Connections(settings.dsn, "ingest")
        stack.push_async_callback(connections.close)
        ingest = await _open(connections, settings, auto_register=auto_register)
        ingest.show(REGISTRY)
        sys.setswitchinterval(SWITCH_S)
        _spare_collections()
        port = DEFAULT_PORT if settings.http_port is None else settings.http_port
        await stack.enter_async_context(service.watched(settings.http_host, port, not_ready=ingest.not_ready))
        await service.run(ingest.tasks(settings))


@dataclass(frozen=True, slots=True)
class _Ingest:
    """The parts of an ingest process, opened and with their memory restored."""

    aside: asyncpg.Connection
    knowledge: Knowledge
    state: LiveState
    log: MqttLog
    path: HotPath
    metrics: Metrics
    progress: Progress
    days: DaysAhead
    account: TransportAccount
    broker: BrokerStatus
    carrier: Carrier

    def tasks(self, settings: Settings) -> dict[str, service.Task]:
        """Return what runs until the process is told to stop, by the name that the log has for it."""
        return {
            "hot path": lambda stopping: _run_hot_path(self.path, self.log, stopping),
            "progress": self.progress.watch,
            "facts": lambda stopping: self.knowledge.keep_fresh(self.aside, stopping),
            "days ahead": lambda stopping: self.days.keep(self.metrics, stopping),
            "transport account": self.account.keep,
            "broker status": lambda stopping: self.broker.follow(
                settings.broker, settings.broker_password(), stopping
            ),
            "commands": self.carrier.run,
            "commands at the broker": self.carrier.publish,
        }

    async def not_ready(self) -> list[str]:
        """Return why this process should not be relied on now."""
        reasons = [*self.progress.not_moving(), *self.knowledge.not_fresh()]
        if not self.log.connected:
            reasons.append(
                "the broker does not deliver live messages: see KERBSAFE_BROKER and the broker's log"
            )
        return [*reasons, *await self.days.not_made()]

    def show(self, registry: CollectorRegistry) -> None:
        """Have Prometheus read, whenever it asks, what changes without a commit."""

        def reporting() -> float:
            oldest_us = self.knowledge.now_us() - REPORTING_S * MICROSECONDS
            return float(np.count_nonzero(self.state["motion"]["watermark_us"] >= oldest_us))

        metrics, log = self.metrics, self.log
        metrics.vehicles.set_function(lambda: len(self.state))
        for rule in JUDGED_BY:
            metrics.rule_failures.labels(rule).set_function(partial(self.state.faults.count, rule))
        metrics.reporting.set_function(reporting)
        metrics.connected.set_function(lambda: log.connected)
        metrics.caught_up.set_function(lambda: log.caught_up_since_us is not None)
        registry.register(SessionCollector(lambda: log.counters, lambda: log.unreleased))
        registry.register(self.broker)
        registry.register(self.account)


async def _open(connections: db.Connections, settings: Settings, *, auto_register: bool) -> _Ingest:
    """Take the role, read what the database knows and remembers, and join the parts around the hot path."""
    # The role's lock, facts and days each have a connection; the hot path's is its alone.
    hot, aside = await connections.open(), await connections.open()
    await require_schema(hot)
    await db.hold_role(aside, "ingest", tended=True)
    knowledge = await _known(aside, settings)
    async with db.tending(aside):
        days = DaysAhead(await connections.open(), knowledge.now_us)
        await days.make()
        await writer.prepare(hot)
        state, newest = await _restore(settings, knowledge)
    _log.info("restored", vehicles=len(state))

    metrics, broker = Metrics(), BrokerStatus()
    log = MqttLog(_options(settings), now_us=knowledge.now_us, acknowledged=metrics.acknowledged)
    progress = Progress(lambda: sum(messages for messages, _bytes in log.unreleased.values()))

    def committed(receipt: Receipt) -> None:
        progress.moved()
        metrics.add(receipt)

    path = HotPath(
        hot,
        log,
        state,
        directory=knowledge.directory,
        context=lambda: knowledge.context,
        committed=committed,
        auto_registration=AutoRegistration(await connections.open(), knowledge) if auto_register else None,
        newest=newest,
    )
    account = TransportAccount(
        await connections.open(),
        now_us=knowledge.now_us,
        ups=log.take_ups,
        are_up=lambda: log.sessions_up,
        told=lambda: broker.told(knowledge.clock),
        forgotten=log.forgotten,
    )
    carrier = _carrier(settings, knowledge)
    return _Ingest(aside, knowledge, state, log, path, metrics, progress, days, account, broker, carrier)


def _carrier(settings: Settings, knowledge: Knowledge) -> Carrier:
    """Return who carries commands, on connections of its own."""
    options = PublisherOptions(
        client_id=f"kerbsafe.commands-{secrets.token_hex(4)}",
        username=settings.broker.user,
        password=settings.broker_password(),
        hears=HEARS,
    )
    table = None
    if settings.prompts is not None:
        try:
            table = read_prompts(settings.prompts.read_text("utf-8"))
        except (PromptFileError, UnicodeDecodeError) as error:
            raise PromptFileError(f"KERBSAFE_PROMPTS, {settings.prompts}: {error}") from error
    publisher = Publisher(_options(settings).address, options)
    carrier = Carrier(settings.dsn, publisher, knowledge.now_us, table)
    publisher.heard = carrier.heard
    return carrier


async def _known(connection: asyncpg.Connection, settings: Settings) -> Knowledge:
    """Read what the database knows, and put the rulebook file in force if its version is new."""
    try:
        return await Knowledge.read(connection, settings.rulebook_document())
    except RulebookError as error:
        if settings.rules is None:
            raise
        raise RulebookError(f"KERBSAFE_RULES, {settings.rules}: {error}", error.faults) from error


async def _restore(settings: Settings, knowledge: Knowledge) -> checkpoints.Restored:
    """Read the live memory back, on a connection that may take its time."""
    connection = await db.connect(settings.dsn, application="ingest start")
    try:
        restored = await checkpoints.restore(connection, knowledge.context)
        await checkpoints.end_unfollowed(connection, restored.state, knowledge.context, knowledge.now_us())
        return restored
    finally:
        await db.leave(connection)


def _spare_collections() -> None:
    """Look for cyclic garbage rarely: a batch is thousands of small objects without a cycle among them.

    With the interpreter's own thresholds a third of this process's time went into looking.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, 50, 100)


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
