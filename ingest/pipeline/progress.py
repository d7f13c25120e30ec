"""Whether what was received gets committed: the one thing that ingest is for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fleet.stopping import rest

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

#: With messages in hand and no commit for so long, ingest does not work.
STALLED_S = 10.0
_LOOK_EVERY_S = 1.0


class Progress:
    """When a batch was committed last, or there was nothing to commit.

    Parameters
    ----------
    unreleased
        Returns how many messages have been received and not committed.
    now_s
        A clock that only goes forward, seconds.
    """

    def __init__(self, unreleased: Callable[[], int], now_s: Callable[[], float] = time.monotonic) -> None:
        self._unreleased = unreleased
        self._now_s = now_s
        self._moved_s = now_s()

    def moved(self) -> None:
        """Note a commit."""
        self._moved_s = self._now_s()

    def look(self) -> None:
        """Note whether there is anything to commit."""
        if not self._unreleased():
            self.moved()

    async def watch(self, stopping: asyncio.Event) -> None:
        """Look every second until the process stops."""
        while not stopping.is_set():
            self.look()
            await rest(stopping, _LOOK_EVERY_S)

    def not_moving(self) -> list[str]:
        """Return why nothing gets done; empty while batches are committed, or none is to be."""
        self.look()
        stalled_s = self._now_s() - self._moved_s
        if stalled_s <= STALLED_S:
            return []
        return [f"nothing was committed for {stalled_s:.0f} s, and {self._unreleased()} messages wait"]
