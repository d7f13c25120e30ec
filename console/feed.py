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

from console.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from console.bell import Bell

CHANNEL = "kerbsafe_alert_feed"
PAGE = 500
_KEPT = 5_000
#: The feed is looked at this often without a notification.
_LOOK_EVERY_S = 1.0


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
        self._answered_s = time.monotonic()

    @classmethod
    async def open(cls, pool: asyncpg.Pool, bell: Bell) -> Feed:
        """Begin at the end of the feed; `bell` is rung whenever there is more."""
        return cls(pool, (await pool.fetchrow(QUERIES["feed_bounds"]))["newest"], bell)

    async def follow(self, connection: asyncpg.Connection, stopping: asyncio.Event) -> None:
        """Read what is new until the process stops. The connection is ours alone."""
        hint = asyncio.Event()
        await connection.add_listener(CHANNEL, lambda *_: hint.set())
        while not stopping.is_set():
            hint.clear()
            rows = await connection.fetch(QUERIES["feed_from"], self.newest, PAGE)
            self._answered_s = time.monotonic()
            self._add([Entry(*row) for row in rows])
            if len(rows) < PAGE:
                await _first_of(hint, stopping, timeout_s=_LOOK_EVERY_S)

    @property
    def silent_s(self) -> float:
        """For how long the database has not said whether there is more, seconds."""
        return time.monotonic() - self._answered_s

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
        """Raise `GoneError` unless all that came after an entry is still kept."""
        bounds = await self._pool.fetchrow(QUERIES["feed_bounds"])
        if after > bounds["newest"] or after < bounds["oldest"] - 1:
            raise GoneError

    async def after(self, feed_id: int) -> Sequence[Entry]:
        """Return the next entries after one, at most a page; none: there is nothing new."""
        if feed_id >= self.newest:
            return ()
        if feed_id < self._complete_from:
            rows = await self._pool.fetch(QUERIES["feed_from"], feed_id, PAGE)
            return [Entry(*row) for row in rows]
        begin = bisect_right(self._entries, feed_id, key=lambda entry: entry.feed_id)
        return [self._entries[i] for i in range(begin, min(begin + PAGE, len(self._entries)))]


async def _first_of(*events: asyncio.Event, timeout_s: float) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
