"""Rules of devices and drivers in the store: judged on arrival, left to the hot path, kept over a restart."""

from __future__ import annotations

from alerts.knowledge import Knowledge
from fleet.registry_import.reading import read_registry
from fleet.registry_import.store import import_registry
from fleet.units import MICROSECONDS
from ingest.pipeline.checkpoints import restore
from tests.integration.bench import NOW_US, Bench, arriving, batch, drive, fix

REGISTRY = b"""{"drivers": [{"code": "D7", "company": "acme", "name": "x", "qualified_until": "2020-01-01"}],
"vehicles": [{"code": "T1", "driver_on_duty": "D7"}]}"""


async def episodes(bench: Bench) -> list[tuple[object, ...]]:
    return await bench.rows(
        f"""select rule, round(extract(epoch from started_at) - {NOW_US // MICROSECONDS})::int,
               round(extract(epoch from ended_at) - {NOW_US // MICROSECONDS})::int, status
        from episode order by started_at, rule"""
    )


def health(at_s: float, **what: object) -> object:
    return batch(at_s, {"time": NOW_US // 1000 + round(at_s * 1000), **what}, kind="health")


async def test_a_camera_fault_is_final_when_it_ends(bench: Bench) -> None:
    await bench.push(*arriving(drive((20, 50), start_s=-200)), health(-190, camera="covered"))
    assert await episodes(bench) == [("camera_fault", -190, None, "provisional")]
    bench.state, bench.newest = await restore(bench.connection, bench.context)
    await bench.push(health(-100, camera="ok"))
    assert await bench.drain() == {}
    assert await episodes(bench) == [("camera_fault", -190, -100, "provisional")]
    assert await bench.rows("select state, late from alert") == [("open", False)]


async def test_power_is_cut(bench: Bench) -> None:
    await bench.push(health(-190, camera="ok", power="cut"), health(-100, camera="ok", power="ok"))
    assert await episodes(bench) == [("power_cut", -190, -100, "provisional")]


async def test_a_vehicle_falls_silent_and_is_heard_again(bench: Bench) -> None:
    await bench.push(*arriving(drive((10, 50), start_s=-1000)))
    for at_s in range(-900, -100, 10):
        await bench.push(batch(at_s), caught_up_since_s=-1100)
    assert await episodes(bench) == [("offline", -991, None, "provisional")]
    await bench.push(batch(-50, fix(-50, 50)))
    assert await episodes(bench) == [("offline", -991, -50, "provisional")]


async def test_a_clock_of_1024_weeks_ago_is_heard_and_drifts(bench: Bench) -> None:
    """Every fix is refused; a process that begins anew knows that, and since when."""
    weeks_ms = 1024 * 7 * 86_400_000
    for at_s in range(-1300, -600, 20):
        old = fix(at_s) | {"time": NOW_US // 1000 + at_s * 1000 - weeks_ms}
        await bench.push(batch(at_s, old), batch(at_s), caught_up_since_s=-3000)
    drifting = [("clock_drift", -1300, None, "provisional"), ("not_watched_live", -1300, None, "provisional")]
    assert await episodes(bench) == drifting
    assert await bench.rows("select distinct measures ->> 'rejected' from episode") == [("too_old",)]
    assert (await bench.rows("select detail from reject limit 1"))[0][0].endswith(
        "That is 1,024 weeks back: the receiver counts GPS weeks from zero again."
    )
    bench.state, bench.newest = await restore(bench.connection, bench.context)
    for at_s in range(-600, 60, 20):
        await bench.push(batch(at_s), caught_up_since_s=-3000)
    assert (await episodes(bench))[2:] == [("offline", -620, None, "provisional")]
    await bench.push(batch(60, fix(60)))
    assert {row[2] for row in await episodes(bench)} == {60, -620}
    assert await bench.rows("select measures ->> 'rejected' from episode where rule = 'clock_drift'") == [
        ("too_old",)
    ]


async def test_who_drives_comes_from_the_registry(bench: Bench) -> None:
    contents = read_registry(REGISTRY)
    await import_registry(bench.connection, contents, now_us=NOW_US - 86_400 * MICROSECONDS, sandbox=True)
    bench.context = (await Knowledge.read(bench.connection)).context
    await bench.push(*arriving(drive((20, 50), start_s=-200)))
    assert await episodes(bench) == [("unqualified", -200, None, "provisional")]
    assert await bench.rows("select measures ->> 'driver', severity from episode") == [("D7", 3)]
    assert await bench.drain() == {"amended": 1}
    assert await episodes(bench) == [("unqualified", -200, -181, "settled")]
