"""A gateway of the test's own, with a registry, Mosquitto, and a reader of what it publishes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiomqtt
import asyncpg
import pytest

from fleet.db import connect
from fleet.entities import Company, Vehicle
from fleet.kinds import VehicleKind
from fleet.registry import QUERIES, register
from fleet.wire.topics import HISTORY_FILTERS, LIVE_FILTERS
from tests import conftest
from tests.integration.gateway.terminal import MADE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from kerbsafe.parts import Broker

#: Trucks T1 to T9 of the company acme; the terminal of truck T1 has this number, and so on.
PHONE = "1391234567{}"


@dataclass
class Process:
    """A process of ours that a test starts, kills and asks."""

    command: tuple[str, ...]
    environment: dict[str, str]
    http_port: int
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> Process:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "kerbsafe", *self.command],
                env=os.environ | self.environment,
                stdout=log,
                stderr=log,
            )
        return self

    def started(self) -> Process:
        return self.start().wait_ready()

    def wait_ready(self) -> Process:
        deadline = time.monotonic() + 60
        while not self.ready():
            assert self.running is not None
            assert self.running.poll() is None, self.log.read_text("utf-8")
            assert time.monotonic() < deadline, self.log.read_text("utf-8")
            time.sleep(0.05)
        return self

    def get(self, page: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{page}", timeout=5) as answer:
            return str(answer.read(), "utf-8")

    def ready(self) -> bool:
        try:
            return bool(json.loads(self.get("/readyz"))["ready"])
        except (OSError, urllib.error.URLError):
            return False

    def metric(self, name: str) -> float:
        for line in self.get("/metrics").splitlines():
            if line.startswith((f"kerbsafe_gateway_{name} ", f"kerbsafe_gateway_{name}{{")) and name in line:
                return float(line.rpartition(" ")[2])
        raise AssertionError(name)

    def kill(self) -> None:
        assert self.running is not None
        self.running.kill()
        self.running.wait()

    def stop(self) -> int:
        assert self.running is not None
        self.running.send_signal(signal.SIGTERM)
        return self.running.wait(30)


@pytest.fixture(autouse=True)
def present(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the clock of a module's tests: it is imported minutes before they run."""
    if hasattr(request.module, "NOW_S"):
        monkeypatch.setattr(request.module, "NOW_S", int(time.time()) - request.module.AGO_S)


@pytest.fixture
def store(plain_templates: conftest.Templates) -> Iterator[str]:
    """DSN of a database of the test's own. On one kind of server: the gateway only reads its registry."""
    with a_store(plain_templates) as dsn:
        yield dsn


@contextmanager
def a_store(plain_templates: conftest.Templates) -> Iterator[str]:
    name = f"kerbsafe_test_{uuid.uuid4().hex[:12]}"
    template = plain_templates.name(sandbox=False)
    asyncio.run(_execute(plain_templates.server.dsn, f"create database {name} template {template}"))
    asyncio.run(_put_trucks(plain_templates.server.database(name)))
    yield plain_templates.server.database(name)
    asyncio.run(_execute(plain_templates.server.dsn, f"drop database {name} with (force)"))


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _put_trucks(dsn: str) -> None:
    connection = await connect(dsn, application="test")
    try:
        trucks = [Vehicle(code=f"T{n}", company="acme", kind=VehicleKind.MIXER) for n in range(1, 10)]
        await register(connection, Company(code="acme"), trucks)
        numbers = range(1, 10)
        await connection.execute(
            QUERIES["put_devices"],
            # With a leading zero, as some write it in the registry.
            [("0" if n == 1 else "") + PHONE.format(n) for n in numbers],
            [f"T{n}" for n in numbers],
            ["su" for _ in numbers],
        )
    finally:
        await connection.close()


@pytest.fixture
def processes(store: str, broker: Broker, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Make processes of ours; what still runs at the end is stopped."""
    with maker_of_processes(store, broker, tmp_path) as make:
        yield make


@contextmanager
def maker_of_processes(store: str, broker: Broker, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    made: list[Process] = []
    secret = tmp_path / "secret"
    secret.write_text("a secret of twenty-four characters at least", "ascii")

    def make(*command: str, **environment: str) -> Process:
        port = conftest.own_free_port()
        settings = {
            "KERBSAFE_DSN": store,
            "KERBSAFE_BROKER": broker.url,
            "KERBSAFE_HTTP_PORT": str(port),
            "KERBSAFE_GATEWAY_SECRET_FILE": str(secret),
        }
        one = Process(command, settings | environment, port, tmp_path / f"{command[0]}-{len(made)}.log")
        made.append(one)
        return one

    with ExitStack() as stack:
        yield make
        for one in made:
            if one.running is not None and one.running.poll() is None:
                stack.callback(one.running.wait, 30)
                stack.callback(one.running.kill)


@pytest.fixture(autouse=True)
async def terminals() -> AsyncIterator[None]:
    """Hang up all terminals at the end."""
    yield
    for one in MADE:
        await one.close()
    MADE.clear()


@dataclass
class Gateway:
    process: Process
    port: int


@pytest.fixture
def gateway(processes: Callable[..., Process]) -> Gateway:
    """A gateway that is ready."""
    port = conftest.own_free_port()
    return Gateway(processes("gateway", KERBSAFE_GATEWAY_PORT=str(port)).started(), port)


@dataclass
class Reader:
    """What the broker was given, in the place of ingest."""

    client: aiomqtt.Client
    messages: list[tuple[str, Any]] = field(default_factory=list)

    async def listen(self) -> None:
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            self.messages.append((str(message.topic), json.loads(message.payload)))

    def of(self, kind: str, vehicle: str = "T1") -> list[Any]:
        """Return the observations of a kind of one truck, in order."""
        found: list[Any] = []
        for topic, payload in self.messages:
            if topic == f"kerbsafe/v1/acme/{vehicle}/{kind}":
                found += payload if isinstance(payload, list) else [payload]
        return found


@pytest.fixture
async def reader(broker: Broker) -> AsyncIterator[Reader]:
    async with aiomqtt.Client(broker.host, broker.port_v3, identifier="reader") as client:
        for topic_filter in (*LIVE_FILTERS, *HISTORY_FILTERS):
            await client.subscribe(topic_filter, qos=1)
        made = Reader(client)
        listening = asyncio.create_task(made.listen())
        yield made
        listening.cancel()
