"""Terminals that flood, dawdle, talk rubbish or come and go: the others are not disturbed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.gateway.conftest import PHONE
from tests.integration.gateway.terminal import HEARTBEAT, Terminal, body

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.integration.gateway.conftest import Gateway

#: The present, and how long before it the tests begin: `conftest.present`.
NOW_S, AGO_S = 0, 60
FOR_S = 2.0
#: How long an answer may take while others misbehave, on a machine that does other things too.
PROMPT_S = 0.5


async def flood(terminal: Terminal) -> None:
    """Send heartbeats and reports as fast as the socket takes them."""
    await terminal.come_in()
    frame = b"".join(terminal.sender.build_raw(HEARTBEAT, b"")) * 50
    reports = b"".join(b"".join(terminal.sender.build_raw(0x0200, body(NOW_S + n))) for n in range(50))
    with contextlib.suppress(OSError):
        while True:
            terminal.write(frame + reports)
            await terminal.writer.drain()


async def never_reads(terminal: Terminal) -> None:
    """Send on and on, and take no answer."""
    await terminal.come_in()
    terminal.take_nothing()
    frame = b"".join(terminal.sender.build_raw(HEARTBEAT, b"")) * 50
    with contextlib.suppress(OSError):
        while True:
            terminal.write(frame)
            await terminal.writer.drain()
            await asyncio.sleep(0.01)


async def rubbish(terminal: Terminal) -> None:
    """Talk something else, and connect again whenever hung up on."""
    while True:
        await terminal.connect()
        with contextlib.suppress(OSError):
            while not terminal.hung_up.is_set():
                terminal.write(b"GET / HTTP/1.1\r\n\r\n\x7e\x7d\x00rubbish\x7e" * 100)
                await terminal.writer.drain()
                await asyncio.sleep(0)
        await terminal.close()


async def reconnects(terminal: Terminal) -> None:
    """Come in, report, and go, 50 times a minute and more."""
    n = 0
    while True:
        await terminal.come_in()
        terminal.report(body(NOW_S + n))
        n += 1
        await asyncio.sleep(0.3)
        await terminal.close()


@pytest.mark.usefixtures("reader")
async def test_the_others_are_not_disturbed(gateway: Gateway) -> None:
    worst: dict[str, float] = {}
    for n, behaviour in enumerate((flood, never_reads, rubbish, reconnects), 2):
        worst[behaviour.__name__] = await worst_answer_s(gateway, behaviour, PHONE.format(n))
    assert {name: seconds for name, seconds in worst.items() if seconds > PROMPT_S} == {}
    assert gateway.process.ready()


async def worst_answer_s(
    gateway: Gateway, behaviour: Callable[[Terminal], Coroutine[None, None, None]], phone: str
) -> float:
    """Return how long a well-behaved terminal waited at most for the answer to a report."""
    bad = Terminal(phone, gateway.port)
    misbehaving = asyncio.create_task(behaviour(bad))
    good = await Terminal(PHONE.format(1), gateway.port).come_in()
    worst_s, began_s, n = 0.0, time.monotonic(), 0
    while time.monotonic() - began_s < FOR_S:
        sent_s = time.monotonic()
        good.report(body(NOW_S + n))
        await good.all_acknowledged()
        worst_s = max(worst_s, time.monotonic() - sent_s)
        n += 1
        await asyncio.sleep(0.05)
    misbehaving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await misbehaving
    await good.close()
    await bad.close()
    return worst_s
