"""The settler as it runs beside the hot path: when it acts, what it leaves alone."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from alerts.engine.rule_table import RULES
from alerts.settling.settle import Settler
from fleet.units import MICROSECONDS
from tests.integration.bench import NOW_US, Bench, arriving, batch, drive, fix

if TYPE_CHECKING:
    import pytest

MINUTE_US = 60 * MICROSECONDS
#: Without another piece for so long, an upload is over.
PAUSE_US = 5 * MICROSECONDS
SPEEDING = drive((20, 50), (30, 80), (20, 50), start_s=-200)


def settler(bench: Bench) -> Settler:
    return Settler(lambda: bench.context)


async def test_a_trip_is_settled_once_its_vehicle_has_rested(bench: Bench) -> None:
    """Rest of 20 minutes, the horizon of 2, and a minute since a checkpoint may be that old."""
    await bench.push(*arriving(SPEEDING))
    settle = settler(bench)
    last_us = NOW_US - 131 * MICROSECONDS
    assert await settle.round(bench.connection, last_us + 22 * MINUTE_US) is None
    done = await settle.round(bench.connection, last_us + 23 * MINUTE_US)
    assert done is not None
    assert (done.segments, done.verdicts) == (1, {"confirmed": 1})
    assert await settle.round(bench.connection, last_us + 24 * MINUTE_US) is None


async def test_a_trip_is_settled_when_the_next_one_has_begun(bench: Bench) -> None:
    morning = drive((20, 50), (30, 80), (20, 50), (1300, 0), (30, 50), start_s=-2000)
    parked = range(71, 1370)
    await bench.push(
        *arriving([f for place, f in enumerate(morning) if place not in parked or place % 50 == 0])
    )
    done = await settler(bench).round(bench.connection, NOW_US)
    assert done is not None
    assert (done.segments, done.verdicts) == (1, {"confirmed": 1})
    assert await bench.rows("select settled_at is not null from segment order by started_at") == [
        (True,),
        (False,),
    ]


async def test_of_a_trip_that_runs_only_what_live_has_missed_is_added(bench: Bench) -> None:
    """The truck was speeding in a tunnel, and it is speeding now: that one is the hot path's."""
    run = drive((60, 50), (40, 90), (200, 50), (60, 90), start_s=-360)
    buffered = run[55:105]
    heard = [f for f in run if f not in buffered]
    await bench.push(*arriving(heard), batch(0, buffered, kind="history"))
    assert [(row[1], row[5]) for row in await bench.episodes()] == [(-60, "provisional")]
    settle = settler(bench)
    assert await settle.round(bench.connection, NOW_US) is None  # the upload may go on
    done = await settle.round(bench.connection, NOW_US + PAUSE_US)
    assert done is not None
    assert done.verdicts == {"added": 1}
    assert await bench.episodes() == [
        ("T1", -300, -260, 90.0, 60.0, "provisional", "added"),
        ("T1", -60, None, 90.0, 60.0, "provisional", None),
    ]
    assert await bench.rows("select late from alert order by raised_at, late") == [(False,), (True,)]
    assert await bench.rows("select count(*) from dirty") == [(0,)]
    assert await settle.round(bench.connection, NOW_US + PAUSE_US) is None
    assert await bench.drain() == {"amended": 1, "added": 1}


async def test_an_upload_is_judged_when_it_pauses_or_after_a_minute(bench: Bench) -> None:
    """Each piece would have the whole trip judged again; but a unit that uploads for ever is not put off."""
    run = drive((420, 50), start_s=-700)
    await bench.push(*[batch(3 * n, run[20 * n : 20 * n + 20], kind="history") for n in range(20)])
    settle = settler(bench)
    assert await settle.round(bench.connection, NOW_US + 59 * MICROSECONDS) is None
    done = await settle.round(bench.connection, NOW_US + 60 * MICROSECONDS)
    assert done is not None
    assert done.fixes > 0
    await bench.connection.execute("delete from dirty")
    await bench.push(batch(100, run[400:], kind="history"))
    other = settler(bench)
    assert await other.round(bench.connection, NOW_US + 104 * MICROSECONDS) is None
    assert await other.round(bench.connection, NOW_US + 105 * MICROSECONDS) is not None


async def test_late_data_moves_the_beginning_of_a_trip(bench: Bench) -> None:
    """Live saw two trips with an hour of silence between them; the back-fill shows that it was one."""
    early, late = drive((20, 50), start_s=-4400), drive((20, 50), start_s=-500)
    await bench.push(*arriving(early), *arriving(late))
    assert await bench.rows("select count(*) from segment") == [(2,)]
    between = drive((3880, 50), start_s=-4380)
    await bench.push(batch(-400, between[::5], kind="history"))
    await bench.drain()
    assert await bench.rows("select count(*), count(settled_at), count(ended_at) from segment") == [(1, 1, 0)]


async def test_a_persons_resolution_is_never_changed(bench: Bench) -> None:
    """An alert that somebody has resolved keeps its state; that the evidence changed is marked."""
    run = drive((60, 50), (30, 90), (100, 50), start_s=-400)
    slow = [run[place] | {"speed_kmh": 40} for place in range(61, 90, 2)]
    await bench.push(*arriving([f for place, f in enumerate(run) if place not in range(61, 90, 2)]))
    await bench.connection.execute("update alert set state = 'resolved'")
    await bench.push(batch(-100, slow))
    assert await bench.drain() == {"withdrawn": 1}
    assert await bench.rows("select state, evidence_changed from alert") == [("resolved", True)]


