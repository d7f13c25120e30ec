"""The pipeline against a real store: what goes in comes out once, judged, whatever the order."""

from __future__ import annotations

import random

import numpy as np
import pytest

from alerts.live.live_state import LiveState
from alerts.settling.settle import Settler
from fleet.db import connect
from fleet.units import MICROSECONDS
from ingest.pipeline.checkpoints import restore
from ingest.pipeline.newest import Newest
from ingest.pipeline.quota import Quota
from tests.integration.bench import NOW_US, Bench, arriving, batch, drive, fix

SPEEDING = drive((20, 50), (30, 80), (20, 50))


async def test_a_speeding_truck_raises_an_alert_which_settling_confirms(bench: Bench) -> None:
    await bench.push(*(batch(f["time"] / 1000 - NOW_US / MICROSECONDS + 0.2, f) for f in SPEEDING))
    assert await bench.episodes() == [("T1", -180, -150, 80.0, 60.0, "provisional", None)]
    assert await bench.rows("select state, late from alert") == [("open", False)]
    assert await bench.rows("select change from alert_feed order by feed_id") == [("opened",), ("closed",)]
    assert await bench.drain() == {"confirmed": 1}
    assert await bench.episodes() == [("T1", -180, -150, 80.0, 60.0, "settled", "confirmed")]
    assert await bench.rows("select count(*), sum(judged) from batch") == [(70, 70)]


async def test_a_tunnel_is_settled_from_the_back_fill_and_pages_nobody(bench: Bench) -> None:
    """The truck speeds in a tunnel without a network: live sees nothing of it, the settler adds it, late."""
    drive_ = drive((60, 50), (40, 90), (100, 50), start_s=-400)
    heard = [f for f in drive_ if not -345 <= f["time"] / 1000 - NOW_US / MICROSECONDS < -290]
    buffered = [f for f in drive_ if f not in heard]
    await bench.push(*arriving(heard))
    assert await bench.episodes() == []
    await bench.push(batch(-10, buffered, kind="history"))
    assert await bench.rows("select vehicle_id, until - time from dirty") != []
    assert await bench.drain() == {"added": 1}
    assert await bench.episodes() == [("T1", -340, -300, 90.0, 60.0, "settled", "added")]
    assert await bench.rows("select state, late from alert") == [("open", True)]
    assert await bench.rows("select count(*) from dirty") == [(0,)]


async def test_late_fixes_amend_what_live_has_seen(bench: Bench) -> None:
    """The first half comes late: live dates the episode from its second half, settling from its start."""
    drive_ = drive((60, 50), (60, 90), (60, 50), start_s=-400)
    late = drive_[60:90]
    await bench.push(*arriving([f for f in drive_ if f not in late]))
    assert await bench.episodes() == [("T1", -310, -280, 90.0, 60.0, "provisional", None)]
    before = await bench.rows("select episode_id from episode")
    await bench.push(batch(-100, late))
    assert await bench.drain() == {"amended": 1}
    assert await bench.episodes() == [("T1", -340, -280, 90.0, 60.0, "settled", "amended")]
    assert await bench.rows("select episode_id from episode") == before


async def test_what_the_complete_record_does_not_show_is_withdrawn(bench: Bench) -> None:
    """Live saw eleven sparse samples over the limit; the missing ones between them were slow."""
    drive_ = drive((60, 50), (30, 90), (100, 50), start_s=-400)
    for place in range(61, 90, 2):
        drive_[place] = drive_[place] | {"speed_kmh": 40}
    slow = [drive_[place] for place in range(61, 90, 2)]
    await bench.push(*arriving([f for f in drive_ if f not in slow]))
    assert [row[-2:] for row in await bench.episodes()] == [("provisional", None)]
    await bench.push(batch(-100, slow))
    assert await bench.drain() == {"withdrawn": 1}
    assert await bench.rows("select state from alert") == [("withdrawn",)]
    await bench.push(batch(-90, *slow), batch(-80, *slow))  # redelivered: nothing is new, nothing is dirty
    assert await bench.drain() == {}


