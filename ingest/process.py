"""The ingest process: connections, tasks and probes around the hot path."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import secrets
import ssl
import sys
from functools import partial
from typing import TYPE_CHECKING

import asyncpg
import numpy as np
import structlog
from prometheus_client import REGISTRY

from alerts.engine.engine import JUDGED_BY
from alerts.in_force.rulebooks import RulebookError
from alerts.knowledge import Knowledge
from fleet import db, service
from fleet.installation import MIN_AHEAD_DAYS, clock_skew_s, days_ahead, make_days_ahead
from fleet.migrate import require_schema
from fleet.stopping import rest
from fleet.units import MICROSECONDS
from ingest.commands.carrier import HEARS, Carrier
from ingest.commands.prompt_file import PromptFileError, read_prompts
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
    from collections.abc import Sequence

    from alerts.live.live_state import LiveState
    from fleet.settings import Settings
    from ingest.pipeline.receipt import Receipt

DEFAULT_PORT = 9411
#: Room for coming days is made this often, in real time; in a sandbox event time may run faster.
DAYS_EVERY_S = 60.0
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
        opened: list[asyncpg.Connection] = []
        stack.push_async_callback(lambda: db.leave(*opened))

        async def connect() -> asyncpg.Connection:
            opened.append(connection := await db.connect(settings.dsn, application="ingest"))
            return connection

        # The role's lock, facts and days each have a connection; the hot path's is its alone.
        hot, aside = await connect(), await connect()
        await require_schema(hot)
        await db.hold_role(aside, "ingest", tended=True)
        knowledge = await _known(aside, settings)
        async with db.tending(aside):
            room = _Room(await connect(), knowledge)
            await room.make()
            await writer.prepare(hot)
            state, newest = await _restore(settings, knowledge)
        _log.info("restored", vehicles=len(state))

        metrics = Metrics()
        log = MqttLog(_options(settings), now_us=knowledge.now_us, acknowledged=metrics.acknowledged)
        auto_registration = AutoRegistration(await connect(), knowledge) if auto_register else None
        broker = BrokerStatus()
        _show(metrics, log, state, knowledge)
        REGISTRY.register(broker)
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
            auto_registration=auto_registration,
            newest=newest,
        )
        account = TransportAccount(
            await connect(),
            now_us=knowledge.now_us,
            ups=log.take_ups,
            are_up=lambda: log.sessions_up,
            dropped=lambda: broker.dropped,
            forgotten=log.forgotten,
        )
        REGISTRY.register(account)
        port = DEFAULT_PORT if settings.http_port is None else settings.http_port

        async def not_ready() -> Sequence[str]:
            return [*progress.not_moving(), *knowledge.not_fresh(), *await _not_ready(log, room)]

        carrier = _carrier(settings, knowledge)
        sys.setswitchinterval(SWITCH_S)
        _spare_collections()
        async with service.watched(settings.http_host, port, not_ready=not_ready):
            await service.run(
                {
                    "hot path": lambda stopping: _run_hot_path(path, log, stopping),
                    "progress": progress.watch,
                    "facts": lambda stopping: knowledge.keep_fresh(aside, stopping),
                    "days ahead": lambda stopping: _make_days(room, metrics, stopping),
                    "transport account": account.keep,
                    "broker status": lambda stopping: broker.follow(
                        settings.broker, settings.broker_password(), stopping
                    ),
                    "commands": carrier.run,
                    "commands at the broker": carrier.publish,
                }
            )


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


def _show(metrics: Metrics, log: MqttLog, state: LiveState, knowledge: Knowledge) -> None:
    """Have Prometheus read, whenever it asks, what changes without a commit."""

    def reporting() -> float:
        oldest_us = knowledge.now_us() - REPORTING_S * MICROSECONDS
        return float(np.count_nonzero(state["motion"]["watermark_us"] >= oldest_us))

    metrics.vehicles.set_function(lambda: len(state))
    for rule in JUDGED_BY:
        metrics.rule_failures.labels(rule).set_function(partial(state.faults.count, rule))
    metrics.reporting.set_function(reporting)
    metrics.connected.set_function(lambda: log.connected)
    metrics.caught_up.set_function(lambda: log.caught_up_since_us is not None)
    REGISTRY.register(SessionCollector(lambda: log.counters, lambda: log.unreleased))


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


class _Room:
    """The days that the store has room for: one connection, and one question at a time on it."""

    def __init__(self, connection: asyncpg.Connection, knowledge: Knowledge) -> None:
        self._connection = connection
        self._knowledge = knowledge
        self._alone = asyncio.Lock()

    async def make(self) -> None:
        """Make room for the coming days; who stands in the way is waited for until the next time."""
        async with self._alone:
            try:
                await make_days_ahead(self._connection, self._knowledge.now_us())
            except asyncpg.LockNotAvailableError as error:
                _log.warning("no room made for coming days", reason=db.said(error))

    async def days_ahead(self) -> int:
        """Return for how many days after today there is room."""
        async with self._alone:
            return await days_ahead(self._connection, self._knowledge.now_us())

    async def clock_skew_s(self) -> float:
        """Return how far the database's clock is ahead of ours, seconds."""
        async with self._alone:
            return await clock_skew_s(self._connection)


async def _make_days(room: _Room, metrics: Metrics, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        await room.make()
        metrics.days_ahead.set(await room.days_ahead())
        metrics.clock_skew_seconds.set(await room.clock_skew_s())
        await rest(stopping, DAYS_EVERY_S)


async def _not_ready(log: MqttLog, room: _Room) -> list[str]:
    reasons = []
    if not log.connected:
        reasons.append("the broker does not deliver live messages: see KERBSAFE_BROKER and the broker's log")
    ahead = await room.days_ahead()
    if ahead < MIN_AHEAD_DAYS:
        reasons.append(f"the store has room for {ahead} days ahead, fewer than {MIN_AHEAD_DAYS}")
    return reasons
