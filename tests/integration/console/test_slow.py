"""Clients that take their time: they are ended, and what they hold of ours is given back."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psutil

from console import live, operation, patience

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
    opened = []
    for _ in range(count):
        own = socket.socket()
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # the system would take megabytes for us
        own.setblocking(False)
        await asyncio.get_running_loop().sock_connect(own, (host, int(port)))
        opened.append(await asyncio.open_connection(sock=own, limit=1024))
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


async def until(is_so: Any, max_s: float = 30.0) -> float:
    """Wait until something is so; return how long that took."""
    began_s = time.monotonic()
    async with asyncio.timeout(max_s):
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
    # The first two rounds warm the allocator; each of the last two would leave 240 MiB.
    assert kept[3] - kept[1] < 120 * MIB, [f"{rss / MIB:.0f}" for rss in kept]


async def test_what_slow_readers_of_a_track_hold_is_bounded_and_given_back(
    store: Store, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unit has sent three fixes a second for 9 hours, 7 MB of JSON; four who ask for it read nothing."""
    # Three megabytes are in the system's hands at once; what is not is cut off as soon.
    monkeypatch.setattr(patience, "HEADERS_S", 1.0)
    monkeypatch.setattr(patience, "TAKEN_S", 1.0)
    await store.connection.execute(
        """insert into fix
           select $1, date_trunc('day', now()) - interval '2 days' + s * interval '0.3 s', 1,
               30750000 + s % 9999, 120760000, -1, (s % 900)::smallint, (s % 360)::smallint, 0, 9, 9, -1, 0
           from generate_series(0, 99999) s""",
        await store.vehicle_id("mx00001"),
    )
    day = (datetime.now(UTC) - timedelta(days=2)).date()
    request = f"GET /api/v1/vehicles/mx00001/track?day={day}%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    async with serve(store.dsn) as client:
        await client.get(f"/vehicles/mx00001/track?day={day}&thin=true")
        before = psutil.Process().memory_info().rss
        for thin in ("", "&thin=true"):
            async with deaf(client, (request % thin).encode(), 4):
                assert held(client) >= 4
                assert psutil.Process().memory_info().rss - before < 150 * MIB
                await until(lambda: held(client) <= 1)  # the client of the fixture


async def test_headers_that_do_not_end_are_not_waited_for(
    store: Store, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow loris: fifty connections send a line now and then, and others are answered all the while."""
    monkeypatch.setattr(patience, "HEADERS_S", 1.0)
    async with serve(store.dsn) as client:
        host, port = client.address.removeprefix("http://").split(":")
        slow = [await asyncio.open_connection(host, int(port)) for _ in range(50)]

        async def dribble() -> None:
            for _ in range(40):
                for _, writer in slow:
                    writer.write(b"X-Slow: 1\r\n")
                await asyncio.sleep(0.1)

        for _, writer in slow:
            writer.write(b"GET /api/v1/about HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        dribbling = asyncio.create_task(dribble())
        assert (await client.get("/about"))["demo"] is True
        assert await until(lambda: held(client) <= 1) < 3.0
        assert (await client.get("/about"))["demo"] is True
        dribbling.cancel()
        for _, writer in slow:
            writer.transport.abort()


async def test_a_body_that_does_not_come_is_not_waited_for(
    store: Store, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation, "BODY_S", 0.3)
    async with serve(store.dsn) as client:
        host, port = client.address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: 60\r\n\r\n{"
        )
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        assert head.startswith(b"HTTP/1.1 408 ")
        assert b"application/problem+json" in head
        writer.transport.abort()


async def test_a_database_that_hangs_is_not_waited_for(
    store: Store, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table is locked for longer than anybody waits: the answer says when to try again."""
    monkeypatch.setattr(patience, "ANSWER_S", 0.5)
    async with serve(store.dsn) as client:
        async with store.connection.transaction():
            await store.connection.execute("lock table alert in access exclusive mode")
            began_s = time.monotonic()
            async with client.call("GET", "/api/v1/alerts") as response:
                assert (response.status, response.content_type) == (503, "application/problem+json")
                assert response.headers["Retry-After"] == "5"
            assert time.monotonic() - began_s < 2.0
        assert (await client.get("/alerts"))["items"] == []
