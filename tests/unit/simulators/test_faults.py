"""Each fault does what it says and nothing else: injected with certainty into a sound drive."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fleet.columns import Fixes, FixFlag
from fleet.datum import gcj02_to_wgs84
from fleet.geo import distance_m
from fleet.wire.batch import Published
from fleet.wire.topics import Kind
from fleet.wire.v1.decoding import decode
from simulators import faults, messages, scenario
from simulators.crew import Truck
from simulators.faults import HISTORY, LIVE, FaultPlan, Faults, Sends
from simulators.intervals import Intervals
from simulators.writing import fault_rows

if TYPE_CHECKING:
    from simulators.scenario import Plan

START_US = 1_772_402_400_000_000
SECOND = 1_000_000
TRUCKS, ROWS = 3, 600


@pytest.fixture
def fixes() -> Fixes:
    """Ten minutes of three trucks going east at 36 km/h."""
    second = np.tile(np.arange(ROWS), TRUCKS)
    return Fixes.build(
        vehicle_id=np.repeat(np.arange(TRUCKS), ROWS),
        time_us=START_US + second * SECOND,
        lat_udeg=30_750_000 + 0 * second,
        lon_udeg=120_750_000 + second * 104,
        speed_dkmh=360 + 0 * second,
        course_deg=90 + 0 * second,
        flags=int(FixFlag.IGNITION_KNOWN | FixFlag.IGNITION_ON) + 0 * second,
    )


def struck(fixes: Fixes, planned: Intervals | None = None, **chances: float) -> Sends[Fixes]:
    """Return what is sent under these faults and no others."""
    span = (START_US, START_US + ROWS * SECOND)
    spoiler = Faults(1, FaultPlan(**chances), TRUCKS, span, planned)
    return spoiler.apply(fixes, fixes.time_us)


def same(a: Fixes, b: Fixes, *, but: tuple[str, ...] = ()) -> bool:
    """Say whether all columns agree, leaving out some."""
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(a) if f.name not in but)


def test_without_faults_everything_arrives_at_once(fixes: Fixes) -> None:
    sent = struck(fixes)
    late_s = (sent.at_us - sent.rows.time_us) / SECOND
    assert same(sent.rows, fixes)
    assert (sent.channel == LIVE).all()
    assert (late_s >= 0.06).all()
    assert (late_s <= 0.25).all()


def test_loss(fixes: Fixes) -> None:
    assert len(struck(fixes, loss=1.0)) == 0
    assert len(struck(fixes, loss=0.25)) / len(fixes) == pytest.approx(0.75, abs=0.05)


def test_duplicate(fixes: Fixes) -> None:
    """Every message twice, the same bytes, the second a little later."""
    sent = struck(fixes, duplicate=1.0)
    once, again = sent.take(slice(0, len(fixes))), sent.take(slice(len(fixes), None))
    assert same(once.rows, fixes)
    assert same(again.rows, fixes)
    later_s = (again.at_us - once.at_us) / SECOND
    assert later_s.min() >= 0.3
    assert later_s.max() <= 30


@pytest.mark.parametrize(("fault", "min_s", "max_s"), [("delay", 5, 60.3), ("disorder", 1.5, 6.3)])
def test_late(fixes: Fixes, fault: str, min_s: float, max_s: float) -> None:
    """All late by that much, so that later ones overtake; nothing else changes."""
    sent = struck(fixes, **{fault: 1.0})
    late_s = (sent.at_us - sent.rows.time_us) / SECOND
    assert same(sent.rows, fixes)
    assert late_s.min() >= min_s
    assert late_s.max() <= max_s
    assert (np.diff(sent.at_us[:ROWS]) < 0).any()


def test_zero(fixes: Fixes) -> None:
    sent = struck(fixes, zero=1.0)
    assert same(sent.rows, fixes, but=("lat_udeg", "lon_udeg", "flags"))
    assert (sent.rows.lat_udeg == 0).all()
    assert (sent.rows.lon_udeg == 0).all()
    assert (sent.rows.flags & FixFlag.NO_POSITION != 0).all()


def test_jump(fixes: Fixes) -> None:
    sent = struck(fixes, jump=1.0)
    away = distance_m(fixes.lat_udeg, fixes.lon_udeg, sent.rows.lat_udeg, sent.rows.lon_udeg)
    assert same(sent.rows, fixes, but=("lat_udeg", "lon_udeg"))
    assert away.min() >= 399
    assert away.max() <= 4005


def test_wrong_datum(fixes: Fixes) -> None:
    """The unit sends GCJ-02; taken back, it is where it was."""
    sent = struck(fixes, wrong_datum_share=1.0)
    away = distance_m(fixes.lat_udeg, fixes.lon_udeg, sent.rows.lat_udeg, sent.rows.lon_udeg)
    assert away.min() > 300
    assert away.max() < 700
    lat, lon = gcj02_to_wgs84(sent.rows.lat_udeg * 1e-6, sent.rows.lon_udeg * 1e-6)
    assert distance_m(fixes.lat_udeg, fixes.lon_udeg, lat * 1e6, lon * 1e6).max() < 0.3
    assert same(sent.rows, fixes, but=("lat_udeg", "lon_udeg"))


def test_frozen(fixes: Fixes) -> None:
    """While it is frozen the position stays where it was and everything else goes on; it thaws again."""
    span = (START_US, START_US + ROWS * SECOND)
    spoiler = Faults(3, FaultPlan(frozen_per_hour=40.0), TRUCKS, span)
    halves = [
        fixes.take(fixes.time_us < START_US + 300 * SECOND),
        fixes.take(fixes.time_us >= START_US + 300 * SECOND),
    ]
    sent = Fixes.concat([spoiler.apply(half, half.time_us).rows for half in halves])
    sent = sent.take(np.lexsort((sent.time_us, sent.vehicle_id)))
    which = spoiler.frozen.which(sent.vehicle_id, sent.time_us)
    assert len(spoiler.frozen) > 3
    for stretch in range(len(spoiler.frozen)):
        assert len(set(sent.lon_udeg[which == stretch].tolist())) == 1
        assert (which == stretch).sum() >= 19
    assert same(sent.take(which < 0), fixes.take(which < 0))
    assert same(sent, fixes, but=("lat_udeg", "lon_udeg"))


def test_clock_step(fixes: Fixes) -> None:
    """For a while the unit's clock is wrong by 90 to 900 s either way, always by the same."""
    span = (START_US, START_US + ROWS * SECOND)
    spoiler = Faults(4, FaultPlan(clock_step_per_hour=20.0), TRUCKS, span)
    sent = spoiler.apply(fixes, fixes.time_us)
    which = spoiler.clock_steps.which(fixes.vehicle_id, fixes.time_us)
    wrong_us = sent.rows.time_us - fixes.time_us
    assert len(spoiler.clock_steps) > 3
    assert (wrong_us[which < 0] == 0).all()
    for stretch in range(len(spoiler.clock_steps)):
        (wrong,) = set(wrong_us[which == stretch].tolist())
        assert 90 * SECOND <= abs(wrong) <= 900 * SECOND
    assert same(sent.rows, fixes, but=("time_us",))


