"""A pipeline on a bench for every test that asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fleet.db import connect
from tests.integration.bench import Bench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def bench(database: str) -> AsyncIterator[Bench]:
    """Return a store with two registered trucks, T1 and T2, whose limit is 60 km/h."""
    connection = await connect(database, application="test")
    made = Bench(connection)
    await made.start()
    yield made
    await connection.close()