async def test_every_observation_is_accounted_for(bench: Bench) -> None:
    good = [fix(n, 50) for n in range(10)]
    await bench.push(
        batch(11, *good, good[0], b"", b"{", b'{"time":1}', b"[1,2]", b"\xff\xfe"),
        batch(12, good, good[3] | {"speed_kmh": 51}, fix(-40 * 86400, lat=30), fix(3 * 86400, lat=30)),
        batch(13, fix(20), vehicle="nobody"),
    )
    assert await bench.rows("select received, stored, duplicates, rejected from batch order by batch_id") == [
        (17, 10, 1, 6),
        (13, 0, 10, 3),
        (1, 0, 0, 1),
    ]
    assert await bench.rows("select count(*) from fix") == [(10,)]
    assert await bench.rows(
        'select reason, sum(observations)::int from reject group by reason order by reason collate "C"'
    ) == [
        ("conflicting_duplicate", 1),
        ("empty_payload", 1),
        ("future", 1),
        ("malformed_json", 1),
        ("missing_field", 1),
        ("not_an_object", 2),
        ("not_utf8", 1),
        ("too_old", 1),
        ("unknown_vehicle", 1),
    ]


async def test_of_two_contents_the_one_received_nearer_to_its_time_stays(bench: Bench) -> None:
    """In either order of arrival."""
    for start_s, order in ((0, (5, 600)), (1, (600, 5))):
        for delay_s in order:
            await bench.push(batch(start_s + delay_s, fix(start_s, speed_kmh=delay_s / 10)))
    assert await bench.rows("select speed_dkmh from fix order by time") == [(5,), (5,)]
    assert await bench.rows("select sum(stored), sum(rejected) from batch") == [(2, 2)]


async def test_a_bad_element_does_not_take_its_neighbours_with_it(bench: Bench) -> None:
    elements = [fix(n / 100, 50) for n in range(10_000)]
    elements[5_000] |= {"lat": 91}
    await bench.push(batch(101, elements))
    assert await bench.rows("select received, stored, rejected from batch") == [(10_000, 9_999, 1)]
    assert await bench.rows("select reason, length(payload) > 0 from reject") == [("out_of_range", True)]


async def test_a_row_that_the_database_refuses_is_found_and_named(bench: Bench) -> None:
    await bench.connection.execute("alter table fix add constraint no_fast check (speed_dkmh < 1000)")
    await bench.push(batch(40, *[fix(n, 150 if n == 17 else 50) for n in range(40)]))
    assert await bench.rows("select received, stored, rejected from batch") == [(40, 39, 1)]
    assert await bench.rows("select reason, vehicle_id from reject") == [("unstorable", 1)]


async def test_bytes_of_rejects_are_kept_within_a_quota_and_counted_beyond(bench: Bench) -> None:
    await bench.push(batch(0, *[b"{"] * 150), *(batch(n, *[b"{"] * 10) for n in range(1, 60)))
    assert await bench.rows(
        "select payload is not null, count(*), sum(observations)::int from reject group by 1 order by 1"
    ) == [(False, 1, 640), (True, 100, 100)]
    await bench.push(batch(3600, *[b"{"] * 101))
    assert await bench.rows("select observations from reject where payload is null order by hour") == [
        (640,),
        (1,),
    ]


async def test_a_restarted_process_goes_on_where_the_killed_one_stopped(bench: Bench) -> None:
    """The memory comes back from the checkpoint and the fixes stored since, with or without a checkpoint."""
    batches = arriving(SPEEDING)
    for forget in (False, True):
        await bench.forget("batch", "fix", "episode", "alert", "alert_feed", "segment", "vehicle_state")
        bench.state, bench.newest = LiveState(), Newest()
        await bench.push(*batches[:35])
        if forget:
            await bench.connection.execute("update vehicle_state set engine_version = 0")
        bench.state, bench.newest = await restore(bench.connection, bench.context)
        await bench.push(*batches[35:])
        assert await bench.episodes() == [("T1", -180, -150, 80.0, 60.0, "provisional", None)]


