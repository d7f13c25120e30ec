"""Right turns on drawn drives: what is one, when, how it is seen, and what is dangerous about it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.engine import engine
from alerts.engine.state import EngineState
from alerts.episodes.turn_records import Turn, collect
from alerts.in_force.watch import Watch
from alerts.live import replay
from alerts.rulebook import documents
from alerts.rules.right_turn.right_turn import PARAMETERS, stop_class
from alerts.words.turns import Reason, Stop, Turns
from fleet.columns import Fixes, FixFlag
from fleet.fences.passes import Passes
from fleet.fences.versions import Fences
from fleet.kinds import FenceKind
from fleet.units import MICROSECONDS
from tests.unit.alerts.tracks import context as rules_with
from tests.unit.alerts.turn_tracks import (
    START_US,
    Way,
    context,
    dangers,
    driven,
    figures,
    judged,
    seconds,
    turns,
    wandering,
    way,
)
from tests.unit.fleet.fences.shapes import fence, rectangle

if TYPE_CHECKING:
    from alerts.words.transitions import Judgement

LOADED = FixFlag.LOAD_KNOWN | FixFlag.LOADED
RIGHT = way(150, 90, 150)


def rows(fixes: Fixes, watch: Watch | None = None) -> list[Turn]:
    return collect(judged(fixes, watch).turns, context().rulebooks)


def only(fixes: Fixes, watch: Watch | None = None) -> Turn:
    (turn,) = rows(fixes, watch)
    return turn


@pytest.mark.parametrize("speed_kmh", [8, 10, 20, 40])
@pytest.mark.parametrize(
    ("line", "angles"),
    [
        pytest.param(way(150, 90, 150), [90], id="right angle"),
        pytest.param(way(150, 60, 150), [60], id="right, blunt"),
        pytest.param(way(150, 90, 150, radius_m=20), [90], id="right, wide"),
        pytest.param(way(20, 90, 100), [90], id="right out of a gate"),
        pytest.param(way(100, 90, 30), [90], id="right, and soon the record ends"),
        pytest.param(way(150, 90, 60, 90, 150), [90, 90], id="right twice"),
        pytest.param(way(150, 90, 60, -90, 150), [90], id="right, then left"),
        pytest.param(way(150, -90, 150), [], id="left"),
        pytest.param(way(150, 180, 150, radius_m=8), [], id="back"),
        pytest.param(way(150, -270, 150), [], id="a loop to the left"),
        pytest.param(way(150, 30, 150), [], id="a bend"),
        pytest.param(way(150, 90, 150, radius_m=150), [], id="a long curve"),
        pytest.param(way(800), [], id="straight on"),
    ],
)
def test_turns_from_positions_alone(line: Way, angles: list[float], speed_kmh: float) -> None:
    found = turns(driven(line, speed_kmh))
    assert [turn.turned_deg for turn in found] == pytest.approx(angles, abs=6 if speed_kmh > 8 else 13)


@pytest.mark.parametrize(("speed_kmh", "read_deg"), [(8, 97), (10, 127), (20, 130), (40, 130)])
def test_at_walking_pace_a_sharp_turn_is_told_before_it_is_read_in_full(
    speed_kmh: float, read_deg: float
) -> None:
    """Five seconds are 11 m at 8 km/h: the line behind the turn is still short then."""
    (turn,) = turns(driven(way(150, 130, 150), speed_kmh))
    assert turn.turned_deg == pytest.approx(read_deg, abs=4)


@pytest.mark.parametrize("speed_kmh", [8, 15, 30])
@pytest.mark.parametrize("seed", range(4))
def test_a_straight_road_is_no_turn_however_positions_scatter(speed_kmh: float, seed: int) -> None:
    assert turns(driven(way(2000), speed_kmh, noise_m=0.7, seed=seed)) == []


@pytest.mark.parametrize("reports", [False, True])
@pytest.mark.parametrize("speed_kmh", [8, 15, 25])
def test_a_turn_is_where_the_arc_is(speed_kmh: float, reports: bool) -> None:
    turn = only(driven(way(150, 90, 150, radius_m=14), speed_kmh, reports=reports))
    mps = speed_kmh / 3.6
    assert seconds(turn.entered_us) == pytest.approx(150 / mps, abs=1)
    assert seconds(turn.exited_us) == pytest.approx((150 + 14 * np.pi / 2) / mps, abs=1.5)
    assert (turn.path_m, turn.radius_m) == (pytest.approx(22, abs=3), pytest.approx(14, abs=2))
    # Speeds that the unit does not tell are those of chords, which cut corners.
    speeds = [turn.entry_kmh, turn.min_kmh, turn.max_kmh]
    assert speeds == pytest.approx([speed_kmh] * 3, rel=0.02 if reports else 0.15)
    assert turn.lateral_g == pytest.approx(mps**2 / 14 / 9.81, rel=0.2)
    assert (turn.evaluable, turn.confidence > 0.8) == (True, True)
    # 150 m north of the start, and 4 m east of that line.
    assert (turn.lat_udeg, turn.lon_udeg - 120_000_000) == (
        pytest.approx(1435, abs=30),
        pytest.approx(40, abs=30),
    )


@pytest.mark.parametrize("every_s", [0.2, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("speed_kmh", [8, 12, 20, 35])
def test_a_turn_is_decided_within_five_seconds_of_its_end(speed_kmh: float, every_s: float) -> None:
    (delay_s,) = delays_s(judged(driven(RIGHT, speed_kmh, every_s=every_s)))
    assert delay_s <= 5


def delays_s(judgement: Judgement) -> list[float]:
    """How long after its end each turn was decided."""
    return ((judgement.turns.at_us - judgement.turns.exited_us) / MICROSECONDS).tolist()


@pytest.mark.parametrize(
    ("line", "entered_deg"),
    [(RIGHT, 0), (way(150, -45, 150, 90, 150), 315), (way(150, -90, 150, 90, 150), 270)],
)
def test_a_turn_tells_from_where_it_was_entered(line: Way, entered_deg: int) -> None:
    course_deg = only(driven(line, 15)).entry_course_deg
    assert course_deg is not None
    assert abs((course_deg - entered_deg + 180) % 360 - 180) <= 3


@pytest.mark.parametrize("where_m", [157, 163], ids=["half through", "at the end of the arc"])
def test_who_stops_in_a_turn_turns_once(where_m: float) -> None:
    turn = only(driven(RIGHT, 15, stops=[(where_m, 40)], reports=True))
    assert turn.course_change_deg == pytest.approx(90, abs=6)
    assert seconds(turn.exited_us) == pytest.approx((150 + 12 * np.pi / 2) / (15 / 3.6) + 40, abs=4)
    assert turn.min_kmh == 0


def test_who_stands_before_a_turn_enters_it_when_he_moves_on() -> None:
    """A red light is no part of the turn."""
    turn = only(driven(RIGHT, 15, stops=[(149, 60)], reports=True))
    assert seconds(turn.entered_us) == pytest.approx(150 / (15 / 3.6) + 60, abs=2)
    assert (turn.approach_kmh, turn.approach_stood_s) == (0, pytest.approx(60, abs=2))


@pytest.mark.parametrize("beyond_m", [20, 30])
def test_who_stops_behind_a_turn_is_not_waited_for(beyond_m: float) -> None:
    arc_m = 12 * np.pi / 2
    fixes = driven(RIGHT, 15, stops=[(150 + arc_m + beyond_m, 300)], reports=True)
    (delay_s,) = delays_s(judged(fixes))
    assert delay_s <= 5


def test_a_tick_decides_what_no_fix_decides() -> None:
    """The unit falls silent behind the turn. What a tick has decided, the next fix does not decide again."""
    fixes = driven(RIGHT, 20)
    arc_end_us = START_US + round((150 + 12 * np.pi / 2) / (20 / 3.6) * MICROSECONDS)
    heard, later = (
        fixes.take(fixes.time_us < arc_end_us + 3_200_000),
        fixes.take(fixes.time_us > arc_end_us + 12_000_000),
    )
    state = EngineState()
    assert len(engine.advance(state, heard, context()).turns) == 0
    assert len(engine.tick(state, arc_end_us + 3 * MICROSECONDS, context()).turns) == 0
    ticked = engine.tick(state, arc_end_us + 5 * MICROSECONDS, context())
    assert len(ticked.turns) == 1
    assert len(engine.advance(state, later, context()).turns) == 0
    # Without the tick, the next fix decides the same.
    state = EngineState()
    engine.advance(state, heard, context())
    assert figures(engine.advance(state, later, context())) == figures(ticked)


@pytest.mark.parametrize(
    ("every_s", "reason"), [(1, None), (2, None), (3, None), (4, "coarse"), (5, "coarse"), (10, "coarse")]
)
def test_coarse_intervals_are_found_but_not_evaluable(every_s: float, reason: str | None) -> None:
    turn = only(driven(RIGHT, 18, every_s=every_s))
    assert (turn.reason, turn.evaluable) == (reason, reason is None)
    assert turn.interval_s == every_s


def test_a_gap_inside_makes_a_turn_not_evaluable() -> None:
    fixes = driven(RIGHT, 12)
    middle_us = START_US + 48 * MICROSECONDS
    turn = only(fixes.take(abs(fixes.time_us - middle_us) > 3 * MICROSECONDS))
    assert (turn.reason, turn.longest_s) == ("gap", 8)


def test_nothing_is_known_of_the_way_behind_a_long_silence() -> None:
    fixes = driven(RIGHT, 30)
    middle_us = START_US + 19 * MICROSECONDS
    assert turns(fixes.take(abs(fixes.time_us - middle_us) > 9 * MICROSECONDS)) == []


def test_the_course_of_the_unit_is_believed_where_it_agrees() -> None:
    """Chords cut the corner of 80 degrees; a course that never changes is no course."""
    line = way(150, 80, 8, -30, 60)
    alone, told = driven(line, 20), driven(line, 20, reports=True)
    stuck = replace(told, course_deg=np.zeros(len(told), np.int16))
    assert only(told).course_change_deg == pytest.approx(73, abs=3)
    assert only(alone).course_change_deg == pytest.approx(66, abs=3)
    assert only(stuck).course_change_deg == pytest.approx(66, abs=3)


@pytest.mark.parametrize("radius_m", [12, 17])
def test_a_turn_is_found_where_positions_wander(radius_m: float) -> None:
    """Among high buildings the end of a turn may seem reached in its middle: the unit's courses tell."""
    fixes = driven(way(150, 90, 150, radius_m=radius_m), 12, reports=True)
    found = [turns(wandering(fixes, 9.0, seed)) for seed in (0, 40, 44, 55, 56)]
    assert [len(one) for one in found] == [1] * 5


