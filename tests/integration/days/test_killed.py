"""A worker that is killed while it closes days: what it had not committed is done again, nothing twice."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from fleet.db import connect
from fleet.schedule import CIVIL_ZONE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg

TRUCKS, REPORTS, EVERY_S, STEP_M = 120, 1440, 5, 50
KM = (REPORTS - 1) * STEP_M / 1000
#: Over and settled, whatever the time of day is.
DAY = (datetime.now(CIVIL_ZONE) - timedelta(days=2)).date()

#: Each truck drives north at 36 km/h for two hours of the day, and has rested since.
DRIVE = """
with firm as (insert into company (code) values ('acme') returning company_id),
truck as (
    insert into vehicle (code, registered_at)
    select 'T' || n, $1::timestamptz from generate_series(1, $2::int) as n returning vehicle_id
)
insert into vehicle_version (vehicle_id, valid_from, company_id, kind)
select vehicle_id, 'epoch', company_id, 'mixer' from truck, firm
"""
FIXES = """
insert into fix
select vehicle_id, $1::timestamptz + n * $3::int * interval '1 second', 1,
       30700000 + round(n * $4::int / 0.110864)::int, 120700000, -1, 360, 0, -32768, -1, -1, -1, 0
from vehicle, generate_series(0, $2::int - 1) as n
"""
SEGMENTS = "insert into segment select vehicle_id, $1::timestamptz, null, now() from vehicle"


@asynccontextmanager
async def worker(dsn: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kerbsafe", "worker"),
        env={**os.environ, "KERBSAFE_DSN": dsn, "KERBSAFE_HTTP_PORT": "0", "KERBSAFE_LOG_LEVEL": "error"},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def until(connection: asyncpg.Connection, query: str, least: int) -> int:
    """Return the count that a query gives, once it is so large."""
    deadline_s = time.monotonic() + 60
    while (many := int(await connection.fetchval(query))) < least:
        if time.monotonic() > deadline_s:
            pytest.fail(f"{many} of {least} within 60 s: {query}")
        await asyncio.sleep(0.01)
    return many


CLOSED = f"select count(*) from vehicle_day where day = '{DAY}'"
NIGHTS = "select count(*) from day_run where ended_at is not null"


@pytest.mark.parametrize("templates", ["plain"], indirect=True)
async def test_a_killed_worker_counts_nothing_twice(database: str) -> None:
    connection = await connect(database, application="test")
    begins = datetime.combine(DAY, datetime.min.time(), CIVIL_ZONE) + timedelta(hours=8)
    await connection.execute(DRIVE, begins, TRUCKS)
    await connection.execute(FIXES, begins, REPORTS, EVERY_S, STEP_M)
    await connection.execute(SEGMENTS, begins)
    async with worker(database) as first:
        many = await until(connection, CLOSED, 1)
        first.send_signal(signal.SIGKILL)
        await first.wait()
    assert many < TRUCKS, "killed too late to show anything"
    async with worker(database):
        await until(connection, NIGHTS, 1)
    assert await connection.fetchval(CLOSED) == TRUCKS
    assert await connection.fetchval("select count(*) from vehicle_day where known_to is not null") == 0
    assert await connection.fetchval("select sum(fixes) from vehicle_day") == TRUCKS * REPORTS
    driven_km = await connection.fetchval("select sum(distance_mm) / 1e6 from vehicle_day")
    assert float(driven_km) == pytest.approx(TRUCKS * KM, rel=0.002)
    assert await connection.fetchval("select count(*) from day_run where ended_at is null") == 1
    await connection.close()
