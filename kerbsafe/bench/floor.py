"""The floor of ingest: what PostgreSQL takes when nothing but its COPY is in the way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from fleet.binary_copy import POSTGRES_EPOCH_US, copy_row, copy_stream
from fleet.columns import Fixes
from kerbsafe.bench import QUERIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

_COLUMNS = {"batch_id": "i8", **Fixes.dtypes()}
_ROW = copy_row(_COLUMNS)
_NAMES = ["time" if name == "time_us" else name for name in _COLUMNS]


async def copy_rows_per_s(connection: asyncpg.Connection, fixes: Fixes, sizes: Sequence[int]) -> float:
    """Return rows a second of binary COPY into a table equal to `fix`, in batches of `sizes` rows.

    Each batch is a transaction. The streams are made beforehand, and the room for the day as well.
    """
    await make_table_like_fix(connection, "fix_floor", int(fixes.time_us.min()))
    streams, begin = [], 0
    for number, size in enumerate(sizes):
        part = fixes.take(slice(begin, begin + size))
        columns = {name: getattr(part, name) for name in part.dtypes()}
        columns["time_us"] = columns["time_us"] - POSTGRES_EPOCH_US
        streams.append(copy_stream({"batch_id": np.full(len(part), number), **columns}, _ROW))
        begin += size
    await connection.execute(QUERIES["checkpoint"])
    began_s = time.perf_counter()
    for stream in streams:
        await connection.copy_to_table("fix_floor", source=stream, columns=_NAMES, format="binary")
    return begin / (time.perf_counter() - began_s)


async def make_table_like_fix(connection: asyncpg.Connection, name: str, at_us: int) -> None:
    """Make a hypertable with the columns and indexes of `fix`, with room for the day of a time."""
    await connection.execute(f"create table {name}_shape (like fix including all)")
    await connection.execute(f"select timed_table('{name}_shape', '{name}')")
    day = np.datetime64(at_us, "us").astype("M8[D]").item()
    await connection.execute(f"select make_days('{name}', $1::date - 1, $1::date + 1)", day)