def test_positions_that_wander_are_no_turn_where_courses_tell() -> None:
    fixes = driven(way(600), 12, reports=True)
    assert [len(turns(wandering(fixes, 6.0, seed))) for seed in range(8)] == [0] * 8


def test_a_jump_of_positions_is_no_turn() -> None:
    fixes = driven(way(1500), 80)
    off = (np.arange(len(fixes)) == 30) * 250
    assert turns(replace(fixes, lon_udeg=(fixes.lon_udeg + off).astype(np.int32))) == []


@pytest.mark.parametrize("away_deg", [0.02, 1.0, 90.0])
def test_no_way_is_laid_to_where_positions_have_jumped(away_deg: float) -> None:
    """Points every 5 m to the other side of the earth would keep the hot path busy for minutes."""
    fixes = driven(way(1500), 80)
    off = (np.arange(len(fixes)) >= 30) * round(away_deg * 1e6)
    state = EngineState()
    engine.advance(state, replace(fixes, lon_udeg=(fixes.lon_udeg - off).astype(np.int32)), context())
    assert state["turns"]["path"]["newest"][0] < 1500 / 5


@pytest.mark.parametrize(
    ("speed_kmh", "radius_m", "flags", "expected"),
    [
        (18, 14, 0, set()),
        (23, 14, 0, {"right_turn_fast"}),
        (24, 14, LOADED, {"right_turn_fast", "right_turn_lateral"}),
        (19, 9.5, LOADED, {"right_turn_lateral"}),
        (19, 9.5, FixFlag.LOAD_KNOWN, set()),
        (30, 14, 0, {"right_turn_fast", "right_turn_lateral"}),
        (35, 45, 0, set()),
        (50, 45, 0, {"right_turn_lateral"}),
    ],
)
def test_dangers_of_a_turn(speed_kmh: float, radius_m: float, flags: int, expected: set[str]) -> None:
    """Too fast is who turns at a junction above 20 km/h; loaded trucks roll earlier than empty ones."""
    line = way(150, 90, 150, radius_m=radius_m)
    assert dangers(judged(driven(line, speed_kmh, reports=True, flags=flags))) == expected