@pytest.mark.parametrize("seed", range(6))
async def test_order_and_redelivery_do_not_matter_in_the_end(bench: Bench, seed: int) -> None:
    """Any order, any cut into batches, any redelivery: the same fixes and the same settled episodes."""
    rng = random.Random(seed)
    fixes = list(drive((40, 50), (25, 80), (30, 40), (30, 90), (60, 55), start_s=-300))
    del fixes[100:110]
    sent = [*fixes, *rng.sample(fixes, 30)]
    if seed:
        sent.sort(key=lambda f: f["time"] + rng.choice([0, 0, 5_000, 90_000, 400_000]) * rng.random())
    while sent:
        size = rng.choice([1, 3, 20])
        part, sent = sent[:size], sent[size:]
        await bench.push(batch(max(f["time"] for f in part) / 1000 - NOW_US / MICROSECONDS + 1, part))
        if rng.random() < 0.1:
            await Settler(lambda: bench.context).round(bench.connection, NOW_US)
    await bench.drain()
    settled = [row for row in await bench.episodes() if row[-2] == "settled"]
    assert [row[:-1] for row in settled] == [
        ("T1", -260, -235, 80.0, 60.0, "settled"),
        ("T1", -205, -175, 90.0, 60.0, "settled"),
    ]
    assert await bench.rows("select count(*) from fix") == [(175,)]
    assert await bench.rows("select sum(received - stored - duplicates - rejected)::int from batch") == [(0,)]
    assert await bench.drain() == {}


async def test_a_console_that_does_not_go_on_reading_delays_nobody(bench: Bench, database: str) -> None:
    """A reader of the feed stands still in the middle of a transaction, listening, and hears of nothing."""
    reader = await connect(database, application="kerbsafe console")
    heard: list[object] = []
    await reader.add_listener("kerbsafe_alert_feed", lambda *said: heard.append(said))
    async with reader.transaction(isolation="repeatable_read"):
        await reader.fetch("select * from alert_feed, alert, episode limit 1")
        # What would wait for the reader fails instead.
        await bench.connection.execute("set lock_timeout = '10s'")
        await bench.push(*arriving(SPEEDING), *arriving(SPEEDING, vehicle="T2"))
        assert await bench.drain() == {"confirmed": 2}
        assert await bench.rows("select count(*) from alert_feed") == [(6,)]
        assert (heard, await reader.fetchval("select count(*) from alert_feed")) == ([], 0)
    await reader.close()


async def test_back_fill_is_stored_in_parts_and_acknowledged_once(bench: Bench) -> None:
    """The newest part is judged as what happens now; the ledger adds up over the parts."""
    kept = [fix(n / 25, 50) for n in range(2_500)]
    await bench.push(batch(101, kept, b"{", kind="history"))
    assert await bench.rows(
        "select messages, received, stored, rejected, judged from batch order by 1, 2"
    ) == [
        (0, 1_000, 1_000, 0, 0),
        (0, 1_001, 1_000, 1, 128),
        (2, 500, 500, 0, 0),
    ]
    assert await bench.rows("select count(*), count(distinct time) from fix") == [(2_500, 2_500)]
    await bench.push(batch(102, kept, kind="history"))
    assert await bench.rows("select sum(stored), sum(duplicates) from batch") == [(2_500, 2_500)]


async def test_a_live_batch_goes_before_the_parts_of_back_fill(bench: Bench) -> None:
    """Between any two of them, if something is urgent."""
    bench.urgent = True
    kept = [fix(n / 25 - 3600, 50) for n in range(3_000)]
    await bench.push(batch(0, kept, kind="history"), batch(1, fix(1)), batch(2, fix(2)), batch(3, fix(3)))
    assert await bench.rows("select stored from batch order by batch_id") == [
        (1_000,),
        (1,),
        (1_000,),
        (1,),
        (1_000,),
        (1,),
    ]


async def test_who_sends_more_than_his_quota_is_refused_the_rest_and_nobody_else(bench: Bench) -> None:
    bench.quota = Quota(capacity=100, refill_hz=1)
    flood = [fix(n / 10, 50) for n in range(150)]
    await bench.push(
        batch(16, *flood[:60], flood[60:]), batch(16.5, fix(16), vehicle="T2"), batch(46, fix(45))
    )
    assert await bench.rows("select received, stored, rejected from batch order by batch_id") == [
        (150, 100, 50),
        (1, 1, 0),
        (1, 1, 0),
    ]
    assert await bench.rows("select reason, vehicle_id, observations from reject") == [("over_quota", 1, 50)]


async def test_replay_as_arrived_says_the_same_of_parts(bench: Bench) -> None:
    """As much of a flood as is judged live, after a restart too."""
    flood = [fix(n / 50, 90) for n in range(4_000)]
    await bench.push(batch(81, flood, kind="history"), *arriving(drive((20, 90), start_s=82)))
    restored, _newest = await restore(bench.connection, bench.context)
    slots = [state.slots(np.array([1], np.int32))[0] for state in (bench.state, restored)]
    assert bench.state.pack(slots[0]) == restored.pack(slots[1])
