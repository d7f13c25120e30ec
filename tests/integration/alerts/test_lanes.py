"""What the settler does beside others: late data while it judges, a vehicle that takes as long as a city."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alerts.settling.aside import Aside
from alerts.settling.record import Record
from alerts.settling.settle import Settler
from fleet import db, sights
from fleet.tracks import Span
from fleet.units import MICROSECONDS, to_datetime
from kerbsafe import parts
from kerbsafe.bench.probes import Probes
from tests.integration.bench import NOW_US, Bench, Meanwhile, arriving, batch, drive

if TYPE_CHECKING:
    from collections.abc import Callable

RULES = Path(__file__).parents[3] / "deploy/prometheus/rules.yml"
STOPS_WITHIN_S = 5
MINUTE_US = 60 * MICROSECONDS
#: A trip that ends 131 s before NOW is due when its vehicle has rested: 23 minutes later.
SPEEDING = drive((20, 50), (30, 80), (20, 50), start_s=-200)
DUE_US = NOW_US - 131 * MICROSECONDS + 23 * MINUTE_US


def settler(bench: Bench, judge: Callable[..., Record] = Record.judge, max_fixes: int = 50_000) -> Settler:
    return Settler(lambda: bench.context, judge=judge, aside=Aside(max_fixes=max_fixes))


# ---------------------------------------------------------------- while it judges


async def test_no_transaction_is_open_while_the_settler_judges(bench: Bench, database: str) -> None:
    await bench.push(*arriving(SPEEDING))
    beside = await db.connect(database, application="beside")
    pid, states = bench.connection.get_server_pid(), []

    async def look() -> None:
        states.append(await beside.fetchval("select state from pg_stat_activity where pid = $1", pid))

    assert await settler(bench, Meanwhile(look)).round(bench.connection, DUE_US)
    await beside.close()
    assert states == ["idle"]


async def test_what_comes_late_while_a_trip_is_judged_is_settled_in_the_end(bench: Bench) -> None:
    """The trip is settled as it was read; the mark of what came since stays, and has it judged again."""
    late = SPEEDING[20:50]
    await bench.push(*arriving([one for one in SPEEDING if one not in late]))
    settle = settler(bench, Meanwhile(lambda: bench.push(batch(1240, late, kind="history"))))
    done = await settle.round(bench.connection, DUE_US)
    assert done is not None
    assert (done.segments, done.verdicts) == (1, {})
    assert await bench.rows("select count(*) from dirty") == [(1,)]
    done = await settle.round(bench.connection, DUE_US + MINUTE_US)
    assert done is not None
    assert (done.segments, done.verdicts) == (1, {"added": 1})
    assert await bench.rows("select count(*) from dirty") == [(0,)]
    assert await bench.episodes() == [("T1", -180, -150, 80.0, 60.0, "settled", "added")]


async def test_a_vehicle_that_moves_off_while_its_last_trip_is_judged_comes_back(bench: Bench) -> None:
    """It was at rest when it was read. Live has ended its trip since: that must not be written over."""
    drives, parked, moves = 70, 1375, 5
    run = drive((20, 50), (30, 80), (20, 50), (parked, 0), (moves, 40), start_s=-200)
    await bench.push(*arriving([*run[:drives], *run[drives:-moves:50]]))
    settle = settler(bench, Meanwhile(lambda: bench.push(*arriving(run[-moves:]))))
    done = await settle.round(bench.connection, DUE_US)
    assert done is not None
    assert (done.vehicles, done.segments, done.verdicts) == (0, 0, {})
    since_now = f"extract(epoch from ended_at)::int8 - {NOW_US // MICROSECONDS}"
    ends = f"select {since_now} from segment order by started_at"
    assert await bench.rows(ends) == [(1246,), (None,)]
    assert await settle.round(bench.connection, DUE_US + MINUTE_US - 1) is None  # left alone for a minute
    done = await settle.round(bench.connection, DUE_US + 3 * MINUTE_US)
    assert done is not None
    assert (done.segments, done.verdicts) == (1, {"confirmed": 1})
    assert await bench.rows(ends) == [(1246,), (None,)]


async def test_that_the_next_trip_ends_while_one_is_judged_does_not_matter(bench: Bench) -> None:
    morning = drive((20, 50), (30, 80), (20, 50), (1300, 0), (30, 50), (1300, 0), (5, 50), start_s=-2705)
    parked = {*range(71, 1370), *range(1401, 2700)}
    run = [one for place, one in enumerate(morning) if place not in parked or place % 50 == 0]
    await bench.push(*arriving(run[:-5]))
    settle = settler(bench, Meanwhile(lambda: bench.push(*arriving(run[-5:]))))
    done = await settle.round(bench.connection, NOW_US - 6 * MICROSECONDS)
    assert done is not None
    assert (done.segments, done.verdicts) == (1, {"confirmed": 1})
    ended = "select ended_at is not null, settled_at is not null from segment order by started_at"
    assert await bench.rows(ended) == [(True, True), (True, False), (False, False)]


@pytest.mark.parametrize("what", ["episode", "right_turn"])
async def test_a_row_that_is_written_while_it_is_compared_is_not_written_over(
    bench: Bench, what: str
) -> None:
    """Others are settled all the same."""
    await bench.push(*arriving(SPEEDING), *arriving(SPEEDING, vehicle="T2"))
    t1 = bench.directory.vehicles["T1"]
    await bench.connection.execute(
        """insert into right_turn (turn_id, vehicle_id, rulebook, entered_at, exited_at, lat_udeg, lon_udeg,
            course_change_deg, entry_kmh, min_kmh, max_kmh, path_m, radius_m, lateral_g, approach_kmh,
            approach_stood_s, interval_s, longest_s, confidence, kind, status, decided_at)
        values (gen_random_uuid(), $1, 'x', $2, $2, 0, 0, 90, 1, 1, 1, 1, 1, 0, 1, 0, 1, 1, 1, 'turn',
            'provisional', $2)""",
        t1,
        to_datetime(NOW_US - 190 * MICROSECONDS),
    )
    touch = f"update {what} set revision = revision where vehicle_id = {t1}"
    settle = settler(bench, Meanwhile(lambda: bench.connection.execute(touch)))
    done = await settle.round(bench.connection, DUE_US)
    assert done is not None
    assert (done.vehicles, done.verdicts) == (1, {"confirmed": 1})
    assert [(row[0], row[5]) for row in await bench.episodes()] == [("T1", "provisional"), ("T2", "settled")]
    assert await settle.round(bench.connection, DUE_US + MINUTE_US)
    assert [(row[0], row[5]) for row in await bench.episodes()] == [("T1", "settled"), ("T2", "settled")]


async def test_what_live_raises_while_a_trip_that_runs_is_judged_is_not_added_again(bench: Bench) -> None:
    """The back-fill shows that it was too fast before; live hears of it anew, and raises its own alert."""
    run = drive((60, 50), (180, 90), start_s=-300)
    late, heard, heard_meanwhile = run[60:100], [*run[:60], *run[100:105]], run[220:]
    await bench.push(*arriving(heard), batch(-190, late, kind="history"))
    settle = settler(bench, Meanwhile(lambda: bench.push(*arriving(heard_meanwhile))))
    done = await settle.round(bench.connection, NOW_US - 80 * MICROSECONDS)
    assert done is not None
    assert (done.fixes, done.verdicts) == (105, {})
    assert await bench.episodes() == [("T1", -80, None, 90.0, 60.0, "provisional", None)]


# ---------------------------------------------------------------- set aside


async def test_a_large_vehicle_is_set_aside_and_the_others_go_on(bench: Bench) -> None:
    await bench.push(
        batch(0, drive((30, 50), (30, 80), (200, 50), start_s=-3000), kind="history"),
        *arriving(SPEEDING, vehicle="T2"),
    )
    settle = settler(bench, max_fixes=200)
    assert await settle.round_aside(bench.connection, lambda: DUE_US) is None
    done = await settle.round(bench.connection, DUE_US)
    assert done is not None
    assert (done.vehicles, done.verdicts) == (1, {"confirmed": 1})
    assert settle.aside.vehicles == [bench.directory.vehicles["T1"]]
    assert await settle.round(bench.connection, DUE_US) is None
    done = await settle.round_aside(bench.connection, lambda: DUE_US)
    assert done is not None
    assert (done.vehicles, done.fixes, done.verdicts) == (1, 260, {"added": 1})
    assert await settle.round_aside(bench.connection, lambda: DUE_US) is None
    assert await bench.rows("select count(*) from dirty") == [(0,)]


FLOOD = """
insert into camera_event (vehicle_id, time, batch_id, event_id, side, target, phase, lat_udeg, lon_udeg,
    speed_dkmh, evidence)
