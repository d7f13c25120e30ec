"""A store with days to close: two trucks of one company, and what they drove until NOW."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.days import reading, restating, store
from analytics.days.measuring import Terms
from analytics.days.store import Closed, Job
from fleet.schedule import CIVIL_ZONE
from fleet.units import MICROSECONDS, to_datetime
from tests.integration.bench import NOW_US, Bench, batch, drive

if TYPE_CHECKING:
    from datetime import date

    from analytics.days.closing import ClosedDay
    from analytics.facts.restating import Restatement
    from ingest.pipeline.log import Batch

#: The drives end at NOW.
DAY: date = to_datetime(NOW_US - MICROSECONDS).astimezone(CIVIL_ZONE).date()
DAY_US = 86_400 * MICROSECONDS
OVER_US = NOW_US + DAY_US + 2 * 3600 * MICROSECONDS
#: 200 s and 160 s at 50 km/h, and 40 s at 90 between them.
TRIP = drive((200, 50), (40, 90), (160, 50), start_s=-400)
TRIP_KM = (360 * 50 + 39 * 90) / 3600


def upload(fixes: list[dict[str, object]], vehicle: str = "T1") -> Batch:
    return batch(1, fixes, vehicle=vehicle, kind="history")


def job(bench: Bench, now_us: int = OVER_US) -> Job:
    return Job(Terms.of(bench.context), lambda: now_us)


async def close(bench: Bench, now_us: int = OVER_US, *, day: date = DAY, again: bool = False) -> Closed:
    async with store.closing_alone(bench.connection):
        return await store.close(bench.connection, day, job(bench, now_us), again=again)


async def restate(bench: Bench, now_us: int) -> dict[date, Restatement]:
    async with store.closing_alone(bench.connection):
        return await restating.restate_due(bench.connection, job(bench, now_us))


async def standing(bench: Bench) -> dict[str, ClosedDay]:
    """What holds of the day, by code of the vehicle."""
    rows = await bench.connection.fetch("select vehicle_id, code from vehicle")
    codes = {row["vehicle_id"]: row["code"] for row in rows}
    found = await reading.standing(bench.connection, DAY, list(codes))
    return {codes[vehicle]: one.closed for vehicle, one in found.items()}
