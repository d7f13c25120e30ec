"""How old what the console tells is: it says so, and what it cannot read it does not take from before."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from console import live, patience
from fleet.columns import Fixes
from fleet.units import to_us
from tests.integration.console.test_live import MAX_S, entries, texts

if TYPE_CHECKING:
    from tests.integration.console.conftest import Client, Store


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the database no longer than half a second, and tell ages ten times a second."""
    monkeypatch.setattr(patience, "LOOK_S", 1.0)
    monkeypatch.setattr(live, "_AGE_EVERY_S", 0.1)
    monkeypatch.setattr(live, "_TURN_S", 0.1)


async def until_age(socket: Any, is_so: Any) -> dict[str, Any]:
    """Return the first message of ages of which something is so."""
    async with asyncio.timeout(MAX_S):
        while True:
            (age,) = await texts(socket, "age")
            if is_so(age):
                return age


async def test_a_feed_that_cannot_be_read_says_so_while_positions_go_on(client: Client, store: Store) -> None:
    """Half a minute without alerts may be a quiet half-minute, or one in which none was heard of."""
    alert_id = await store.alert()
    async with client.live() as socket:
        await until_age(socket, lambda age: age["feed_s"] < 1.5)
        async with store.connection.transaction():
            await store.connection.execute("lock table alert_feed in access exclusive mode")
            age = await until_age(socket, lambda age: age["feed_s"] > 2.0)
            assert age["positions_s"] < 2.0
        feed_id = await store.tell(alert_id)
        assert [entry["id"] for entry in await entries(socket, 1)] == [feed_id]
        await until_age(socket, lambda age: age["feed_s"] < 1.5)


async def test_positions_that_cannot_be_read_are_not_those_from_before(client: Client, store: Store) -> None:
    now_us = to_us(datetime.now(UTC))
    await store.fixes(Fixes.build(vehicle_id=[await store.vehicle_id("mx00001")], time_us=[now_us]))
    assert (await client.get("/vehicles/mx00001"))["state"] == "watched"
    async with client.live() as socket:
        await until_age(socket, lambda age: age["positions_s"] is not None and age["positions_s"] < 1.5)
        async with store.connection.transaction():
            await store.connection.execute("lock table batch in access exclusive mode")
            age = await until_age(socket, lambda age: age["positions_s"] > 2.0)
            assert age["feed_s"] < 2.0
            for _ in range(3):  # not one of them is answered from what was known
                assert (await client.problem("GET", "/vehicles/mx00001"))[:2] == (503, "overloaded")
        await until_age(socket, lambda age: age["positions_s"] < 1.5)
    assert (await client.get("/vehicles/mx00001"))["state"] == "watched"


async def test_a_database_that_is_gone_is_a_problem_document(client: Client) -> None:
    """Not a connection that is closed without a word, nor an error of ours."""
    await client.console.desk.pool.close()
    assert (await client.problem("GET", "/alerts"))[:2] == (503, "overloaded")


async def test_how_long_ago_ingest_has_committed_anything(client: Client, store: Store) -> None:
    async with client.live() as socket:
        assert (await until_age(socket, lambda age: age["positions_s"] is not None))["ingest_s"] is None
        insert = "insert into batch (received_at, source, received, stored) values ($1, 'tick', 0, 0)"
        await store.connection.execute(
            insert, datetime.fromtimestamp(datetime.now(UTC).timestamp() - 600, UTC)
        )
        assert 599 < (await until_age(socket, lambda age: age["ingest_s"] is not None))["ingest_s"] < 660
        await store.connection.execute(insert, datetime.now(UTC))
        await until_age(socket, lambda age: age["ingest_s"] < 10)


async def test_who_wants_no_positions_is_told_no_age_of_them(client: Client) -> None:
    async with client.live("?positions=false") as socket:
        age = await until_age(socket, lambda _: True)
        assert set(age) == {"type", "feed", "feed_s"}


async def test_a_reader_whose_past_cannot_be_read_is_told_to_come_again(client: Client, store: Store) -> None:
    await store.tell(await store.alert())
    async with store.connection.transaction():
        await store.connection.execute("lock table alert_feed in access exclusive mode")
        async with client.live("?after=0&positions=false") as socket:
            async with asyncio.timeout(MAX_S):
                async for _ in socket:
                    pass
            assert socket.close_code == 1013