def test_a_danger_opens_and_closes_with_the_turn() -> None:
    judgement = judged(driven(RIGHT, 24, reports=True))
    (turn,) = collect(judgement.turns, context().rulebooks)
    told = judgement.transitions
    assert told.started_us.tolist() == [turn.entered_us] * len(told)
    assert set(told.ended_us.tolist()) == {-1, turn.exited_us}
    assert told.measures[0]["radius_m"] == turn.radius_m


def test_what_was_not_seen_well_is_no_danger() -> None:
    assert dangers(judged(driven(RIGHT, 30, every_s=5, reports=True))) == set()


def test_the_indicator_and_the_load_are_remembered() -> None:
    on = FixFlag.RIGHT_INDICATOR_KNOWN | FixFlag.RIGHT_INDICATOR_ON
    told = [
        (turn.indicator, turn.loaded)
        for flags in (0, FixFlag.RIGHT_INDICATOR_KNOWN, on | FixFlag.LOAD_KNOWN, LOADED)
        for turn in rows(driven(RIGHT, flags=int(flags)))
    ]
    assert told == [(None, None), (False, None), (True, False), (None, True)]


def watch(kind: FenceKind) -> Watch:
    """One fence around the corner of `RIGHT`."""
    return Watch(Fences([fence(7, rectangle(-30, 120, 30, 180), kind)]), Passes())


