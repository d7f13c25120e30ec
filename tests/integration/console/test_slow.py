"""Clients that take their time: they are ended, and what they hold of ours is given back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

import psutil

from console import live

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from tests.integration.console.conftest import Client, Store

MIB = 2**20
UPGRADE = (
    b"GET /api/v1/live?after=0&positions=false HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@contextlib.asynccontextmanager
async def deaf(client: Client, request: bytes, count: int) -> AsyncIterator[list[Any]]:
    """Connections that send a request and read nothing but the head of the answer."""
    host, port = client.address.removeprefix("http://").split(":")
    opened = [await asyncio.open_connection(host, int(port), limit=1024) for _ in range(count)]
    for reader, writer in opened:
        writer.write(request)
        await reader.readuntil(b"\r\n\r\n")
    yield opened
    for _, writer in opened:
        writer.transport.abort()


def held(client: Client) -> int:
    """Connections that the console has open."""
    port = int(client.address.rpartition(":")[2])
    return sum(
        one.laddr.port == port and one.status == psutil.CONN_ESTABLISHED
        for one in psutil.Process().net_connections("tcp")
    )


async def until(is_so: Any, most_s: float = 30.0) -> float:
    """Wait until something is so; return how long that took."""
    began_s = time.monotonic()
    async with asyncio.timeout(most_s):
        while not is_so():  # noqa: ASYNC110 - what is looked at has no event
            await asyncio.sleep(0.05)
    return time.monotonic() - began_s


async def tell_much(store: Store, count: int) -> None:
    """Fill the feed with entries of 20 kB."""
    await store.connection.execute(
        """insert into alert_feed (feed_id, at, alert_id, change, body)
           select nextval('alert_feed_id'), now(), $1::uuid, 'updated', $2 from generate_series(1, $3)""",
        await store.alert(),
        {"text": "x" * 20_000},
        count,
    )


async def test_what_slow_readers_of_the_feed_hold_is_given_back(
    store: Store, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six of them are sent 10 MB each and read nothing: dropped, they keep neither socket nor memory."""
    monkeypatch.setattr(live, "SEND_TIMEOUT_S", 0.5)
    await tell_much(store, 500)
    async with serve(store.dsn) as client:
        kept = []
        for _ in range(4):
            async with deaf(client, UPGRADE, 6):
                await until(lambda: held(client) == 0)
                kept.append(psutil.Process().memory_info().rss)
        assert client.console.desk.listeners.total() == 0
    # The first two rounds warm the allocator; of the last two nothing is left, neither 120 MB nor a part of it.
    assert kept[3] - kept[1] < 30 * MIB, [f"{rss / MIB:.0f}" for rss in kept]
