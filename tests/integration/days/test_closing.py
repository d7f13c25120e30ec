"""Days closed from what is stored: once, again where something changed, and never of what is not settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analytics.days import reading, store
from analytics.days.closing import Wait
from analytics.days.measuring import Terms
from analytics.days.store import Closed, Job
from fleet.schedule import CIVIL_ZONE
from fleet.units import MICROSECONDS, to_datetime
from tests.integration.bench import NOW_US, Bench, arriving, batch, drive

if TYPE_CHECKING:
    from datetime import date

    from analytics.days.closing import ClosedDay
    from ingest.pipeline.log import Batch

#: The drives end at NOW.
DAY: date = to_datetime(NOW_US - MICROSECONDS).astimezone(CIVIL_ZONE).date()
OVER_US = NOW_US + 26 * 3600 * MICROSECONDS
#: 360 s at 50 km/h, and 40 s at 90.
TRIP = drive((200, 50), (40, 90), (160, 50), start_s=-400)
TRIP_KM = (360 * 50 + 39 * 90) / 3600


def upload(fixes: list[dict[str, object]], vehicle: str = "T1") -> Batch:
    return batch(1, fixes, vehicle=vehicle, kind="history")


def job(bench: Bench, now_us: int = OVER_US) -> Job:
    return Job(Terms.of(bench.context), lambda: now_us)


async def close(bench: Bench, now_us: int = OVER_US, *, again: bool = False) -> Closed:
    async with store.closing_alone(bench.connection):
        return await store.close(bench.connection, DAY, job(bench, now_us), again=again)


async def standing(bench: Bench) -> dict[str, ClosedDay]:
    ids = dict(await bench.rows("select vehicle_id, code from vehicle"))
    found = await reading.standing(bench.connection, DAY, list(ids))  # type: ignore[arg-type]
    return {str(ids[vehicle]): one.closed for vehicle, one in found.items()}


async def test_a_day_of_two_trucks_of_which_one_was_never_heard(bench: Bench) -> None:
    await bench.push(upload(TRIP))
    await bench.drain()
    done = await close(bench)
    assert (done.changed, done.unchanged, done.waits) == (2, 0, {})
    days = await standing(bench)
    assert days["T1"].way.distance_mm / 1e6 == pytest.approx(TRIP_KM, rel=0.01)
    assert (days["T1"].seen.fixes, days["T1"].way.trips, days["T1"].judged.speedings) == (400, 1, 1)
    assert (days["T1"].judged.alerts, days["T1"].judged.alerts_resolved) == (1, 0)
    assert (days["T2"].seen.fixes, days["T2"].seen.silent_us) == (0, 86_400 * MICROSECONDS)
    assert (await close(bench)).changed == 0


async def test_a_day_waits_for_its_end_for_late_data_and_for_its_trips(bench: Bench) -> None:
    await bench.push(*arriving(drive((20, 50), start_s=-20)))
    hour_too_soon = await close(bench, NOW_US)
    assert set(hour_too_soon.waits.values()) == {Wait.NOT_OVER}
    trip_runs = await close(bench)
    assert (trip_runs.changed, list(trip_runs.waits.values())) == (1, [Wait.TRIP_NOT_SETTLED])
    await bench.drain()
    await bench.push(batch(1, drive((10, 50), start_s=-500), kind="history"))
    late = await close(bench)
    assert (late.changed, list(late.waits.values())) == (0, [Wait.LATE_DATA])
    await bench.drain()
    assert (await close(bench)).waits == {}


async def test_late_data_closes_again_exactly_the_vehicle_days_that_it_touched(bench: Bench) -> None:
    """The truck was in a tunnel for a minute: its day gains what it drove there; no other changes."""
    heard = [f for place, f in enumerate(TRIP) if not 100 <= place < 160]
    await bench.push(upload(heard), upload(drive((30, 40), start_s=-300), vehicle="T2"))
    await bench.drain()
    await close(bench)
    before = await standing(bench)
    await bench.push(batch(1, TRIP[100:160], kind="history"))
    await bench.drain()
    assert (await close(bench, OVER_US + 1)).changed == 1
    after = await standing(bench)
    assert after["T2"] == before["T2"]
    assert (before["T1"].seen.fixes, after["T1"].seen.fixes) == (340, 400)
    assert after["T1"].way.fine_mm - before["T1"].way.fine_mm == pytest.approx(61 * 50 / 3.6 * 1000, rel=0.05)
    versions = await bench.rows(
        "select code, count(*), count(known_to) from vehicle_day join vehicle using (vehicle_id) "
        "group by 1 order by 1"
    )
    assert versions == [("T1", 2, 1), ("T2", 1, 0)]


async def test_a_resolved_alert_is_counted_without_measuring_again(bench: Bench) -> None:
    await bench.push(upload(TRIP))
    await bench.drain()
    await close(bench)
    await bench.connection.execute("update alert set state = 'resolved', disposition = 'confirmed'")
    done = await close(bench, OVER_US + 1)
    assert (done.changed, done.fixes) == (1, 0)
    assert (await standing(bench))["T1"].judged.alerts_resolved == 1


async def test_a_version_is_never_changed_nor_deleted(bench: Bench) -> None:
    await bench.push(upload(TRIP))
    await bench.drain()
    await close(bench)
    for statement in (
        "update vehicle_day set distance_mm = 0",
        "update vehicle_day set known_to = now() + interval '1 year', distance_mm = 0",
        "delete from vehicle_day",
        "truncate vehicle_day_county, vehicle_day",
    ):
        with pytest.raises(Exception, match="append-only"):
            await bench.connection.execute(statement)


async def test_a_day_whose_fixes_are_gone_stays_as_it_was(bench: Bench) -> None:
    await bench.push(upload(TRIP))
    await bench.drain()
    await close(bench)
    before = await standing(bench)
    await bench.connection.execute(
        f"insert into day_touched (vehicle_id, day, remeasure) select vehicle_id, '{DAY}', true from vehicle"
    )
    await bench.connection.execute(
        "create or replace function days_of(timed text) returns setof date stable "
        "language sql as $$ select null::date where false $$"
    )
    done = await close(bench, OVER_US + 1)
    assert list(done.waits.values()) == [Wait.FIXES_GONE]
    assert (await standing(bench)) == before
