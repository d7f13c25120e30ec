"""Reading stored fixes as columns: binary COPY into NumPy, no Python object a row."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleet.columns import Fixes
from fleet.db import Queries
from fleet.units import to_datetime

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import asyncpg
    from numpy.typing import NDArray

QUERIES = Queries(Path(__file__).with_name("tracks.sql"))

#: PostgreSQL counts microseconds since 2000-01-01; Unix since 1970-01-01.
POSTGRES_EPOCH_US = 946_684_800_000_000
#: Bytes before the first row: signature, flags, length of the (empty) header extension.
COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_TRAILER = b"\xff\xff"

_WIDTHS = {"i2": ">i2", "i4": ">i4", "i8": ">i8"}


def copy_row(columns: dict[str, str]) -> np.dtype[np.void]:
    """Return the layout of a binary COPY row without NULLs: a field count, then length and value a column."""
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in columns.items():
        layout += [(f"{name}_length", ">i4"), (name, _WIDTHS[kind])]
    return np.dtype(layout)


_FIX_COLUMNS = dict(Fixes.dtypes())
_FIX_ROW = copy_row(_FIX_COLUMNS)
_BATCH_ROW = copy_row({"batch_id": "i8", "received_us": "i8", **_FIX_COLUMNS})


class Span(NamedTuple):
    """A vehicle's time from `from_us` to before `until_us`, microseconds since 1970."""

    vehicle_id: int
    from_us: int
    until_us: int


class StoredFixes(NamedTuple):
    """Fixes with the batch that stored each; where `fixes.vehicle_id` is -1 the batch was a tick."""

    batch_id: NDArray[np.int64]
    received_us: NDArray[np.int64]
    fixes: Fixes


async def read_spans(connection: asyncpg.Connection, spans: Sequence[Span]) -> Fixes:
    """Return the stored fixes of the spans, by vehicle and time."""
    rows = await _copy_out(
        connection,
        "read_spans",
        _FIX_ROW,
        [span.vehicle_id for span in spans],
        [to_datetime(span.from_us) for span in spans],
        [to_datetime(span.until_us) for span in spans],
    )
    return _fixes(rows)


async def read_batches(
    connection: asyncpg.Connection, *, after_batch_id: int, from_at: datetime, until_at: datetime
) -> StoredFixes:
    """Return what was stored by the batches received in [from_at, until_at), as it arrived."""
    rows = await _copy_out(connection, "read_batches", _BATCH_ROW, after_batch_id, from_at, until_at)
    return _stored_fixes(rows)


async def read_after(
    connection: asyncpg.Connection, vehicle_id: Sequence[int], watermark_us: Sequence[int]
) -> StoredFixes:
    """Return the fixes of each vehicle that are newer than its watermark, as they arrived."""
    watermarks = [to_datetime(time_us) for time_us in watermark_us]
    rows = await _copy_out(connection, "read_after", _BATCH_ROW, list(vehicle_id), watermarks)
    return _stored_fixes(rows)


async def _copy_out(
    connection: asyncpg.Connection, query: str, row: np.dtype[np.void], *arguments: Any
) -> NDArray[np.void]:
    sink = io.BytesIO()
    await connection.copy_from_query(QUERIES[query], *arguments, output=sink, format="binary")
    data = sink.getbuffer()
    return np.frombuffer(data[len(COPY_HEADER) : len(data) - len(COPY_TRAILER)], row)


def _fixes(rows: NDArray[np.void]) -> Fixes:
    columns = {name: rows[name].astype(kind) for name, kind in _FIX_COLUMNS.items()}
    columns["time_us"] += POSTGRES_EPOCH_US
    return Fixes(**columns)


def _stored_fixes(rows: NDArray[np.void]) -> StoredFixes:
    received_us = rows["received_us"].astype("i8") + POSTGRES_EPOCH_US
    return StoredFixes(rows["batch_id"].astype("i8"), received_us, _fixes(rows))
