"""What may be in the store already: copied into a stage and sorted out by key, in the caller's transaction.

The same content is a duplicate; of two contents the one received nearer to its own time stays. What the
database refuses for its content is found by halving.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg
import numpy as np

from fleet.binary_copy import POSTGRES_EPOCH_US, copy_row, copy_stream
from fleet.columns import Fixes
from fleet.db import Queries
from fleet.units import to_datetime, to_us
from fleet.wire.batch import KEPT_BYTES, Rejected
from fleet.wire.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from numpy.typing import NDArray

    from alerts.in_force.context import Context
    from fleet.columns import Columns
    from ingest.pipeline.screen import Screened

QUERIES = Queries(Path(__file__).with_name("queries.sql"))

_STAGE_COLUMNS = {"place": "i4", "judged": "i2", **Fixes.dtypes()}
_STAGE_ROW = copy_row(_STAGE_COLUMNS)
_STAGE_NAMES = ["time" if name == "time_us" else name for name in _STAGE_COLUMNS]


class Counts(NamedTuple):
    """Observations that were stored, and that were known before."""

    stored: int = 0
    duplicates: int = 0

    def plus(self, other: Counts) -> Counts:
        """Return both together."""
        return Counts(self.stored + other.stored, self.duplicates + other.duplicates)


class Validity(NamedTuple):
    """Which reports of cameras and units are judged live, and for how long a sign of life counts."""

    horizon: timedelta
    ahead: timedelta
    armed: timedelta


def validity(context: Context, now_us: int) -> Validity:
    """Return for how long what cameras and units report counts."""
    live, rules = (context.rulebooks.now(section, now_us) for section in ("live", "blind_spot"))
    return Validity(
        horizon=timedelta(seconds=float(live["horizon_s"])),
        ahead=timedelta(seconds=float(live["ahead_s"])),
        armed=timedelta(seconds=float(rules["armed_s"])),
    )


class BatchWrite(NamedTuple):
    """Where and as what a batch is stored."""

    connection: asyncpg.Connection
    batch_id: int
    received_us: int
    validity: Validity


async def store_fixes(
    into: BatchWrite,
    screened: Screened,
    rows: NDArray[np.intp],
    judged: NDArray[np.bool_],
    rejects: list[Rejected],
) -> Counts:
    """Store some fixes of a screened batch, and mark what waits for the settler.

    `rows` are their indices; `judged` is of all its fixes.
    """
    fixes, message, live = screened.fixes.take(rows), screened.fix_message[rows], judged[rows]

    async def write(part: slice) -> Counts:
        return await _store_fixes(into, fixes.take(part), message[part], live[part], rejects)

    return await _halving(into.connection, slice(0, len(fixes)), write, _Refusal(fixes, message, rejects))


async def store_texts(
    into: BatchWrite, kind: str, columns: Columns, message: NDArray[np.intp], rejects: list[Rejected]
) -> Counts:
    """Store camera events or health reports (`kind` is `camera` or `health`)."""

    async def write(part: slice) -> Counts:
        return await _store_texts(into, kind, columns.take(part), message[part], rejects)

    return await _halving(into.connection, slice(0, len(columns)), write, _Refusal(columns, message, rejects))


def is_refusal(error: asyncpg.PostgresError) -> bool:
    """Say whether the content of an observation is at fault, and not that a day's partition is missing."""
    is_of_data = isinstance(error, asyncpg.DataError | asyncpg.IntegrityConstraintViolationError)
    return is_of_data and "no partition of relation" not in str(error)


class _Refusal(NamedTuple):
    """Writes down what the database refuses."""

    columns: Columns
    message: NDArray[np.intp]
    rejects: list[Rejected]

    def add(self, place: int, error: asyncpg.PostgresError) -> None:
        vehicle_id = int(self.columns.vehicle_id[place])  # type: ignore[attr-defined]  # every batch has it
        content = _as_json(self.columns, place).encode()[:KEPT_BYTES]
        detail = f"{Reason.UNSTORABLE.sentence} SQLSTATE {error.sqlstate}"
        message = int(self.message[place])
        self.rejects.append(Rejected(message, None, Reason.UNSTORABLE, detail, content, vehicle_id))


async def _halving(
    connection: asyncpg.Connection,
    part: slice,
    write: Callable[[slice], Awaitable[Counts]],
    refusal: _Refusal,
) -> Counts:
    """Write rows; where the database refuses their content, halve until the row at fault is found."""
    count = part.stop - part.start
    if not count:
        return Counts(0, 0)
    before = len(refusal.rejects)
    try:
        async with connection.transaction():
            return await write(part)
    except asyncpg.PostgresError as error:
        if not is_refusal(error):
            raise
        del refusal.rejects[before:]
        if count == 1:
            refusal.add(part.start, error)
            return Counts(0, 0)
    middle = part.start + count // 2
    await connection.execute(QUERIES["clear_stages"])
    first = await _halving(connection, slice(part.start, middle), write, refusal)
    await connection.execute(QUERIES["clear_stages"])
    second = await _halving(connection, slice(middle, part.stop), write, refusal)
    return first.plus(second)


