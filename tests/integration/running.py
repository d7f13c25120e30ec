"""Our processes, started as people start them, and asked from outside how they are."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import pytest

from kerbsafe.parts.part import free_port

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Mapping

PROCESSES = ("ingest", "worker", "console")
_PLAIN = ("-m", "kerbsafe")
#: A `kerbsafe` that waits for seconds where the real one waits for half a minute.
_IMPATIENT = """
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
    """A process, and the port of its probes."""

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

    async def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def started(
    settings: Mapping[str, str], *, impatient: bool = False
) -> AsyncIterator[dict[str, Running]]:
    """Ingest, worker and console, once each is ready; killed at the end of the block."""
    made = {}
    try:
        for name in PROCESSES:
            port = free_port()
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, *(("-c", _IMPATIENT) if impatient else _PLAIN), name),
                env={**os.environ, **settings, "KERBSAFE_HTTP_PORT": f"{port}", "KERBSAFE_CONSOLE_PORT": "0"},
                stderr=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
            )
            made[name] = Running(process, port)
        await asyncio.gather(*(one.become_ready() for one in made.values()))
        yield made
    finally:
        await asyncio.gather(*(one.kill() for one in made.values()))