async def test_silence_ends_what_is_open_once_we_have_listened_long_enough(bench: Bench) -> None:
    """A tick ends it as lost; but not while we ourselves have just come back."""
    await bench.push(*arriving(drive((30, 90), start_s=-300)))
    await bench.push(batch(0), caught_up_since_s=-60)
    assert [row[2] for row in await bench.episodes()] == [None]
    await bench.push(batch(0), caught_up_since_s=-121)
    assert [row[1:3] for row in await bench.episodes()] == [(-300, -271)]
    assert await bench.rows("select ended_as from episode") == [("lost",)]
    assert await bench.rows("select source, count(*) from batch group by 1 order by 1") == [
        ("live", 30),
        ("tick", 1),
    ]


async def test_two_vehicles_are_settled_side_by_side(bench: Bench) -> None:
    await bench.push(*arriving(SPEEDING), *arriving(SPEEDING, vehicle="T2"))
    assert await bench.drain() == {"confirmed": 2}


async def test_a_rule_that_fails_withdraws_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the settler could not judge stays as live has left it."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    await bench.push(*arriving(SPEEDING))
    monkeypatch.setitem(RULES, "speeding", RULES["speeding"]._replace(advance=broken))
    assert await bench.drain() == {}
    assert await bench.rows("select status from episode") == [("provisional",)]


async def test_what_is_younger_than_the_horizon_is_left_alone(bench: Bench) -> None:
    """A fix that came late, of a minute ago: its neighbours may be under way; nothing is read in vain."""
    run = drive((60, 50), start_s=-100)
    late = run.pop(30)
    await bench.push(*arriving(run), batch(0, late, kind="history"))
    settle = settler(bench)
    assert await settle.round(bench.connection, NOW_US) is None
    done = await settle.round(bench.connection, NOW_US + MINUTE_US)
    assert done is not None
    assert await bench.rows("select count(*) from dirty") == [(0,)]
    assert await bench.rows("select count(*), count(settled_at) from segment") == [(1, 0)]
    assert await settle.round(bench.connection, NOW_US + MINUTE_US) is None


async def test_a_unit_that_is_always_late_keeps_nobody_waiting(bench: Bench) -> None:
    """T1 uploads for ever, five minutes late; T2 is settled when it is due, and T1's backlog stays short."""
    await bench.push(*arriving(SPEEDING, vehicle="T2"))
    due_s, longest_s = -131 + 23 * 60, 0.0
    late, settle = drive((due_s + 100, 50), start_s=-300), settler(bench)
    verdicts: dict[str, int] = {}
    for now_s in range(0, due_s + 60, 30):
        await bench.push(batch(now_s, late[now_s : now_s + 30 : 5], kind="history"))
        now_us, rounds = NOW_US + (now_s + 29) * MICROSECONDS, 0
        while done := await settle.round(bench.connection, now_us):
            rounds += 1
            verdicts |= done.verdicts
        assert rounds <= 2
        oldest = await bench.rows("select extract(epoch from min(marked_at))::float8 from dirty")
        longest_s = max(longest_s, now_us / MICROSECONDS - (oldest[0][0] or now_us / MICROSECONDS))
    assert verdicts == {"confirmed": 1}
    assert await bench.rows(
        "select count(settled_at) from segment join vehicle using (vehicle_id) where code = 'T2'"
    ) == [(1,)]
    assert longest_s <= 120


async def test_the_longer_a_trip_that_runs_the_rarer_it_is_judged_again(bench: Bench) -> None:
    """At most once a minute, and not before a twentieth of it has been added."""
    await bench.push(batch(0, drive((7000, 50), start_s=-7200)[::20], kind="history"))
    settle, judged_s = settler(bench), []
    for now_s in range(10, 1000, 10):
        await bench.push(batch(now_s, fix(now_s - 190, 50), kind="history"))
        if await settle.round(bench.connection, NOW_US + (now_s + 6) * MICROSECONDS):
            judged_s.append(now_s)
    pauses_s = [later - earlier for earlier, later in pairwise(judged_s)]
    assert len(pauses_s) >= 2
    assert all(360 <= pause_s <= 450 for pause_s in pauses_s)


async def test_what_went_on_where_a_late_span_ended_is_followed_to_its_end(bench: Bench) -> None:
    """A tunnel: what was buffered ends inside its own alert; what came live after it is too short for one."""
    run = drive((60, 50), (28, 90), (400, 45), start_s=-400)
    buffered, heard = run[55:86], [*run[:55], *run[86:]]
    await bench.push(*arriving(heard[:200]), batch(-200, buffered, kind="history"))
    settle = settler(bench)
    done = await settle.round(bench.connection, NOW_US - 195 * MICROSECONDS)
    assert done is not None
    assert await bench.episodes() == [("T1", -340, -312, 90.0, 60.0, "provisional", "added")]
    assert await bench.rows("select late from alert") == [(True,)]
    assert await bench.rows("select count(*) from dirty") == [(0,)]