async def _store_fixes(
    into: BatchWrite,
    fixes: Fixes,
    message: NDArray[np.intp],
    judged: NDArray[np.bool_],
    rejects: list[Rejected],
) -> Counts:
    """Store fixes and mark what waits for the settler; return how many were stored, and known before."""
    connection = into.connection
    columns: dict[str, Any] = {name: getattr(fixes, name) for name in fixes.dtypes()}
    columns["time_us"] = fixes.time_us - POSTGRES_EPOCH_US
    stream = copy_stream(
        {"place": np.arange(len(fixes)), "judged": judged.astype(np.int16), **columns}, _STAGE_ROW
    )
    await connection.copy_to_table("stage_fix", source=stream, columns=_STAGE_NAMES, format="binary")
    inserted = rows_of_status(await connection.execute(QUERIES["insert_fixes"], into.batch_id))
    known = len(fixes) - inserted
    duplicates = 0
    if known:
        duplicates, replaced = await _sort_out(into, "fixes", fixes, message, rejects)
        await _mark_replaced(into, replaced)
    if not judged.all():
        await connection.execute(QUERIES["mark_unjudged"], into.batch_id, to_datetime(into.received_us))
    return Counts(inserted, duplicates)


async def _store_texts(
    into: BatchWrite, kind: str, columns: Columns, message: NDArray[np.intp], rejects: list[Rejected]
) -> Counts:
    """Store camera events or health reports; return how many were stored, and known before."""
    names = list(columns.dtypes())
    values = [getattr(columns, name).tolist() for name in names]
    at = names.index("time_us")
    values[at] = [to_datetime(time_us) for time_us in values[at]]
    names[at] = "time"
    await into.connection.copy_records_to_table(
        f"stage_{kind}", records=zip(range(len(columns)), *values, strict=True), columns=["place", *names]
    )
    inserted = rows_of_status(await into.connection.execute(QUERIES[f"insert_{kind}"], into.batch_id))
    duplicates = 0
    if inserted < len(columns):
        duplicates, replaced = await _sort_out(into, kind, columns, message, rejects)
        await _mark_replaced(into, replaced)
    await _mark_untimely(into, kind, columns)
    return Counts(inserted, duplicates)


async def _mark_untimely(into: BatchWrite, kind: str, columns: Columns) -> None:
    """Ask the settler to join what came too late, or is ahead of the clock; where nothing is, do nothing."""
    time_us: NDArray[np.int64] = columns.time_us  # type: ignore[attr-defined]  # every batch has it
    at, validity = to_datetime(into.received_us), into.validity
    oldest_us, newest_us = to_us(at - validity.horizon), to_us(at + validity.ahead)
    if ((time_us < oldest_us) | (time_us > newest_us)).any():
        spans = (at, validity.horizon, validity.ahead, validity.armed)
        await into.connection.execute(QUERIES[f"mark_untimely_{kind}"], into.batch_id, *spans)


async def _mark_replaced(into: BatchWrite, replaced: Sequence[asyncpg.Record]) -> None:
    """Ask the settler to judge again where a stored observation was replaced."""
    if replaced:
        vehicles, times = ([row[name] for row in replaced] for name in ("vehicle_id", "time"))
        at = to_datetime(into.received_us)
        await into.connection.execute(QUERIES["mark_replaced"], vehicles, times, at)


async def _sort_out(
    into: BatchWrite, kind: str, columns: Columns, message: NDArray[np.intp], rejects: list[Rejected]
) -> tuple[int, Sequence[asyncpg.Record]]:
    """Count the duplicates among staged rows whose key is known; replace, or reject, the others."""
    received_at = to_datetime(into.received_us)
    known = await into.connection.fetch(QUERIES[f"known_{kind}"], into.batch_id, received_at)
    replaced = [row for row in known if not row["same"] and row["nearer"]]
    if replaced:
        places = [row["place"] for row in replaced]
        await into.connection.execute(QUERIES[f"replace_{kind}"], into.batch_id, places)
    for row in known:
        if not row["same"]:
            loser = row["stored"] if row["nearer"] else _as_json(columns, row["place"])
            rejects.append(_conflicting(int(message[row["place"]]), row["vehicle_id"], loser))
    return sum(row["same"] for row in known), replaced


def _as_json(columns: Columns, place: int) -> str:
    one = columns.take(np.array([place]))
    return json.dumps({name: getattr(one, name).tolist()[0] for name in columns.dtypes()})


def _conflicting(message: int, vehicle_id: int, content: str) -> Rejected:
    reason = Reason.CONFLICTING_DUPLICATE
    return Rejected(message, None, reason, reason.sentence, content.encode()[:KEPT_BYTES], vehicle_id)


def rows_of_status(status: str) -> int:
    """Return the number of rows that a command's status tells, e.g. 'INSERT 0 17'."""
    return int(status.rsplit(" ", 1)[-1])