def test_a_turn_inside_a_site_is_none_of_the_street() -> None:
    assert rows(driven(RIGHT), watch(FenceKind.SITE)) == []
    assert len(rows(driven(RIGHT), watch(FenceKind.DISTRICT))) == 1


@pytest.mark.parametrize(
    ("speed_kmh", "stops", "every_s", "stop"),
    [
        (15, [(140, 4)], 1, "stopped"),
        (15, [(135, 30)], 1, "stopped"),
        (9, [], 1, "slow"),
        (15, [], 1, "not_stopped"),
        (15, [(60, 30)], 1, "not_stopped"),
        (15, [], 5, "not_evaluable"),
    ],
)
def test_the_stop_before_a_must_stop_junction(
    speed_kmh: float, stops: list[tuple[float, float]], every_s: float, stop: str
) -> None:
    fixes = driven(RIGHT, speed_kmh, stops=stops, every_s=every_s, reports=True)
    turn = only(fixes, watch(FenceKind.MUST_STOP))
    assert (turn.stop, turn.junction_id) == (stop, 7)
    told = dangers(judged(fixes, watch(FenceKind.MUST_STOP)))
    assert ("right_turn_no_stop" in told) == (stop == "not_stopped")
    assert only(fixes).stop is None


@pytest.mark.parametrize(
    ("known_m", "stops", "stop"),
    [
        (25, [], "not_evaluable"),
        (25, [(135, 4)], "stopped"),
        (35, [], "not_stopped"),
    ],
)
def test_of_a_way_that_is_known_in_part_no_missing_stop_is_told(
    known_m: float, stops: list[tuple[float, float]], stop: str
) -> None:
    """The record begins between the place where one stops and the junction, or before."""
    fixes = driven(RIGHT, 15, stops=stops, reports=True)
    fixes = fixes.take(fixes.time_us >= START_US + (150 - known_m) / (15 / 3.6) * MICROSECONDS)
    assert only(fixes, watch(FenceKind.MUST_STOP)).stop == stop
    told = dangers(judged(fixes, watch(FenceKind.MUST_STOP)))
    assert ("right_turn_no_stop" in told) == (stop == "not_stopped")


