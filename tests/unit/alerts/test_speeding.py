"""Speeding, limit 60 km/h: opens above 65 for 10 s, clears at or under 60 for 5 s."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.engine import engine
from alerts.engine.state import EngineState
from alerts.episodes.episodes import collect
from alerts.in_force.context import Context
from alerts.live import replay
from alerts.words.transitions import Change, Judgement, Rule
from fleet.columns import Fixes
from fleet.units import MICROSECONDS
from tests.unit.alerts.tracks import START_US, UDEG_PER_M, context, intervals, judged, seconds, track


@pytest.mark.parametrize(
    ("drive", "expected"),
    [
        # holds and clears
        ("0..9:80 10..20:50", []),  # 9 s between its first and last fast sample
        ("0..10:80 11..20:50", [(0, 11, "closed")]),
        ("0..5:50 6..16:80 17..30:50", [(6, 17, "closed")]),
        ("0..20:80 21..25:50 26..40:80 41..50:50", [(0, 41, "closed")]),  # 4 s at 50 do not clear
        ("0..20:80 21..26:50 27..40:80 41..50:50", [(0, 21, "closed"), (27, 41, "closed")]),
        # the tolerance: above the limit is not yet speeding, and does not end it
        ("0..20:65 21..30:50", []),
        ("0..20:65.1 21..30:50", [(0, 21, "closed")]),
        ("0..20:80 21..60:62 61..70:50", [(0, 61, "closed")]),
        ("0..5:80 6:62 7..14:80 15..30:50", []),  # broken by one sample that is not above the tolerance
        ("0..20:80 21..30:60", [(0, 21, "closed")]),
        # sparse samples: a spike between two plausible ones is nothing, two in a row are
        ("0:50 20:120 40:50", []),
        ("0:50 20:80 40:80 60:50 80:50", [(20, 60, "closed")]),
        ("0:80 31:80 62:80 93:80", []),  # more than 30 s apart nothing is known
        ("0:80 30:80 60:80 90:50 120:50", [(0, 90, "closed")]),
        # unknown is not fast, and not slow either
        ("0..4:80 5:? 6..10:80 11..20:50", [(0, 11, "closed")]),
        ("0..20:? 21..40:?", []),
        # silence
        ("0..20:80 200..210:50", [(0, 20, "lost")]),
        ("0..20:80 140..145:80 146..155:50", [(0, 146, "closed")]),  # 120 s are no gap
        ("0..20:80 141..150:50", [(0, 20, "lost")]),  # 121 s are
        ("0..20:80", [(0, 20, "lost")]),  # the record ends
        ("0..20:80 100..140:80 141..150:50", [(0, 141, "closed")]),  # 80 s of silence end nothing
    ],
)
def test_episodes(drive: str, expected: list[tuple[float, float, str]]) -> None:
    assert intervals(drive) == expected


def test_an_episode_carries_its_figures() -> None:
    """Peak, limit at the worst moment, mean excess and way above the limit."""
    (episode,) = judged(track("0..9:80 10..19:96 20..30:50"), context(60))
    assert (episode.peak, episode.limit, episode.limit_source, episode.severity) == (96, 60, "class", 3)
    assert episode.measures == {"mean_excess_kmh": 28.0, "above_limit_s": 20.0, "distance_m": 489}


@pytest.mark.parametrize(("speed", "severity"), [(71, 1), (72, 2), (89, 2), (90, 3), (130, 3)])
def test_severity_follows_the_classes_of_the_traffic_law(speed: int, severity: int) -> None:
    """Under 20 %, under 50 %, and more above the limit of 60."""
    (episode,) = judged(track(f"0..20:{speed}"), context(60))
    assert episode.severity == severity


@pytest.mark.parametrize(
    ("class_kmh", "fix_kmh", "limit", "source"),
    [
        (80, 50, 50, "fix"),
        (50, 80, 50, "class"),
        (60, 60, 60, "class"),
        (60, -1, 60, "class"),
        (60, 0, 60, "class"),  # no road has a limit of 0: units send it for "none"
        (-1, -1, 80, "class"),
    ],
)
def test_the_lowest_limit_rules_and_is_named(class_kmh: int, fix_kmh: int, limit: int, source: str) -> None:
    """-1: the vehicle has none of its own, so its kind's rules (80 in the default rulebook)."""
    fixes = track("0..20:120")
    fixes = replace(fixes, limit_kmh=np.full(len(fixes), fix_kmh, np.int16))
    (episode,) = judged(fixes, context(class_kmh))
    assert (episode.limit, episode.limit_source) == (limit, source)


