"""Days made ahead, and the clock that every process reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fleet.clock import WALL
from fleet.db import DatabaseError, connect
from fleet.installation import days_ahead, make_days_ahead, read_clock, set_clock
from fleet.units import MICROSECONDS, to_datetime

if TYPE_CHECKING:
    import asyncpg

DAY_US = 86_400 * MICROSECONDS
#: 2031-05-17 23:59:59.999999 UTC: the next microsecond is another day.
LATE_US = 1_936_742_399_999_999
INSERT = """insert into device_health (vehicle_id, time, batch_id, camera, power, gnss, firmware)
            values (7, $1, 1, 1, 1, 1, '')"""


async def test_days_are_made_once(connection: asyncpg.Connection) -> None:
    assert await days_ahead(connection, LATE_US) == -1
    assert await make_days_ahead(connection, LATE_US) == 3 * (35 + 1 + 3)
    assert await make_days_ahead(connection, LATE_US) == 0
    assert await make_days_ahead(connection, LATE_US + 1) == 3
    assert await days_ahead(connection, LATE_US) == 3


async def test_days_ahead_run_out(connection: asyncpg.Connection) -> None:
    await make_days_ahead(connection, LATE_US)
    for passed, left in [(0, 3), (1, 2), (2, 1), (3, 0), (4, -1)]:
        assert await days_ahead(connection, LATE_US + passed * DAY_US) == left


async def test_making_days_leaves_no_rows(connection: asyncpg.Connection) -> None:
    await make_days_ahead(connection, LATE_US)
    for table in ("fix", "camera_event", "device_health"):
        assert await connection.fetchval(f"select count(*) from {table}") == 0


@pytest.mark.parametrize("days", [-35, 0, 3])
async def test_rows_of_the_window_can_be_stored(connection: asyncpg.Connection, days: int) -> None:
    await make_days_ahead(connection, LATE_US)
    midnight_us = LATE_US + 1 + (days - 1) * DAY_US
    for time_us in (midnight_us, midnight_us + DAY_US - 1):
        await connection.execute(INSERT, to_datetime(time_us))
    stored = await connection.fetch("select time from device_health order by time")
    assert [row["time"] for row in stored] == [
        to_datetime(midnight_us),
        to_datetime(midnight_us + DAY_US - 1),
    ]


async def test_days_are_made_while_others_write(database: str, connection: asyncpg.Connection) -> None:
    """An open transaction that has written to a timed table does not hold the days up, nor they it."""
    await make_days_ahead(connection, LATE_US)
    writer = await connect(database, application="test")
    async with writer.transaction():
        await writer.execute(INSERT, to_datetime(LATE_US))
        await connection.execute("set lock_timeout = '10s'")
        assert await make_days_ahead(connection, LATE_US + DAY_US) == 3
        await writer.execute(INSERT, to_datetime(LATE_US - DAY_US))
    await writer.close()


async def test_an_ordinary_database_shows_wall_time(connection: asyncpg.Connection) -> None:
    assert await read_clock(connection) == WALL
    with pytest.raises(DatabaseError, match="it is not a sandbox: make one with"):
        await set_clock(connection, WALL.anchored(LATE_US, 60.0))
    assert await read_clock(connection) == WALL


async def test_a_sandbox_shows_what_it_is_set_to(sandbox_database: str) -> None:
    connection = await connect(sandbox_database, application="test")
    fresh = await read_clock(connection)
    assert (fresh.sandbox, fresh.rate, fresh.wall_us) == (True, 1.0, fresh.event_us)
    for clock in (WALL.anchored(LATE_US, 60.0), WALL.anchored(LATE_US - DAY_US, 0.5)):
        await set_clock(connection, clock)
        assert await read_clock(connection) == clock
    await connection.close()