@pytest.mark.parametrize(("since_s", "stop"), [(35.5, "not_stopped"), (36.5, None)])
def test_a_junction_counts_from_its_date_on(since_s: float, stop: str | None) -> None:
    """The turn is entered 36 s into the drive."""
    since_us = START_US + round(since_s * MICROSECONDS)
    junction = fence(7, rectangle(-30, 120, 30, 180), FenceKind.MUST_STOP, since_us=since_us)
    fixes = driven(RIGHT, 15, reports=True)
    told = Watch(Fences([junction]), Passes())
    assert only(fixes, told).stop == stop
    assert ("right_turn_no_stop" in dangers(judged(fixes, told))) == (stop is not None)


@pytest.mark.parametrize(("speed_kmh", "found"), [(25, 1), (20, 1), (8, 0)])
def test_who_takes_longer_than_the_rulebook_allows_winds_along_and_does_not_turn(
    speed_kmh: float, found: int
) -> None:
    """The arc is 19 m: 2.7 s at 25 km/h, 3.4 at 20, 8.5 at 8, of which the rulebook gives 5."""
    drive = driven(RIGHT, speed_kmh, reports=True)
    assert len(replay.settled(drive, rules_with(within_s=5)).turns) == found
    assert len(replay.settled(drive, rules_with(within_s=25)).turns) == 1


def test_when_a_turn_is_told() -> None:
    """At 20 km/h the arc is driven from 27.0 to 30.4 s: the row says so, and is there at 33 s or before."""
    judgement = judged(driven(RIGHT, 20))
    (turn,) = collect(judgement.turns, context().rulebooks)
    assert seconds(turn.entered_us) == pytest.approx(27.0, abs=0.5)
    assert seconds(turn.exited_us) == pytest.approx(30.4, abs=0.5)
    assert seconds(int(judgement.turns.at_us[0])) in {33.0, 34.0}


@pytest.mark.parametrize("every_s", [1.0, 2.0])
@pytest.mark.parametrize("speed_kmh", [8, 10, 15, 20, 30])
def test_a_turn_is_told_soon_after_the_arc_was_driven(speed_kmh: float, every_s: float) -> None:
    """Five seconds and one more fix after the true end of the arc, however the end is measured."""
    judgement = judged(driven(RIGHT, speed_kmh, every_s=every_s, reports=True))
    end_s = (150 + 12 * np.pi / 2) / (speed_kmh / 3.6)
    assert seconds(int(judgement.turns.at_us[0])) - end_s <= 5 + every_s


lines = st.lists(
    st.tuples(st.integers(20, 120), st.sampled_from([-120, -90, -40, 20, 45, 70, 90, 120, 170])),
    min_size=1,
    max_size=5,
).map(lambda legs: way(40, *[x for leg in legs for x in (leg[1], leg[0])]))
drives = st.builds(
    driven,
    lines,
    st.sampled_from([7, 12, 20, 45]),
    every_s=st.sampled_from([0.5, 1.0, 2.0]),
    noise_m=st.sampled_from([0.0, 0.5]),
    seed=st.integers(0, 9),
    stops=st.lists(st.tuples(st.integers(10, 60), st.integers(1, 80)), max_size=2, unique_by=lambda s: s[0]),
    reports=st.booleans(),
)


def by_name(rows: np.ndarray) -> object:
    """Rows of a memory as plain lists: what lies between its fields does not count."""
    return rows.tolist() if rows.dtype.names is None else {n: by_name(rows[n]) for n in rows.dtype.names}


@given(drive=drives, cuts=st.lists(st.integers(0, 400), max_size=4))
@settings(max_examples=40)
def test_any_cut_of_a_drive_gives_the_same_turns(drive: Fixes, cuts: list[int]) -> None:
    state, found = EngineState(), []
    bounds = [0, *sorted(min(cut, len(drive)) for cut in cuts), len(drive)]
    for start, end in pairwise(bounds):
        found += figures(engine.advance(state, drive.take(slice(start, end)), context()))
    whole, judgement = replay.fold(drive, context())
    assert found == figures(judgement)
    for memory in ("motion", "turns", "rings"):
        assert str(by_name(state[memory])) == str(by_name(whole[memory]))


