"""The join of cameras and right turns: reports become detections, and belong to turns, which are armed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.episodes.episodes import collect
from alerts.live import replay
from alerts.rules.camera import blind_spot, camera_clock, conflicts
from alerts.rules.camera.blind_spot import Outcome
from alerts.rules.camera.conflicts import Sights
from alerts.words.transitions import SegmentStarts
from alerts.words.turns import Seen, Stop
from fleet.columns import CameraEvents, Fixes, HealthReports, Side
from fleet.units import MICROSECONDS
from tests.unit.alerts.sights import camera, health, rules, turns, us
from tests.unit.alerts.turn_tracks import UDEG_PER_M, context, driven, seconds, way

if TYPE_CHECKING:
    import random

    from alerts.words.transitions import Judgement
    from alerts.words.turns import Turns

DAY_S = 86_400


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ("10 start a, 12 end a", [(10, 12)]),
        ("12 end a, 10 start a", [(10, 12)]),
        ("10 single a", [(10, 10)]),
        ("10 single a, 11 single a, 12 single a", [(10, 12)]),  # repeated while somebody is there
        ("10 single a, 10 single b", [(10, 10), (10, 10)]),
        ("10 start a", [(10, 10)]),
        ("10 end a", [(10, 10)]),  # its start was lost: somebody was there all the same
        ("10 start a, 11 start a, 14 end a", [(10, 14)]),  # a repeated start
        ("10 start a, 12 end a, 15 end a", [(10, 12)]),  # a repeated end
        ("10 start a, 12 end a, 13 start a, 14 end a", [(10, 12), (13, 14)]),  # the id used again
        ("10 start a, 70 end a", [(10, 70)]),
        ("10 start a, 71 end a", [(10, 10), (71, 71)]),  # too far apart to be one
        ("", []),
    ],
)
def test_reports_of_one_id_are_one_detection(reports: str, expected: list[tuple[float, float]]) -> None:
    seen = blind_spot.detections(camera(reports), rules())
    found = zip(seen.first_us.tolist(), seen.last_us.tolist(), strict=True)
    assert sorted((seconds(first), seconds(last)) for first, last in found) == expected


@pytest.mark.parametrize(
    ("reports", "outcome"),
    [
        ("96.9 single a", Outcome.CLEAR),  # the turn is [100, 105), the window [97, 107]
        ("97 single a", Outcome.CONFLICT),
        ("102 single a", Outcome.CONFLICT),
        ("107 single a", Outcome.CONFLICT),
        ("107.1 single a", Outcome.CLEAR),
        ("80 start a, 97 end a", Outcome.CONFLICT),
        ("80 start a, 96 end a", Outcome.CLEAR),
        ("106 start a, 130 end a", Outcome.CONFLICT),
        ("90 start a, 120 end a", Outcome.CONFLICT),  # there all the time
        ("102 end a", Outcome.CONFLICT),
    ],
)
def test_a_detection_belongs_to_the_turn_whose_window_it_touches(reports: str, outcome: Outcome) -> None:
    found = judged(turns((100, 105)), camera(reports), health("0 ok"))
    assert found.turns.armed.tolist() == [Seen.YES]
    assert blind_spot.outcome(True, int(found.turns.conflicts[0])) == outcome
    assert len(collect(found.transitions, context().rulebooks)) == (outcome == Outcome.CONFLICT)


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ("102 single a, 103 single b", [2, 0]),  # two seen in one turn
        ("107 single a", [0, 1]),  # in the windows of both: [97, 107] and [105, 114]; nearer to the second
        ("105.5 single a", [1, 0]),
        ("106.5 single a", [1, 0]),  # as near to both: the earlier
        ("101 single a, 110 single b", [1, 1]),
        ("104 start a, 109 end a", [1, 0]),  # in both: the earlier
    ],
)
def test_of_two_turns_a_detection_belongs_to_the_nearer(reports: str, expected: list[int]) -> None:
    found = judged(turns((100, 105), (108, 112)), camera(reports), health("0 ok"))
    assert found.turns.conflicts.tolist() == expected


def test_another_vehicle_and_another_side_have_no_part_in_it() -> None:
    seen = CameraEvents.concat([camera("102 single a", vehicle_id=2), camera("102 single b", side=Side.LEFT)])
    found = judged(turns((100, 105)), seen, health("0 ok"))
    assert found.turns.conflicts.tolist() == [0]


@pytest.mark.parametrize(
    ("reports", "states", "outcome"),
    [
        ("", "", Outcome.NOT_ARMED),
        ("", "0 ok", Outcome.CLEAR),
        ("", "0 unknown", Outcome.NOT_ARMED),
        ("", "0 ok, 50 unknown", Outcome.CLEAR),
        ("", f"{100 - DAY_S} ok", Outcome.CLEAR),
        ("", f"{99.9 - DAY_S} ok", Outcome.NOT_ARMED),  # a day ago, and a bit
        ("", "0 ok, 50 covered", Outcome.NOT_ARMED),
        ("", "0 ok, 50 no_signal", Outcome.NOT_ARMED),
        ("", "0 ok, 50 storage", Outcome.NOT_ARMED),
        ("", "0 covered, 50 ok", Outcome.CLEAR),
        ("60 single a", "50 covered", Outcome.CLEAR),  # it sees: it works
        ("40 single a", "50 covered", Outcome.NOT_ARMED),
        ("50 single a", "50 covered", Outcome.NOT_ARMED),  # of two at one time, the fault counts
        (f"{101 - DAY_S} single a", "", Outcome.CLEAR),
        ("", "107 ok", Outcome.CLEAR),  # up to the end of the window
        ("", "108 ok", Outcome.NOT_ARMED),
        ("102 single a", "101 covered", Outcome.CONFLICT),
        ("102 single a", "103 covered", Outcome.CONFLICT),  # whoever saw somebody was armed
    ],
)
def test_who_is_armed(reports: str, states: str, outcome: Outcome) -> None:
    found = judged(turns((100, 105)), camera(reports), health(states)).turns
    assert blind_spot.outcome(found.armed[0] == Seen.YES, int(found.conflicts[0])) == outcome


@pytest.mark.parametrize(
    ("figures", "severity"),
    [
        ({}, 3),
        ({"max_kmh": 25.0}, 4),
        ({"max_kmh": 25.0, "radius_m": 60.0}, 3),  # a bend
        ({"stop": Stop.NOT_STOPPED}, 4),
        ({"stop": Stop.SLOW}, 3),
        ({"stop": Stop.STOPPED}, 3),
    ],
)
def test_a_conflict_is_critical_while_too_fast_or_without_stop(
    figures: dict[str, object], severity: int
) -> None:
    found = judged(turns((100, 105), **figures), camera("101 start a, 103 end a"), health("0 ok"))
    (episode,) = collect(found.transitions, context().rulebooks)
    assert (episode.rule_name, episode.severity, episode.ended_as) == ("conflict", severity, "closed")
    assert (seconds(episode.started_us), seconds(episode.ended_us or 0)) == (101, 103)
    assert episode.measures["detections"] == 1
    assert episode.measures["target"] == "pedestrian"


# ---------------------------------------------------------------- clocks


#: 200 m north at 20 km/h, a right turn, 200 m east: 5 m of it about each 0.9 s.
DRIVE = driven(way(200, 90, 200))


@pytest.mark.parametrize(
    ("ahead_s", "reports", "conflict"),
    [
        (0, 3, True),
        (8, 3, True),
        (-9, 3, True),
        (59, 3, True),
        (62, 3, False),  # absurd: not believed
        (130, 3, False),  # nowhere near
        (8, 2, False),  # two are too few to say that the clock is wrong
    ],
)
def test_the_clock_of_a_camera_is_compared_with_where_it_says_it_was(
    ahead_s: float, reports: int, conflict: bool
) -> None:
    """Two passers-by on the way, and somebody in the turn; the camera's clock is its own."""
    turn = judge_drive(DRIVE).turns
    in_turn_s = seconds(int(turn.entered_us[0])) + 1
    times = [10.0, in_turn_s, 60.0][-reports:] if reports < 3 else [10.0, in_turn_s, 60.0]
    events = at_places(times, ahead_s)
    found = judge_drive(DRIVE, events, health("0 ok"))
    assert found.turns.conflicts.tolist() == [int(conflict)]
    believed = abs(ahead_s) < 60
    if conflict:
        (episode,) = [e for e in collect(found.transitions, context().rulebooks) if e.rule_name == "conflict"]
        assert seconds(episode.started_us) == pytest.approx(in_turn_s, abs=0.7)
    # What nobody can believe is no proof that nobody was there.
    assert found.turns.armed.tolist() == [Seen.YES if believed else Seen.NO]


