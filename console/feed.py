"""The alert feed as readers follow it: a notification is a hint, the table is the truth.

One connection reads the feed for all browsers and keeps the newest entries in memory. Each reader pulls from
where it stands, at its own pace: there are no queues that could grow.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import structlog

from console import patience
from console.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import asyncpg

    from console.bell import Bell

    #: Opens a connection that is the feed's alone.
    Connect = Callable[[], Awaitable[asyncpg.Connection]]

CHANNEL = "kerbsafe_alert_feed"
PAGE = 500
_KEPT = 5_000
#: The feed is looked at this often without a notification.
_LOOK_EVERY_S = 1.0
_log = structlog.get_logger("console")


class Entry(NamedTuple):
    """One thing that readers are told, as JSON text."""

    feed_id: int
    text: str


class GoneError(Exception):
    """What a reader asks for is not kept any more, or was never there: it must read the lists again."""


class Feed:
    """The newest entries, and those before them from the store."""

    def __init__(self, pool: asyncpg.Pool, newest: int, bell: Bell) -> None:
        self._pool = pool
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        #: All entries after this one and up to `newest` are in memory.
        self._complete_from = newest
        self.newest = newest
        self._bell = bell
        self._looked_s = time.monotonic()

    @classmethod
    async def open(cls, pool: asyncpg.Pool, bell: Bell) -> Feed:
        """Begin at the end of the feed; `bell` is rung whenever there is more."""
        return cls(pool, (await pool.fetchrow(QUERIES["feed_bounds"]))["newest"], bell)

    @property
    def age_s(self) -> float:
        """How long ago the table was looked at: what was committed since is not known here."""
        return time.monotonic() - self._looked_s

    async def follow(self, connect: Connect, stopping: asyncio.Event) -> None:
        """Read what is new until the process stops.

        A connection that does not answer is replaced: it may be cut without either end having been told. One
        that is refused ends us.
        """
        while not stopping.is_set():
            connection = await connect()
            try:
                await self._follow(connection, stopping)
            except patience.LATE:
                _log.warning("the alert feed cannot be read; trying again", age_s=round(self.age_s))
                connection.terminate()
            else:
                await connection.close(timeout=patience.LOOK_S)

    async def _follow(self, connection: asyncpg.Connection, stopping: asyncio.Event) -> None:
        hint = asyncio.Event()
        listening = connection.add_listener(CHANNEL, lambda *_: hint.set())
        await patience.within(patience.LOOK_S, listening)
        while not stopping.is_set():
            hint.clear()
            reading = connection.fetch(QUERIES["feed_from"], self.newest, PAGE)
            rows = await patience.within(patience.LOOK_S, reading)
            self._looked_s = time.monotonic()
            self._add([Entry(*row) for row in rows])
            if len(rows) < PAGE:
                await _first_of(hint, stopping, timeout_s=_LOOK_EVERY_S)

    def _add(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        room = _KEPT - len(self._entries)
        forgotten = len(entries) - room
        if forgotten > 0:
            self._complete_from = self._entries[min(forgotten, len(self._entries)) - 1].feed_id
        self._entries.extend(entries)
        self.newest = entries[-1].feed_id
        self._bell.ring()

    async def check(self, after: int) -> None:
        """Raise `GoneError` unless all after an entry is still kept; `TimeoutError` if nobody knows."""
        bounds = await patience.within(patience.LOOK_S, self._pool.fetchrow(QUERIES["feed_bounds"]))
        if after > bounds["newest"] or after < bounds["oldest"] - 1:
            raise GoneError

    async def after(self, feed_id: int) -> Sequence[Entry]:
        """Return the next entries after one, at most a page; none: there is nothing new.

        Raises `TimeoutError` if they are not in memory and the database does not answer.
        """
        if feed_id >= self.newest:
            return ()
        if feed_id < self._complete_from:
            reading = self._pool.fetch(QUERIES["feed_from"], feed_id, PAGE)
            rows = await patience.within(patience.LOOK_S, reading)
            return [Entry(*row) for row in rows]
        begin = bisect_right(self._entries, feed_id, key=lambda entry: entry.feed_id)
        return [self._entries[i] for i in range(begin, min(begin + PAGE, len(self._entries)))]


async def _first_of(*events: asyncio.Event, timeout_s: float) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