@given(drive=drives, cut=st.floats(0, 1))
@settings(max_examples=25)
def test_a_checkpoint_brings_the_turn_back(drive: Fixes, cut: float) -> None:
    half = round(len(drive) * cut)
    before, after = EngineState(), EngineState()
    engine.advance(before, drive.take(slice(0, half)), context())
    if half:
        after.unpack(before.vehicle_id, [before.pack(0)])
    rest = drive.take(slice(half, None))
    assert figures(engine.advance(after, rest, context())) == figures(engine.advance(before, rest, context()))


@given(line=lines, speed_kmh=st.sampled_from([8, 15, 30]), heading_deg=st.integers(0, 359))
@settings(max_examples=25)
def test_turns_do_not_depend_on_where_and_whither(line: Way, speed_kmh: float, heading_deg: int) -> None:
    """Nor on the date line."""
    turn = np.deg2rad(heading_deg)
    x_m, y_m, course = line
    rotated = Way(
        x_m * np.cos(turn) + y_m * np.sin(turn),
        y_m * np.cos(turn) - x_m * np.sin(turn),
        (course + heading_deg) % 360,
    )
    here = turns(driven(line, speed_kmh))
    there = turns(driven(rotated, speed_kmh, lat_deg=-35.0, lon_deg=179.9999))
    clear = [found for found in here if found.turned_deg > 48]
    near = [found for found in there if any(abs(found.entered_s - other.entered_s) < 2 for other in clear)]
    assert len(near) == len(clear)


@given(
    angles=st.lists(st.sampled_from([60, 75, 90, 110]), min_size=1, max_size=4),
    speed_kmh=st.sampled_from([8, 15, 30]),
)
@settings(max_examples=25)
def test_in_a_mirror_right_is_left(angles: list[int], speed_kmh: float) -> None:
    line = way(80, *[x for angle in angles for x in (angle, 80)])
    assert len(turns(driven(line, speed_kmh))) == len(angles)
    assert turns(driven(line._replace(x_m=-line.x_m), speed_kmh)) == []


def test_vehicles_side_by_side_are_judged_like_each_alone() -> None:
    many = [
        driven(
            way(100 + 7 * n, 60 + 8 * n, 150),
            8 + 3 * n,
            vehicle_id=n,
            noise_m=0.3,
            seed=n,
            reports=n % 2 == 0,
        )
        for n in range(1, 10)
    ]
    alone = [row for fixes in many for row in figures(judged(fixes))]
    together = figures(judged(Fixes.concat(many)))
    assert sorted(map(repr, together)) == sorted(map(repr, alone))


@pytest.mark.parametrize(
    ("stood_s", "approach_kmh", "known_m", "reason", "said"),
    [
        pytest.param(2.0, 0, 25, Reason.NONE, Stop.STOPPED, id="two seconds are a stop"),
        pytest.param(1.9, 0, 25, Reason.NONE, Stop.SLOW, id="less is not quite one"),
        pytest.param(0.0, 8.0, 25, Reason.NONE, Stop.SLOW, id="8 km/h is slow"),
        pytest.param(0.0, 8.1, 25, Reason.NONE, Stop.NOT_STOPPED, id="faster has not stopped"),
        pytest.param(0.0, 8.1, 24, Reason.NONE, Stop.NOT_EVALUABLE, id="he may have stood before that"),
        pytest.param(2.0, 0, 24, Reason.NONE, Stop.STOPPED, id="but a stop that was seen is one"),
        pytest.param(2.0, 0, 25, Reason.COARSE, Stop.NOT_EVALUABLE, id="seen too seldom"),
    ],
)
def test_what_is_a_stop(
    stood_s: float, approach_kmh: float, known_m: float, reason: Reason, said: Stop
) -> None:
    """At least 2 s of standing on the 25 m before the entry; at most 8 km/h is slow."""
    numbers = documents.default().numbers["right_turn"] | {
        "stopped_s": 2,
        "slow_kmh": 8,
        "approach_m": 25,
    }
    rules = np.array([tuple(numbers[name] for name in PARAMETERS)], [(name, "f8") for name in PARAMETERS])[0]
    turn = Turns.build(
        vehicle_id=[1],
        approach_stood_s=stood_s,
        approach_kmh=approach_kmh,
        approach_known_m=known_m,
        reason=reason,
    )
    assert stop_class(turn, rules).tolist() == [said]
