"""One batch into the database: observations, rejects and the ledger. Runs in the caller's transaction.

A batch is copied into a stage and inserted from there, so that what is known already is sorted out by
key: the same content is a duplicate; of two contents the one received nearer to its own time stays.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg
import numpy as np

from fleet.binary_copy import POSTGRES_EPOCH_US, copy_bytes, copy_row
from fleet.columns import Fixes
from fleet.db import Queries
from fleet.units import to_datetime
from fleet.wire.batch import KEPT_BYTES, Rejected
from fleet.wire.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from numpy.typing import NDArray

    from fleet.columns import Columns
    from ingest.receipt import Receipt
    from ingest.rejects import RejectRow
    from ingest.screen import Screened

QUERIES = Queries(Path(__file__).with_name("queries.sql"))

_STAGE_COLUMNS = {"place": "i4", "judged": "i2", **Fixes.dtypes()}
_STAGE_ROW = copy_row(_STAGE_COLUMNS)
_STAGE_NAMES = ["time" if name == "time_us" else name for name in _STAGE_COLUMNS]


class Stored(NamedTuple):
    """What became of a batch's observations."""

    stored: int
    duplicates: int
    rejects: list[Rejected]


async def prepare(connection: asyncpg.Connection) -> None:
    """Make the stages of a connection."""
    await connection.execute(QUERIES["make_stages"])


async def next_batch_id(connection: asyncpg.Connection) -> int:
    """Draw the id of the next batch."""
    return int(await connection.fetchval(QUERIES["next_batch_id"]))


async def store(
    connection: asyncpg.Connection,
    screened: Screened,
    judged: NDArray[np.bool_],
    batch_id: int,
    received_us: int,
) -> Stored:
    """Store a screened batch; `judged` marks the fixes that the hot path judges itself.

    What the database refuses for its content (SQLSTATE classes 22 and 23) is found by halving and
    rejected as `unstorable`; any other failure is the caller's.
    """
    moment = _Moment(connection, batch_id, received_us)
    rejects: list[Rejected] = []

    async def fixes(part: slice) -> Counts:
        message = screened.fix_message[part]
        return await _store_fixes(moment, screened.fixes.take(part), message, judged[part], rejects)

    async def camera(part: slice) -> Counts:
        events = screened.camera.take(part)
        return await _store_texts(moment, "camera", events, screened.camera_message[part], rejects)

    async def health(part: slice) -> Counts:
        reports = screened.health.take(part)
        return await _store_texts(moment, "health", reports, screened.health_message[part], rejects)

    stored = duplicates = 0
    for write, columns, message in (
        (fixes, screened.fixes, screened.fix_message),
        (camera, screened.camera, screened.camera_message),
        (health, screened.health, screened.health_message),
    ):
        counts = await _halving(
            connection, slice(0, len(columns)), write, _Refusal(columns, message, rejects)
        )
        stored, duplicates = stored + counts.stored, duplicates + counts.duplicates
    acks = screened.acks
    if acks:
        status = await connection.execute(
            QUERIES["insert_acks"],
            batch_id,
            [ack.vehicle_id for ack in acks],
            [ack.command_id for ack in acks],
            [to_datetime(ack.time_us) for ack in acks],
            [ack.result for ack in acks],
        )
        stored, duplicates = stored + _rows(status), duplicates + len(acks) - _rows(status)
    return Stored(stored, duplicates, rejects)


async def record(connection: asyncpg.Connection, batch_id: int, receipt: Receipt, received_us: int) -> None:
    """Write the ledger's line of a batch: received = stored + duplicates + rejected."""
    await connection.execute(
        QUERIES["record_batch"],
        batch_id,
        to_datetime(received_us),
        receipt.source,
        receipt.messages,
        receipt.received,
        receipt.stored,
        receipt.duplicates,
        sum(receipt.rejected.values()),
        receipt.judged,
    )