def test_a_place_where_the_vehicle_stands_tells_no_time() -> None:
    standing = driven(way(100), stops=[(50.0, 60.0)])
    track = camera_clock.Track(standing.time_us, standing.lat_udeg, standing.lon_udeg)
    north_udeg = round(50 * UDEG_PER_M)
    assert camera_clock.passed_us(track, north_udeg, 120_000_000, 15) is None
    passed = camera_clock.passed_us(track, round(25 * UDEG_PER_M), 120_000_000, 15)
    assert passed == pytest.approx(us(4.5), abs=0.1 * MICROSECONDS)


@pytest.mark.parametrize(
    ("ahead_s", "outcomes"), [(0, (1, 2, 0)), (8, (1, 2, 0)), (62, (0, 0, 3)), (130, (0, 0, 3))]
)
def test_what_became_of_each_detection_is_counted(ahead_s: float, outcomes: tuple[int, int, int]) -> None:
    """Joined, without a turn, not believed."""
    starts = SegmentStarts.build(vehicle_id=[1], started_us=[us(0)])
    sights = Sights(at_places([10.0, 37.0, 60.0], ahead_s), health("0 ok"))
    found = conflicts.settled(judge_drive(DRIVE).turns, DRIVE, sights, starts, context()).outcomes
    assert found == dict(zip(conflicts.OUTCOMES, outcomes, strict=True))


