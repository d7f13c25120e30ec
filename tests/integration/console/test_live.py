"""The live WebSocket: everything once and in order, for whoever may see it, never at the cost of others."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from console import live
from console.frames import decode
from fleet.columns import Fixes
from fleet.units import to_us

if TYPE_CHECKING:
    from tests.integration.console.conftest import Client, Store

MAX_S = 30.0


async def texts(socket: Any, kind: str, count: int = 1) -> list[dict[str, Any]]:
    """Return the next messages of a kind."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(MAX_S):
        while len(found) < count:
            message = await socket.receive()
            assert message.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}, message
            if message.type is aiohttp.WSMsgType.TEXT and json.loads(message.data)["type"] == kind:
                found.append(json.loads(message.data))
    return found


async def entries(socket: Any, count: int) -> list[dict[str, Any]]:
    """Return the next entries of the feed."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        (message,) = await texts(socket, "alerts")
        found += message["entries"]
        assert message["feed"] == found[-1]["id"]
    return found


async def closing(socket: Any) -> int:
    """Wait until the server ends the connection; return why."""
    async with asyncio.timeout(MAX_S):
        async for _ in socket:
            pass
    return int(socket.close_code)


async def test_an_alert_arrives_when_it_is_committed(client: Client, store: Store) -> None:
    async with client.live("?positions=false") as socket:
        (welcome,) = await texts(socket, "welcome")
        assert welcome["feed"] == 0
        waits_s = []
        for _ in range(3):
            alert_id = await store.alert("bc00003", severity=3)
            started_s = asyncio.get_running_loop().time()
            await store.tell(alert_id)
            (entry,) = await entries(socket, 1)
            waits_s.append(asyncio.get_running_loop().time() - started_s)
            assert entry["change"] == "opened"
            assert entry["alert"] == await client.get(f"/alerts/{alert_id}")
        # Without the notification each but the first would wait a second, however quick the machine.
        assert min(waits_s[1:]) < 0.5


async def test_a_reader_goes_on_where_it_was(client: Client, store: Store) -> None:
    """Three readers that come at different times are told the same, each once and in order."""
    ids = [await store.tell(await store.alert()) for _ in range(5)]
    async with client.live(f"?after={ids[1]}&positions=false") as socket:
        assert [entry["id"] for entry in await entries(socket, 3)] == ids[2:]
        more = await store.tell(await store.alert(), "closed")
        assert [entry["id"] for entry in await entries(socket, 1)] == [more]
    async with client.live("?after=0&positions=false") as socket:
        assert [entry["id"] for entry in await entries(socket, 6)] == [*ids, more]


async def test_a_long_absence_comes_in_pages_from_the_store(store: Store, serve: Any) -> None:
    alert_id = await store.alert()
    await store.connection.execute(
        "insert into alert_feed (feed_id, at, alert_id, change, body) "
        "select g, now(), $1::uuid, 'updated', '{}' from generate_series(1, 1234) g",
        alert_id,
    )
    await store.connection.execute("select setval('alert_feed_id', 1234)")
    async with serve(store.dsn) as client, client.live("?after=0&positions=false") as socket:
        assert [entry["id"] for entry in await entries(socket, 1234)] == list(range(1, 1235))
        last = await store.tell(alert_id)
        assert [entry["id"] for entry in await entries(socket, 1)] == [last]


@pytest.mark.parametrize("after", [2, 999])
async def test_what_was_forgotten_or_never_was_begins_anew(client: Client, store: Store, after: int) -> None:
    for _ in range(6):
        newest = await store.tell(await store.alert())
    async with client.live("?after=0&positions=false") as socket:
        await entries(socket, 6)  # now the console has read all of them
    await store.connection.execute("delete from alert_feed where feed_id <= 4")
    async with client.live(f"?after={after}&positions=false") as socket:
        (message,) = await texts(socket, "resync")
        assert message["feed"] == newest


async def test_positions_come_as_columns(client: Client, store: Store) -> None:
    vehicle_id = await store.vehicle_id("mx00001")

    async def move(lat_udeg: int, speed_dkmh: int) -> None:
        now_us = to_us(datetime.now(UTC))
        await store.fixes(
            Fixes.build(
                vehicle_id=vehicle_id,
                time_us=[now_us],
                lat_udeg=lat_udeg,
                lon_udeg=120_760_000,
                speed_dkmh=speed_dkmh,
            )
        )

    async def next_frame() -> Any:
        async with asyncio.timeout(MAX_S):
            while True:
                message = await socket.receive()
                if message.type is aiohttp.WSMsgType.BINARY and len(decode(message.data)[0].vehicle_id):
                    return decode(message.data)

    await move(30_750_000, 420)
    async with client.live() as socket:
        (registered,) = await texts(socket, "vehicles")
        assert registered["code"] == ["bc00003", "mx00001", "mx00002", "mx00004"]
        assert registered["id"][1] == vehicle_id
        positions, now_ms, rate = await next_frame()
        assert positions.vehicle_id.tolist() == [vehicle_id]
        assert positions.lat_udeg.tolist() == [30_750_000]
        assert positions.speed_dkmh.tolist() == [420]
        assert abs(now_ms - datetime.now(UTC).timestamp() * 1000) < 30_000
        assert rate == 1.0
        await move(30_751_000, 0)
        positions, *_ = await next_frame()
        assert positions.lat_udeg.tolist() == [30_751_000]
        await store.alert("mx00001", rule="not_watched_live", ended=False)
        client.console.desk.live_positions._not_watched_due_s = 0
        positions, *_ = await next_frame()
        assert positions.not_watched.tolist() == [True]


async def test_what_is_found_while_somebody_is_told_is_told_in_the_next_round(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was told up to the number of a round that is still looking must not miss what it finds."""
    live_positions = client.console.desk.live_positions
    told: list[int] = []
    read = live_positions._read

    async def told_meanwhile(*asked: Any) -> None:
        told.append(live_positions.round)
        await read(*asked)

    monkeypatch.setattr(live_positions, "_read", told_meanwhile)
    vehicle_id = await store.vehicle_id("mx00001")
    await store.fixes(Fixes.build(vehicle_id=[vehicle_id], time_us=[to_us(datetime.now(UTC))], lat_udeg=1))
    await live_positions.refresh()
    positions, *_ = decode(live_positions.frame_since(told[-1]))
    assert positions.vehicle_id.tolist() == [vehicle_id]