def test_speed_is_derived_where_the_unit_sends_none() -> None:
    """Over a trailing chord of 4 s: known a little later, and right to 1 km/h."""
    found = judged(track("0..30:50 31..60:80 61..90:50", reports_speed=False), context(60))
    ((start_s, end_s),) = [(seconds(e.started_us), seconds(e.ended_us)) for e in found]
    assert (start_s, end_s) == (34, 64)
    assert found[0].peak == pytest.approx(80, abs=1)


@pytest.mark.parametrize("every_s", [1, 2, 5, 10])
def test_a_unit_that_says_zero_is_not_silent(every_s: int) -> None:
    """At 110 km/h by its positions: they rule as soon as they have contradicted it for 10 s."""
    fixes = track(" ".join(f"{at}:110" for at in range(0, 120, every_s)))
    fixes = replace(fixes, speed_dkmh=np.zeros(len(fixes), np.int16))
    (episode,) = (found for found in judged(fixes, context(80)) if found.rule == Rule.SPEEDING)
    assert (episode.peak, episode.measures["speed_source"]) == (pytest.approx(110, abs=1), "positions")
    assert seconds(episode.started_us) <= 40


def test_a_reported_speed_that_no_position_supports_is_no_speeding() -> None:
    """It shows 120 km/h for a minute while the truck drives 50: believed for the time of a doubt."""
    fixes = track("0..120:50")
    shown = fixes.speed_dkmh.copy()
    shown[30:90] = 1200
    assert judged(replace(fixes, speed_dkmh=shown), context(60)) == []
    (episode,) = judged(replace(fixes, speed_dkmh=shown), context(60, hold_s=5))
    assert (seconds(episode.started_us), seconds(episode.ended_us)) == (30, 40)


@pytest.mark.parametrize("reported_kmh", [0, 50, 78])
def test_single_noisy_positions_are_no_speeding(reported_kmh: int) -> None:
    """A position in seven is 45 m off, in any direction, at any of three rates."""
    rng = np.random.default_rng(1)
    for every_s in (1, 2, 5):
        fixes = track(" ".join(f"{at}:{reported_kmh}" for at in range(0, 900, every_s)))
        noisy = rng.random(len(fixes)) < 1 / 7
        angle = rng.uniform(0, 2 * np.pi, len(fixes))
        north, east = (np.rint(45 * UDEG_PER_M * part * noisy) for part in (np.cos(angle), np.sin(angle)))
        lat, lon = fixes.lat_udeg + north.astype(np.int32), fixes.lon_udeg + east.astype(np.int32)
        assert judged(replace(fixes, lat_udeg=lat, lon_udeg=lon), context(80)) == []


def test_a_jump_of_the_position_is_not_speed() -> None:
    """A position 300 m away for one fix: implied 1,080 km/h there and back, reported nothing."""
    fixes = track("0..60:50", reports_speed=False)
    lat = fixes.lat_udeg.copy()
    lat[30] += 2_700
    assert judged(replace(fixes, lat_udeg=lat), context(60)) == []


def test_a_frozen_position_is_not_believed() -> None:
    """A unit that shows 80 km/h and does not move is believed for 10 s, too short for an episode."""
    fixes = track("0..10:50 11..60:80 61..70:50")
    lat = fixes.lat_udeg.copy()
    lat[11:61] = lat[11]
    assert judged(replace(fixes, lat_udeg=lat), context(60)) == []
    assert len(judged(fixes, context(60))) == 1


def test_a_new_rulebook_closes_what_is_open() -> None:
    """From its first moment the new version judges afresh."""
    old = context(60).rulebooks.versions[0]
    new = replace(old, version="new", valid_from_us=START_US + 30 * MICROSECONDS)
    judge = Context(type(context(60).rulebooks)([old, new]), replay.UniformFacts(limit_kmh=60))
    found = judged(track("0..60:80 61..70:50"), judge)
    assert [(seconds(e.started_us), seconds(e.ended_us), e.ended_as, e.rulebook) for e in found] == [
        (0, 30, "rule_change", "default-1"),
        (30, 61, "closed", "new"),
    ]


