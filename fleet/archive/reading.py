"""Old days, read from the cold store for `fleet.tracks`: which are there, and what they hold."""

from __future__ import annotations

import asyncio
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.archive import layout
from fleet.archive.layout import ColdStoreError, NotKeptError
from fleet.archive.stores import open_store
from fleet.columns import Fixes
from fleet.db import Queries
from fleet.environment import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    import asyncpg

    from fleet.archive.stores import ColdStore
    from fleet.tracks import Span

QUERIES = Queries(Path(__file__).with_name("queries.sql"))


class ColdDay(NamedTuple):
    """A day that is in the cold store."""

    day: date
    names: Sequence[str]
    #: Bytes of each file.
    sizes: Sequence[int]


@cache
def _opened(address: str) -> ColdStore:
    return open_store(address)


def cold_store() -> ColdStore:
    """Return the cold store of the settings.

    Raises
    ------
    ColdStoreError
        If there is none.
    """
    address = read_settings(os.environ).archive
    if address is None:
        raise ColdStoreError(
            "the cold store could not be read: this process does not know where it is. Set KERBSAFE_ARCHIVE "
            "to its folder, as it is for `kerbsafe archive`"
        )
    return _opened(address)


async def days_of(connection: asyncpg.Connection, spans: Sequence[Span]) -> list[ColdDay]:
    """Return the days of the cold store that spans touch.

    Raises
    ------
    NotKeptError
        If a span touches a day that was deleted.
    """
    if not spans:
        return []
    first = layout.day_of_us(min(span.from_us for span in spans))
    last = layout.day_of_us(max(span.until_us for span in spans))
    found = []
    for row in await connection.fetch(QUERIES["cold_days"], first, last):
        if not _touching(row["day"], spans):
            continue
        if not row["is_archived"]:
            raise NotKeptError(
                f"the tracks of {row['day']} (UTC) are not kept any longer: that day was dropped by age"
            )
        found.append(ColdDay(row["day"], row["names"], row["sizes"]))
    return found


async def read(days: Sequence[ColdDay], spans: Sequence[Span]) -> Fixes:
    """Return what the cold store holds of spans, a piece of a day and a file after the other.

    Raises
    ------
    ColdStoreError, ArchiveError
        If it cannot be read, or a file is not what was written.
    """
    return await asyncio.to_thread(_read, days, spans) if days else Fixes.empty()


def _read(days: Sequence[ColdDay], spans: Sequence[Span]) -> Fixes:
    store = cold_store()
    return Fixes.concat([piece for day in days for piece in pieces(store, day, _touching(day.day, spans))])


def pieces(store: ColdStore, day: ColdDay, spans: Sequence[Span]) -> Iterator[Fixes]:
    """Yield what the files of one day hold of spans."""
    from fleet.archive import parquet  # noqa: PLC0415 - pyarrow is large, and most reads need no old day

    vehicles = [span.vehicle_id for span in spans]
    for name, size in zip(day.names, day.sizes, strict=True):
        key = f"{layout.folder(day.day)}/{name}"
        with store.open(key) as file:
            if file.seek(0, os.SEEK_END) != size:
                raise parquet.damaged(f"{store}/{key}", f"{file.tell()} bytes instead of {size}")
            for fixes in parquet.read(file, f"{store}/{key}", vehicles=vehicles):
                yield within(fixes, spans)


def within(fixes: Fixes, spans: Sequence[Span], most: int | None = None) -> Fixes:
    """Return those of fixes, which are in order, that are in a span; of each span the first `most`."""
    wanted = np.zeros(len(fixes), np.bool_)
    for span in spans:
        begin, end = np.searchsorted(fixes.vehicle_id, [span.vehicle_id, span.vehicle_id + 1])
        first, last = begin + np.searchsorted(fixes.time_us[begin:end], [span.from_us, span.until_us])
        wanted[first : last if most is None else min(last, first + most)] = True
    return fixes.take(wanted)


def _touching(day: date, spans: Sequence[Span]) -> list[Span]:
    begin_us = layout.begin_us(day)
    return [span for span in spans if span.from_us < begin_us + layout.DAY_US and span.until_us > begin_us]
