"""What was acknowledged to a terminal is in the database, once, whatever was killed meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING

import asyncpg

from tests.integration.gateway.conftest import PHONE
from tests.integration.gateway.terminal import BATCH, Terminal, batch, body

if TYPE_CHECKING:
    from collections.abc import Callable

    from kerbsafe.parts import Broker
    from tests.integration.gateway.conftest import Gateway, Process

TRUCKS, REPORTS = 4, 120
#: The present, and how long before it the tests begin: `conftest.present`.
NOW_S, AGO_S = 0, REPORTS


async def drive(terminal: Terminal, stopping: asyncio.Event) -> None:
    """Report second after second; what is not acknowledged is sent again, on a new connection if need be."""
    told = 0
    while not stopping.is_set() and (told < REPORTS or terminal.unacknowledged):
        try:
            await terminal.come_in()
            terminal.resend()
            while not terminal.hung_up.is_set() and (told < REPORTS or terminal.unacknowledged):
                if told < REPORTS and told % 10 == 9:
                    terminal.report(batch(body(NOW_S + told), body(NOW_S + told)), BATCH)
                elif told < REPORTS:
                    terminal.report(body(NOW_S + told))
                told += 1
                await asyncio.sleep(0.02)
                if told > REPORTS and told % 100 == 0:
                    terminal.resend()
        except (OSError, AssertionError):
            await asyncio.sleep(0.1)
        finally:
            await terminal.close()


def killed_while_the_broker_is_away(gateway: Gateway, broker: Broker) -> None:
    """What the gateway has in its hands then is nowhere else."""
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGTERM)
    time.sleep(1.0)
    gateway.process.kill()
    broker.restart()
    gateway.process.started()


async def test_every_acknowledged_report_is_in_the_database_once(
    gateway: Gateway, processes: Callable[..., Process], broker: Broker, store: str
) -> None:
    """The gateway is killed, once while the broker is away, under terminals that send by the rules."""
    ingest = processes("ingest").started()
    trucks = [Terminal(PHONE.format(n), gateway.port) for n in range(1, TRUCKS + 1)]
    stopping = asyncio.Event()
    driving = [asyncio.create_task(drive(one, stopping)) for one in trucks]
    await asyncio.sleep(0.5)
    await asyncio.to_thread(killed_while_the_broker_is_away, gateway, broker)
    for fault in (gateway.process.kill, broker.restart):
        await asyncio.sleep(0.5)
        await asyncio.to_thread(fault)
        if fault == gateway.process.kill:
            await asyncio.to_thread(gateway.process.started)
    async with asyncio.timeout(60):
        await asyncio.gather(*driving)
    stopping.set()
    assert [len(one.acknowledged) for one in trucks] == [REPORTS] * TRUCKS
    connection = await asyncpg.connect(store)
    try:
        async with asyncio.timeout(20):
            while (await connection.fetchval("select count(*) from fix")) < TRUCKS * REPORTS:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        rows = await connection.fetch(
            "select code, count(*)::int, count(distinct time)::int from fix join vehicle using (vehicle_id) "
            "group by code order by code"
        )
        rejected = await connection.fetchval("select count(*) from reject")
    finally:
        await connection.close()
    assert [tuple(row) for row in rows] == [(f"T{n}", REPORTS, REPORTS) for n in range(1, TRUCKS + 1)]
    assert rejected == 0
    assert ingest.stop() == 0
