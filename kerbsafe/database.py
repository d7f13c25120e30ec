"""The database of KERBSAFE_DSN, for one command."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fleet.db import connect
from fleet.migrate import require_schema
from fleet.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg


@asynccontextmanager
async def database(application: str) -> AsyncIterator[asyncpg.Connection]:
    """Open a connection to a database at the schema of this version; `application` is shown by the server."""
    connection = await connect(read_settings().dsn, application=application)
    try:
        await require_schema(connection)
        yield connection
    finally:
        await connection.close()