def test_displaced(fixes: Fixes) -> None:
    """For some fixes to a minute the receiver is 100 to 3,000 m away, always by the same way."""
    span = (START_US, START_US + ROWS * SECOND)
    spoiler = Faults(6, FaultPlan(displaced_per_hour=20.0), TRUCKS, span)
    sent = spoiler.apply(fixes, fixes.time_us).rows
    which = spoiler.units.displaced.which(fixes.vehicle_id, fixes.time_us)
    away_m = distance_m(fixes.lat_udeg, fixes.lon_udeg, sent.lat_udeg, sent.lon_udeg)
    assert len(spoiler.units.displaced) > 3
    assert away_m[which < 0].max() == 0
    for stretch in range(len(spoiler.units.displaced)):
        (north,) = set((sent.lat_udeg - fixes.lat_udeg)[which == stretch].tolist())
        assert 99 <= away_m[which == stretch].min() <= away_m[which == stretch].max() <= 3003, north
    assert same(sent, fixes, but=("lat_udeg", "lon_udeg"))


def test_clock_weeks(fixes: Fixes) -> None:
    """For a while the unit's clock is one to four whole weeks behind."""
    span = (START_US, START_US + ROWS * SECOND)
    spoiler = Faults(7, FaultPlan(clock_weeks_per_hour=20.0), TRUCKS, span)
    sent = spoiler.apply(fixes, fixes.time_us).rows
    which = spoiler.units.clock_weeks.which(fixes.vehicle_id, fixes.time_us)
    behind_weeks = (fixes.time_us - sent.time_us) / (7 * 86_400 * SECOND)
    assert set(behind_weeks[which < 0].tolist()) == {0.0}
    assert set(behind_weeks[which >= 0].tolist()) <= {1.0, 2.0, 3.0, 4.0}
    assert (which >= 0).sum() > 100
    assert same(sent, fixes, but=("time_us",))


