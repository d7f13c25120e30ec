"""Reading what cameras and units have reported, as columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from fleet.columns import CameraEvents, HealthReports
from fleet.db import Queries
from fleet.tracks import columns_of_spans
from fleet.units import to_us

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    import asyncpg
    from numpy.typing import NDArray

    from fleet.tracks import Span

QUERIES = Queries(Path(__file__).with_name("sights.sql"))

_Kind = TypeVar("_Kind", CameraEvents, HealthReports)
#: Rows are made into columns so many at a time: as rows they take five times the memory.
ROWS_AT_ONCE = 20_000


async def read_spans(
    connection: asyncpg.Connection, spans: Sequence[Span], sign_age: timedelta
) -> tuple[CameraEvents, HealthReports]:
    """Return what right-hand cameras and units report in spans, one a vehicle.

    Before each span, the newest report of either kind that says something of the camera, no older than
    `sign_age`.
    """
    if not spans:
        return CameraEvents.empty(), HealthReports.empty()
    columns = columns_of_spans(spans)
    return (
        await _read(connection, CameraEvents, "camera_of_spans", *columns, sign_age),
        await _read(connection, HealthReports, "health_of_spans", *columns, sign_age),
    )


async def count_spans(connection: asyncpg.Connection, spans: Sequence[Span], most: int) -> dict[int, int]:
    """Return how many reports there are in spans, by vehicle; of either kind counted up to `most`."""
    rows = await connection.fetch(QUERIES["count_of_spans"], *columns_of_spans(spans), most)
    return {row["vehicle_id"]: row["reports"] for row in rows}


async def read_arrivals(
    connection: asyncpg.Connection, vehicle_id: Sequence[int], from_at: datetime, until_at: datetime
) -> dict[int, tuple[CameraEvents, HealthReports]]:
    """Return what was received of vehicles in [from_at, until_at), by when, in microseconds since 1970."""
    camera = await connection.fetch(QUERIES["camera_arrivals"], list(vehicle_id), from_at, until_at)
    health = await connection.fetch(QUERIES["health_arrivals"], list(vehicle_id), from_at, until_at)
    found: dict[int, tuple[list[asyncpg.Record], list[asyncpg.Record]]] = {}
    for place, rows in enumerate((camera, health)):
        for row in rows:
            found.setdefault(to_us(row["received_at"]), ([], []))[place].append(row)
    return {
        at_us: (_columns(CameraEvents, events), _columns(HealthReports, reports))
        for at_us, (events, reports) in sorted(found.items())
    }


async def read_recent(
    connection: asyncpg.Connection, from_at: datetime, until_at: datetime, late: timedelta, ahead: timedelta
) -> CameraEvents:
    """Return what right-hand cameras report in [from_at, until_at), received so late or early at most."""
    rows = await connection.fetch(QUERIES["recent_camera"], from_at, until_at, late, ahead)
    return _columns(CameraEvents, rows)


async def newest_signs(
    connection: asyncpg.Connection, at: datetime, sign_age: timedelta
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the newest sign of each vehicle: its id, the time, and whether the camera works."""
    rows = await connection.fetch(QUERIES["newest_signs"], at, sign_age)
    return (
        np.array([row["vehicle_id"] for row in rows], np.int32),
        np.array([to_us(row["time"]) for row in rows], np.int64),
        np.array([row["works"] for row in rows], np.bool_),
    )


async def _read(connection: asyncpg.Connection, kind: type[_Kind], query: str, *arguments: Any) -> _Kind:
    """Return what a query finds, however much it is, without holding all of its rows at once."""
    parts = [kind.empty()]
    async with connection.transaction():
        cursor = await connection.cursor(QUERIES[query], *arguments)
        while rows := await cursor.fetch(ROWS_AT_ONCE):
            parts.append(_columns(kind, rows))
    return kind.concat(parts)


def _columns(kind: type[_Kind], rows: Sequence[asyncpg.Record]) -> _Kind:
    if not rows:
        return kind.empty()
    columns = {
        name: np.array(
            [to_us(row["time"]) for row in rows] if name == "time_us" else [row[name] for row in rows], dtype
        )
        for name, dtype in kind.dtypes().items()
    }
    return kind(**columns)
