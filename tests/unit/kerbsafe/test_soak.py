"""What a storm sends is all there, once; its proxies do what they say."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import pytest

from fleet.units import MICROSECONDS
from fleet.wire.v1 import Published, decode
from kerbsafe.bench.traffic import COMPANY
from kerbsafe.soak import course, verdict
from kerbsafe.soak.proxy import HOST, Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

START_US = 1_780_272_000 * MICROSECONDS


class Everybody:
    """Knows each truck by its index."""

    def __init__(self, codes: list[str]) -> None:
        self.index = {code: index for index, code in enumerate(codes)}

    def find(self, company: str, vehicle: str, /) -> int:
        assert company == COMPANY
        return self.index[vehicle]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_course_sends_each_fix_and_nothing_else(seed: int) -> None:
    driven = course.make(trucks=30, uploading=3, rounds=60, start_us=START_US, seed=seed)
    keys = set(zip(driven.fixes.vehicle_id.tolist(), driven.fixes.time_us.tolist(), strict=True))
    assert len(keys) == len(driven.fixes) == 30 * 60 + 3 * course.UPLOAD_ROUNDS
    moments = [sending.at_us for sending in driven.sendings]
    assert moments == sorted(moments)
    assert START_US <= moments[0] <= moments[-1] <= START_US + 60 * MICROSECONDS
    messages = [Published(sending.topic, sending.payload) for sending in driven.sendings]
    taken = decode(messages, Everybody(driven.codes))
    sent = list(zip(taken.fixes.vehicle_id.tolist(), taken.fixes.time_us.tolist(), strict=True))
    assert set(sent) == keys
    assert len(sent) > len(keys)  # some of it twice
    seen = zip(taken.camera.vehicle_id.tolist(), taken.camera.event_id.tolist(), strict=True)
    sent_seen = zip(driven.camera.vehicle_id.tolist(), driven.camera.event_id.tolist(), strict=True)
    assert sorted(seen) == sorted(sent_seen)
    assert len(driven.camera) > 10
    assert len(taken.rejects) == driven.garbage > 0
    assert {str(reject.reason) for reject in taken.rejects} <= verdict.REASONS


def test_a_course_can_be_had_again() -> None:
    one, other = (
        course.make(trucks=10, uploading=1, rounds=20, start_us=START_US, seed=5).sendings for _ in range(2)
    )
    assert one == other


@contextlib.asynccontextmanager
async def echoing() -> AsyncIterator[Proxy]:
    """A proxy before a server that sends back what it hears."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(100):
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, HOST, 0)
    try:
        async with Proxy(server.sockets[0].getsockname()[1]).listening() as proxy:
            yield proxy
    finally:
        server.close()


async def test_a_proxy_passes_holds_back_and_cuts() -> None:
    async with echoing() as proxy:
        reader, writer = await asyncio.open_connection(HOST, proxy.port)
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        began_s = time.monotonic()
        holding = asyncio.create_task(proxy.hold_answers(0.3))
        await asyncio.sleep(0)
        writer.write(b"two")
        assert await reader.readexactly(3) == b"two"
        assert time.monotonic() - began_s >= 0.29
        await holding
        assert proxy.cut() == 1
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.close()


async def test_a_proxy_swallows_what_clients_say_and_then_cuts() -> None:
    async with echoing() as proxy:
        reader, writer = await asyncio.open_connection(HOST, proxy.port)
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        swallowing = asyncio.create_task(proxy.swallow_requests(0.2))
        await asyncio.sleep(0.01)
        writer.write(b"two")
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        assert await swallowing == 1
        writer.close()


async def test_behind_a_proxy_a_server_that_is_away_is_away() -> None:
    gone = await asyncio.start_server(lambda *_: None, HOST, 0)
    port = gone.sockets[0].getsockname()[1]
    gone.close()
    await gone.wait_closed()
    async with Proxy(port).listening() as proxy:
        reader, writer = await asyncio.open_connection(HOST, proxy.port)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read(1) == b""
        writer.close()
