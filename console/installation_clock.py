"""The installation's clock, kept fresh: wall time, or what its sandbox is set to."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from console import patience
from fleet.installation import read_clock
from fleet.stopping import rest

if TYPE_CHECKING:
    import asyncio

    import asyncpg

    from fleet.clock import Clock

_REFRESH_S = 1.0


class InstallationClock:
    """What time it is in this database."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def now_us(self) -> int:
        """Return the present event time, microseconds since 1970."""
        return self.clock.now_us()

    async def keep_fresh(self, pool: asyncpg.Pool, stopping: asyncio.Event) -> None:
        """Read the clock every second where it can be moved, until the process stops."""
        while not stopping.is_set():
            if self.clock.sandbox:
                with contextlib.suppress(*patience.LATE):
                    await patience.within(patience.LOOK_S, self._read(pool))
            await rest(stopping, _REFRESH_S)

    async def _read(self, pool: asyncpg.Pool) -> None:
        async with pool.acquire() as connection:
            self.clock = await read_clock(connection)