select $1, $2::timestamptz + n * interval '1 ms', 1, 'e' || n, 1, 2, 0, 0, 0, -1, ''
from generate_series(1, $3::int) as n
"""


async def test_a_flood_of_what_a_camera_sees_is_set_aside_too(bench: Bench) -> None:
    """Its trip is short, and what its camera says of it is not read beside the others."""
    await bench.push(*arriving(SPEEDING), *arriving(SPEEDING, vehicle="T2"))
    t1, began = bench.directory.vehicles["T1"], to_datetime(NOW_US - 190 * MICROSECONDS)
    await bench.connection.execute(FLOOD, t1, began, 201)
    settle = settler(bench, max_fixes=200)
    done = await settle.round(bench.connection, DUE_US)
    assert done is not None
    assert (done.vehicles, done.reports) == (1, 0)
    assert settle.aside.vehicles == [t1]
    done = await settle.round_aside(bench.connection, lambda: DUE_US)
    assert done is not None
    assert (done.vehicles, done.fixes, done.reports, done.verdicts) == (1, 70, 201, {"confirmed": 1})
    assert settle.aside.vehicles == [t1]


async def test_what_a_camera_saw_is_read_whole_in_pieces(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sights, "ROWS_AT_ONCE", 50)
    t1, began_us = bench.directory.vehicles["T1"], NOW_US - 190 * MICROSECONDS
    await bench.connection.execute(FLOOD, t1, to_datetime(began_us), 120)
    seen, health = await sights.read_spans(
        bench.connection, [Span(t1, began_us, began_us + MICROSECONDS)], timedelta(hours=1)
    )
    assert (seen.time_us - began_us).tolist() == [n * 1000 for n in range(1, 121)]
    assert seen.event_id.tolist() == [f"e{n}" for n in range(1, 121)]
    assert len(health) == 0


async def test_one_more_late_fix_does_not_begin_it_all_again_at_once(bench: Bench) -> None:
    """It took 100 s: it is taken up again 200 s later. What begins with a trip of the usual size ends it."""
    trip = drive((260, 50), start_s=-3000)
    await bench.push(batch(0, trip[:250], kind="history"))
    now_s = 10.0

    def now_us() -> int:
        return NOW_US + round(now_s * MICROSECONDS)

    async def take_long() -> None:
        nonlocal now_s
        now_s += 100

    settle = settler(bench, Meanwhile(take_long), max_fixes=200)
    assert await settle.round(bench.connection, now_us())
    assert await settle.round_aside(bench.connection, now_us)
    for second, late in ((120, trip[251]), (130, trip[252])):
        await bench.push(batch(second, late, kind="history"))
    now_s = 309.9
    assert await settle.round(bench.connection, now_us()) is None
    assert await settle.round_aside(bench.connection, now_us) is None
    now_s = 310
    done = await settle.round_aside(bench.connection, now_us)
    assert done is not None
    assert done.fixes == 252
    for start_s, aside in ((2000, [bench.directory.vehicles["T1"]]), (4000, [])):
        await bench.push(batch(start_s + 200, drive((20, 50), start_s=start_s), kind="history"))
        now_s = start_s + 1500
        assert await settle.round_aside(bench.connection, now_us)
        assert settle.aside.vehicles == aside


async def test_a_drain_settles_who_is_set_aside_too(bench: Bench) -> None:
    await bench.push(
        *arriving(SPEEDING), batch(0, drive((300, 80), start_s=-3000), kind="history", vehicle="T2")
    )
    settle, now_us = settler(bench, max_fixes=200), NOW_US + 60 * MINUTE_US
    done = [one async for one in settle.drained(bench.connection, lambda: now_us)]
    assert [one.verdicts for one in done] == [{"confirmed": 1}, {"added": 1}]
    assert await bench.rows("select count(*) from dirty") == [(0,)]


# ---------------------------------------------------------------- the process

LONG_STORED = """
insert into fix (vehicle_id, time, batch_id, lat_udeg, lon_udeg, odometer_hm, speed_dkmh, course_deg,
    altitude_m, satellites, hdop_tenths, limit_kmh, flags)
