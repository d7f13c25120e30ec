"""The bench of a day's close: a city's day read, measured and written by one process; then a month read."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg
import msgspec
import numpy as np

from alerts.knowledge import Knowledge
from analytics.days import months, reading, restating, store
from analytics.days.measuring import Terms
from analytics.days.nightly import civil_day
from analytics.days.store import Job
from analytics.exposure.vehicle_day import bounds_us
from analytics.facts import store as facts
from fleet import db
from fleet.binary_copy import POSTGRES_EPOCH_US, copy_row, copy_stream
from fleet.columns import Fixes
from fleet.installation import make_days_ahead, set_clock
from fleet.migrate import migrate
from fleet.registry_import.entry import Choices
from fleet.registry_import.reading import read_registry
from fleet.registry_import.store import import_registry
from fleet.units import MICROSECONDS, to_datetime
from kerbsafe import parts
from kerbsafe.bench import QUERIES, stage, traffic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from numpy.typing import NDArray

DATABASE = "bench"
#: Trucks whose drives are made; more than these drive the same ways.
DRIVEN = 37
#: Rows of a truck's hour lie as far apart in the table as those of a city that reports all the time.
PIECE_S = 3600
COUNTIES = 7
DAY_S = 86_400
_COLUMNS = {"batch_id": "i8", **Fixes.dtypes()}
_ROW = copy_row(_COLUMNS)
_NAMES = ["time" if name == "time_us" else name for name in _COLUMNS]


class Run(NamedTuple):
    """What one process took."""

    fixes: int
    seconds: float
    cpu_s: float
    rss_mib: float


def measure(*, trucks: int) -> dict[str, Any]:
    """Return the figures of `kerbsafe bench days`."""
    with parts.timescaledb(durable=True) as server:
        dsn = server.database(DATABASE)
        day = asyncio.run(_found(server, trucks))
        # In processes of their own: what the bench itself holds is not what a close needs. The floor before
        # is of a cold cache, the one after of a warm one: the faster counts.
        before, closed, after = (_apart(work, dsn, day) for work in (_floor, _close, _floor))
        asyncio.run(_write_month(dsn, day))
        month = _apart(_month, dsn, day)
    floor_s = min(before.seconds, after.seconds)
    return {
        "fixes_per_s": round(closed.fixes / closed.seconds),
        "ratio_floor": round(floor_s / closed.seconds, 2),
        "rss_mib": round(closed.rss_mib),
        "month_s": round(month.seconds, 3),
        "fixes": closed.fixes,
        "fixes_per_cpu_s": round(closed.fixes / closed.cpu_s),
        "floor_fixes_per_s": round(closed.fixes / floor_s),
    }


async def _found(server: parts.PostgresServer, trucks: int) -> date:
    """Make a sandbox of trucks that sent a fix a second for the whole civil day before this one."""
    day = civil_day(time.time_ns() // 1000) - timedelta(days=1)
    begin_us, _end_us = bounds_us(day)
    driven = traffic.Traffic(min(trucks, DRIVEN), DAY_S, begin_us)
    connection = await asyncpg.connect(server.dsn)
    await connection.execute(f"create database {DATABASE}")
    await connection.close()
    connection = await db.connect(server.database(DATABASE), application="bench")
    await migrate(connection, sandbox=True)
    await make_days_ahead(connection, begin_us)
    await set_clock(connection, stage.clock_at(begin_us - DAY_S * MICROSECONDS, rate=1e-6))
    city = await stage.populate(connection, traffic.Traffic(trucks, 1, begin_us))
    contents = read_registry(msgspec.json.encode(_counties()))
    before_us = begin_us - DAY_S * MICROSECONDS
    choices = Choices(datum="wgs84")
    await import_registry(connection, contents, now_us=before_us, sandbox=True, choices=choices)
    fixes, vehicle_id = driven.fixes(), np.array(city.vehicle_id, np.int32)
    for piece in _pieces(fixes, driven.vehicles, vehicle_id):
        stream = copy_stream(piece, _ROW)
        await connection.copy_to_table("fix", source=stream, columns=_NAMES, format="binary")
    await connection.execute(QUERIES["vacuum"])
    await connection.close()
    return day


def _counties() -> dict[str, Any]:
    """Return the counties of the bench's city: strips from west to east."""
    west, south = traffic.CENTRE_LON - traffic.HALF_DEG, traffic.CENTRE_LAT - traffic.HALF_DEG
    edges = np.linspace(west, west + 2 * traffic.HALF_DEG, COUNTIES + 1).round(6).tolist()
    north = south + 2 * traffic.HALF_DEG
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"code": f"county{number}", "kind": "district", "name": f"county{number}"},
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[[a, south], [b, south], [b, north], [a, north], [a, south]]],
                },
            }
            for number, (a, b) in enumerate(pairwise(edges))
        ],
    }