drives = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 1, 1, 2, 5, 20, 40, 130, 1300, 4000]),
        st.sampled_from([0, 50, 62, 66, 80, 95, -1]),
    ),
    min_size=2,
    max_size=120,
)


def made(drive: list[tuple[int, int]], vehicle_id: int = 1) -> Fixes:
    text, at_s = [], 0
    for step_s, speed in drive:
        at_s += step_s
        text.append(f"{at_s}:{'?' if speed < 0 else speed}")
    return track(" ".join(text), vehicle_id=vehicle_id)


@given(drive=drives, cuts=st.lists(st.integers(0, 120), max_size=8))
def test_cutting_a_drive_into_batches_changes_nothing(drive: list[tuple[int, int]], cuts: list[int]) -> None:
    """The same fixes in any number of calls give the same transitions and the same memory."""
    fixes, judge = made(drive), context(60)
    whole, pieces = EngineState(), EngineState()
    expected = engine.advance(whole, fixes, judge)
    bounds = [0, *sorted(min(cut, len(fixes)) for cut in cuts), len(fixes)]
    parts = [
        engine.advance(pieces, fixes.take(slice(begin, end)), judge)
        for begin, end in itertools.pairwise(bounds)
    ]
    assert rows(Judgement.join(parts)) == rows(expected)
    assert memory(pieces) == memory(whole)


@given(many=st.lists(drives, min_size=2, max_size=5))
def test_vehicles_side_by_side_do_not_touch_each_other(many: list[list[tuple[int, int]]]) -> None:
    judge = context(60)
    together = judged(Fixes.concat([made(drive, n) for n, drive in enumerate(many, 1)]), judge)
    alone = [episode for n, drive in enumerate(many, 1) for episode in judged(made(drive, n), judge)]
    assert together == alone


@given(drive=drives)
def test_a_segment_judged_alone_is_judged_the_same(drive: list[tuple[int, int]]) -> None:
    """Folding from the beginning of any segment gives the same episodes from there on."""
    fixes, judge = made(drive), context(60)
    state, judgement = replay.fold(fixes, judge)
    episodes = collect(judgement.transitions, judge.rulebooks)
    starts = judgement.segments.started_us.tolist()
    for start_us in starts:
        tail = fixes.take(fixes.time_us >= start_us)
        again, later = replay.fold(tail, judge)
        assert later.segments.started_us.tolist() == [
            s for s in judgement.segments.started_us.tolist() if s >= start_us
        ]
        assert collect(later.transitions, judge.rulebooks) == [
            e for e in episodes if e.started_us >= start_us
        ]
        assert memory(again) == memory(state)


@given(drive=drives)
def test_a_checkpoint_brings_the_memory_back(drive: list[tuple[int, int]]) -> None:
    fixes, judge = made(drive), context(60)
    half = len(fixes) // 2
    before, after = EngineState(), EngineState()
    engine.advance(before, fixes.take(slice(0, half)), judge)
    if half:
        after.unpack(before.vehicle_id, [before.pack(0)])
    rest = fixes.take(slice(half, None))
    assert rows(engine.advance(after, rest, judge)) == rows(engine.advance(before, rest, judge))


@given(drive=drives)
def test_transitions_of_an_episode_come_in_order(drive: list[tuple[int, int]]) -> None:
    """Opened once, then perhaps updated, then ended once; never two open at a time."""
    judgement = replay.settled(made(drive), context(60))
    open_since = None
    for change, started_us in zip(
        judgement.transitions.change.tolist(), judgement.transitions.started_us.tolist(), strict=True
    ):
        if change == Change.OPENED:
            assert open_since is None
            open_since = started_us
        else:
            assert started_us == open_since
            if change != Change.UPDATED:
                open_since = None
    assert open_since is None


def memory(state: EngineState) -> str:
    """All that a state remembers, by field: bytes between fields mean nothing."""
    return repr([state["motion"].tolist(), state["speeding"].tolist()])


def rows(judgement: Judgement) -> list[tuple[object, ...]]:
    columns = [getattr(judgement.transitions, name).tolist() for name in judgement.transitions.dtypes()]
    return sorted(map(repr, zip(*columns, strict=True)))
