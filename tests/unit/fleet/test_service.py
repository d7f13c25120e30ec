"""What every process shares: its three pages, its log, its end."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import signal
import socket
from typing import TYPE_CHECKING

import aiohttp
import asyncpg
import pytest
import structlog
from prometheus_client import CollectorRegistry, Counter

from fleet.errors import KerbsafeError
from fleet.service import ServiceError, configure_logging, run, watched

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Readiness:
    """A check that answers what the test says."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    async def __call__(self) -> Sequence[str]:
        return self.reasons


async def fetch(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
        return response.status, await response.text()


async def test_healthz_and_readyz() -> None:
    readiness = Readiness()
    async with watched("127.0.0.1", 0, not_ready=readiness) as port:
        assert await fetch(port, "/healthz") == (200, '{"status": "ok"}')
        assert await fetch(port, "/readyz") == (200, '{"ready": true, "reasons": []}')
        readiness.reasons = ["the broker is not connected"]
        assert await fetch(port, "/readyz") == (
            503,
            '{"ready": false, "reasons": ["the broker is not connected"]}',
        )
        assert (await fetch(port, "/healthz"))[0] == 200
    with pytest.raises(aiohttp.ClientConnectionError):
        await fetch(port, "/healthz")


async def test_a_check_that_fails_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails() -> Sequence[str]:
        raise ConnectionResetError

    async def hangs() -> Sequence[str]:
        await asyncio.sleep(60)
        return []

    monkeypatch.setattr("fleet.service._CHECK_S", 0.05)
    for check, reason in [(fails, "the check failed: ConnectionResetError"), (hangs, "did not end within")]:
        async with watched("127.0.0.1", 0, not_ready=check) as port:
            status, body = await fetch(port, "/readyz")
            assert status == 503
            assert reason in body


async def test_metrics_are_those_of_the_registry() -> None:
    registry = CollectorRegistry()
    Counter("kerbsafe_fixes", "Fixes stored.", registry=registry).inc(3)
    async with watched("127.0.0.1", 0, not_ready=Readiness(), registry=registry) as port:
        status, body = await fetch(port, "/metrics")
    assert status == 200
    assert "kerbsafe_fixes_total 3.0" in body
    assert body.endswith("\nkerbsafe_ready 1.0\n")


async def test_prometheus_sees_who_is_not_ready() -> None:
    readiness = Readiness()
    readiness.reasons = ["the broker is not connected"]
    async with watched("127.0.0.1", 0, not_ready=readiness, registry=CollectorRegistry()) as port:
        assert (await fetch(port, "/metrics"))[1].endswith("\nkerbsafe_ready 0.0\n")


async def test_a_taken_port_is_named_with_the_remedy() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServiceError, match=rf"127.0.0.1:{port}: .*KERBSAFE_HTTP_PORT"):
            async with watched("127.0.0.1", port, not_ready=Readiness()):
                pass


async def test_an_error_of_the_process_is_not_blamed_on_the_port() -> None:
    with pytest.raises(OSError, match="disk full"):
        async with watched("127.0.0.1", 0, not_ready=Readiness()):
            raise OSError("disk full")


async def until_told(stopping: asyncio.Event) -> None:
    await stopping.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_lets_tasks_finish(number: signal.Signals) -> None:
    finished = []

    async def drains(stopping: asyncio.Event) -> None:
        os.kill(os.getpid(), number)
        await stopping.wait()
        await asyncio.sleep(0.01)
        finished.append(number)

    await run({"ingest": drains, "beside": until_told})
    assert finished == [number]


async def test_what_does_not_finish_in_time_is_cancelled() -> None:
    async def deaf(_: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(60)

    async with asyncio.timeout(30):
        await run({"deaf": deaf, "beside": until_told}, grace_s=0.05)


async def test_a_second_signal_does_not_wait() -> None:
    async def deaf(_: asyncio.Event) -> None:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.01)
        await asyncio.sleep(60)

    async with asyncio.timeout(30):
        await run({"deaf": deaf}, grace_s=60)


@pytest.mark.parametrize("error", [KerbsafeError("the broker refused us"), ZeroDivisionError("oh")])
async def test_a_dead_task_ends_the_process(error: Exception) -> None:
    cancelled = asyncio.Event()

    async def dies(_: asyncio.Event) -> None:
        await asyncio.sleep(0)
        raise error

    async def lives(_: asyncio.Event) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    with pytest.raises(type(error), match=str(error)):
        await run({"dies": dies, "lives": lives})
    assert cancelled.is_set()


async def test_a_task_that_just_ends_is_dead_too() -> None:
    async def ends(_: asyncio.Event) -> None:
        pass

    with pytest.raises(ServiceError, match="settler ended though nobody asked it to"):
        await run({"settler": ends, "beside": until_told})


async def test_signals_are_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    await test_what_does_not_finish_in_time_is_cancelled()
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.fixture
def restored_logging() -> Iterator[None]:
    root, level = logging.getLogger(), logging.getLogger().level
    handlers = root.handlers[:]
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("restored_logging")
def test_the_log_is_json_where_nobody_watches() -> None:
    stream = io.StringIO()
    configure_logging("info", stream)
    structlog.get_logger("ingest").info("stored", fixes=3, where="杭州")
    structlog.get_logger("ingest").debug("unseen")
    logging.getLogger("a.library").warning("odd %s", "thing")
    structlog.get_logger("ingest").error("failed", exc_info=ZeroDivisionError("oh"))
    first, second, third = map(json.loads, stream.getvalue().splitlines())
    assert (first["event"], first["level"], first["fixes"], first["where"]) == ("stored", "info", 3, "杭州")
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["level"], second["logger"]) == ("odd thing", "warning", "a.library")
    assert third["exception"][0]["exc_type"] == "ZeroDivisionError"


@pytest.mark.parametrize("for_people", [False, True])
def test_a_trace_in_the_log_holds_no_values(*, for_people: bool) -> None:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return for_people

    def fails(password: str) -> None:
        raise RuntimeError(f"{len(password)} characters")

    stream = Stream()
    configure_logging("info", stream)
    try:
        fails("correct-horse")
    except RuntimeError:
        structlog.get_logger("test").exception("failed")
    assert "RuntimeError" in stream.getvalue()
    assert "13 characters" in stream.getvalue()
    assert "correct-horse" not in stream.getvalue().replace('fails("correct-horse")', "")


@pytest.mark.usefixtures("restored_logging")
@pytest.mark.parametrize("for_people", [False, True])
def test_a_trace_in_the_log_holds_no_rows(*, for_people: bool) -> None:
    """PostgreSQL shows the row that it refuses, also as the cause of another error and within a group."""

    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return for_people

    stream = Stream()
    configure_logging("info", stream)
    refused = asyncpg.CheckViolationError("new row violates a check")
    refused.detail = "Failing row contains (7, \u6d59F00001,\n13800000000)."
    assert "13800000000" in str(refused)

    def fails(cause: Exception) -> None:
        raise cause

    for cause in (refused, ExceptionGroup("group", [refused])):
        try:
            try:
                fails(cause)
            except Exception as error:
                raise RuntimeError("not stored") from error
        except RuntimeError:
            structlog.get_logger("test").exception("failed")
    assert stream.getvalue().count("new row violates a check") >= 2
    assert stream.getvalue().count("RuntimeError") >= 2
    assert "not stored" in stream.getvalue()
    for value in ("\u6d59F00001", "13800000000", "DETAIL"):
        assert value not in stream.getvalue()
