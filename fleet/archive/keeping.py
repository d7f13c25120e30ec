"""`kerbsafe archive run`: each day where it belongs by its age. Whoever breaks it off repeats it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg

from fleet.archive import holds
from fleet.archive.days import Dropped, archive_day, drop_day
from fleet.archive.layout import MANIFEST, begin_of, folder
from fleet.archive.policy import Due, Kept, Policy, due, today
from fleet.archive.reading import QUERIES
from fleet.db import hold_role
from fleet.installation import read_clock
from fleet.units import to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    from fleet.archive.stores import ColdStore

    #: Told what became of a day: the day, what, and how many fixes if they were counted.
    Say = Callable[[date, str, int | None], None]

_SIGHTS = ("camera_event", "device_health")


@dataclass(slots=True)
class Done:
    """What a run did."""

    archived: list[date] = field(default_factory=list)
    fixes: int = 0
    bytes: int = 0
    dropped: list[date] = field(default_factory=list)
    #: Deleted from the cold store: older than tracks are kept.
    forgotten: list[date] = field(default_factory=list)
    #: What could not be done now, in a sentence each.
    left: list[str] = field(default_factory=list)


async def run(connection: asyncpg.Connection, store: ColdStore, policy: Policy, say: Say) -> Done:
    """Archive, drop and forget what is due; no two runs at a time.

    Raises
    ------
    DatabaseError
        If another run is under way.
    ArchiveError
        If the cold store cannot be read or written, or disagrees with the database; what was done stays done.
    """
    await hold_role(connection, "archive")
    what, done = await _due(connection, policy, store.days()), Done()
    for day in what.archive:
        await _archive(connection, store, day, done, say)
    for day in what.drop:
        dropped = await drop_day(connection, store, day)
        if dropped is Dropped.GREW:
            await _archive(connection, store, day, done, say)
        elif dropped is Dropped.BUSY:
            done.left.append(f"{day} {dropped.value}: it stays in the database until the next run")
        else:
            done.dropped.append(day)
            say(day, dropped.value, None)
    for day in what.forget:
        await forget_day(connection, store, day)
        done.forgotten.append(day)
        say(day, "forgotten", None)
    await _drop_sights(connection, what.drop_sights, done)
    return done


async def _due(connection: asyncpg.Connection, policy: Policy, folders: Sequence[date]) -> Due:
    now_us = (await read_clock(connection)).now_us()
    server: datetime = await connection.fetchval("select clock_timestamp()")
    present = await connection.fetchval("select present()")
    received: datetime | None = await connection.fetchval(QUERIES["received_last"])
    day = today(to_datetime(now_us), present, received)
    if day is None:
        return Due([], [], [], [])
    archived = {row["day"]: row["archived_at"] for row in await connection.fetch(QUERIES["archived_days"])}
    stored, *sighted = [await _days(connection, table) for table in ("fix", *_SIGHTS)]
    dropped = {row["day"] for row in await connection.fetch(QUERIES["dropped_days"])}
    # A folder of a day that this database never had is another's.
    kept = Kept(stored, archived, dropped & set(folders), sorted({*sighted[0], *sighted[1]}))
    return due(policy, kept, day, server)


async def _days(connection: asyncpg.Connection, table: str) -> list[date]:
    return [row["day"] for row in await connection.fetch(QUERIES["stored_days"], table)]


async def _archive(connection: asyncpg.Connection, store: ColdStore, day: date, done: Done, say: Say) -> None:
    manifest = await archive_day(connection, store, day)
    done.archived.append(day)
    done.fixes += manifest.fixes
    done.bytes += manifest.bytes
    say(day, "archived", manifest.fixes)


async def forget_day(connection: asyncpg.Connection, store: ColdStore, day: date) -> None:
    """Delete a day from the cold store, or what is left of it; what is held is sealed before."""
    async with connection.transaction():
        if await connection.fetchval(QUERIES["is_archived"], day):
            await holds.seal_anew(connection, begin_of(day), begin_of(day + timedelta(days=1)))
            await connection.execute(QUERIES["forget_day"], day)
    names = store.names(day)
    for name in sorted(names, key=lambda name: name == MANIFEST):  # the list goes last
        store.remove(f"{folder(day)}/{name}")


async def _drop_sights(connection: asyncpg.Connection, days: Sequence[date], done: Done) -> None:
    """Drop what cameras and units said on days that are not kept; what a hold needs stays."""
    for table in _SIGHTS:
        for day in days:
            try:
                await connection.execute(QUERIES["drop_day"], table, day)
            except asyncpg.InsufficientPrivilegeError as error:
                done.left.append(str(error))
