"""What systemd is told, over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from typing import TYPE_CHECKING

import pytest

from fleet.service import run
from fleet.supervisor import beat_s, tell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A socket in the place of systemd's."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield heard


async def test_a_process_says_that_it_is_ready_lives_and_stops(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lives at a third of the time after which systemd would end it: every 20 ms here, however busy."""
    monkeypatch.setenv("WATCHDOG_USEC", "60000")
    listening.setblocking(False)
    told: list[bytes] = []

    def hear() -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                told.append(listening.recv(64))

    async def work(stopping: asyncio.Event) -> None:
        async with asyncio.timeout(30):
            while told.count(b"WATCHDOG=1") < 5:
                await asyncio.sleep(0.005)
                hear()
        os.kill(os.getpid(), signal.SIGTERM)
        await stopping.wait()

    began_s = time.monotonic()
    await run({"work": work})
    took_s = time.monotonic() - began_s
    hear()
    assert told[0] == b"READY=1"
    assert told[-1] == b"STOPPING=1"
    assert told.count(b"WATCHDOG=1") <= took_s / 0.02 + 2


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="abstract socket names are Linux's")
def test_an_abstract_name() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"\0kerbsafe-test-{os.getpid()}")
        tell("READY=1", {"NOTIFY_SOCKET": f"@kerbsafe-test-{os.getpid()}"})
        assert heard.recv(64) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/no/such/socket", "@nobody", "vsock:2:1234"])
def test_nobody_listens(address: str) -> None:
    tell("READY=1", {"NOTIFY_SOCKET": address})
    tell("READY=1", {})


@pytest.mark.parametrize(
    ("environment", "every_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "30000000"}, 10.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 10.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
    ],
)
def test_how_often_systemd_wants_to_hear(environment: dict[str, str], every_s: float | None) -> None:
    assert beat_s(environment) == every_s
