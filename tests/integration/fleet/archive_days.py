"""Old days in a store, as if they had been driven then."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.archive import keeping
from fleet.archive.layout import begin_of, begin_us
from fleet.archive.policy import Policy
from fleet.columns import Fixes
from fleet.tracks import Span
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from fleet.archive.keeping import Done
    from fleet.archive.stores import ColdStore
    from tests.integration.bench import Bench

TODAY = datetime.now(UTC).date()
POLICY = Policy(database_days=45, track_days=None)
MIDNIGHTS_AWAY = timedelta(hours=4)


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def driven(day: date, vehicles: int = 2, fixes: int = 100, step_s: int = 60) -> Fixes:
    """Fixes of vehicles 1, 2, …, from 04:00 UTC on, each on a street of its own northwards."""
    vehicle_id = np.repeat(np.arange(1, vehicles + 1), fixes)
    n = np.tile(np.arange(fixes), vehicles)
    return Fixes.build(
        vehicle_id=vehicle_id,
        time_us=begin_us(day) + (14_400 + n * step_s) * MICROSECONDS,
        lat_udeg=30_700_000 + 100 * n,
        lon_udeg=120_700_000 + 1_000 * vehicle_id,
        speed_dkmh=300 + n % 50,
        course_deg=0,
        altitude_m=12,
        odometer_hm=1_000_000 + n,
        flags=3,
    )


async def store(bench: Bench, fixes: Fixes) -> None:
    """Put fixes into the database, and say that something was received just now."""
    connection = bench.connection
    days = {date.fromordinal(719_163 + int(us) // 86_400_000_000) for us in fixes.time_us}
    for day in days:
        await connection.execute("select make_days('fix', $1, $1)", day)
    names = [name for name in Fixes.dtypes() if name != "time_us"]
    times = [datetime.fromtimestamp(us / 1e6, UTC) for us in fixes.time_us.tolist()]
    columns = [getattr(fixes, name).tolist() for name in names]
    await connection.copy_records_to_table(
        "fix",
        columns=["batch_id", "time", *names],
        records=[(1, *row) for row in zip(times, *columns, strict=True)],
    )
    await received_now(bench)


async def received_now(bench: Bench) -> None:
    await bench.connection.execute("insert into batch (received_at, source) values (now(), 'live')")


async def night(
    bench: Bench, cold: ColdStore, policy: Policy = POLICY, *, later: timedelta = timedelta(0)
) -> Done:
    """A run of the archive, as if what was archived before had been so some hours ago."""
    if later:
        await bench.connection.execute(
            "update archived_day set archived_at = archived_at - $1::interval", later
        )
    return await keeping.run(bench.connection, cold, policy, lambda *_: None)


def span(day: date, vehicle_id: int = 1) -> Span:
    return Span(vehicle_id, begin_us(day), begin_us(day + timedelta(days=1)))


def same(fixes: Fixes, expected: Fixes) -> bool:
    return all(np.array_equal(getattr(fixes, name), getattr(expected, name)) for name in Fixes.dtypes())


def of_vehicle(fixes: Fixes, vehicle_id: int = 1) -> Fixes:
    return fixes.take(fixes.vehicle_id == vehicle_id)


async def count(bench: Bench, day: date) -> int:
    begin = begin_of(day)
    found: Any = await bench.connection.fetchval(
        "select count(*) from fix where time >= $1 and time < $2", begin, begin + timedelta(days=1)
    )
    return int(found)
