"""The rights of the roles that our processes connect as, where an installation has such roles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncpg

GRANTS = Path(__file__).with_name("grants.sql")
#: One a process. `deploy/roles.sql` makes them, and the owner of the tables with them.
ROLES = ("kerbsafe_ingest", "kerbsafe_worker", "kerbsafe_console")
_COUNT = "select count(*) from pg_roles where rolname = any($1::text[])"


async def grant(connection: asyncpg.Connection) -> bool:
    """Give each role exactly the rights that it needs, as the owner of the tables.

    Returns whether the server has the roles; without them nothing is done, and all processes connect as the
    owner.
    """
    if await connection.fetchval(_COUNT, ROLES) < len(ROLES):
        return False
    async with connection.transaction():
        await connection.execute(GRANTS.read_text("utf-8"))
    return True
