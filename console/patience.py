"""Clients that take their time: how long they may, and how they are let go.

Each connection, request and answer that is begun holds something of ours. Headers that do not come are given
up by the server's own time-out (`HEADERS_S`), a body by whoever reads it, and here what handlers and readers
take too long with.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
import structlog

from fleet.stopping import rest

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aiohttp import web
    from aiohttp.web_protocol import RequestHandler

Answer = TypeVar("Answer")

#: A connection that has sent no whole head of a request for so long is closed, also between two requests.
HEADERS_S = 15.0
#: A body is 32 KiB at most.
BODY_S = 10.0
#: An answer, the database's part included; less than the page waits (`LONGEST_S` in console/web/src/api.ts).
ANSWER_S = 15.0
#: What a WebSocket, the feed or the positions wait for the database.
LOOK_S = 5.0
#: What was answered and is not taken: 3 MB over a link of 50 kB/s.
TAKEN_S = 60.0
_LOOK_EVERY_S = 1.0
#: How it is said that the database did not answer in time, by us or by itself.
LATE = (TimeoutError, asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)
#: How it is said that there is none now: gone, starting, without room for us.
AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
_log = structlog.get_logger("console")


async def within(max_s: float, work: Awaitable[Answer]) -> Answer:
    """Return what becomes of some work.

    Work that is late is cancelled and not waited for: a connection of the database that hangs holds up its
    own cancelling, which `asyncio.timeout` would wait for.

    Raises
    ------
    TimeoutError
        If it was not done in time.
    """
    working = asyncio.ensure_future(work)
    try:
        await asyncio.wait({working}, timeout=max_s)
        if working.done():
            return working.result()
        raise TimeoutError
    finally:
        working.cancel()
        working.add_done_callback(_heed)
        del working


def _heed(working: asyncio.Future[Any]) -> None:
    """Take what became of work that nobody waits for, so that it is not told of as forgotten."""
    if not working.cancelled():
        working.exception()


class Unsent:
    """Since when each connection has something that its other side does not take."""

    def __init__(self) -> None:
        self._since_s: dict[RequestHandler, float] = {}

    async def watch(self, server: web.Server, stopping: asyncio.Event) -> None:
        """Cut off whoever does not take what was sent, until the process stops."""
        while not stopping.is_set():
            self.look(server, time.monotonic())
            await rest(stopping, _LOOK_EVERY_S)

    def look(self, server: web.Server, now_s: float) -> None:
        """Note who has something to take, and cut off who had for too long."""
        waiting = [
            one
            for one in server.connections
            if one.transport is not None and one.transport.get_write_buffer_size()
        ]
        self._since_s = {one: self._since_s.get(one, now_s) for one in waiting}
        for one, since_s in self._since_s.items():
            if now_s - since_s > TAKEN_S and one.transport is not None:
                _log.info("a client does not take its answer; cut off")
                one.transport.abort()
