"""A restart forgets nothing of the rules about arrival: what held holds, who was parked is parked."""

from __future__ import annotations

from ingest.pipeline.checkpoints import restore
from tests.integration.alerts.test_devices import episodes
from tests.integration.bench import Bench, batch, fix


async def restart(bench: Bench) -> None:
    bench.state, bench.newest = await restore(bench.connection, bench.context)


async def test_a_crash_loop_does_not_hide_whom_nobody_watches(bench: Bench) -> None:
    """Its clock is half an hour behind: stored, never judged live. The process dies every minute."""
    for at_s in range(-900, -500, 20):
        await bench.push(batch(at_s, fix(at_s - 1800, 40)))
        if at_s % 60 == 20:
            await restart(bench)
    assert await episodes(bench) == [
        ("clock_drift", -900, None, "provisional"),
        ("not_watched_live", -900, None, "provisional"),
    ]


async def test_what_did_not_hold_any_more_is_not_taken_up_again(bench: Bench) -> None:
    for at_s in range(-900, -800, 20):
        await bench.push(batch(at_s, fix(at_s - 1800, 40)))
    await bench.push(batch(-800, fix(-800, 40)))
    await restart(bench)
    await bench.push(batch(-580, fix(-580 - 1800, 40)))
    assert await episodes(bench) == []
    assert await bench.rows("select rule, since from arrival_hold") == []


async def test_who_was_away_for_hours_is_not_taken_up_again(bench: Bench) -> None:
    """It fell silent while we listened. That its clock was right meanwhile nobody has seen."""
    for at_s in range(-9000, -8900, 20):
        await bench.push(batch(at_s, fix(at_s - 1800, 40)))
    await bench.push(batch(-1000, fix(-1000, 40), vehicle="T2"))
    await restart(bench)
    await bench.push(batch(-980, fix(-980 - 1800, 40)))
    assert await episodes(bench) == [("clock_drift", -9000, None, "provisional")]


async def test_who_is_parked_with_its_ignition_off_is_not_offline_after_a_restart(bench: Bench) -> None:
    await bench.push(batch(-2000, fix(-2000, 0, ignition=False), fix(-2010, 0, ignition=True)))
    await restart(bench)
    for at_s in range(-1900, -900, 10):
        await bench.push(batch(at_s), caught_up_since_s=-3000)
    assert await episodes(bench) == []
