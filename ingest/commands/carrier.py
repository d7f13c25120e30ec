"""Publishes queued commands until somebody has taken them, and queues the prompts of rules.

A command goes to the gateways' topic and to that of units that speak MQTT themselves. It is published again
while nobody has it: soon where the broker had no subscriber, after half a minute where no gateway claimed it.
Gateways and units know a command by its id, and carry it out once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from fleet import db
from fleet.audit import Actor, ActorKind
from fleet.clock import WALL
from fleet.commands import store
from fleet.commands.orders import prompt
from fleet.stopping import rest
from fleet.units import MICROSECONDS, to_datetime, to_us
from fleet.wire.topics import DEVICES_MOUNT, PREFIX, Address, Kind, format_topic, parse_topic
from fleet.wire.v1.commands import encode_command, read_ack
from fleet.wire.v1.payloads import CommandOut
from ingest.commands.prompting import FRESH_US, Outcome, Situation, decide
from ingest.gateway.publications import Publication
from ingest.mqtt.refusals import MqttError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.commands.prompt_file import PromptTable
    from ingest.gateway.publications import Heard
    from ingest.gateway.publisher import Publisher

QUERIES = db.Queries(Path(__file__).with_name("queries.sql"))
#: What the carrier hears: whoever says something of a command has it.
HEARS = tuple(f"{mount}{PREFIX}/+/+/{Kind.ACK}" for mount in ("", DEVICES_MOUNT))
#: Notifications are hints; the tables are looked at this often without one.
LOOK_EVERY_S = 1.0
#: Published again: where the broker had nobody to give it to, and where nobody has claimed it.
_NOBODY_US, _UNCLAIMED_US = 3 * MICROSECONDS, 30 * MICROSECONDS
_RULES = Actor(ActorKind.SYSTEM, "rules")
_FEED = "kerbsafe_alert_feed"
_AT_ONCE = 500
_log = structlog.get_logger("commands")


class Metrics:
    """What Prometheus sees of commands before a gateway or unit has them."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.published = Counter(
            "kerbsafe_commands_published", "Commands published, each time counted.", registry=registry
        )
        self.waiting = Gauge(
            "kerbsafe_commands_waiting", "Commands that nobody has taken yet.", registry=registry
        )
        self.prompts = Counter(
            "kerbsafe_prompts", "Alerts with a prompt, by what became of it.", ("outcome",), registry=registry
        )
        for outcome in Outcome:
            if outcome is not Outcome.SILENT:
                self.prompts.labels(outcome)


@dataclass(slots=True)
class _Way:
    """One topic of a command: who may take it there, and when it was published last."""

    topic: str
    #: A subscriber keeps it until it is taken.
    is_kept: bool
    again_us: int = 0