select $1, $2::timestamptz + second * interval '1 second', 1, 30700000 + (second % 20000), 120700000, -1, 50,
    -1, -1, -1, -1, -1, 0
from generate_series(0, $3::int - 1) as second
"""


async def store_long_ago(bench: Bench, vehicle: str, *, fixes: int, marked_s: int) -> None:
    """Store fixes a second apart up to five hours ago, marked for the settler so many seconds ago."""
    now_us = time.time_ns() // 1000
    vehicle_id = bench.directory.vehicles[vehicle]
    from_at = to_datetime(now_us - (5 * 3600 + fixes) * MICROSECONDS)
    await bench.connection.execute(LONG_STORED, vehicle_id, from_at, fixes)
    await bench.connection.execute(
        """insert into dirty (vehicle_id, time, until, marked_at)
        select vehicle_id, min(time), max(time), $2 from fix where vehicle_id = $1 group by vehicle_id""",
        vehicle_id,
        to_datetime(now_us - marked_s * MICROSECONDS),
    )


def alert_threshold_s() -> float:
    """After how many seconds of backlog people are alerted."""
    (found,) = re.findall(r"expr: kerbsafe_settler_backlog_seconds > (\d+)", RULES.read_text("utf-8"))
    return float(found)


async def when(probes: Probes, name: str, least: float) -> float:
    """Return a sample of the process once it is so large."""
    deadline = time.monotonic() + 60
    while (value := (await asyncio.to_thread(probes.read))[name]) < least:
        assert time.monotonic() < deadline, (name, value)
        await asyncio.sleep(0.2)
    return value


@pytest.mark.parametrize("templates", ["timescaledb"], indirect=True)
async def test_a_worker_that_judges_one_unit_settles_the_others_shows_it_and_stops(
    bench: Bench, database: str, tmp_path: Path
) -> None:
    """A minute of work for one unit, which has waited for two hours."""
    await store_long_ago(bench, "T1", fixes=120_000, marked_s=7_200)
    await store_long_ago(bench, "T2", fixes=600, marked_s=60)
    settings = {"KERBSAFE_DSN": database, "KERBSAFE_LOG_LEVEL": "warning"}
    with parts.kerbsafe_process("worker", settings=settings, log_path=tmp_path / "worker.log") as worker:
        probes = Probes(worker.port)
        await when(probes, "kerbsafe_settler_segments_total", 1)
        assert await bench.rows("select code from segment join vehicle using (vehicle_id)") == [("T2",)]
        assert await when(probes, "kerbsafe_settler_aside_vehicles", 1) == 1
        waited_s = await when(probes, "kerbsafe_settler_backlog_seconds", alert_threshold_s())
        assert await when(probes, "kerbsafe_settler_aside_seconds", waited_s + 1)
        assert await when(probes, "kerbsafe_settler_backlog_seconds", waited_s + 1)
        assert await bench.rows("select count(*) from dirty") == [(1,)]
        began_s = time.monotonic()
        worker.part.signal(signal.SIGTERM)
        await asyncio.to_thread(worker.part.wait)
        assert time.monotonic() - began_s < STOPS_WITHIN_S
