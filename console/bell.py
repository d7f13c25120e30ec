"""A signal that wakes everybody who waits."""

from __future__ import annotations

import asyncio


class Bell:
    """Rings for all who wait at the time; who takes `turn` before looking misses nothing."""

    def __init__(self) -> None:
        #: Set at the next ring. Take it, look whether there is something to do, and only then wait for it.
        self.turn = asyncio.Event()

    def ring(self) -> None:
        """Wake everybody."""
        turn, self.turn = self.turn, asyncio.Event()
        turn.set()


async def heard(turn: asyncio.Event, timeout_s: float) -> None:
    """Return when a turn has come, or after a while."""
    try:
        async with asyncio.timeout(timeout_s):
            await turn.wait()
    except TimeoutError:
        return