def test_what_cameras_report_of_no_turn_is_no_conflict() -> None:
    found = judge_drive(driven(way(400)), camera("20 start a, 22 end a"), health("0 ok"))
    assert len(found.turns) == len(found.transitions) == 0


# ---------------------------------------------------------------- order


SPAN = st.tuples(st.integers(0, 100), st.integers(1, 8)).map(
    lambda s: (float(s[0] * 4), float(s[0] * 4 + s[1]))
)
REPORT = st.tuples(
    st.integers(1, 2),
    st.integers(0, 420),
    st.sampled_from(["start", "end", "single"]),
    st.sampled_from("abc"),
)
STATE = st.tuples(st.integers(1, 2), st.integers(-90_000, 420), st.sampled_from(["ok", "covered", "unknown"]))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(SPAN, max_size=8, unique_by=lambda span: span[0]),
    st.lists(REPORT, max_size=12, unique_by=lambda report: (report[0], report[1], report[3])),
    st.lists(STATE, max_size=6, unique_by=lambda state: state[:2]),
    st.randoms(use_true_random=False),
)
def test_the_order_of_arrival_does_not_matter(
    spans: list[tuple[float, float]],
    reports: list[tuple[int, int, str, str]],
    states: list[tuple[int, int, str]],
    dice: random.Random,
) -> None:
    def sights() -> Sights:
        dice.shuffle(reports)
        dice.shuffle(states)
        seen = [camera(f"{at} {mark} {name}", vehicle_id=v) for v, at, mark, name in reports]
        told = [health(f"{at} {state}", vehicle_id=v) for v, at, state in states]
        return Sights(CameraEvents.concat(seen), HealthReports.concat(told))

    driven_turns = turns(*sorted(spans))
    first, second = (judged(driven_turns, one.camera, one.health) for one in (sights(), sights()))
    for name in ("armed", "conflicts"):
        assert getattr(first.turns, name).tolist() == getattr(second.turns, name).tolist()
    books = context().rulebooks
    assert collect(first.transitions, books) == collect(second.transitions, books)
    belongs = blind_spot.join(driven_turns, blind_spot.detections(sights().camera, rules()), rules())
    assert first.turns.conflicts.sum() == (belongs >= 0).sum()


def judged(found: Turns, seen: CameraEvents, told: HealthReports) -> Judgement:
    starts = SegmentStarts.build(vehicle_id=[1], started_us=[us(0)])
    return conflicts.settled(found, Fixes.empty(), Sights(seen, told), starts, context()).judgement


def judge_drive(
    fixes: Fixes, seen: CameraEvents | None = None, told: HealthReports | None = None
) -> Judgement:
    sights = Sights(seen or CameraEvents.empty(), told or HealthReports.empty())
    return replay.settled(fixes, context(), sights)


def at_places(times_s: list[float], ahead_s: float) -> CameraEvents:
    """Somebody seen at each of these times, reported with the place and by a clock that is so far ahead."""
    lat, lon = (
        [round(float(np.interp(us(at), DRIVE.time_us, along))) for at in times_s]
        for along in (DRIVE.lat_udeg, DRIVE.lon_udeg)
    )
    text = ", ".join(f"{at + ahead_s} single {name}" for name, at in zip("abcdef", times_s, strict=False))
    made = camera(text)
    return replace(made, lat_udeg=np.array(lat, np.int32), lon_udeg=np.array(lon, np.int32))
