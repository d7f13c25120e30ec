"""What lets one batch be prepared while another is committed, and keeps their order."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

from ingest.pipeline import writer

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import asyncpg

#: Ids are drawn this many at a time, and again when fewer than half are left.
IDS_AT_ONCE = 256


class InOrder:
    """Runs one commit at a time, in the order given, beside whoever prepares the next."""

    def __init__(self) -> None:
        self._running: asyncio.Task[None] | None = None

    async def put(self, commit: Coroutine[None, None, None]) -> None:
        """Begin a commit once the one before it has ended; raise what failed there."""
        try:
            await self.finish()
        except BaseException:
            commit.close()
            raise
        self._running = asyncio.create_task(commit)

    async def check(self) -> None:
        """Raise what failed, without waiting."""
        if self._running is not None and self._running.done():
            await self.finish()

    async def finish(self) -> None:
        """Wait for the end of the running commit; raise what failed there."""
        running, self._running = self._running, None
        if running is not None:
            await running


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
