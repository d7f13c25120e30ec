"""Nothing waits for ever: a database, a process or a way that falls silent, seen from both ends."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg
import pytest

from alerts.store.store import QUERIES
from fleet import waiting
from fleet.db import DatabaseError, connect, hold_role, leave, open_pool, tending
from fleet.waiting import Limits
from kerbsafe.soak.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.parametrize("templates", ["plain"], indirect=True)


@asynccontextmanager
async def proxied(dsn: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before the database, and the address through it."""
    found = re.search(r":(\d+)/", dsn)
    assert found is not None
    async with Proxy(int(found[1])).listening() as proxy:
        yield proxy, dsn.replace(found[0], f":{proxy.port}/")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of a second."""
    monkeypatch.setattr(waiting, "SLACK_S", 0.2)
    monkeypatch.setitem(waiting.LIMITS, "ingest", Limits(statement_s=1.0, lock_s=0.3, pause_s=0.5))


async def test_both_kernels_notice_a_peer_that_vanished(database: str) -> None:
    """Within 5 s + 3 × 2 s of silence, or after 10 s in which nothing was taken in."""
    connection = await connect(database, application="ingest")
    ours = connection._transport.get_extra_info("socket")
    options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
    assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert [ours.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [5, 2, 3, 10_000]
    names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
    shown = [await connection.fetchval("select current_setting($1)", name) for name in names]
    assert shown == ["5", "2", "3", "10000"]
    await leave(connection)


@pytest.mark.usefixtures("impatient")
async def test_a_transaction_ends_when_the_database_falls_silent(database: str) -> None:
    """The rollback that follows would be waited for as well."""
    async with proxied(database) as (proxy, address):
        connection = await connect(address, application="ingest")
        proxy.fall_silent()
        began_s = time.monotonic()
        with pytest.raises((TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)):
            async with connection.transaction():
                await connection.fetchval("select 1")
        await leave(connection)
        assert connection.is_closed()
        assert time.monotonic() - began_s < 5


@pytest.mark.usefixtures("impatient")
async def test_a_lock_that_is_not_given_back_is_not_waited_for(database: str) -> None:
    ours, theirs = await connect(database, application="ingest"), await connect(database, application="psql")
    async with theirs.transaction():
        await theirs.execute("lock table fix")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await ours.execute("delete from fix")
    await leave(ours, theirs)


async def test_a_pool_recovers_from_a_silent_database(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "SLACK_S", 0.2)
    monkeypatch.setitem(waiting.LIMITS, "console", Limits(statement_s=0.5))
    async with proxied(database) as (proxy, address):
        pool = await open_pool(address, application="console", max_size=1)
        proxy.fall_silent()
        async with asyncio.timeout(5):
            with pytest.raises((TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)):
                await pool.fetchval("select 1")
            proxy.cut()
            assert await pool.fetchval("select 1") == 1
        pool.terminate()


async def test_who_vanishes_before_its_commit_gives_the_feed_back(database: str) -> None:
    """A worker that told the feed, and whose machine was gone before COMMIT."""
    lock = QUERIES["append_feed"].partition("told as (")[0].rstrip().removesuffix(",") + " select from locked"
    async with proxied(database) as (proxy, address):
        gone, ingest = (
            await connect(address, application="worker settle"),
            await connect(database, application="test"),
        )
        await gone.execute("begin")
        await gone.execute(lock)
        proxy.fall_silent()
        began_s = time.monotonic()
        async with asyncio.timeout(20):
            await ingest.execute(lock)
        assert time.monotonic() - began_s < 15
        gone.terminate()
        await leave(ingest)


async def test_the_role_of_who_fell_silent_is_free_again(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has not promised to say something every second is not gone because it says nothing."""
    async with proxied(database) as (proxy, address):
        quiet, tending, next_one = [
            await connect(dsn, application=name)
            for dsn, name in ((database, "worker"), (address, "ingest"), (database, "ingest"))
        ]
        await hold_role(quiet, "worker")
        await hold_role(tending, "ingest", tended=True)
        proxy.fall_silent()
        with pytest.raises(DatabaseError, match="another ingest runs on this database: 'kerbsafe ingest' on"):
            await hold_role(next_one, "ingest")
        monkeypatch.setattr(waiting, "GONE_S", 0.5)
        await asyncio.sleep(0.6)
        await hold_role(next_one, "ingest")
        with pytest.raises(DatabaseError, match="another worker runs"):
            await hold_role(next_one, "worker")
        tending.terminate()
        await leave(quiet, next_one)


async def test_who_takes_long_to_begin_keeps_its_role(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ingest reads its memory back for minutes; another one may not take it for a ghost."""
    monkeypatch.setattr(waiting, "GONE_S", 1.5)
    begins, other = [await connect(database, application="ingest") for _ in range(2)]
    await hold_role(begins, "ingest", tended=True)
    async with tending(begins):
        await asyncio.sleep(2)
        with pytest.raises(DatabaseError, match="another ingest runs"):
            await hold_role(other, "ingest", tended=True)
    await asyncio.sleep(1.6)
    await hold_role(other, "ingest", tended=True)
    await leave(begins, other)
