"""PostgreSQL's binary COPY format as NumPy arrays: rows of fixed width, without NULLs.

A row is a count of fields, then a length and a value for each, big-endian
(PostgreSQL documentation, COPY, "Binary Format").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

#: PostgreSQL counts microseconds since 2000-01-01; Unix since 1970-01-01.
POSTGRES_EPOCH_US = 946_684_800_000_000
#: Signature, flags, and length of the (empty) header extension.
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"


def copy_row(columns: Mapping[str, str]) -> np.dtype[np.void]:
    """Return the layout of a row; `columns` gives the name and NumPy integer type of each."""
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in columns.items():
        layout += [(f"{name}_length", ">i4"), (name, f">{kind}")]
    return np.dtype(layout)


def copy_stream(columns: Mapping[str, NDArray[np.integer]], row: np.dtype[np.void]) -> memoryview:
    """Return columns of equal length as a COPY stream of rows laid out by `copy_row`.

    A view, not bytes: asyncpg sends it as it is, takes bytes for a path, and reads a file in another thread.
    """
    rows = np.empty(len(next(iter(columns.values()))), row)
    rows["fields"] = len(columns)
    for name, values in columns.items():
        rows[f"{name}_length"] = row[name].itemsize
        rows[name] = values
    return memoryview(b"".join((_HEADER, rows.data, _TRAILER)))


class RowReader:
    """Takes the rows, laid out by `copy_row`, of a COPY stream that comes in pieces of any size."""

    def __init__(self, row: np.dtype[np.void]) -> None:
        self._row = row
        self._pieces: list[bytes] = []
        self._before = len(_HEADER)
        #: Bytes that wait to be taken.
        self.waiting = 0

    def feed(self, piece: bytes) -> None:
        """Take in what came next."""
        self._pieces.append(piece)
        self.waiting += len(piece)

    def take(self) -> NDArray[np.void]:
        """Return the whole rows of what has come since the last time; the trailer is none."""
        stream = b"".join(self._pieces)
        rows = max(0, len(stream) - self._before) // self._row.itemsize
        end = self._before + rows * self._row.itemsize if rows else 0
        found = np.frombuffer(stream, self._row, rows, self._before) if rows else np.empty(0, self._row)
        self._pieces, self.waiting = [stream[end:]], len(stream) - end
        self._before = 0 if rows else self._before
        return found
