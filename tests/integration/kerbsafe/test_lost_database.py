"""Ingest, worker and console lose their database: they say so, and each ends with a sentence."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiomqtt
import pytest

from fleet.db import connect, leave
from kerbsafe.soak.proxy import Proxy
from tests.integration.running import Running, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kerbsafe import parts

pytestmark = pytest.mark.parametrize("templates", ["plain"], indirect=True)


@dataclass
class City:
    """The three processes, and a proxy between them and the database."""

    dsn: str
    proxy: Proxy
    broker_port: int
    running: dict[str, Running]


@pytest.fixture
async def city(database: str, embedded_broker: parts.Broker) -> AsyncIterator[City]:
    found = re.search(r":(\d+)/", database)
    assert found is not None
    async with Proxy(int(found[1])).listening() as proxy:
        dsn = database.replace(found[0], f":{proxy.port}/")
        settings = {"KERBSAFE_DSN": dsn, "KERBSAFE_BROKER": embedded_broker.url}
        async with started(settings, impatient=True) as running:
            yield City(database, proxy, embedded_broker.port, running)


#: What was asked and not answered, or a new connection that replaced it: both are a lost database.
ENDED = re.compile(
    r"the process ends, since the database or the network failed: |cannot reach the database: "
)


def last_line(said: list[str]) -> str:
    """The sentence at the end of a log in which nothing is traced."""
    assert not [line for line in said if "Traceback" in line or '"exception"' in line]
    assert [line for line in said[:-1] if not line.startswith("{")] == []
    return said[-1]


async def test_a_database_that_falls_silent(city: City) -> None:
    """No process stays ready, none waits for ever."""
    city.proxy.fall_silent()
    reasons = await asyncio.gather(*(one.become_not_ready(10) for one in city.running.values()))
    assert ["the database has not answered" in said or "check did not end" in said for said in reasons] == [
        True
    ] * 3
    ends = await asyncio.gather(*(one.end(30) for one in city.running.values()))
    for said in ends:
        assert ENDED.search(last_line(said))


async def test_a_database_that_shuts_down(city: City) -> None:
    connection = await connect(city.dsn, application="test")
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() "
        "and application_name like 'kerbsafe%'"
    )
    await leave(connection)
    ends = await asyncio.gather(*(one.end(20) for one in city.running.values()))
    for said in ends:
        assert "the process ends, since the database or the network failed: " in last_line(said)


async def test_a_lock_that_is_not_given_back(city: City) -> None:
    """Ingest gives up; nothing is lost: what it had not acknowledged comes again."""
    somebody = await connect(city.dsn, application="psql")
    await somebody.execute("begin")
    await somebody.execute("lock table batch")
    async with aiomqtt.Client("127.0.0.1", city.broker_port, protocol=aiomqtt.ProtocolVersion.V5) as device:
        await device.publish("kerbsafe/v1/acme/T1/fix", b"{}", qos=1)
    said = last_line(await city.running["ingest"].end(20))
    assert "failed: canceling statement due to lock timeout. Nothing that was acknowledged is lost" in said
    assert await city.running["console"].reasons() == []
    await leave(somebody)