async def record_rejects(
    connection: asyncpg.Connection, batch_id: int, rows: Sequence[RejectRow], received_us: int
) -> None:
    """Keep what was rejected."""
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        await connection.execute(QUERIES["record_rejects"], batch_id, to_datetime(received_us), *columns)


class Counts(NamedTuple):
    """Observations that were stored, and that were known before."""

    stored: int
    duplicates: int


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
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        if _lacks_room(error):
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
    return Counts(first.stored + second.stored, first.duplicates + second.duplicates)


def _lacks_room(error: asyncpg.PostgresError) -> bool:
    """Say whether a day's partition is missing: our fault, not the observation's."""
    return "no partition of relation" in str(error)


class _Moment(NamedTuple):
    connection: asyncpg.Connection
    batch_id: int
    received_us: int


async def _store_fixes(
    moment: _Moment,
    fixes: Fixes,
    message: NDArray[np.intp],
    judged: NDArray[np.bool_],
    rejects: list[Rejected],
) -> Counts:
    """Store fixes and mark what waits for the settler; return how many were stored, and known before."""
    connection = moment.connection
    columns: dict[str, Any] = {name: getattr(fixes, name) for name in fixes.dtypes()}
    columns["time_us"] = fixes.time_us - POSTGRES_EPOCH_US
    stream = copy_bytes(
        {"place": np.arange(len(fixes)), "judged": judged.astype(np.int16), **columns}, _STAGE_ROW
    )
    await connection.copy_to_table(
        "stage_fix", source=io.BytesIO(stream), columns=_STAGE_NAMES, format="binary"
    )
    inserted = _rows(await connection.execute(QUERIES["insert_fixes"], moment.batch_id))
    known = len(fixes) - inserted
    duplicates = 0
    if known:
        duplicates, replaced = await _sort_out(moment, "fixes", fixes, message, rejects)
        await connection.execute(
            QUERIES["mark_replaced"],
            [row["vehicle_id"] for row in replaced],
            [row["time"] for row in replaced],
            to_datetime(moment.received_us),
        )
    if not judged.all():
        await connection.execute(QUERIES["mark_unjudged"], moment.batch_id, to_datetime(moment.received_us))
    return Counts(inserted, duplicates)


async def _store_texts(
    moment: _Moment, kind: str, columns: Columns, message: NDArray[np.intp], rejects: list[Rejected]
) -> Counts:
    """Store camera events or health reports; return how many were stored, and known before."""
    names = list(columns.dtypes())
    values = [getattr(columns, name).tolist() for name in names]
    at = names.index("time_us")
    values[at] = [to_datetime(time_us) for time_us in values[at]]
    names[at] = "time"
    await moment.connection.copy_records_to_table(
        f"stage_{kind}", records=zip(range(len(columns)), *values, strict=True), columns=["place", *names]
    )
    inserted = _rows(await moment.connection.execute(QUERIES[f"insert_{kind}"], moment.batch_id))
    if inserted == len(columns):
        return Counts(inserted, 0)
    duplicates, _replaced = await _sort_out(moment, kind, columns, message, rejects)
    return Counts(inserted, duplicates)


async def _sort_out(
    moment: _Moment, kind: str, columns: Columns, message: NDArray[np.intp], rejects: list[Rejected]
) -> tuple[int, Sequence[asyncpg.Record]]:
    """Count the duplicates among staged rows whose key is known; replace, or reject, the others."""
    received_at = to_datetime(moment.received_us)
    known = await moment.connection.fetch(QUERIES[f"known_{kind}"], moment.batch_id, received_at)
    replaced = [row for row in known if not row["same"] and row["nearer"]]
    if replaced:
        places = [row["place"] for row in replaced]
        await moment.connection.execute(QUERIES[f"replace_{kind}"], moment.batch_id, places)
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


def _rows(status: str) -> int:
    """Return the number of rows that a command's status tells, e.g. 'INSERT 0 17'."""
    return int(status.rsplit(" ", 1)[-1])
