"""Room in the store for the days that come: made at start and every minute, never in the hot path."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import structlog

from fleet import db
from fleet.installation import MIN_AHEAD_DAYS, clock_skew_s, days_ahead, make_days_ahead
from fleet.stopping import rest

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.metrics import Metrics

#: Room for coming days is made this often, in real time; in a sandbox event time may run faster.
EVERY_S = 60.0

_log = structlog.get_logger("ingest")


class DaysAhead:
    """The days that the store has room for: one connection, and one question at a time on it."""

    def __init__(self, connection: asyncpg.Connection, now_us: Callable[[], int]) -> None:
        self._connection = connection
        self._now_us = now_us
        self._alone = asyncio.Lock()

    async def make(self) -> None:
        """Make room for the coming days; who stands in the way is waited for until the next time."""
        async with self._alone:
            try:
                await make_days_ahead(self._connection, self._now_us())
            except asyncpg.LockNotAvailableError as error:
                _log.warning("no room made for coming days", reason=db.said(error))

    async def keep(self, metrics: Metrics, stopping: asyncio.Event) -> None:
        """Make room again and again, and show how much there is and how the database's clock goes."""
        while not stopping.is_set():
            await self.make()
            metrics.days_ahead.set(await self._count())
            metrics.clock_skew_seconds.set(await self._clock_skew_s())
            await rest(stopping, EVERY_S)

    async def not_made(self) -> list[str]:
        """Return what is to be said if there is room for too few days; nothing if there is enough."""
        ahead = await self._count()
        if ahead >= MIN_AHEAD_DAYS:
            return []
        return [f"the store has room for {ahead} days ahead, fewer than {MIN_AHEAD_DAYS}"]

    async def _count(self) -> int:
        """Return for how many days after today there is room."""
        async with self._alone:
            return await days_ahead(self._connection, self._now_us())

    async def _clock_skew_s(self) -> float:
        """Return how far the database's clock is ahead of ours, seconds."""
        async with self._alone:
            return await clock_skew_s(self._connection)
