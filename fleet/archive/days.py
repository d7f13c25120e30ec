"""One day: into the cold store, out of the database, and back.

At every instant a fix is in the database, or in a finished file that the database names, or in both; whoever
is killed leaves nothing that the next run does not finish. What is dropped was compared before, row by row.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import ExitStack
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

import asyncpg
import numpy as np

from fleet import tracks
from fleet.archive import holds, parquet
from fleet.archive.layout import (
    ArchiveError,
    Manifest,
    Part,
    begin_of,
    folder,
    part_name,
)
from fleet.archive.matching import Matcher, Row, in_one
from fleet.archive.reading import QUERIES
from fleet.archive.stores import manifest_of, put_manifest, writing
from fleet.binary_copy import POSTGRES_EPOCH_US, copy_row, copy_stream
from fleet.columns import Fixes
from fleet.units import to_datetime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime
    from pathlib import Path

    from fleet.archive.stores import ColdStore

#: A reader that lets nobody drop a day is waited for so long, and so often; then the next run tries again.
LOCK_TIMEOUT_MS, ATTEMPTS = 2_000, 5
_ROW = copy_row({"batch_id": "i8", **Fixes.dtypes()})
_COLUMNS = ["batch_id", "vehicle_id", "time", *list(Fixes.dtypes())[2:]]
#: The ledger of batches is long gone when a day comes back.
_NO_BATCH = 0


async def archive_day(connection: asyncpg.Connection, store: ColdStore, day: date) -> Manifest:
    """Write what the cold store does not yet have of a day, compare all of it, and note that it is there.

    Raises
    ------
    ArchiveError
        If it cannot be written, or the cold store has other content of a fix. Nothing is noted then.
    """
    known = await recorded(connection, day)
    written = store.scratch(day)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            part = await _write_missing(connection, store, known, written)
            codes = await _codes(connection, day)
        manifest = known if part is None else known.with_part(part)
        manifest = _named(store, manifest, codes)
        if part is not None:
            store.keep(written, f"{folder(day)}/{part.name}")
    finally:
        written.unlink(missing_ok=True)
    put_manifest(store, manifest)
    await record(connection, manifest)
    return manifest


async def record(connection: asyncpg.Connection, manifest: Manifest) -> None:
    """Note in the database which files the cold store has of a day: from now on they are read."""
    async with connection.transaction():
        await connection.execute(QUERIES["record_day"], manifest.day)
        for part in manifest.parts:
            values = part.name, part.fixes, part.bytes, part.sha256
            await connection.execute(QUERIES["record_part"], manifest.day, *values)


async def recorded(connection: asyncpg.Connection, day: date) -> Manifest:
    """Return what the database says is in the cold store of a day."""
    return Manifest(day, tuple(Part(*row) for row in await connection.fetch(QUERIES["parts"], day)))


class Dropped(Enum):
    """What became of a day that was to be dropped."""

    GONE = "dropped"
    #: Rows have come since it was archived.
    GREW = "has grown"
    #: Somebody read it for too long.
    BUSY = "is being read"


async def drop_day(connection: asyncpg.Connection, store: ColdStore, day: date) -> Dropped:
    """Drop a day from the database if the cold store has every row of it; meanwhile nobody writes to it.

    Raises
    ------
    ArchiveError
        If the cold store has other content of a fix, or cannot be read.
    """
    known = await recorded(connection, day)
    async with connection.transaction():
        await connection.execute(f"set local lock_timeout = {LOCK_TIMEOUT_MS:d}")
        await connection.execute(QUERIES["lock_day"], day)
        await holds.seal_anew(connection, begin_of(day), _end_of(day))
        missing = 0
        with ExitStack() as files:
            matcher = Matcher(in_one(_streams(store, known, files)))

            def take(fixes: Fixes) -> None:
                nonlocal missing
                missing += len(_compared(matcher, fixes, day))

            await tracks.feed_day(connection, begin_of(day), _end_of(day), take)
        return Dropped.GREW if missing else await _dropped(connection, day)


async def restore_day(connection: asyncpg.Connection, store: ColdStore, day: date) -> int:
    """Copy a day back into the database, in one transaction; return how many fixes it did not have."""
    known = await recorded(connection, day)
    if not known.parts:
        raise ArchiveError(f"the cold store has no fixes of {day}: see `kerbsafe archive list`")
    async with connection.transaction():
        await connection.execute(QUERIES["make_day"], day)
        await connection.execute(QUERIES["take_back"], day)
        await connection.execute("create temporary table stage_day (like fix) on commit drop")
        with ExitStack() as files:
            for fixes in in_one(_streams(store, known, files)):
                columns = {name: getattr(fixes, name) for name in Fixes.dtypes()}
                columns["time_us"] = columns["time_us"] - POSTGRES_EPOCH_US
                stream = copy_stream({"batch_id": np.full(len(fixes), _NO_BATCH), **columns}, _ROW)
                await connection.copy_to_table("stage_day", source=stream, columns=_COLUMNS, format="binary")
        done = await connection.execute("insert into fix select * from stage_day on conflict do nothing")
    return int(done.split()[-1])


async def verify_day(connection: asyncpg.Connection, store: ColdStore, day: date) -> list[str]:
    """Return what of a day in the cold store is not as it was written; one sentence each."""
    known = await recorded(connection, day)
    found = manifest_of(store, day)
    faults = []
    if found is None or set(found.parts) != set(known.parts):
        faults.append(f"{folder(day)}: the manifest is not the list of files that the database has")
    for part in known.parts:
        try:
            faults += _faults_of(store, f"{folder(day)}/{part.name}", part)
        except ArchiveError as error:
            faults.append(str(error))
    return faults


def _faults_of(store: ColdStore, key: str, part: Part) -> Iterator[str]:
    with store.open(key) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    if digest != part.sha256:
        yield f"{key}: altered or damaged: its SHA-256 is {digest[:16]}…, written was {part.sha256[:16]}…"
        return
    with store.open(key) as file:
        rows = sum(map(len, parquet.read(file, key)))
    if rows != part.fixes:
        yield f"{key}: has {rows} fixes, written were {part.fixes}"


async def _write_missing(
    connection: asyncpg.Connection, store: ColdStore, known: Manifest, written: Path
) -> Part | None:
    """Write the rows that the cold store does not have to a file, and read it back; None: it has all."""
    day = known.day
    span = begin_of(day), _end_of(day)
    with ExitStack() as files:
        matcher = Matcher(in_one(_streams(store, known, files)))
        with writing(written), written.open("wb") as file:
            writer = parquet.PartWriter(file)

            def take(fixes: Fixes) -> None:
                writer.write(_compared(matcher, fixes, day))

            await tracks.feed_day(connection, *span, take)
            writer.close()
    if not writer.fixes:
        return None
    with ExitStack() as files:
        back = files.enter_context(written.open("rb"))
        matcher = Matcher(in_one([*_streams(store, known, files), parquet.read(back, str(written))]))

        def compare(fixes: Fixes) -> None:
            if len(_compared(matcher, fixes, day)):
                raise ArchiveError(f"{written} does not hold what was written to it: see to that disk")

        await tracks.feed_day(connection, *span, compare)
    return _part(written, writer.fixes)


def _part(written: Path, fixes: int) -> Part:
    with written.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Part(part_name(digest), fixes, written.stat().st_size, digest)


def _compared(matcher: Matcher, fixes: Fixes, day: date) -> Fixes:
    """Return the rows that the cold store does not have. Raise if it has another content of one."""
    missing, differs = matcher.compare(fixes)
    if differs is not None:
        raise _differs(day, differs)
    return missing


def _differs(day: date, row: Row) -> ArchiveError:
    return ArchiveError(
        f"{day}: database and cold store disagree about vehicle {row.vehicle_id} at "
        f"{to_datetime(row.time_us).isoformat()}: one of them was altered. Nothing was dropped. "
        "`kerbsafe archive verify` says whether it was the file"
    )


def _streams(store: ColdStore, manifest: Manifest, files: ExitStack) -> list[Iterator[Fixes]]:
    keys = [f"{folder(manifest.day)}/{part.name}" for part in manifest.parts]
    return [parquet.read(files.enter_context(store.open(key)), f"{store}/{key}") for key in keys]


def _named(store: ColdStore, manifest: Manifest, codes: Mapping[int, str]) -> Manifest:
    """Return a manifest that also names the vehicles; refuse files that this database has not written."""
    found = manifest_of(store, manifest.day) or Manifest(manifest.day)
    ours = {part.name for part in manifest.parts}
    strange = [part.name for part in found.parts if part.name not in ours]
    if strange:
        raise ArchiveError(
            f"{store}/{folder(manifest.day)} lists {', '.join(strange)}, which this database has not "
            "written: another installation's cold store? Set KERBSAFE_ARCHIVE to one of its own, or move the "
            "folder of that day away"
        )
    return Manifest(manifest.day, manifest.parts, {**found.vehicles, **codes})


async def _dropped(connection: asyncpg.Connection, day: date) -> Dropped:
    """Drop a day; whoever reads it is waited for a while."""
    for attempt in range(ATTEMPTS):
        try:
            async with connection.transaction():
                await connection.execute(QUERIES["drop_day"], "fix", day)
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(attempt)
        else:
            return Dropped.GONE
    return Dropped.BUSY


async def _codes(connection: asyncpg.Connection, day: date) -> dict[int, str]:
    rows = await connection.fetch(QUERIES["vehicles_of_day"], begin_of(day), _end_of(day))
    return {row["vehicle_id"]: row["code"] for row in rows}


def _end_of(day: date) -> datetime:
    return begin_of(day) + timedelta(days=1)