def test_lagging(fixes: Fixes) -> None:
    """The speed told is that of 2 to 5 s before, across windows too."""
    rising = replace(fixes, speed_dkmh=(np.tile(np.arange(ROWS), TRUCKS)).astype(np.int16))
    spoiler = Faults(1, FaultPlan(lagging_share=1.0), TRUCKS, (START_US, START_US + ROWS * SECOND))
    late = rising.time_us >= START_US + 300 * SECOND
    for half in (rising.take(~late), rising.take(late)):
        sent = spoiler.apply(half, half.time_us).rows
        lag = half.speed_dkmh - sent.speed_dkmh
        for truck in range(TRUCKS):
            own = lag[half.vehicle_id == truck]
            if half.time_us[0] > START_US:
                assert set(own.tolist()) == {int(np.ceil(spoiler.units.lag_s[truck]))}
        assert same(sent, half, but=("speed_dkmh",))


def test_scaled(fixes: Fixes) -> None:
    """The speed is 0.75 to 1.3 times what it should be, throughout; what is not known stays so."""
    some = replace(fixes, speed_dkmh=np.where(fixes.time_us % 7 == 0, -1, 360).astype(np.int16))
    sent = struck(some, scaled_share=1.0)
    known = some.speed_dkmh >= 0
    assert set(sent.rows.speed_dkmh[known].tolist()) <= {270, 306, 414, 468}
    assert (sent.rows.speed_dkmh[~known] == -1).all()
    assert same(sent.rows, some, but=("speed_dkmh",))


def test_dense(fixes: Fixes) -> None:
    """For some seconds a thousand fixes a second, on the way from each to the next."""
    spoiler = Faults(8, FaultPlan(dense_per_hour=12.0), TRUCKS, (START_US, START_US + ROWS * SECOND))
    sent = spoiler.apply(fixes, fixes.time_us)
    dense = spoiler.units.dense.which(fixes.vehicle_id, fixes.time_us) >= 0
    assert 10 <= dense.sum() <= 200
    assert len(sent) == (~dense).sum() + 1000 * dense.sum()
    order = np.lexsort((sent.rows.time_us, sent.rows.vehicle_id))
    own, sent = sent.rows.take(order), sent.take(order)
    assert same(own.take(own.time_us % SECOND == 0), fixes)
    near = np.diff(own.time_us) == 1000
    step_m = distance_m(own.lat_udeg[:-1], own.lon_udeg[:-1], own.lat_udeg[1:], own.lon_udeg[1:])
    assert near.sum() >= 999 * dense.sum()
    assert step_m[near].max() < 0.3
    assert ((sent.at_us - sent.rows.time_us) < SECOND).all()


def test_silent_exit() -> None:
    """Of no way out of the operating area is anything told, from before it to after it; the truth stays."""
    plan = scenario.build("broken", 3, 20, 3600, START_US, faults=FaultPlan(silent_exit_share=1.0))
    sound = scenario.build("broken", 3, 20, 3600, START_US, faults=faults.NONE)
    out = [row for row in plan.truth if row["kind"] == "permitted"]
    assert plan.truth == sound.truth
    assert len(sound.silent_exits) == 0
    assert len(plan.silent_exits) == len(out) > 0
    numbers = {t.code: t.number for t in plan.trucks}
    for row in out:
        assert plan.silent_exits.meets(numbers[row["vehicle"]], row["started_us"] - SECOND, row["started_us"])
    rows = [row for row in fault_rows(plan) if row["kind"] == "silent_exit"]
    assert len(rows) == len(out)


def test_silence_keeps_nothing(fixes: Fixes) -> None:
    silent = Intervals.of([(1, START_US + 100 * SECOND, START_US + 200 * SECOND)])
    spoiler = Faults(1, FaultPlan(), TRUCKS, (START_US, START_US + ROWS * SECOND), silent=silent)
    assert len(spoiler.apply(fixes, fixes.time_us)) == len(fixes) - 100


def test_outage_with_back_fill(fixes: Fixes) -> None:
    """What was measured meanwhile follows afterwards on `history`, complete, in arrays."""
    planned = Intervals.of([(1, START_US + 100 * SECOND, START_US + 400 * SECOND)])
    sent = struck(fixes, planned)
    kept = sent.take(sent.channel == HISTORY)
    assert len(sent) == len(fixes)
    assert set(kept.rows.vehicle_id.tolist()) == {1}
    assert kept.rows.time_us.tolist() == [START_US + s * SECOND for s in range(100, 400)]
    assert kept.at_us.min() >= START_US + 402 * SECOND
    assert np.unique(kept.at_us, return_counts=True)[1].tolist() == [200, 100]


