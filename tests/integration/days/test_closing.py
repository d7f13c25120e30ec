"""Days closed from what is stored: once, again where something changed, and never of what is not settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analytics.days import measuring
from analytics.days.closing import Wait
from fleet.registry import load_directory
from fleet.units import MICROSECONDS
from tests.integration.bench import NOW_US, arriving, drive
from tests.integration.days.cases import DAY, OVER_US, TRIP, TRIP_KM, close, standing, upload

if TYPE_CHECKING:
    from typing import Any

    from tests.integration.bench import Bench


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
    await bench.push(upload(drive((10, 50), start_s=-500)))
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
    await bench.push(upload(TRIP[100:160]))
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
    assert set(done.waits.values()) == {Wait.FIXES_GONE}
    assert (await standing(bench)) == before


async def test_a_vehicle_that_cannot_be_closed_keeps_nobody_else_from_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.push(upload(TRIP), upload(drive((30, 40), start_s=-300), vehicle="T2"))
    await bench.drain()
    measure = measuring.driven

    def fails(vehicle_id: int, *rest: Any) -> Any:
        if vehicle_id == 1:
            raise ZeroDivisionError("of all things")
        return measure(vehicle_id, *rest)

    monkeypatch.setattr(measuring, "driven", fails)
    done = await close(bench)
    assert (done.changed, done.failed) == (1, {1: "ZeroDivisionError: of all things"})
    monkeypatch.undo()
    assert (await close(bench)).changed == 1
    assert set(await standing(bench)) == {"T1", "T2"}


async def test_a_vehicle_that_was_another_companys_counts_there(bench: Bench) -> None:
    """The registry is put right: since ten days ago the truck is of another firm."""
    await bench.push(upload(TRIP))
    await bench.drain()
    await close(bench)
    await bench.connection.execute(
        "with firm as (insert into company (code) values ('zenith') returning company_id) "
        "insert into vehicle_version (vehicle_id, valid_from, company_id, kind) "
        "select 1, now() - interval '10 days', company_id, 'mixer' from firm"
    )
    bench.directory = await load_directory(bench.connection, NOW_US)
    bench.context = bench.context._replace(facts=bench.directory.facts)
    done = await close(bench, OVER_US + 1)
    assert (done.changed, done.fixes) == (1, 0)
    days = await standing(bench)
    assert (days["T1"].company_id, days["T2"].company_id) == (2, 1)
