"""What is held: the track of a vehicle in a span of time, copied and sealed before any of it can be dropped.

What is sealed is never changed, not by the owner of the database either. Rows that come later get a seal of
their own, before their day is dropped. Functions run in the caller's transaction.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleet import tracks
from fleet.archive.layout import ArchiveError
from fleet.archive.seal import ROW, seal, whole
from fleet.columns import Fixes
from fleet.db import Queries
from fleet.tracks import Span
from fleet.units import to_datetime, to_us

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import asyncpg

QUERIES = Queries(Path(__file__).with_name("holds.sql"))
_NAMES = [name for name in ROW.names or () if name != "time_us"]


class Held(NamedTuple):
    """A hold that was placed."""

    hold_id: int
    #: Sealed at once; what comes later is sealed later.
    fixes: int
    sha256: bytes


class Fault(NamedTuple):
    """What of a hold is not what was sealed."""

    hold_id: int
    seal: int
    #: The row; None: it cannot be told which.
    at: datetime | None
    what: str


async def hold(
    connection: asyncpg.Connection, vehicle: str, from_at: datetime, until_at: datetime, reason: str, by: str
) -> Held:
    """Hold the track of a vehicle in [from_at, until_at): seal what is stored of it, wherever that is.

    Parameters
    ----------
    vehicle
        Code of the vehicle.
    reason
        Why, for whoever asks in years: an accident's number, a court's letter.
    by
        Who asks for it.

    Raises
    ------
    ArchiveError
        If the registry has no such vehicle, or the span or the reason is empty.
    """
    if until_at <= from_at or not reason.strip():
        raise ArchiveError("a hold needs a span of time whose end comes after its beginning, and a reason")
    vehicle_id = await connection.fetchval(QUERIES["find_vehicle"], vehicle)
    if vehicle_id is None:
        raise ArchiveError(f"no vehicle {vehicle!r} in the registry: see `kerbsafe registry list`")
    async with connection.transaction():
        placed = vehicle_id, vehicle, from_at, until_at, reason, by
        hold_id = await connection.fetchval(QUERIES["place"], *placed)
        span = Span(vehicle_id, to_us(from_at), to_us(until_at))
        fixes = await tracks.read_spans(connection, [span])
        return Held(hold_id, len(fixes), await _seal(connection, hold_id, vehicle, fixes))


async def release(connection: asyncpg.Connection, hold_id: int, reason: str, by: str) -> None:
    """Release a hold: nothing more is sealed for it. What is sealed stays.

    Raises
    ------
    ArchiveError
        If there is no such hold, or it is released.
    """
    done = await connection.execute(QUERIES["release"], hold_id, reason, by)
    if done.endswith(" 0"):
        raise ArchiveError(f"there is no hold {hold_id} to release: see `kerbsafe hold list`")


async def seal_anew(connection: asyncpg.Connection, from_at: datetime, until_at: datetime) -> int:
    """Seal what has come, in a span of time, since its holds were sealed; return how many fixes."""
    sealed = 0
    for row in await connection.fetch(QUERIES["binding"], from_at, until_at):
        span = Span(row["vehicle_id"], to_us(row["from_at"]), to_us(row["until_at"]))
        fixes = await tracks.read_spans(connection, [span])
        known = await connection.fetchval(QUERIES["sealed_times"], row["hold_id"])
        fresh = fixes.take(~np.isin(fixes.time_us, np.array(known, np.int64)))
        if len(fresh):
            await _seal(connection, row["hold_id"], row["vehicle"], fresh)
            sealed += len(fresh)
    return sealed


async def _seal(connection: asyncpg.Connection, hold_id: int, vehicle: str, fixes: Fixes) -> bytes:
    """Copy fixes and note their hashes; return that of all."""
    made = seal(vehicle, fixes)
    number = await connection.fetchval(QUERIES["next_seal"], hold_id)
    await connection.execute(QUERIES["add_seal"], hold_id, number, len(fixes), made.sha256)
    columns = [getattr(fixes, name).tolist() for name in _NAMES]
    times = map(to_datetime, fixes.time_us.tolist())
    await connection.copy_records_to_table(
        "sealed_fix",
        columns=["hold_id", "seal", "time", *_NAMES, "sha256"],
        records=[
            (hold_id, number, time, *values, row)
            for time, row, *values in zip(times, made.rows, *columns, strict=True)
        ],
    )
    return made.sha256


async def listed(connection: asyncpg.Connection, hold_id: int | None = None) -> list[dict[str, Any]]:
    """Return holds, the newest first."""
    return [dict(row) for row in await connection.fetch(QUERIES["holds"], hold_id)]


async def verify(connection: asyncpg.Connection, hold_id: int) -> list[Fault]:
    """Return what of a hold is not what was sealed.

    Raises
    ------
    ArchiveError
        If there is no such hold.
    """
    holds = await listed(connection, hold_id)
    if not holds:
        raise ArchiveError(f"there is no hold {hold_id}: see `kerbsafe hold list`")
    vehicle = holds[0]["vehicle"]
    rows = await connection.fetch(QUERIES["sealed_rows"], hold_id)
    faults = []
    for noted in await connection.fetch(QUERIES["seals"], hold_id):
        own = [row for row in rows if row["seal"] == noted["seal"]]
        faults += _faults(hold_id, noted, own, vehicle)
    return faults


def _faults(hold_id: int, noted: asyncpg.Record, rows: Sequence[asyncpg.Record], vehicle: str) -> list[Fault]:
    """Compare the rows of one seal with their hashes, and these with that of all."""
    number = noted["seal"]
    columns = {name: [row[name] for row in rows] for name in ROW.names or ()}
    made = seal(vehicle, Fixes.build(vehicle_id=0, **columns) if rows else Fixes.empty())
    faults = [
        Fault(hold_id, number, to_datetime(row["time_us"]), "is not what was sealed")
        for row, hashed in zip(rows, made.rows, strict=True)
        if row["sha256"] != hashed
    ]
    if len(rows) != noted["fixes"]:
        faults.append(Fault(hold_id, number, None, f"has {len(rows)} fixes, sealed were {noted['fixes']}"))
    elif not faults and made.sha256 != noted["sha256"]:
        what = "is not what was sealed: a row was changed together with its hash"
        faults.append(Fault(hold_id, number, None, what))
    elif whole([row["sha256"] for row in rows]) != noted["sha256"]:
        faults.append(Fault(hold_id, number, None, "the hashes of its rows were changed"))
    return faults
