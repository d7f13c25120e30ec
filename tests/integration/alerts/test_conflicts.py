"""Blind-spot conflicts in the store: live, late, settled, over a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.episodes.episodes import collect
from alerts.episodes.turn_records import collect as collect_turns
from alerts.live import replay
from alerts.live.live_state import LiveState
from alerts.settling.settle import Settler
from alerts.store import stored
from fleet.tracks import Span
from fleet.units import MICROSECONDS, to_datetime
from ingest.mqtt.gaps import Up
from ingest.mqtt.transport import TransportAccount
from ingest.pipeline.checkpoints import restore
from ingest.pipeline.newest import Newest
from tests.integration.bench import NOW_US, Bench, arriving, batch
from tests.unit.alerts.turn_tracks import START_US, driven, way

if TYPE_CHECKING:
    from ingest.pipeline.log import Batch

#: The drive begins so long before now; its turn is entered and left so much later.
BEGAN_S, ENTERED_S, EXITED_S = -200, 36, 41
HOUR_S = 3600


def drive() -> list[dict[str, object]]:
    fixes = driven(way(200, 90, 200))
    rows = zip(fixes.time_us.tolist(), fixes.lat_udeg.tolist(), fixes.lon_udeg.tolist(), strict=True)
    return [
        {
            "time": (time_us - START_US + NOW_US) // 1000 + BEGAN_S * 1000,
            "lat": lat / 1e6 + 30,
            "lon": lon / 1e6,
        }
        for time_us, lat, lon in rows
    ]


def at_ms(second: float) -> int:
    """A second of the drive, as devices say it."""
    return NOW_US // 1000 + round((BEGAN_S + second) * 1000)


def seen(second: float, name: str = "e1", phase: str = "single", side: str = "right") -> dict[str, object]:
    return {"time": at_ms(second), "id": name, "side": side, "phase": phase, "target": "cycle"}


def camera(second: float, received_s: float | None = None, **what: str) -> Batch:
    received = second + 0.3 if received_s is None else received_s
    return batch(BEGAN_S + received, seen(second, **what), kind="camera")


def health(second: float, state: str = "ok", received_s: float | None = None) -> Batch:
    received = second + 0.3 if received_s is None else received_s
    return batch(BEGAN_S + received, {"time": at_ms(second), "camera": state}, kind="health")


def in_order(*batches: Batch) -> list[Batch]:
    return sorted([*arriving(drive()), *batches], key=lambda one: one.received_us)


async def turns(bench: Bench) -> list[tuple[object, ...]]:
    return await bench.rows(
        "select armed, conflicts, outcome, status from right_turn "
        "where status <> 'withdrawn' order by entered_at"
    )


async def conflicts(bench: Bench) -> list[tuple[object, ...]]:
    return await bench.rows(
        f"""select round(extract(epoch from started_at) - {NOW_US // MICROSECONDS + BEGAN_S}, 1)::float8,
               round(extract(epoch from ended_at) - {NOW_US // MICROSECONDS + BEGAN_S}, 1)::float8,
               severity, status, settled_as from episode where rule = 'conflict' order by 1"""
    )


async def test_a_conflict_is_alerted_at_once_and_confirmed(bench: Bench) -> None:
    await bench.push(*in_order(health(0), camera(37, phase="start"), camera(39, phase="end")))
    assert await conflicts(bench) == [(37.0, 39.0, 3, "provisional", None)]
    assert await turns(bench) == [(True, 1, "conflict", "provisional")]
    assert await bench.rows("select state, late from alert") == [("open", False)]
    assert await bench.rows("select count(*) from dirty") == [(0,)]
    assert await bench.drain() == {"confirmed": 1}
    assert await turns(bench) == [(True, 1, "conflict", "settled")]


async def test_a_detection_that_comes_after_its_turn_is_judged_in_its_own_transaction(bench: Bench) -> None:
    await bench.push(*in_order(camera(37, received_s=100)))
    assert await conflicts(bench) == [(37.0, 37.0, 3, "provisional", None)]
    decided = await bench.rows("select decided_at from episode where rule = 'conflict'")
    assert decided == [(to_datetime(NOW_US + (BEGAN_S + 100) * MICROSECONDS),)]
    assert await turns(bench) == [(True, 1, "conflict", "provisional")]
    assert await bench.drain() == {"confirmed": 1}


async def test_a_detection_that_comes_too_late_is_settled_and_pages_nobody(bench: Bench) -> None:
    await bench.push(*in_order(health(0), camera(37, received_s=190)))
    assert await conflicts(bench) == []
    assert await turns(bench) == [(True, 0, "clear", "provisional")]
    assert await bench.rows("select count(*) from dirty") == [(1,)]
    assert await bench.drain() == {"added": 1}
    assert await conflicts(bench) == [(37.0, 37.0, 3, "settled", "added")]
    assert await turns(bench) == [(True, 1, "conflict", "settled")]
    assert await bench.rows("select late from alert") == [(True,)]


async def test_a_late_detection_has_a_settled_trip_settled_again(bench: Bench) -> None:
    await bench.push(*in_order(health(0)))
    assert await bench.drain() == {}
    assert await turns(bench) == [(True, 0, "clear", "settled")]
    await bench.push(camera(37, received_s=2 * HOUR_S), camera(37, received_s=2 * HOUR_S + 1))
    assert await bench.rows("select count(*) from dirty") == [(1,)]  # the same again is nothing new
    assert await bench.drain() == {"added": 1}
    assert await turns(bench) == [(True, 1, "conflict", "settled")]
    assert await bench.rows("select count(*) from dirty") == [(0,)]


async def test_a_late_health_report_arms_what_was_not(bench: Bench) -> None:
    """And one that its camera was covered disarms it again."""
    await bench.push(*in_order())
    await bench.drain()
    assert await turns(bench) == [(False, 0, "not_armed", "settled")]
    await bench.push(health(-HOUR_S, received_s=HOUR_S))
    await bench.drain()
    assert await turns(bench) == [(True, 0, "clear", "settled")]
    await bench.push(health(10, "covered", received_s=HOUR_S))
    await bench.drain()
    assert await turns(bench) == [(False, 0, "not_armed", "settled")]


async def forgotten(bench: Bench, from_s: float, until_s: float) -> None:
    """The broker has lost our session between two seconds of the drive."""
    began_us, ended_us = (NOW_US + round((BEGAN_S + s) * MICROSECONDS) for s in (from_s, until_s))
    await bench.connection.execute(
        "insert into transport_known (name, known_at) values ('live', $1)", to_datetime(began_us)
    )
    account = TransportAccount(
        bench.connection,
        now_us=lambda: ended_us,
        ups=lambda: [Up("live", ended_us, resumed=False)],
        are_up=lambda: {"live": True},
        told=lambda: None,
    )
    assert len(await account.look()) == 1


async def test_a_turn_whose_camera_may_not_have_been_heard_is_not_clear(bench: Bench) -> None:
    """Also if that is found out when it was settled already."""
    await bench.push(*in_order(health(0)))
    await bench.drain()
    assert await turns(bench) == [(True, 0, "clear", "settled")]
    await forgotten(bench, EXITED_S - 20, EXITED_S + 40)
    await bench.drain()
    assert await turns(bench) == [(None, None, None, "settled")]
    assert await bench.rows("select reason from right_turn") == [("transport_gap",)]


async def test_who_was_seen_in_a_gap_stays_seen_and_counts_in_no_rate(bench: Bench) -> None:
    await forgotten(bench, ENTERED_S - 20, EXITED_S + 40)
    await bench.push(*in_order(camera(37)))
    await bench.drain()
    assert await turns(bench) == [(True, 1, "conflict", "settled")]
    assert await conflicts(bench) == [(37.0, 37.0, 3, "settled", "confirmed")]
    assert await bench.rows("select reason from right_turn") == [("transport_gap",)]


async def test_a_gap_long_before_or_after_a_turn_is_none_of_its(bench: Bench) -> None:
    await forgotten(bench, ENTERED_S - 300, ENTERED_S - 61)
    await bench.push(*in_order(health(0)))
    await bench.drain()
    assert await turns(bench) == [(True, 0, "clear", "settled")]


async def test_what_nobody_drove_is_settled_too(bench: Bench) -> None:
    """Reports of a vehicle without fixes: nothing to judge, and nothing that waits for ever."""
    await bench.push(camera(37, received_s=HOUR_S), health(37, received_s=HOUR_S))
    assert await bench.drain() == {}
    assert await bench.rows("select count(*) from dirty") == [(0,)]


async def test_a_restart_between_turn_and_detection_loses_nothing(bench: Bench) -> None:
    for first in ("turn", "detection"):
        await bench.forget(
            "batch",
            "fix",
            "camera_event",
            "device_health",
            "episode",
            "alert",
            "alert_feed",
            "segment",
            "right_turn",
            "vehicle_state",
            "dirty",
        )
        bench.state, bench.newest = LiveState(), Newest()
        batches = in_order(camera(37, received_s=60 if first == "turn" else 37.3))
        cut = 55 if first == "turn" else 40
        await bench.push(*batches[:cut])
        bench.state, bench.newest = await restore(bench.connection, bench.context)
        await bench.push(*batches[cut:])
        assert await conflicts(bench) == [(37.0, 37.0, 3, "provisional", None)]
        assert await bench.rows("select change from alert_feed order by feed_id") == [
            ("opened",),
            ("closed",),
        ]
        bench.state, bench.newest = await restore(bench.connection, bench.context)
        await bench.push(camera(37, received_s=70))  # delivered again
        assert await bench.rows("select count(*) from alert_feed") == [(2,)]
        assert await bench.drain() == {"confirmed": 1}


async def test_replay_of_the_store_says_the_same(bench: Bench) -> None:
    """As arrived it is the provisional judgement, complete and in order the settled one."""
    batches = in_order(health(0), camera(37, phase="start"), camera(39, phase="end"), camera(38, name="e2"))
    await bench.push(*batches)
    connection, books = bench.connection, bench.context.rulebooks
    span = Span(1, NOW_US - HOUR_S * MICROSECONDS, NOW_US + HOUR_S * MICROSECONDS)
    arrivals = await stored.read_arrivals(
        connection, [1], to_datetime(span.from_us), to_datetime(span.until_us)
    )
    live = replay.as_arrived(arrivals, bench.context)
    written = await bench.rows("select episode_id, severity, measures from episode where rule = 'conflict'")
    assert [(e.id, e.severity, e.measures) for e in collect(live.transitions, books)] == written
    assert [(t.armed, t.conflicts) for t in collect_turns(live.turns, books)][-1] == (True, 2)

    assert await bench.drain() == {"confirmed": 1}
    fixes = await stored.tracks.read_spans(connection, [span])
    sights = await stored.read_sights(connection, [span], books, NOW_US)
    complete = replay.settled(fixes, bench.context, sights)
    written = await bench.rows("select episode_id, severity, measures from episode where rule = 'conflict'")
    assert [(e.id, e.severity, e.measures) for e in collect(complete.transitions, books)] == written
    (turn,) = collect_turns(complete.turns, books)
    assert await turns(bench) == [(turn.armed, turn.conflicts, turn.outcome, "settled")]


async def test_of_a_trip_that_runs_the_settler_adds_a_late_conflict_once(bench: Bench) -> None:
    await bench.push(*in_order(health(0), camera(37, received_s=190)))
    settler = Settler(lambda: bench.context)
    for at_s in (115, 180):
        done = await settler.round(bench.connection, NOW_US + at_s * MICROSECONDS)
        assert (done.verdicts if done else {}) == ({"added": 1} if at_s == 115 else {})
    assert await conflicts(bench) == [(37.0, 37.0, 3, "provisional", "added")]