def _pieces(
    fixes: Fixes, driven: int, vehicle_id: NDArray[np.int32]
) -> Iterator[dict[str, NDArray[np.integer]]]:
    """Yield the day piece by piece: each hour of the drives, for as many trucks as there are."""
    for begin in range(0, len(fixes), driven * PIECE_S):
        hour = fixes.take(slice(begin, begin + driven * PIECE_S))
        for first in range(0, len(vehicle_id), driven):
            own = vehicle_id[first : first + driven]
            some = hour.take(hour.vehicle_id < len(own))
            columns = {name: getattr(some, name) for name in some.dtypes()}
            columns["vehicle_id"] = own[some.vehicle_id]
            columns["time_us"] = some.time_us - POSTGRES_EPOCH_US
            yield {"batch_id": np.zeros(len(some), np.int64), **columns}


def _apart(work: Any, dsn: str, day: date) -> Run:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measured, work, dsn, day).result()


def _measured(work: Any, dsn: str, day: date) -> Run:
    return asyncio.run(_timed(work, dsn, day))


async def _timed(work: Any, dsn: str, day: date) -> Run:
    connection = await db.connect(dsn, application="bench")
    try:
        began_s, cpu_s = time.perf_counter(), time.process_time()
        fixes = await work(connection, day)
        seconds, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    finally:
        await connection.close()
    return Run(fixes, seconds, cpu_s, _peak_mib())


def _peak_mib() -> float:
    """Return the most memory that this process has had; what rusage says begins with that of its parent."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def _close(connection: asyncpg.Connection, day: date) -> int:
    knowledge = await Knowledge.read(connection)
    job = Job(Terms.of(knowledge.context), lambda: bounds_us(day)[1] + DAY_S * MICROSECONDS)
    async with store.closing_alone(connection):
        return (await store.close(connection, day, job)).fixes


async def _floor(connection: asyncpg.Connection, day: date) -> int:
    """Have the server send the same rows, and throw them away."""
    taken = 0

    async def take(piece: bytes) -> None:
        nonlocal taken
        taken += len(piece)

    for one in await reading.known(connection, day, again=True):
        await connection.copy_from_query(
            *reading.query_of_fixes(one.vehicle_id, day), output=take, format="binary"
        )
    return taken


async def _write_month(dsn: str, day: date) -> None:
    """Write the sums of the day as if they were those of a month."""
    connection = await db.connect(dsn, application="bench")
    sums, counties = (
        await restating.sums(connection, day, day),
        await restating.county_sums(connection, day, day),
    )
    month = day.replace(day=1)
    said = [fact for scope, of in sums.items() for fact in months.facts(scope, month, of)]
    for scope, (way, judged) in counties.items():
        said += months.county_facts(scope, month, way, judged, sums[restating.CITY])
    async with connection.transaction():
        await facts.record(connection, said, to_datetime(bounds_us(day)[1]))
    await connection.close()


async def _month(connection: asyncpg.Connection, day: date) -> int:
    at = to_datetime(bounds_us(day)[1] + DAY_S * MICROSECONDS)
    return len(await facts.month_facts(connection, as_of=at, first=day.replace(day=1), last=day))
