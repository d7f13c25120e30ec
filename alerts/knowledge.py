"""What a process knows of its database and keeps fresh: registry, fences, rulebooks, clock.

Notifications are hints; what is read every second is the truth.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple, Self

from alerts.in_force.context import Context
from alerts.in_force.watch import Watch
from alerts.rulebook.rulebook_store import load_rulebooks, read_rulebooks
from fleet.fences.store import fences_edition, load_fences
from fleet.installation import read_clock
from fleet.registry import CHANNEL, load_directory, load_unqualified, registry_revision

if TYPE_CHECKING:
    import asyncpg

    from alerts.in_force.rulebooks import Rulebooks
    from fleet.clock import Clock
    from fleet.directory import Directory
    from fleet.duty import Unqualified

#: Channels on which the database says that something is to be read again.
CHANNELS = (CHANNEL, "kerbsafe_clock")
REFRESH_S = 1.0
#: Read longer ago than this, it is not what is in force: the database does not answer.
FRESH_S = 5.0


class Knowledge:
    """The registry, the rulebooks and the clock as they were read last."""

    def __init__(
        self,
        clock: Clock,
        directory: Directory,
        rulebooks: Rulebooks,
        fences: _Fences,
        unqualified: Unqualified,
    ) -> None:
        self.clock = clock
        self._directory = directory
        self._fences = fences
        self.rulebooks = rulebooks
        self.context = Context(rulebooks, directory.facts, fences.watch, unqualified)
        self._read_s = time.monotonic()

    @classmethod
    async def read(cls, connection: asyncpg.Connection, document: str | None = None) -> Self:
        """Read all of it; `document` is a rulebook to put in force if its version is new."""
        clock = await read_clock(connection)
        directory = await load_directory(connection, clock.now_us())
        fences = await _load_fences(connection)
        rulebooks = await load_rulebooks(connection, clock.now_us(), document)
        return cls(clock, directory, rulebooks, fences, await load_unqualified(connection))

    def now_us(self) -> int:
        """Return the present event time, microseconds since 1970."""
        return self.clock.now_us()

    def directory(self) -> Directory:
        """Return the registry as it is in force now."""
        self._directory = self._directory.at(self.now_us())
        return self._directory

    async def refresh(self, connection: asyncpg.Connection) -> None:
        """Read again what has changed."""
        began_s = time.monotonic()
        self.clock = await read_clock(connection)
        if await registry_revision(connection) != self._directory.revision:
            directory = await load_directory(connection, self.now_us())
            if await fences_edition(connection) != self._fences.edition:
                self._fences = await _load_fences(connection)
            self.rulebooks = await read_rulebooks(connection)
            unqualified = await load_unqualified(connection)
            # Together: a vehicle of the directory has facts in the context.
            self._directory = directory
            self.context = Context(self.rulebooks, directory.facts, self._fences.watch, unqualified)
        self._read_s = began_s

    def not_fresh(self) -> list[str]:
        """Return why what is known may be out of date, as the database does not answer; empty: it does."""
        age_s = time.monotonic() - self._read_s
        if age_s <= FRESH_S:
            return []
        return [f"the database has not answered for {age_s:.0f} s: see `kerbsafe doctor`"]

    async def keep_fresh(self, connection: asyncpg.Connection, stopping: asyncio.Event) -> None:
        """Refresh when told to, and every second, until the process stops. The connection is ours alone.

        That tends a role that it holds.
        """
        hint = asyncio.Event()
        for channel in CHANNELS:
            await connection.add_listener(channel, lambda *_: hint.set())
        while not stopping.is_set():
            await self.refresh(connection)
            hint.clear()
            waits = [asyncio.ensure_future(hint.wait()), asyncio.ensure_future(stopping.wait())]
            await asyncio.wait(waits, timeout=REFRESH_S, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()


class _Fences(NamedTuple):
    """The fences as they were read last; None if there never was one."""

    edition: str
    watch: Watch | None


async def _load_fences(connection: asyncpg.Connection) -> _Fences:
    """Read and index the fences. The edition is read first: what changes meanwhile is read again."""
    edition = await fences_edition(connection)
    loaded = await load_fences(connection)
    if loaded is None:
        return _Fences(edition, None)
    return _Fences(edition, await asyncio.to_thread(Watch, loaded.fences, loaded.passes))
