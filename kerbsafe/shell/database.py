"""The database of KERBSAFE_DSN, for one command; and what it has committed, for whoever interrupts it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.db import connect
from fleet.environment import read_settings
from fleet.language import Words
from fleet.migrate import require_schema

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg


@dataclass(slots=True)
class Commits:
    """The transactions of a command that have ended."""

    done: int = 0
    #: One was broken off while the server was told to keep it.
    unsure: bool = False

    def note(self, logged: asyncpg.connection.LoggedQuery) -> None:
        """Take in what the server was asked."""
        if logged.query.startswith("COMMIT"):
            self.done += logged.exception is None
            self.unsure |= logged.exception is not None

    def sentence(self) -> Words | None:
        """Return what stays although the command was interrupted; None: nothing that is known of."""
        if self.unsure:
            return _UNSURE
        return _STAYS if self.done else None


_STAYS = Words(
    "interrupted; what was written until then stays written",
    "已中断；此前已写入的内容保留",
)
_UNSURE = Words(
    "interrupted while a change was being written; see whether it is there before you repeat it",
    "在写入更改时被中断；请先确认该更改是否已写入，再决定是否重做",
)

#: Of the command that runs.
COMMITS = Commits()


@asynccontextmanager
async def database(application: str) -> AsyncIterator[asyncpg.Connection]:
    """Open a connection to a database at the schema of this version; `application` is shown by the server."""
    connection = await connect(read_settings().dsn, application=application)
    COMMITS.done, COMMITS.unsure = 0, False
    connection.add_query_logger(COMMITS.note)
    try:
        await require_schema(connection)
        yield connection
    finally:
        await connection.close()