@dataclass(slots=True)
class Carrier:
    """Carries the commands of one installation; run once, as ingest is."""

    dsn: str
    publisher: Publisher
    #: Event time, for what rules say.
    now_us: Callable[[], int]
    #: None: drivers are told nothing.
    table: PromptTable | None
    metrics: Metrics = field(default_factory=Metrics)
    _ways: dict[str, tuple[_Way, ...]] = field(default_factory=dict)
    _heard: set[str] = field(default_factory=set)
    _seen: int | None = None

    def heard(self, message: Heard) -> None:
        """Take note that somebody says something of a command: it is not published again."""
        address = parse_topic(message.topic)
        if isinstance(address, Address) and address.kind is Kind.ACK:
            answer = read_ack(message.payload)
            if answer is not None and answer.id in self._ways:
                self._heard.add(answer.id)

    async def run(self, stopping: asyncio.Event) -> None:
        """Carry until the process stops; a database that is away is waited for.

        Whatever fails here, the hot path beside it goes on.
        """
        while not stopping.is_set():
            connection: asyncpg.Connection | None = None
            try:
                connection = await db.connect(self.dsn, application="ingest commands")
                await self._follow(connection, stopping)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, db.DatabaseError) as error:
                _log.warning("commands are not carried", reason=db.said(error))
                await rest(stopping, LOOK_EVERY_S)
            except Exception:  # noqa: BLE001 - a fault of ours, which the log shows
                _log.exception("commands are not carried")
                await rest(stopping, LOOK_EVERY_S)
            finally:
                if connection is not None:
                    await db.leave(connection)

    async def publish(self, stopping: asyncio.Event) -> None:
        """Keep the connection to the broker; refused for good, commands stay where they are."""
        try:
            await self.publisher.run(stopping)
        except MqttError as error:
            _log.error("commands are not carried: they stay queued", reason=str(error))
            await stopping.wait()

    async def _follow(self, connection: asyncpg.Connection, stopping: asyncio.Event) -> None:
        hint = asyncio.Event()
        for channel in (store.CHANNEL, _FEED):
            await connection.add_listener(channel, lambda *_: hint.set())
        while not stopping.is_set():
            hint.clear()
            if self.table is not None:
                await self._prompt(connection, self.table)
            await self._carry(connection)
            await _first_of(hint, stopping, timeout_s=LOOK_EVERY_S)

    # -- to the broker

    async def _carry(self, connection: asyncpg.Connection) -> None:
        rows = await connection.fetch(store.QUERIES["unheard_commands"], to_datetime(WALL.now_us()))
        open_ids = {str(row["command_id"]) for row in rows}
        self._ways = {one: ways for one, ways in self._ways.items() if one in open_ids}
        self._heard &= open_ids
        for row in rows:
            if self.publisher.connected and str(row["command_id"]) not in self._heard:
                self._publish(row)
        self.metrics.waiting.set(len(open_ids - self._heard))
        self.publisher.flush()

    def _publish(self, row: asyncpg.Record) -> None:
        command_id, now_us = str(row["command_id"]), WALL.now_us()
        ways = self._ways.get(command_id)
        if ways is None:
            topic = format_topic(row["company"], row["vehicle"], Kind.COMMAND)
            ways = self._ways[command_id] = (_Way(topic, False), _Way(DEVICES_MOUNT + topic, True))
        payload = b""
        for way in ways:
            if now_us < way.again_us:
                continue
            payload = payload or encode_command(
                CommandOut(command_id, row["kind"], row["expires_at"], **row["content"])
            )
            left_s = max(1, (to_us(row["expires_at"]) - now_us) // MICROSECONDS)
            way.again_us = now_us + _UNCLAIMED_US
            self.publisher.put(Publication(way.topic, payload, _Noted(way), left_s))
            self.metrics.published.inc()

    # -- prompts of rules

    async def _prompt(self, connection: asyncpg.Connection, table: PromptTable) -> None:
        if self._seen is None:
            self._seen = await connection.fetchval(QUERIES["feed_end"])
        now_us = self.now_us()
        rows = await connection.fetch(QUERIES["raised"], self._seen, to_datetime(now_us), _AT_ONCE)
        last: dict[tuple[int, str], int] = {}
        for row in rows:
            key = row["vehicle_id"], row["rule"]
            situation = Situation(
                row["alert_id"],
                row["rule"],
                _us(row["ended_at"]),
                _us(row["newest_fix_at"]),
                last.get(key, _us(row["last_at"])),
            )
            outcome = decide(situation, table, now_us)
            if outcome is not Outcome.SILENT:
                self.metrics.prompts.labels(outcome).inc()
            at_us = situation.at_us
            if outcome in {Outcome.SENT, Outcome.HELD_OUT} and at_us is not None:
                last[key] = at_us
                await self._tell(connection, row, outcome, at_us, table.texts[row["rule"]], now_us)
            self._seen = row["feed_id"]

    async def _tell(
        self,
        connection: asyncpg.Connection,
        row: asyncpg.Record,
        outcome: Outcome,
        at_us: int,
        text: str,
        now_us: int,
    ) -> None:
        """Queue a prompt, or keep that it was held out; once an alert."""
        async with connection.transaction():
            if await connection.fetchval(QUERIES["has_prompt"], row["alert_id"]):
                return
            command_id = None
            if outcome is Outcome.SENT:
                valid_for = timedelta(microseconds=FRESH_US - max(now_us - at_us, 0))
                now = to_datetime(WALL.now_us())
                command_id = await store.queue(
                    connection, row["vehicle"], prompt(text), _RULES, now, valid_for
                )
            await connection.execute(
                QUERIES["note_prompt"],
                row["alert_id"],
                row["vehicle_id"],
                row["rule"],
                to_datetime(at_us),
                command_id,
            )


@dataclass(frozen=True, slots=True)
class _Noted:
    """Notes what the broker did with a command: kept for a subscriber, or had nobody."""

    way: _Way

    def __call__(self, why_not: str | None) -> None:
        if why_not is not None:
            self.way.again_us = WALL.now_us() + _NOBODY_US
        elif self.way.is_kept:
            self.way.again_us = 2**63


def _us(moment: object) -> int | None:
    return None if moment is None else to_us(moment)  # type: ignore[arg-type]


async def _first_of(*events: asyncio.Event, timeout_s: float) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
