"""What kind of database this is: its grade, its clock, and the days that its timed tables have room for."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.clock import WALL, Clock
from fleet.db import DatabaseError, Queries
from fleet.units import MICROSECONDS, to_datetime, to_us
from fleet.wire.reasons import OLDEST_DAYS

if TYPE_CHECKING:
    import asyncpg

_SQL = Queries(Path(__file__).with_name("installation.sql"))

#: The tables that are split by UTC day.
TIMED_TABLES = ("fix", "camera_event", "device_health")
#: Days after today that room is made for.
AHEAD_DAYS = 3
#: With room for fewer of them something is wrong: whoever makes it has not done so for a day.
MIN_AHEAD_DAYS = 2


class Grade(StrEnum):
    """What the server offers."""

    TIMESCALE = "timescale"
    APACHE = "apache"
    PLAIN = "plain"

    @property
    def meaning(self) -> str:
        """What it is and gives, for people."""
        return _MEANINGS[self]


_MEANINGS = {
    Grade.TIMESCALE: "TimescaleDB, Timescale licence: hypertables and compression",
    Grade.APACHE: "TimescaleDB, Apache licence: hypertables without compression",
    Grade.PLAIN: "plain PostgreSQL: daily partitions",
}


async def grade(connection: asyncpg.Connection) -> Grade:
    """Return the grade of store that this database is."""
    row = await connection.fetchrow(_SQL["grade"])
    if row is None:
        return Grade.PLAIN
    return Grade.TIMESCALE if row["license"] == "timescale" else Grade.APACHE


async def found_installation(connection: asyncpg.Connection, *, sandbox: bool) -> None:
    """Write down what kind of database this is; nothing if that is known and agrees.

    Raises
    ------
    DatabaseError
        If `sandbox` is asked of a database that was made for real data.
    """
    async with connection.transaction():
        was_sandbox = await connection.fetchval(_SQL["find_installation"])
        if was_sandbox is None:
            await connection.execute(_SQL["found_installation"], sandbox)
        elif sandbox and not was_sandbox:
            raise DatabaseError(
                "this database is not a sandbox and cannot become one: make a new database and run "
                "`kerbsafe migrate --sandbox` there"
            )
        if was_sandbox or sandbox:
            await connection.execute(_SQL["start_sandbox_clock"])


async def read_clock(connection: asyncpg.Connection) -> Clock:
    """Return the clock of this database: wall time, or what its sandbox is set to."""
    row = await connection.fetchrow(_SQL["read_clock"])
    if row is None or not row["sandbox"]:
        return WALL
    if row["wall_at"] is None:
        return Clock(sandbox=True)
    return Clock(to_us(row["wall_at"]), to_us(row["event_at"]), row["rate"], sandbox=True)


async def set_clock(connection: asyncpg.Connection, clock: Clock) -> None:
    """Move the clock of a sandbox, for every process that reads it.

    Raises
    ------
    DatabaseError
        If this database is not a sandbox.
    """
    done = await connection.fetchval(
        _SQL["set_clock"], to_datetime(clock.wall_us), to_datetime(clock.event_us), clock.rate
    )
    if not done:
        raise DatabaseError(
            "the clock of this database cannot be moved, it is not a sandbox: make one with "
            "`kerbsafe migrate --sandbox`"
        )


async def make_days_ahead(connection: asyncpg.Connection, now_us: int) -> int:
    """Make room in the timed tables for now - 35 days to now + 3 days, in one round trip.

    Call it at start and now and then, on a connection outside the hot path. Returns the number of days, over
    all tables, that had no room before.
    """
    today = to_datetime(now_us).date()
    first, last = today - timedelta(days=OLDEST_DAYS), today + timedelta(days=AHEAD_DAYS)
    made: int = await connection.fetchval(_SQL["make_days"], TIMED_TABLES, first, last)
    return made


async def days_ahead(connection: asyncpg.Connection, now_us: int) -> int:
    """Return for how many days after today every timed table has room; -1 when not even for today."""
    found: int = await connection.fetchval(
        _SQL["days_ahead"], TIMED_TABLES, to_datetime(now_us).date(), AHEAD_DAYS
    )
    return found


async def clock_skew_s(connection: asyncpg.Connection) -> float:
    """Return the server's clock minus that of this machine, seconds, at the middle of one round trip."""
    before_us = WALL.now_us()
    server_us = to_us(await connection.fetchval(_SQL["server_time"]))
    return (server_us - (before_us + WALL.now_us()) / 2) / MICROSECONDS
