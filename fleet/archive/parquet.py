"""Fixes as Parquet: stored units, sorted by vehicle and time, differences packed, and zstd over them.

Any reader of Parquet understands the columns: `time` is a timestamp in UTC, the others are the integers of
the table `fix`, with -1 (altitude -32768) for unknown. Pages carry checksums.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet as pq

from fleet.archive.layout import ArchiveError
from fleet.columns import Fixes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Rows of a group, the least that is read: of trucks that send every second three days of driving.
GROUP = 262_144
_TIME = pa.timestamp("us", tz="UTC")
_STORED = {"time_us": "time"}
SCHEMA = pa.schema(
    [
        pa.field(
            _STORED.get(name, name),
            _TIME if name == "time_us" else pa.from_numpy_dtype(np.dtype(kind)),
            nullable=False,
        )
        for name, kind in Fixes.dtypes().items()
    ]
)
#: More of it costs time and saves little: the differences are small already.
_ZSTD_LEVEL = 1


class PartWriter:
    """Writes fixes, which come in order of vehicle and time, to a file, a group at a time."""

    def __init__(self, file: IO[bytes]) -> None:
        self._writer = pq.ParquetWriter(
            file,
            SCHEMA,
            compression="zstd",
            compression_level=_ZSTD_LEVEL,
            use_dictionary=False,
            column_encoding=dict.fromkeys(SCHEMA.names, "DELTA_BINARY_PACKED"),
            write_page_checksum=True,
        )
        self._waiting: list[Fixes] = []
        self._rows = 0
        #: Fixes that were given so far.
        self.fixes = 0

    def write(self, fixes: Fixes) -> None:
        """Take in more fixes."""
        self._waiting.append(fixes)
        self._rows += len(fixes)
        self.fixes += len(fixes)
        if self._rows >= GROUP:
            self._flush(self._rows // GROUP * GROUP)

    def close(self) -> None:
        """Write what waits, and the end of the file."""
        if self._rows:
            self._flush(self._rows)
        self._writer.close()

    def _flush(self, rows: int) -> None:
        waiting = Fixes.concat(self._waiting)
        self._writer.write_table(_table(waiting.take(slice(0, rows))), row_group_size=GROUP)
        self._waiting = [waiting.take(slice(rows, None))]
        self._rows = len(waiting) - rows


def read(
    file: IO[bytes], name: str, *, vehicles: Sequence[int] | None = None, at_once: int = 1
) -> Iterator[Fixes]:
    """Yield the fixes of a file, a few groups at a time; of some vehicles only, if they are named.

    Raises
    ------
    ArchiveError
        If the file is damaged; says which: `name`.
    """
    try:
        opened = pq.ParquetFile(file, page_checksum_verification=True)
        if opened.schema_arrow != SCHEMA:
            raise ArchiveError(f"{name} holds other columns than fixes: {opened.schema_arrow.names}")
        wanted = None if vehicles is None else np.unique(np.asarray(vehicles, np.int32))
        groups = list(_groups(opened.metadata, wanted))
        for begin in range(0, len(groups), at_once):
            fixes = _fixes(opened.read_row_groups(groups[begin : begin + at_once]))
            yield fixes if wanted is None else fixes.take(np.isin(fixes.vehicle_id, wanted))
    except (pa.ArrowException, OSError) as error:
        raise damaged(name, error) from error


def damaged(name: str, why: object) -> ArchiveError:
    """Say that a file is not what was written."""
    said = " ".join(str(why).split())
    return ArchiveError(
        f"{name} was altered or is damaged: {said}. Put back a copy of it; `kerbsafe archive verify` checks "
        "all files"
    )


def _groups(metadata: Any, wanted: np.ndarray[Any, np.dtype[np.int32]] | None) -> Iterator[int]:
    """Yield the groups in which one of the vehicles may be."""
    for group in range(metadata.num_row_groups):
        span = metadata.row_group(group).column(0).statistics
        if wanted is None or span is None or not span.has_min_max:
            yield group
            continue
        first, behind = np.searchsorted(wanted, span.min), np.searchsorted(wanted, span.max, side="right")
        if first < behind:
            yield group


def _table(fixes: Fixes) -> Any:
    columns = {
        _STORED.get(name, name): pa.array(getattr(fixes, name), type=pa.from_numpy_dtype(np.dtype(kind)))
        for name, kind in Fixes.dtypes().items()
    }
    columns["time"] = columns["time"].view(_TIME)
    return pa.table(list(columns.values()), schema=SCHEMA)


def _fixes(table: Any) -> Fixes:
    made = {}
    for name, kind in Fixes.dtypes().items():
        column = table.column(_STORED.get(name, name))
        if name == "time_us":
            column = pa.chunked_array([chunk.view(pa.int64()) for chunk in column.chunks], pa.int64())
        made[name] = column.to_numpy().astype(kind, copy=False)
    return Fixes(**made)
