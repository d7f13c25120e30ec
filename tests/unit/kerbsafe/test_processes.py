"""How a long-running process ends when the database went away: one line, no traceback."""

from __future__ import annotations

import asyncpg
import pytest

from fleet.db import DatabaseError
from kerbsafe.shell import processes


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("Connection reset by peer"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.InterfaceError("connection is closed"),
        # What asyncpg says of a connection that is lost between two messages of one statement.
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
    ],
)
def test_a_lost_database_ends_a_process_with_a_sentence(error: Exception) -> None:
    async def main() -> None:
        raise error

    with pytest.raises(DatabaseError, match=r"the process ends, since the database or the network failed"):
        processes.run(main(), log_level="error")
