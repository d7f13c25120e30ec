"""Ingest, worker and console lose their database: they say so, and each ends with a sentence."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import pytest

from fleet.db import connect, leave
from kerbsafe.parts.part import free_port
from kerbsafe.soak.proxy import Proxy

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from kerbsafe import parts

pytestmark = pytest.mark.parametrize("templates", ["plain"], indirect=True)
PROCESSES = ("ingest", "worker", "console")
#: A `kerbsafe` that waits for seconds where the real one waits for half a minute.
IMPATIENT = """
import sys
from fleet import waiting
from kerbsafe.cli import main
waiting.SLACK_S = 1.0
for name in waiting.LIMITS:
    waiting.LIMITS[name] = waiting.Limits(statement_s=7, lock_s=2, pause_s=7)
sys.exit(main(sys.argv[1:]))
"""


@dataclass
class Running:
    process: Process
    port: int

    async def reasons(self) -> list[str]:
        """Why it is not ready; empty if it is."""
        url = f"http://127.0.0.1:{self.port}/readyz"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            said = await answer.json()
        return list(said["reasons"])

    async def become_ready(self) -> None:
        deadline_s = time.monotonic() + 60
        while time.monotonic() < deadline_s:
            with suppress(aiohttp.ClientError):
                if not await self.reasons():
                    return
            await asyncio.sleep(0.1)
        pytest.fail("not ready within 60 s")

    async def become_not_ready(self, timeout_s: float) -> str:
        deadline_s = time.monotonic() + timeout_s
        while not (reasons := await self.reasons()):
            assert time.monotonic() < deadline_s, "it stays ready"
            await asyncio.sleep(0.1)
        return "; ".join(reasons)

    async def end(self, timeout_s: float) -> list[str]:
        """Return what it says until it ends by itself."""
        assert self.process.stderr is not None
        said = await asyncio.wait_for(self.process.stderr.read(), timeout_s)
        assert await self.process.wait() == 2
        return said.decode().splitlines()


@dataclass
class City:
    dsn: str
    proxy: Proxy
    running: dict[str, Running]


@asynccontextmanager
async def running(arguments: tuple[str, ...], settings: dict[str, str]) -> AsyncIterator[Running]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", IMPATIENT, *arguments),
        env=os.environ | settings | {"KERBSAFE_HTTP_PORT": f"{port}"},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Running(process, port)
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


@pytest.fixture
async def city(database: str, embedded_broker: parts.Broker) -> AsyncIterator[City]:
    """The three of them, with a proxy between them and the database."""
    found = re.search(r":(\d+)/", database)
    assert found is not None
    async with Proxy(int(found[1])).listening() as proxy:
        settings = {
            "KERBSAFE_DSN": database.replace(found[0], f":{proxy.port}/"),
            "KERBSAFE_BROKER": embedded_broker.url,
            "KERBSAFE_CONSOLE_PORT": "0",
        }
        async with (
            running(("ingest",), settings) as ingest,
            running(("worker",), settings) as worker,
            running(("console",), settings) as console,
        ):
            made = dict(zip(PROCESSES, (ingest, worker, console), strict=True))
            await asyncio.gather(*(one.become_ready() for one in made.values()))
            yield City(database, proxy, made)


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
        assert "the process ends, since the database or the network failed: " in last_line(said)


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
