"""Months out of closed days: whole or not at all, restated, and read as of any time before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from analytics.days.months import next_month
from analytics.facts.measures import Measure
from analytics.facts.restating import FactError, Said
from analytics.facts.store import Teller, declare, month_facts
from fleet.installation import make_days_ahead
from fleet.units import MICROSECONDS, to_datetime, to_us
from tests.integration.bench import Bench, drive
from tests.integration.days.cases import DAY, TRIP, TRIP_KM, close, restate, upload

pytestmark = pytest.mark.parametrize("templates", ["plain"], indirect=True)
MONTH = DAY.replace(day=1)
END = next_month(MONTH)
#: Two days after the month is over.
OVER_US = to_us(to_datetime(0).replace(year=END.year, month=END.month, day=3))
LAST_DAYS = [DAY + timedelta(days=n) for n in range((END - DAY).days)]


async def known(bench: Bench, at_us: int, *scopes: str) -> dict[tuple[str, str], float]:
    found = await month_facts(
        bench.connection, as_of=to_datetime(at_us), first=MONTH, last=MONTH, scopes=scopes or None
    )
    return {(fact.scope, fact.measure): fact.value for fact in found}


async def test_a_month_is_written_once_all_of_it_is_closed_and_restated_after_late_data(bench: Bench) -> None:
    await make_days_ahead(bench.connection, OVER_US)
    await bench.push(upload([f for place, f in enumerate(TRIP) if not 100 <= place < 160]))
    await bench.push(upload(drive((30, 40), start_s=-300), vehicle="T2"))
    await bench.drain()
    await close(bench, OVER_US)
    await restate(bench, OVER_US)
    if len(LAST_DAYS) > 1:
        assert await known(bench, OVER_US + 1) == {}  # a partial sum is no sum
    for day in LAST_DAYS:
        await close(bench, OVER_US + 1, day=day)
    await restate(bench, OVER_US + 2)
    first = await known(bench, OVER_US + 3)
    assert first["city", Measure.KM] == pytest.approx(TRIP_KM + 29 * 40 / 3600, rel=0.01)
    assert first["city", Measure.KM] == pytest.approx(first["vehicle:T1", "km"] + first["vehicle:T2", "km"])
    assert first["company:acme", Measure.VEHICLE_DAYS] == 2 * len(LAST_DAYS)
    assert first["company:acme", Measure.VEHICLE_DAYS_ONLINE] == 2
    await bench.push(upload(TRIP[100:160]))
    await bench.drain()
    await close(bench, OVER_US + 10)
    done = await restate(bench, OVER_US + 11)
    second = await known(bench, OVER_US + 12)
    assert second["vehicle:T1", Measure.KM_FINE] > first["vehicle:T1", Measure.KM_FINE]
    assert {scope for scope, measure in second if second[scope, measure] != first[scope, measure]} == {
        "city",
        "company:acme",
        "vehicle:T1",
    }
    assert await known(bench, OVER_US + 3) == first
    assert len(done[MONTH].closed) == len(done[MONTH].added)
    assert await restate(bench, OVER_US + 20) == {}


async def test_what_is_declared_stands_beside_what_is_measured(bench: Bench) -> None:
    teller = Teller("li.na", "散装办.xlsx")
    volume = Said("city", MONTH, Measure.VOLUME_M3, 155_000.0)
    assert len((await declare(bench.connection, [volume], teller, to_datetime(OVER_US))).added) == 1
    assert (await declare(bench.connection, [volume], teller, to_datetime(OVER_US + 1))).unchanged == 1
    more = Said("city", MONTH, Measure.VOLUME_M3, 156_000.0)
    await declare(bench.connection, [more], teller, to_datetime(OVER_US + 2))
    assert await known(bench, OVER_US + 1) == {("city", Measure.VOLUME_M3): 155_000.0}
    assert await known(bench, OVER_US + 2) == {("city", Measure.VOLUME_M3): 156_000.0}
    assert await bench.rows("select distinct who, origin from month_fact") == [("li.na", "散装办.xlsx")]


async def test_nothing_is_declared_by_nobody_nor_of_what_is_measured(bench: Bench) -> None:
    said = Said("city", MONTH, Measure.VOLUME_M3, 1.0)
    with pytest.raises(FactError, match="who declares this"):
        await declare(bench.connection, [said], Teller("", ""), to_datetime(OVER_US))
    with pytest.raises(FactError, match="nobody declares it"):
        await declare(
            bench.connection, [Said("city", MONTH, Measure.KM, 1.0)], Teller("me", ""), to_datetime(OVER_US)
        )
    assert await bench.rows("select count(*) from month_fact") == [(0,)]


async def test_a_fact_is_never_changed_nor_deleted(bench: Bench) -> None:
    said = Said("city", MONTH, Measure.VOLUME_M3, 1.0)
    await declare(bench.connection, [said], Teller("me", ""), to_datetime(OVER_US + MICROSECONDS))
    for statement in ("update month_fact set value = 2", "delete from month_fact", "truncate month_fact"):
        with pytest.raises(Exception, match="append-only"):
            await bench.connection.execute(statement)
