"""What lets one batch be prepared while another is committed, and keeps their order."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

from ingest import writer

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import asyncpg

#: Commits that have begun or wait for their turn. Two: then a batch is prepared while one commit waits for
#: the disk and the next is ready, and neither processor is idle.
UNFINISHED = 2
#: Ids are drawn this many at a time, and again when fewer than half are left.
IDS_AT_ONCE = 256


class InOrder:
    """Runs one commit at a time, in the order given, beside whoever prepares the next.

    A commit may wait for the one before it: whoever prepares is held up only when two have not ended. After
    one that failed, none begins.
    """

    def __init__(self) -> None:
        self._running: deque[asyncio.Task[None]] = deque()

    async def put(self, commit: Coroutine[None, None, None]) -> None:
        """Begin a commit once those before it have ended; raise what failed there."""
        try:
            while len(self._running) >= UNFINISHED:
                await self._first()
        except BaseException:
            commit.close()
            raise
        before = self._running[-1] if self._running else None
        self._running.append(asyncio.create_task(_after(before, commit)))

    async def check(self) -> None:
        """Raise what failed, without waiting."""
        while self._running and self._running[0].done():
            await self._first()

    async def finish(self) -> None:
        """Wait for the end of all commits; raise what failed there."""
        while self._running:
            await self._first()

    async def _first(self) -> None:
        """Wait for the end of the oldest commit; if it failed, forget those behind it, which never began."""
        try:
            await self._running.popleft()
        except BaseException:
            await asyncio.gather(*self._running, return_exceptions=True)
            self._running.clear()
            raise


async def _after(before: asyncio.Task[None] | None, commit: Coroutine[None, None, None]) -> None:
    """Run a commit once the one before it has ended well."""
    try:
        if before is not None:
            await before
    except BaseException:
        commit.close()
        raise
    await commit


class BatchIds:
    """Ids drawn ahead, so that a batch knows its own before its transaction begins; in commit order.

    Those that are not used when the process ends are never used: ids have gaps, and an order.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._drawn: deque[int] = deque()

    def next(self) -> int:
        """Return the next id. Between two commits hardly more than two are asked for."""
        return self._drawn.popleft()

    async def refill(self) -> None:
        """Draw ids if few are left, on the connection of the commits."""
        if len(self._drawn) < IDS_AT_ONCE // 2:
            self._drawn.extend(await writer.draw_batch_ids(self._connection, IDS_AT_ONCE))


class Stopwatch:
    """Seconds between laps, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last_s = time.perf_counter()

    def lap(self, name: str) -> None:
        """End a lap."""
        now_s = time.perf_counter()
        self.seconds[name] = now_s - self._last_s
        self._last_s = now_s
