"""What a real broker dropped or forgot becomes a gap in the database, whoever lived through it."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from fleet.clock import Clock
from fleet.setting_values import parse_broker
from ingest.mqtt.broker_status import BrokerStatus
from ingest.mqtt.transport import TransportAccount
from tests.integration.test_mqtt_log import FIX, log_of, numbered, publish, take

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import asyncpg

    from ingest.mqtt.mqtt_log import MqttLog
    from kerbsafe.parts import Broker

pytestmark = pytest.mark.parametrize("templates", ["plain"], indirect=True)


def now_us() -> int:
    return time.time_ns() // 1000


@asynccontextmanager
async def ingest(
    broker: Broker, connection: asyncpg.Connection
) -> AsyncIterator[tuple[MqttLog, TransportAccount]]:
    """Run the sessions of ingest and their account, until it knows how the broker is."""
    status, stopping = BrokerStatus(), asyncio.Event()
    following = asyncio.create_task(status.follow(parse_broker(broker.url), None, stopping))
    try:
        async with asyncio.timeout(60), log_of(broker) as log:
            account = TransportAccount(
                connection,
                now_us=now_us,
                ups=log.take_ups,
                are_up=lambda: log.sessions_up,
                told=lambda: status.told(Clock()),
                forgotten=log.forgotten,
            )
            await log.wait_connected()
            while status.told(Clock()) is None:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.05)
            await account.look()
            yield log, account
    finally:
        stopping.set()
        await following


async def gaps(connection: asyncpg.Connection) -> list[tuple[Any, ...]]:
    rows = await connection.fetch("select source, session, messages from transport_gap order by gap_id")
    return [tuple(row) for row in rows]


async def test_a_full_queue(mosquitto: Callable[..., Broker], connection: asyncpg.Connection) -> None:
    """800 of 1,000 acknowledged fixes are gone: that is said, with from and until."""
    broker = mosquitto(max_queued_messages=200, sys_interval_s=1)
    async with ingest(broker, connection):
        pass
    away_us = now_us()
    await publish(broker, FIX, numbered(1_000))
    async with ingest(broker, connection) as (log, account):
        assert len(await take(log, 200)) >= 1
        assert await gaps(connection) == [("queue_full", "", 800)]
        begins, ends = await connection.fetchrow("select from_at, until_at from transport_gap")
        assert begins.timestamp() * 1e6 < away_us < ends.timestamp() * 1e6
        assert await account.look() == []
        assert [sample.labels for family in account.collect() for sample in family.samples] == [
            {"source": "queue_full"}
        ]


async def test_a_broker_that_forgot_us_while_we_were_away(
    mosquitto: Callable[..., Broker], connection: asyncpg.Connection
) -> None:
    """Also of an ingest that is new itself: the database remembers that there were sessions."""
    broker = mosquitto(sys_interval_s=1)  # keeps nothing on disk
    async with ingest(broker, connection):
        pass
    assert await gaps(connection) == []
    broker.restart()
    await publish(broker, FIX, numbered(10))  # acknowledged to nobody
    async with ingest(broker, connection):
        assert await gaps(connection) == [
            ("session_forgotten", "kerbsafe.ingest-live", None),
            ("session_forgotten", "kerbsafe.ingest-history", None),
        ]


async def test_that_we_were_forgotten_is_noted_before_we_can_be_killed(
    mosquitto: Callable[..., Broker], connection: asyncpg.Connection
) -> None:
    """The next ingest finds a session that is known, and can tell nobody that the one before was lost."""
    broker = mosquitto(sys_interval_s=1)
    async with ingest(broker, connection) as (log, account):
        stopping = asyncio.Event()
        keeping = asyncio.create_task(account.keep(stopping))
        await asyncio.sleep(0.2)  # it has looked, and rests
        broker.restart()
        while log.counters["live"].connects < 2:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        stopping.set()
        await keeping
        assert ("session_forgotten", "kerbsafe.ingest-live", None) in await gaps(connection)


async def test_a_session_that_is_resumed_is_no_gap(
    mosquitto: Callable[..., Broker], connection: asyncpg.Connection, tmp_path: Path
) -> None:
    broker = mosquitto(persistence_dir=tmp_path, sys_interval_s=1)
    async with ingest(broker, connection):
        pass
    broker.restart()
    async with ingest(broker, connection):
        assert await gaps(connection) == []


async def test_a_broker_that_was_full_and_started_anew_while_we_were_away(
    mosquitto: Callable[..., Broker], connection: asyncpg.Connection, tmp_path: Path
) -> None:
    """Its count begins anew: of the 800 that it threw away nothing is known, which is said."""
    broker = mosquitto(persistence_dir=tmp_path, max_queued_messages=200, sys_interval_s=1)
    async with ingest(broker, connection):
        pass
    await publish(broker, FIX, numbered(1_000))
    broker.restart()
    await connection.execute("update transport_known set known_at = known_at - interval '10 minutes'")
    async with ingest(broker, connection):
        assert await gaps(connection) == [("broker_restarted", "", None)]


async def test_what_was_settled_of_that_time_is_judged_again(
    mosquitto: Callable[..., Broker], connection: asyncpg.Connection
) -> None:
    await connection.execute(
        """
        insert into company (code, name) values ('acme', 'acme');
        insert into vehicle (code, registered_at) values ('T1', now()), ('T2', now());
        insert into segment (vehicle_id, started_at, ended_at, settled_at)
        select vehicle_id, now() - interval '2 h',
               now() + case code when 'T1' then interval '1 h' else interval '-1 h' end, now()
        from vehicle;
        """
    )
    broker = mosquitto(sys_interval_s=1)
    async with ingest(broker, connection):
        pass
    broker.restart()
    async with ingest(broker, connection):
        rows = await connection.fetch(
            "select distinct vehicle.code from dirty join vehicle using (vehicle_id)"
        )
        assert [row["code"] for row in rows] == ["T1"]