def test_outage_without_back_fill(fixes: Fixes) -> None:
    span = (START_US, START_US + ROWS * SECOND)
    spoiler = Faults(5, FaultPlan(outage_per_hour=12.0, backfill_share=0.0), TRUCKS, span)
    sent = spoiler.apply(fixes, fixes.time_us)
    out = spoiler.outages.which(fixes.vehicle_id, fixes.time_us) >= 0
    assert out.sum() > 100
    assert same(sent.rows, fixes.take(~out))


class Everyone:
    """A directory of trucks `t0`, `t1`, ... of one company."""

    def find(self, company: str, vehicle: str, /) -> int:
        assert company == "co"
        return int(vehicle[1:])


def crew(plan: Plan) -> list[Truck]:
    one = plan.trucks[0]
    return [Truck(n, f"t{n}", "", "co", one.kind, one.driver, 0, 0.0) for n in range(TRUCKS)]


def published(sends: Sends[Fixes], plan: Plan) -> list[Published]:
    encoder = messages.Encoder(crew(plan))
    return [Published(m.topic, m.payload) for m in encoder.fixes(sends, np.random.default_rng(1))]


def test_corrupt(fixes: Fixes, rush: Plan) -> None:
    """Nothing that is corrupt can be read, and a reader survives it."""
    sent = published(struck(fixes, corrupt=1.0), rush)
    decoded = decode(sent, Everyone())
    assert len(sent) == len(fixes)
    assert len(decoded.fixes) == 0
    assert len(decoded.rejects) == len(fixes)


def test_what_is_not_corrupt_is_read_as_it_was(fixes: Fixes, rush: Plan) -> None:
    planned = Intervals.of([(1, START_US + 100 * SECOND, START_US + 400 * SECOND)])
    sent = published(struck(fixes, planned), rush)
    decoded = decode(sent, Everyone())
    order = np.lexsort((decoded.fixes.time_us, decoded.fixes.vehicle_id))
    assert same(decoded.fixes.take(order), fixes)
    assert sum(m.topic.endswith(Kind.HISTORY) for m in sent) == 2


def test_every_named_probability_has_a_test() -> None:
    names = {f.name for f in fields(FaultPlan)}
    assert names == {
        "loss", "duplicate", "delay", "disorder", "zero", "jump", "corrupt", "outage_per_hour",
        "backfill_share", "frozen_per_hour", "clock_step_per_hour", "wrong_datum_share",
        "displaced_per_hour", "clock_weeks_per_hour", "lagging_share", "scaled_share", "dense_per_hour",
        "silent_exit_share",
    }  # fmt: skip


def test_same_seed_same_faults(fixes: Fixes) -> None:
    chances = {"loss": 0.1, "delay": 0.1, "jump": 0.1, "outage_per_hour": 6.0}
    first, second = struck(fixes, **chances), struck(fixes, **chances)
    assert same(first.rows, second.rows)
    assert np.array_equal(first.at_us, second.at_us)


def test_storm_loses_nothing_that_it_does_not_lose() -> None:
    """With loss, corruption and outages off, every fix of the storm comes through, if late."""
    quiet = FaultPlan(duplicate=0.0, delay=0.1, disorder=0.2, outage_per_hour=4.0)
    plan = scenario.build("storm", 7, 5, 900, START_US, faults=quiet)
    expected = sum(len(step.states) for step in plan.steps())
    numbers = {t.code: t.number for t in plan.trucks}

    class Known:
        def find(self, _company: str, vehicle: str, /) -> int:
            return numbers[vehicle]

    sent = [Published(m.topic, m.payload) for batch in plan.messages() for m in batch]
    decoded = decode(sent, Known())
    assert decoded.rejects == []
    assert len(decoded.fixes) == expected


def test_planned_outages_win_over_drawn_ones() -> None:
    span = (START_US, START_US + 3600 * SECOND)
    drawn = Intervals.draw(np.random.default_rng(1), TRUCKS, span, 30.0, (60.0, 120.0))
    planned = Intervals.of([(1, START_US + 500 * SECOND, START_US + 900 * SECOND)])
    both = drawn.joined(planned)
    assert both.planned.sum() == 1
    own = both.truck == 1
    assert (both.start_us[own][1:] > both.end_us[own][:-1]).all()
    assert FaultPlan() == faults.NONE
