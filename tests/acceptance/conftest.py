"""The whole installation of a test: TimescaleDB, Mosquitto, and our own processes, as a city runs them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from kerbsafe import parts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Installation:
    """A store and a broker, and `kerbsafe` as a person would call it."""

    dsn: str
    broker: parts.Broker
    folder: Path

    @property
    def settings(self) -> dict[str, str]:
        return {"KERBSAFE_DSN": self.dsn, "KERBSAFE_BROKER": self.broker.url, "KERBSAFE_LOG_LEVEL": "warning"}

    def kerbsafe(
        self, *arguments: object, expect: int = 0, timeout_s: float = 150
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "kerbsafe", *map(str, arguments)],
            env=os.environ | self.settings,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == expect, done.stderr[-2000:]
        return done

    def json(self, *arguments: object, timeout_s: float = 150) -> Any:
        return json.loads(self.kerbsafe(*arguments, "--json", timeout_s=timeout_s).stdout)

    def lines(self, *arguments: object) -> list[Any]:
        return [json.loads(line) for line in self.kerbsafe(*arguments, "--json").stdout.splitlines()]

    @contextmanager
    def process(self, *arguments: str, log_level: str = "warning") -> Iterator[parts.Process]:
        log = self.folder / f"{arguments[0]}.log"
        settings = self.settings | {"KERBSAFE_LOG_LEVEL": log_level}
        with parts.kerbsafe_process(*arguments, settings=settings, log_path=log) as running:
            yield running

    def rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in asyncio.run(_fetch(self.dsn, query, arguments))]

    def value(self, query: str, *arguments: object) -> Any:
        return self.rows(query, *arguments)[0][0]

    def wait_until(self, query: str, expected: object, timeout_s: float = 120) -> None:
        """Wait until a query gives a value."""
        deadline_s = time.monotonic() + timeout_s
        while (found := self.value(query)) != expected:
            assert time.monotonic() < deadline_s, f"{query}: {found!r} after {timeout_s} s, not {expected!r}"
            time.sleep(0.1)

    def settled(self) -> list[tuple[Any, ...]]:
        """(vehicle, rule, start, end, peak, limit) of the episodes that settling let stand."""
        return self.rows(
            """select vehicle.code, rule, started_at, ended_at, peak, limit_value
            from episode join vehicle using (vehicle_id) where status = 'settled' order by 1, 2, 3"""
        )

    def start_play(self, *arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "kerbsafe", "play", *map(str, arguments)],
            env=os.environ | self.settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


async def _fetch(dsn: str, query: str, arguments: tuple[object, ...]) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(query, *arguments))
    finally:
        await connection.close()


@pytest.fixture
def installation(sandbox_database: str, broker: parts.Broker, tmp_path: Path) -> Installation:
    """A sandbox on each kind of store, with Mosquitto."""
    return Installation(sandbox_database, broker, tmp_path)


def kill(process: parts.Process) -> None:
    """End a process of ours as kill -9 does."""
    process.part.signal(signal.SIGKILL)
    process.part.wait()


__all__ = ["ExitStack", "Installation", "kill"]
