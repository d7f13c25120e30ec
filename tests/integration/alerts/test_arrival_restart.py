"""A restart forgets nothing of the rules about arrival: what held holds, who was parked is parked."""

from __future__ import annotations

from fleet.units import MICROSECONDS, to_datetime
from ingest.pipeline.checkpoints import restore
from tests.integration.alerts.test_devices import episodes
from tests.integration.bench import NOW_US, Bench, batch, fix


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


async def test_a_restart_every_five_minutes_does_not_hide_who_is_silent(bench: Bench) -> None:
    """Ten minutes of silence are more than a process lives; each listens from two minutes after its start."""
    await bench.push(batch(-2000, fix(-2000, 40)))
    for begins_s in range(-1990, -1090, 300):
        await restart(bench)
        for at_s in range(begins_s + 130, begins_s + 300, 10):
            await bench.push(batch(at_s), caught_up_since_s=begins_s)
    assert await episodes(bench) == [("offline", -2000, None, "provisional")]


async def test_a_restart_after_half_an_hour_is_no_silence_of_the_fleet(bench: Bench) -> None:
    """Nobody listened meanwhile: what was sent then may still come."""
    await bench.push(batch(-3000, fix(-3000, 40)))
    for at_s in range(-2860, -2700, 10):
        await bench.push(batch(at_s), caught_up_since_s=-3000)
    await restart(bench)
    for at_s in range(-900, -500, 10):
        await bench.push(batch(at_s), caught_up_since_s=-1030)
    assert await episodes(bench) == []


async def test_what_the_broker_lost_is_no_silence_of_the_fleet(bench: Bench) -> None:
    """It had forgotten our session: what was sent at that time nobody has heard."""
    await bench.push(batch(-2000, fix(-2000, 40)))
    for at_s in range(-1860, -1500, 10):
        await bench.push(batch(at_s), caught_up_since_s=-2000)
    await bench.connection.execute(
        "insert into transport_gap (source, session, from_at, until_at, noted_at) "
        "values ('session_forgotten', 's', $1, $2, $2)",
        *(to_datetime(NOW_US + at_s * MICROSECONDS) for at_s in (-1520, -1490)),
    )
    await restart(bench)
    for at_s in range(-1370, -1000, 10):
        await bench.push(batch(at_s), caught_up_since_s=-1490)
    assert await episodes(bench) == []
