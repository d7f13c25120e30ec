"""What a day is closed from, read in the caller's transaction: fixes, judgements, and what stands."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alerts.words.transitions import Rule
from alerts.words.turns import Kind, Reason, Stop, Turns
from analytics.days.closing import ClosedDay, Known
from analytics.days.judged import COUNTED, Episodes, Judged
from analytics.exposure.odometer import Compared, OdometerFault
from analytics.exposure.vehicle_day import MARGIN_US, MEASURE_VERSION, Seen, Way, bounds_us
from fleet.binary_copy import POSTGRES_EPOCH_US, RowReader, copy_row
from fleet.columns import Fixes
from fleet.db import Queries
from fleet.units import to_datetime

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    import asyncpg
    from numpy.typing import NDArray

QUERIES = Queries(Path(__file__).with_name("queries.sql"))

#: What of a fix a day is measured from: the rest is left in the database.
_FIX_COLUMNS = ("vehicle_id", "time_us", "lat_udeg", "lon_udeg", "speed_dkmh", "odometer_hm", "flags")
_TURN_COLUMNS = {
    "vehicle_id": "i4",
    "entered_us": "i8",
    **dict.fromkeys(("lat_udeg", "lon_udeg"), "i4"),
    **dict.fromkeys(("radius_m", "max_kmh"), "f8"),
    **dict.fromkeys(("kind", "reason", "stop"), "i2"),
    "junction": "i4",
    "armed": "i2",
    "conflicts": "i4",
}
#: A position so long before an episode began still tells where that was.
_NEAR = timedelta(minutes=10)


async def known(
    connection: asyncpg.Connection, day: date, vehicles: Sequence[int] | None = None, *, again: bool = False
) -> list[Known]:
    """Return what the store says of a day's vehicles; `again`: also of those that nothing has touched."""
    begin, end = _bounds(day)
    margin = timedelta(microseconds=MARGIN_US)
    rows = await connection.fetch(
        QUERIES["vehicles_of_day"], day, begin, end, margin, vehicles, again, MEASURE_VERSION
    )
    return [Known(**dict(row)) for row in rows]


async def are_stored(connection: asyncpg.Connection, day: date) -> bool:
    """Say whether the fixes of a day, with the hours beside it, are still in the database."""
    begin_us, end_us = bounds_us(day)
    first, last = (to_datetime(at).date() for at in (begin_us - MARGIN_US, end_us + MARGIN_US))
    return bool(await connection.fetchval(QUERIES["stored_days"], first, last))


async def fixes(connection: asyncpg.Connection, vehicle_id: int, day: date) -> Fixes:
    """Return the fixes of a vehicle's day with the margin on either side, by time; only what is measured."""
    dtypes = Fixes.dtypes()
    wanted = {name: dtypes[name] for name in _FIX_COLUMNS}
    rows = await _copied(connection, wanted, *query_of_fixes(vehicle_id, day))
    columns = {
        name: rows[name].astype(dtypes[name])
        if name in _FIX_COLUMNS
        else np.broadcast_to(np.array(Fixes.unknown(name), dtypes[name]), len(rows))
        for name in dtypes
    }
    columns["time_us"] += POSTGRES_EPOCH_US
    return Fixes(**columns)


def query_of_fixes(vehicle_id: int, day: date) -> tuple[str, int, datetime, datetime]:
    """Return what the database is asked for the fixes of a vehicle's day."""
    begin_us, end_us = bounds_us(day)
    span = to_datetime(begin_us - MARGIN_US), to_datetime(end_us + MARGIN_US)
    return _one("fixes_of_vehicle"), vehicle_id, *span


async def turns(connection: asyncpg.Connection, vehicles: Sequence[int], day: date) -> Turns:
    """Return the settled right turns that vehicles entered on a day."""
    names = [[member.name.lower() for member in kind] for kind in (Kind, Reason, Stop)]
    rows = await _copied(
        connection, _TURN_COLUMNS, _one("settled_turns"), list(vehicles), *_bounds(day), *names
    )
    columns = {name: rows[name].astype(kind) for name, kind in _TURN_COLUMNS.items()}
    columns["entered_us"] += POSTGRES_EPOCH_US
    return Turns.build(**columns) if len(rows) else Turns.empty()


async def episodes(connection: asyncpg.Connection, vehicles: Sequence[int], day: date) -> Episodes:
    """Return the episodes of vehicles that began on a day and count in it."""
    numbers = [""] * (max(Rule) + 1)
    for rule in Rule:
        numbers[rule] = rule.name.lower()
    counted = [rule.name.lower() for rule in COUNTED]
    rows = await _copied(
        connection,
        Episodes.dtypes(),
        _one("begun_episodes"),
        *(list(vehicles), *_bounds(day), numbers, counted, _NEAR),
    )
    columns = {name: rows[name].astype(kind) for name, kind in Episodes.dtypes().items()}
    columns["began_us"] += POSTGRES_EPOCH_US
    return Episodes(**columns)


class Standing(NamedTuple):
    """A version that holds."""

    known_from: datetime
    measure_version: int
    closed: ClosedDay


async def standing(connection: asyncpg.Connection, day: date, vehicles: Sequence[int]) -> dict[int, Standing]:
    """Return what holds of vehicles' days."""
    counties: dict[int, dict[int, tuple[Way, Judged]]] = {}
    for row in await connection.fetch(QUERIES["standing_counties"], day, list(vehicles)):
        counties.setdefault(row["vehicle_id"], {})[row["county_id"]] = (_of(Way, row), _of(Judged, row))
    rows = await connection.fetch(QUERIES["standing_days"], day, list(vehicles))
    return {
        row["vehicle_id"]: Standing(
            row["known_from"],
            row["measure_version"],
            _closed_day(row, counties.get(row["vehicle_id"], {})),
        )
        for row in rows
    }


def _closed_day(row: asyncpg.Record, counties: Mapping[int, tuple[Way, Judged]]) -> ClosedDay:
    odometer = None
    if row["odometer_mm"] is not None:
        fault = None if row["odometer_fault"] is None else OdometerFault(row["odometer_fault"])
        odometer = Compared(row["odometer_mm"], row["positions_mm"], fault)
    return ClosedDay(
        *(row["vehicle_id"], row["day"], _of(Seen, row), _of(Way, row), _of(Judged, row), counties),
        *(odometer, row["company_id"]),
    )


def _of(kind: Any, row: asyncpg.Record) -> Any:
    return kind(**{name: row[name] for name in kind._fields})


def _bounds(day: date) -> tuple[datetime, datetime]:
    begin_us, end_us = bounds_us(day)
    return to_datetime(begin_us), to_datetime(end_us)


def _one(name: str) -> str:
    """Return a query as a part of COPY."""
    return QUERIES[name].rstrip(";")


async def _copied(
    connection: asyncpg.Connection, columns: Mapping[str, str], query: str, *arguments: Any
) -> NDArray[np.void]:
    """Return the rows of a query as an array, without a Python object a row."""
    reader = RowReader(copy_row(columns))

    async def take(piece: bytes) -> None:  # asyncpg would write to a file in another thread
        reader.feed(piece)

    await connection.copy_from_query(query, *arguments, output=take, format="binary")
    return reader.take()
