"""Fatigue: four hours at the wheel without a rest of twenty minutes."""

from __future__ import annotations

import numpy as np
import pytest

from alerts.engine import engine
from alerts.engine.state import EngineState
from alerts.episodes.episodes import collect
from alerts.live.replay import fold, settled
from alerts.rules import fatigue as fatigue_rule
from alerts.words.transitions import Judgement, Rule
from fleet.columns import Fixes
from fleet.units import MICROSECONDS
from tests.unit.alerts.tracks import START_US, context

MINUTE_S, STEP_S = 60, 30


def day(text: str) -> Fixes:
    """A fix each half minute: "120 drive, 15 stand, 90 silent" is minutes."""
    at_s, way, times, places = 0.0, 0, [], []
    for word in text.split(","):
        minutes, what = word.split()
        for _ in range(round(float(minutes) * MINUTE_S / STEP_S)):
            way += 4000 * (what == "drive")
            if what != "silent":
                times.append(at_s)
                places.append(way)
            at_s += STEP_S
    return Fixes.build(
        vehicle_id=[1] * len(times),
        time_us=START_US + np.rint(np.array(times) * MICROSECONDS).astype(np.int64),
        lat_udeg=20_000_000 + np.array(places),
        lon_udeg=[120_000_000] * len(times),
        speed_dkmh=np.where(np.diff(places, prepend=0) > 0, 500, 0),
    )


def fatigue(judgement: Judgement) -> list[tuple[float, float | None, str | None, int]]:
    """(start, end, how it ended, severity), minutes."""
    found = collect(judgement.transitions, context().rulebooks)
    times = [(e.started_us, e.ended_us or e.started_us) for e in found]
    minutes = [
        [round((time_us - START_US) / MICROSECONDS / MINUTE_S, 1) for time_us in both] for both in times
    ]
    return [
        (start, end, e.ended_as, e.severity)
        for e, (start, end) in zip(found, minutes, strict=True)
        if e.rule == Rule.FATIGUE
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("239 drive, 30 stand", []),
        ("250 drive, 30 stand", [(240.5, 250, "closed", 2)]),
        ("301 drive, 30 stand", [(240.5, 301, "closed", 3)]),
        ("130 drive, 25 stand, 130 drive, 30 stand", []),  # rested
        ("130 drive, 15 stand, 109 drive, 30 stand", []),  # a pause is no driving, and no rest
        ("130 drive, 15 stand, 120 drive, 30 stand", [(251, 265, "closed", 2)]),
        ("130 drive, 4 stand, 120 drive, 30 stand", [(240.5, 254, "closed", 2)]),  # a light is no pause
        ("130 drive, 10 silent, 120 drive, 30 stand", [(250.5, 260, "closed", 2)]),  # nobody knows
        ("130 drive, 61 silent, 130 drive, 30 stand", []),
        ("250 drive", [(240.5, 249.5, "lost", 2)]),
        ("250 drive, 61 silent, 10 drive", [(240.5, 249.5, "closed", 2)]),
    ],
)
def test_time_at_the_wheel(text: str, expected: list[tuple[float, float, str, int]]) -> None:
    found = fatigue(settled(day(text), context()))
    assert [row[2:] for row in found] == [row[2:] for row in expected]
    for row, wanted in zip(found, expected, strict=True):
        assert row[:2] == pytest.approx(wanted[:2], abs=6)


def test_any_cut_says_the_same() -> None:
    fixes, judge = day("130 drive, 15 stand, 130 drive, 25 stand, 10 drive"), context()
    _state, whole = fold(fixes, judge)
    state = EngineState()
    parts = [engine.advance(state, fixes.take(slice(row, row + 7)), judge) for row in range(0, len(fixes), 7)]
    assert fatigue(Judgement.join(parts)) == fatigue(whole)
    assert len(fatigue(whole)) == 1


def test_memory_survives_a_checkpoint() -> None:
    fixes, judge = day("250 drive, 30 stand"), context()
    _state, whole = fold(fixes, judge)
    first, second = EngineState(), EngineState()
    told = engine.advance(first, fixes.take(slice(0, 300)), judge)
    second.unpack(np.array([1], np.int32), [first.pack(0)])
    rest = engine.advance(second, fixes.take(slice(300, None)), judge)
    assert fatigue(Judgement.join([told, rest])) == fatigue(whole)


#: Too long from 100 s on, grave from 125 s; under 10 s is no pause, 60 s are a rest, after 30 s nobody knows.
RULES = np.array([(100, 10, 30, 1.25)], [(name, "f8") for name in fatigue_rule.PARAMETERS])[0]


def at_wheel(text: str) -> list[tuple[int, str]]:
    """(second, what is told) of a truck: "0..90/10:drive 95:stand" is a fix each 10 s, then one at 95 s."""
    state, stands_us, told = fatigue_rule.blank(1), fatigue_rule.NEVER, []
    for word in text.split():
        span, what = word.split(":")
        first, _, last = span.partition("..")
        last, _, every = last.partition("/")
        for at_s in range(int(first), int(last or first) + 1, int(every or 1)):
            if what == "drive":
                stands_us = fatigue_rule.NEVER
            elif stands_us == fatigue_rule.NEVER:
                stands_us = at_s * MICROSECONDS
            sample = fatigue_rule.Samples(
                np.array([at_s * MICROSECONDS]),
                np.array([stands_us]),
                np.array([60.0]),
                np.array([False]),
                np.array([0], np.int32),
            )
            state, _, *marks = fatigue_rule.step(state, sample, RULES)
            told += [
                (at_s, name)
                for name, mark in zip(("closed", "opened", "graver"), marks, strict=True)
                if mark[0]
            ]
    return told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("0..99/9:drive", [], id="99 s are not too long"),
        pytest.param("0..100/10:drive", [(100, "opened")], id="100 s are"),
        pytest.param("0..125/5:drive", [(100, "opened"), (125, "graver")], id="and 125 s are grave"),
        pytest.param("0..50/10:drive 51:stand 59..98/13:drive", [], id="98 s, with a light of 9 s"),
        pytest.param(
            "0..50/10:drive 51:stand 59..111/13:drive", [(111, "opened")], id="which are at the wheel"
        ),
        pytest.param("0..50/10:drive 55:stand 60..100/10:drive", [], id="10 s of standing are a pause"),
        pytest.param("0..60/10:drive 90..100/10:drive", [(100, "opened")], id="30 s of silence are known"),
        pytest.param("0..60/10:drive 91..101/10:drive", [], id="31 s are not"),
        pytest.param(
            "0..100/10:drive 101..160/59:stand 170:drive",
            [(100, "opened")],
            id="59 s of standing are no rest",
        ),
        pytest.param("0..100/10:drive 101..161/60:stand", [(100, "opened"), (161, "closed")], id="60 s are"),
    ],
)
def test_at_the_limits_themselves(text: str, expected: list[tuple[int, str]]) -> None:
    assert at_wheel(text) == expected
