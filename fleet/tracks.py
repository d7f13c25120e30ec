"""Reading stored fixes as columns: binary COPY into NumPy, no Python object a row.

The one door to tracks. Days that have left the database are read from the cold store (`fleet.archive`), and
a fix that is in both comes once. What cannot be read raises an error: nobody is told that there was nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from fleet.archive import reading
from fleet.archive.matching import once
from fleet.binary_copy import POSTGRES_EPOCH_US, RowReader, copy_row
from fleet.columns import Fixes
from fleet.db import Queries
from fleet.units import to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import asyncpg
    from numpy.typing import NDArray

QUERIES = Queries(Path(__file__).with_name("tracks.sql"))

_FIX_COLUMNS = dict(Fixes.dtypes())
_FIX_ROW = copy_row(_FIX_COLUMNS)
#: A stream is twice as large as its columns, so it is not kept whole.
_STREAM_BYTES = 8 * 2**20
_BATCH_ROW = copy_row({"batch_id": "i8", "received_us": "i8", **_FIX_COLUMNS})


_Made = TypeVar("_Made")


class Span(NamedTuple):
    """A vehicle's time from `from_us` to before `until_us`, microseconds since 1970."""

    vehicle_id: int
    from_us: int
    until_us: int


class StoredFixes(NamedTuple):
    """Fixes with the batch that stored each."""

    batch_id: NDArray[np.int64]
    received_us: NDArray[np.int64]
    fixes: Fixes


async def read_spans(
    connection: asyncpg.Connection, spans: Sequence[Span], *, most: int | None = None
) -> Fixes:
    """Return the stored fixes of the spans, by vehicle and time; of each span any `most` of them."""
    if not spans:
        return Fixes.empty()
    stored = Fixes.concat(
        await _copy_out(connection, "read_spans", _FIX_ROW, _fixes, *columns_of_spans(spans), most)
    )
    days = await reading.days_of(connection, spans)
    if not days:
        return stored
    return reading.within(once(Fixes.concat([stored, await reading.read(days, spans)])), spans, most)


async def read_page(connection: asyncpg.Connection, span: Span, limit: int) -> Fixes:
    """Return the first stored fixes of a span, by time: at most so many, however much is stored."""
    begin, end = to_datetime(span.from_us), to_datetime(span.until_us)
    page = await _copy_out(connection, "read_page", _FIX_ROW, _fixes, span.vehicle_id, begin, end, limit)
    days = await reading.days_of(connection, [span])
    if not days:
        return Fixes.concat(page)
    return once(Fixes.concat([*page, await reading.read(days, [span])])).take(slice(0, limit))


async def count_span(connection: asyncpg.Connection, span: Span) -> int:
    """Return how many fixes are stored in a span."""
    if await reading.days_of(connection, [span]):
        return len(await read_spans(connection, [span]))
    begin, end = to_datetime(span.from_us), to_datetime(span.until_us)
    return int(await connection.fetchval(QUERIES["count_span"], span.vehicle_id, begin, end))


async def feed_day(
    connection: asyncpg.Connection, from_at: datetime, until_at: datetime, take: Callable[[Fixes], None]
) -> None:
    """Hand what the database itself holds of a span of time to `take`, by vehicle and time, in pieces."""

    def taken(rows: NDArray[np.void]) -> None:
        take(_fixes(rows))

    await _copy_out(connection, "read_day", _FIX_ROW, taken, from_at, until_at)


def columns_of_spans(spans: Sequence[Span]) -> tuple[list[int], list[datetime], list[datetime]]:
    """Return vehicles, beginnings and ends as queries take them."""
    return (
        [span.vehicle_id for span in spans],
        [to_datetime(span.from_us) for span in spans],
        [to_datetime(span.until_us) for span in spans],
    )


async def read_arrivals(
    connection: asyncpg.Connection, vehicle_id: Sequence[int], from_at: datetime, until_at: datetime
) -> list[tuple[int, Fixes]]:
    """Return what arrived in [from_at, until_at): when, and the fixes of those vehicles; a tick has none."""
    stored = _joined(
        await _copy_out(
            connection, "read_arrivals", _BATCH_ROW, _stored_fixes, list(vehicle_id), from_at, until_at
        )
    )
    size = len(stored.fixes)
    begins = np.flatnonzero(np.r_[True, stored.batch_id[1:] != stored.batch_id[:-1]][:size])
    arrivals = []
    for begin, end in zip(begins.tolist(), [*begins[1:].tolist(), size], strict=True):
        fixes = stored.fixes.take(slice(begin, end))
        arrivals.append((int(stored.received_us[begin]), fixes.take(fixes.vehicle_id >= 0)))
    return arrivals


async def read_after(
    connection: asyncpg.Connection, vehicle_id: NDArray[np.int32], watermark_us: NDArray[np.int64]
) -> StoredFixes:
    """Return the fixes of each vehicle that are newer than its watermark, as they arrived."""
    watermarks = [to_datetime(time_us) for time_us in watermark_us.tolist()]
    return _joined(
        await _copy_out(connection, "read_after", _BATCH_ROW, _stored_fixes, vehicle_id.tolist(), watermarks)
    )


async def _copy_out(
    connection: asyncpg.Connection,
    query: str,
    row: np.dtype[np.void],
    make: Callable[[NDArray[np.void]], _Made],
    *arguments: Any,
) -> list[_Made]:
    """Return what `make` makes of the rows that a query finds, some of them at a time."""
    reader, made = RowReader(row), list[_Made]()

    async def take(piece: bytes) -> None:  # asyncpg would write to a file in another thread
        reader.feed(piece)
        if reader.waiting >= _STREAM_BYTES:
            made.append(make(reader.take()))

    await connection.copy_from_query(QUERIES[query], *arguments, output=take, format="binary")
    return [*made, make(reader.take())]


def _fixes(rows: NDArray[np.void]) -> Fixes:
    columns = {name: rows[name].astype(kind) for name, kind in _FIX_COLUMNS.items()}
    columns["time_us"] += POSTGRES_EPOCH_US
    return Fixes(**columns)


def _stored_fixes(rows: NDArray[np.void]) -> StoredFixes:
    received_us = rows["received_us"].astype("i8") + POSTGRES_EPOCH_US
    return StoredFixes(rows["batch_id"].astype("i8"), received_us, _fixes(rows))


def _joined(parts: Sequence[StoredFixes]) -> StoredFixes:
    batch_id, received_us, fixes = zip(*parts, strict=True)
    return StoredFixes(np.concatenate(batch_id), np.concatenate(received_us), Fixes.concat(fixes))