async def test_who_looks_at_nothing_costs_nothing(client: Client) -> None:
    """Positions are read only while somebody looks."""
    await asyncio.sleep(1.2)
    assert client.console.desk.live_positions.round == 0
    async with client.live() as socket:
        await texts(socket, "vehicles")
        assert client.console.desk.listeners.total() == 1
    async with asyncio.timeout(MAX_S):
        while client.console.desk.listeners:  # noqa: ASYNC110 - the desk has no event for a test
            await asyncio.sleep(0.02)


async def test_a_page_of_another_site_cannot_listen(client: Client) -> None:
    other = client.address.replace("127.0.0.1", "localhost")
    for origin in ("https://evil.example", "null", other):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.live(headers={"Origin": origin})
        assert refused.value.status == 403
    async with client.live(headers={"Origin": client.address}) as socket:
        await texts(socket, "welcome")


async def test_without_a_login_nobody_listens(closed: Client) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await closed.live()
    assert refused.value.status == 401


async def test_a_flood_ends_its_connection_and_no_other(client: Client, store: Store) -> None:
    async with client.live("?positions=false") as calm, client.live("?positions=false") as flood:
        for _ in range(live.MESSAGES_A_MINUTE + 5):
            await flood.send_str("{}")
        assert await closing(flood) == aiohttp.WSCloseCode.POLICY_VIOLATION
        await store.tell(await store.alert())
        assert len(await entries(calm, 1)) == 1


async def test_a_message_that_is_too_large_ends_its_connection(client: Client) -> None:
    async with client.live("?positions=false") as socket:
        await socket.send_bytes(bytes(live.MAX_MESSAGE_BYTES + 1))
        assert await closing(socket) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_rubbish_is_not_an_order(client: Client, store: Store) -> None:
    async with client.live("?positions=false") as socket:
        for rubbish in ("", "{", "null", "x" * 1000, '{"type":"subscribe","after":0}'):
            await socket.send_str(rubbish)
        await socket.send_bytes(b"\xff\xfe")
        await store.tell(await store.alert())
        assert len(await entries(socket, 1)) == 1


async def test_connections_are_counted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_OF_ONE", 2)
    async with client.live("?positions=false"), client.live("?positions=false"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.live()
        assert refused.value.status == 429


async def test_a_connection_ends_with_its_token(
    closed: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console import accounts  # noqa: PLC0415

    monkeypatch.setattr(live, "_KNOWN_STILL_S", 0.1)
    monkeypatch.setattr(live, "_TURN_S", 0.1)
    now_us = to_us(datetime.now(UTC))
    token = await accounts.add_token(store.connection, "board", now_us, None)
    async with closed.live("?positions=false", headers={"Authorization": f"Bearer {token}"}) as socket:
        await texts(socket, "welcome")
        await accounts.revoke_token(store.connection, "board", now_us)
        assert await closing(socket) == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_a_reader_that_does_not_read_is_dropped(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it was sent piles up in its own connection, not in ours, and not for ever."""
    monkeypatch.setattr(live, "SEND_TIMEOUT_S", 2.0)
    alert_id = await store.alert()
    reader, writer = await asyncio.open_connection(
        *client.address.removeprefix("http://").split(":"), limit=1024
    )
    writer.write(
        b"GET /api/v1/live?after=0&positions=false HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    async with client.live("?positions=false") as other:
        await texts(other, "welcome")
        async with asyncio.timeout(60):
            while client.console.desk.listeners["demo:demo"] == 2:
                await store.connection.execute(
                    """insert into alert_feed (feed_id, at, alert_id, change, body)
                       select nextval('alert_feed_id'), now(), $1::uuid, 'updated', $2
                       from generate_series(1, 100)""",
                    alert_id,
                    {"text": "x" * 20_000},
                )
                await store.connection.execute("select pg_notify('kerbsafe_alert_feed', '')")
                await entries(other, 100)
        assert client.console.desk.listeners["demo:demo"] == 1
    writer.close()


async def test_a_program_behind_a_proxy_is_told_to_upgrade(client: Client) -> None:
    async with client.call("GET", "/api/v1/live") as response:
        assert response.status == 426
        assert response.headers["Upgrade"] == "websocket"
