"""Fences of the registry against a real store: loaded, judged live, settled, and kept fresh."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from alerts.knowledge import Knowledge
from alerts.live.live_state import LiveState
from fleet.registry_import.reading import read_registry
from fleet.registry_import.store import import_registry
from fleet.units import MICROSECONDS, to_datetime
from ingest.pipeline.checkpoints import restore
from ingest.pipeline.newest import Newest
from tests.integration.bench import NOW_US, Bench, arriving, drive, fix

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The street of the bench leads north along 120.7 E; second 0 is at 30.7 N, 11.1 m a second.
CROSSING_IT = [[120.69, 30.695], [120.71, 30.695], [120.71, 30.698], [120.69, 30.698], [120.69, 30.695]]


def feature(
    code: str, kind: str, ring: Sequence[Sequence[float]] = CROSSING_IT, **facts: Any
) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"code": code, "kind": kind, **facts}, "geometry": geometry}


async def put(bench: Bench, *features: dict[str, Any], passes: Sequence[dict[str, Any]] = ()) -> None:
    """Import fences that count from the beginning, and passes."""
    fences = {"type": "FeatureCollection", "datum": "wgs84", "features": list(features)}
    registry = {"fences": fences} | ({"passes": list(passes)} if passes else {})
    await import_registry(bench.connection, read_registry(json.dumps(registry).encode()), now_us=NOW_US)
    bench.context = (await Knowledge.read(bench.connection)).context


async def fenced(bench: Bench) -> list[tuple[object, ...]]:
    """(rule, fence, start, end, how, status) of the episodes, seconds after NOW."""
    now_s = NOW_US // MICROSECONDS
    return await bench.rows(
        f"""select rule, measures ->> 'fence', round(extract(epoch from started_at) - {now_s})::int,
               round(extract(epoch from ended_at) - {now_s})::int, ended_as, status
        from episode order by started_at, rule, 2"""
    )


async def test_a_trespass_is_alerted_live_and_confirmed(bench: Bench) -> None:
    """From second -49 to -20 in the fence; of the visit at the site nobody is alerted."""
    await put(bench, feature("ban", "forbidden"), feature("plant", "site"), feature("county", "district"))
    await bench.push(*arriving(drive((100, 40), start_s=-80)))
    expected = [("forbidden", "ban", -49, -19, "closed"), ("site", "plant", -49, -19, "closed")]
    assert await fenced(bench) == [(*row, "provisional") for row in expected]
    assert await bench.rows("select rule from alert join episode on episode_id = alert_id") == [
        ("forbidden",)
    ]
    assert await bench.rows("select change from alert_feed order by feed_id") == [("opened",), ("closed",)]
    assert await bench.drain() == {"confirmed": 2}
    assert await fenced(bench) == [(*row, "settled") for row in expected]


async def test_a_pass_of_the_registry_covers_its_vehicle(bench: Bench) -> None:
    hour = {
        name: to_datetime(NOW_US + s * MICROSECONDS).isoformat()
        for name, s in (("starts_at", -3600), ("ends_at", 3600))
    }
    await put(
        bench, feature("ban", "forbidden"), passes=[{"code": "P1", "vehicle": "T1", "fence": "ban"} | hour]
    )
    for vehicle in ("T1", "T2"):
        await bench.push(*arriving(drive((100, 40), start_s=-80), vehicle=vehicle))
    assert await bench.rows("select code, rule from episode join vehicle using (vehicle_id)") == [
        ("T2", "forbidden")
    ]


async def test_a_speed_zone_rules_and_is_named(bench: Bench) -> None:
    await put(bench, feature("school", "speed_zone", limit_kmh=30))
    await bench.push(*arriving(drive((100, 50), start_s=-80)))
    assert await bench.rows("select limit_value, limit_source, peak from episode") == [(30.0, "zone", 50.0)]


async def test_a_stay_that_goes_on_over_a_rest_is_not_alerted_again(bench: Bench) -> None:
    """In the fence, 25 minutes of rest there, and on: two segments, two episodes, one alert."""
    await put(bench, feature("ban", "forbidden"))
    place = {"lat": 30.6965}
    rest = [fix(at_s, 0, **place) for at_s in range(-1700, -100, 10)]
    track = [fix(-1720 + n, 30, lat=30.6955 + n * 5e-5) for n in range(20)] + rest
    track += [fix(-100 + n, 40, lat=30.6966 + n * 1e-4) for n in range(80)]
    await bench.push(*arriving(track))
    assert await fenced(bench) == [
        ("forbidden", "ban", -1720, -110, "lost", "provisional"),
        ("forbidden", "ban", -100, -85, "closed", "provisional"),
    ]
    assert await bench.rows("select count(*) from alert") == [(1,)]
    await bench.push(*arriving([fix(-20 + n, 40, lat=30.6985 - n * 1e-4) for n in range(20)]))  # and in again
    assert await bench.rows("select count(*) from alert") == [(2,)]
    assert await bench.drain() == {"confirmed": 2, "amended": 1}  # the last was still open live


async def test_a_restarted_process_knows_who_is_inside(bench: Bench) -> None:
    """From the checkpoint in the middle of a stay, and without one."""
    await put(bench, feature("ban", "forbidden"), feature("plant", "site"))
    batches = arriving(drive((100, 40), start_s=-80))
    for forget in (False, True):
        await bench.forget("batch", "fix", "episode", "alert", "alert_feed", "segment", "vehicle_state")
        bench.state, bench.newest = LiveState(), Newest()
        await bench.push(*batches[:40])
        if forget:
            await bench.connection.execute("update vehicle_state set engine_version = 0")
        bench.state, bench.newest = await restore(bench.connection, bench.context)
        await bench.push(*batches[40:])
        assert [row[:5] for row in await fenced(bench)] == [
            ("forbidden", "ban", -49, -19, "closed"),
            ("site", "plant", -49, -19, "closed"),
        ]


async def test_a_process_learns_of_new_fences(bench: Bench) -> None:
    """The same fences are not indexed again when something else changes."""
    knowledge = await Knowledge.read(bench.connection)
    assert knowledge.context.fences is None
    await put(bench, feature("ban", "forbidden"))
    await knowledge.refresh(bench.connection)
    before = knowledge.context.fences
    assert before is not None
    assert before.fences.codes == ["ban"]
    await bench.connection.execute("update company set name = 'Acme'")
    await knowledge.refresh(bench.connection)
    assert knowledge.context.fences is before
    await put(bench, feature("ban", "forbidden"), feature("plant", "site"))
    await knowledge.refresh(bench.connection)
    assert knowledge.context.fences is not None
    assert knowledge.context.fences.fences.codes == ["ban", "plant"]
