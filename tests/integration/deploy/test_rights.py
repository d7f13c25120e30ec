"""Each statement of the table of rights, tried for real as each role."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import asyncpg

from fleet.grants import ROLES
from tests.integration.deploy import rights

if TYPE_CHECKING:
    from tests.integration.deploy.conftest import Deployed


async def test_each_role_may_what_the_table_says_and_nothing_else(deployed: Deployed) -> None:
    async with AsyncExitStack() as stack:
        owner = await stack.enter_async_context(deployed.connected("kerbsafe_owner"))
        await owner.execute(rights.SCENE)
        allowed = {act.what: set[str]() for act in rights.ACTS}
        assert len(allowed) == len(rights.ACTS)
        for role in ROLES:
            connection = await stack.enter_async_context(deployed.connected(role))
            for act in rights.ACTS:
                if await may(connection, act.statement):
                    allowed[act.what].add(rights.letter(role))
    assert allowed == {act.what: set(act.may) for act in rights.ACTS}


async def may(connection: asyncpg.Connection, statement: str) -> bool:
    """Try a statement and take it back. It must change or return something, or it shows nothing."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        status = await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return False
    finally:
        await transaction.rollback()
    assert not status.endswith(" 0") or status == "SELECT 0", statement
    return True


def test_the_page_has_the_table() -> None:
    """Otherwise: python -m tests.integration.deploy.rights."""
    page = rights.PAGE.read_text("utf-8")
    assert rights.written(page) == page
