"""One batch into the database: observations, rejects and the ledger. Runs in the caller's transaction.

Fixes that cannot be in the store yet are copied straight into it; the others, and what may be there
already, pass through a stage (`ingest.pipeline.staging`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from alerts.store import store as judged_rows
from fleet.binary_copy import POSTGRES_EPOCH_US, copy_row, copy_stream
from fleet.columns import Fixes
from fleet.units import to_datetime, to_us
from ingest.pipeline import staging
from ingest.pipeline.staging import BatchWrite, Counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg
    from numpy.typing import NDArray

    from fleet.wire.batch import Ack, Rejected
    from ingest.pipeline.receipt import Receipt
    from ingest.pipeline.rejects import RejectRows
    from ingest.pipeline.screen import Screened

QUERIES = staging.QUERIES
#: All parameters of a terminal are some 4,000.
MAX_ANSWER_CHARACTERS = 32_768

_FIX_COLUMNS = {"batch_id": "i8", **Fixes.dtypes()}
_FIX_ROW = copy_row(_FIX_COLUMNS)
_NOTHING = memoryview(b"")
_FIX_NAMES = ["time" if name == "time_us" else name for name in _FIX_COLUMNS]


class Rows(NamedTuple):
    """The fixes of a batch, as they are to be stored."""

    #: Marks those that were judged at once.
    judged: NDArray[np.bool_]
    #: Indices of fixes that may be in the store already.
    staged: NDArray[np.intp]
    #: How many cannot be, and their COPY stream.
    fresh: int
    stream: memoryview
    #: What of the fresh ones waits for the settler: vehicles, and from when to when (inclusive).
    dirty: tuple[list[int], list[int], list[int]]

    def all_staged(self) -> Rows:
        """Return the same with every fix passing through the stage, where a fault of one can be found."""
        return self._replace(staged=np.arange(len(self.judged)), fresh=0, stream=_NOTHING, dirty=([], [], []))


class Stored(NamedTuple):
    """What became of a batch's observations."""

    stored: int
    duplicates: int
    rejects: list[Rejected]


def lay_out(fixes: Fixes, judged: NDArray[np.bool_], fresh: NDArray[np.bool_], batch_id: int) -> Rows:
    """Prepare the fixes of a screened batch for the store, outside of any transaction.

    `judged` marks the fixes that the hot path judges itself, `fresh` those that cannot be in the store.
    """
    straight = fixes if fresh.all() else fixes.take(fresh)
    columns = {name: getattr(straight, name) for name in straight.dtypes()}
    columns["time_us"] = straight.time_us - POSTGRES_EPOCH_US
    batch = np.full(len(straight), batch_id)
    return Rows(
        judged=judged,
        staged=np.flatnonzero(~fresh),
        fresh=len(straight),
        stream=copy_stream({"batch_id": batch, **columns}, _FIX_ROW) if len(straight) else _NOTHING,
        dirty=_spans(fixes, fresh & ~judged),
    )


def _spans(fixes: Fixes, marked: NDArray[np.bool_]) -> tuple[list[int], list[int], list[int]]:
    """Return the vehicles of the marked rows, and the earliest and latest of their times."""
    rows = np.flatnonzero(marked)
    if not len(rows):
        return [], [], []
    order = rows[np.lexsort((fixes.time_us[rows], fixes.vehicle_id[rows]))]
    vehicle, time_us = fixes.vehicle_id[order], fixes.time_us[order]
    begins = np.flatnonzero(np.r_[True, vehicle[1:] != vehicle[:-1]])
    ends = np.r_[begins[1:], len(order)] - 1
    return vehicle[begins].tolist(), time_us[begins].tolist(), time_us[ends].tolist()


async def prepare(connection: asyncpg.Connection) -> None:
    """Make the stages of a connection."""
    await connection.execute(QUERIES["make_stages"])


async def draw_batch_ids(connection: asyncpg.Connection, count: int) -> list[int]:
    """Draw the ids of the next batches, in order."""
    return [row["batch_id"] for row in await connection.fetch(QUERIES["draw_batch_ids"], count)]


async def store(into: BatchWrite, screened: Screened, rows: Rows) -> Stored:
    """Store a screened batch.

    What the database refuses for its content (SQLSTATE classes 22 and 23) is found by halving and
    rejected as `unstorable`, but for fresh rows, at which the whole transaction fails: try again with
    `rows.all_staged()`. Any other failure is the caller's.
    """
    rejects: list[Rejected] = []
    counts = await _store_fresh(into, rows)
    if len(rows.staged):
        counts = counts.plus(await staging.store_fixes(into, screened, rows.staged, rows.judged, rejects))
    for kind, columns, message in (
        ("camera", screened.camera, screened.camera_message),
        ("health", screened.health, screened.health_message),
    ):
        if len(columns):
            counts = counts.plus(await staging.store_texts(into, kind, columns, message, rejects))
    if screened.acks:
        counts = counts.plus(await _store_acks(into, screened.acks))
    return Stored(counts.stored, counts.duplicates, rejects)


async def _store_fresh(into: BatchWrite, rows: Rows) -> Counts:
    if not rows.fresh:
        return Counts()
    await into.connection.copy_to_table("fix", source=rows.stream, columns=_FIX_NAMES, format="binary")
    await judged_rows.mark_dirty(into.connection, *rows.dirty, into.received_us)
    return Counts(stored=rows.fresh)


async def _store_acks(into: BatchWrite, acks: Sequence[Ack]) -> Counts:
    status = await into.connection.execute(
        QUERIES["insert_acks"],
        into.batch_id,
        [ack.vehicle_id for ack in acks],
        [ack.command_id for ack in acks],
        [to_datetime(ack.time_us) for ack in acks],
        [ack.result for ack in acks],
        [ack.detail for ack in acks],
        [_answer(ack) for ack in acks],
        [ack.by for ack in acks],
    )
    stored = staging.rows_of_status(status)
    return Counts(stored, len(acks) - stored)


def _answer(ack: Ack) -> str | None:
    """Return what a unit answered, as JSON; none where it is longer than any answer that was asked for."""
    if ack.values is None:
        return None
    text = msgspec.json.encode(ack.values).decode()
    return text if len(text) <= MAX_ANSWER_CHARACTERS else None


async def newest_stored(
    connection: asyncpg.Connection, vehicle_id: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return those of some vehicles of which fixes are stored, and the newest time of each."""
    found = await connection.fetch(QUERIES["newest_stored"], vehicle_id.tolist())
    return (
        np.array([row["vehicle_id"] for row in found], np.int32),
        np.array([to_us(row["time"]) for row in found], np.int64),
    )


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


async def record_tick(connection: asyncpg.Connection, batch_id: int, at_us: int) -> None:
    """Write that silence was judged at a moment; as-arrived replay does the same there."""
    await connection.execute(QUERIES["record_tick"], batch_id, to_datetime(at_us))


async def record_rejects(
    connection: asyncpg.Connection, batch_id: int, rows: RejectRows, received_us: int
) -> None:
    """Keep what was rejected, or count it."""
    for query, some in (("record_rejects", rows.kept), ("count_rejects", rows.counted)):
        if some:
            columns = [list(column) for column in zip(*some, strict=True)]
            await connection.execute(QUERIES[query], batch_id, to_datetime(received_us), *columns)
