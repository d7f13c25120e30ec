"""Harsh braking: −0.38 g between two fixes, confirmed by the next one."""

from __future__ import annotations

import numpy as np
import pytest

from alerts.engine import engine
from alerts.engine.state import EngineState
from alerts.episodes.episodes import collect
from alerts.in_force.context import Context
from alerts.in_force.rulebooks import Rulebooks
from alerts.live.replay import UniformFacts, fold, settled
from alerts.rulebook import documents
from alerts.rules import harsh_braking as rule
from alerts.words.transitions import Judgement, Rule
from fleet.units import MICROSECONDS
from tests.unit.alerts.tracks import seconds, track

JUDGE = Context(Rulebooks([documents.default()]), UniformFacts(limit_kmh=100))


def braked(judgement: Judgement) -> list[tuple[float | None, float | None, float, int]]:
    """(since, until, peak in g, severity) of each; seconds."""
    found = collect(judgement.transitions, JUDGE.rulebooks)
    return [
        (seconds(e.started_us), seconds(e.ended_us), round(e.peak, 2), e.severity)
        for e in found
        if e.rule == Rule.HARSH_BRAKING
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("0..5:60 6:50 7:40 8:30 9..12:30", [], id="0.28 g is firm, not harsh"),
        pytest.param("0..5:60 6:46 7..12:44", [(5, 6, 0.40, 1)], id="0.40 g for a second"),
        pytest.param("0..5:60 6:45 7:28 8:10 9:0 10..12:0", [(5, 8, 0.51, 1)], id="to a stop"),
        pytest.param("0..5:60 6:35 7..12:34", [(5, 6, 0.71, 2)], id="0.71 g is worse"),
        pytest.param("0..5:60 6:40 7..12:60", [], id="a speed that is back at once was a false report"),
        pytest.param("0..5:60 6:0 7..12:58", [], id="so was a single zero"),
        pytest.param("0..5:18 6:2 7..12:2", [], id="creeping and stopping jerks"),
        pytest.param("0..5:60 8:10 9..12:10", [], id="three seconds hide too much"),
        pytest.param("0..5:60 7:25 8..12:25", [(5, 7, 0.50, 1)], id="two seconds do not"),
        pytest.param("0..5:60 6:40 7:? 8..12:40", [], id="nobody knows how it went on"),
        pytest.param("0..5:60 6:40", [], id="and here neither"),
        pytest.param("0..5:60 6:44 7..9:44 10:28 11..12:28", [(5, 6, 0.45, 1), (9, 10, 0.45, 1)], id="twice"),
    ],
)
def test_what_is_harsh(text: str, expected: list[tuple[float, float, float, int]]) -> None:
    assert braked(settled(track(text), JUDGE)) == expected


def test_the_speed_before_and_after_is_told() -> None:
    told = settled(track("0..5:60 6:46 7..12:44"), JUDGE).transitions
    told = told.take(told.rule == Rule.HARSH_BRAKING)
    assert [dict(measures) for measures in told.measures] == [{"from_kmh": 60.0, "to_kmh": 46.0}] * 2


def test_a_speed_from_positions_says_nothing_of_braking() -> None:
    drive = track("0..5:60 6:35 7..12:34", reports_speed=False)
    assert braked(settled(drive, JUDGE)) == []


def test_more_than_two_fixes_a_second_say_no_more() -> None:
    """Speeds come in steps of 0.1 km/h and are filtered: over a tenth of a second noise is a force."""
    times = np.arange(0, 12, 0.1)
    text = " ".join(f"{at:.1f}:{60 - (at > 6) * 2:.1f}" for at in times)
    assert braked(settled(track(text), JUDGE)) == []


@pytest.mark.parametrize("cut", range(1, 13))
def test_any_cut_and_a_checkpoint_say_the_same(cut: int) -> None:
    fixes = track("0..5:60 6:45 7:28 8:10 9..12:0")
    _, whole = fold(fixes, JUDGE)
    first, second = EngineState(), EngineState()
    told = engine.advance(first, fixes.take(slice(0, cut)), JUDGE)
    second.unpack(np.array([1], np.int32), [first.pack(0)])
    rest = engine.advance(second, fixes.take(slice(cut, None)), JUDGE)
    assert braked(Judgement.join([told, rest])) == braked(whole) == [(5, 8, 0.51, 1)]


@pytest.mark.parametrize(
    ("lost_kmh", "back_kmh", "braked"),
    [
        pytest.param(18.0, 0.0, True, id="at the limit is harsh"),
        pytest.param(17.9, 0.0, False, id="just under it is not"),
        pytest.param(18.0, 9.0, True, id="half of it is back: the driver lets go"),
        pytest.param(18.0, 9.1, False, id="more is back: a false report"),
    ],
)
def test_at_the_limits_themselves(lost_kmh: float, back_kmh: float, braked: bool) -> None:
    """18 km/h in a second, 5 m/s2; half of what was lost may come back."""
    limit_g = 18.0 / 3.6 / 9.80665
    numbers = {"limit_g": limit_g, "grave_g": 1, "min_kmh": 20, "longest_s": 2, "back_share": 0.5}
    rules = np.array([tuple(numbers.values())], [(name, "f8") for name in rule.PARAMETERS])[0]
    state = rule.blank(1)
    for at_s, speed_kmh in enumerate((60.0, 60.0 - lost_kmh, 60.0 - lost_kmh + back_kmh)):
        sample = rule.Samples(
            np.array([at_s * MICROSECONDS]), np.array([speed_kmh]), np.array([False]), np.array([0], np.int32)
        )
        state, _, told = rule.step(state, sample, rules)
    assert told.tolist() == [braked]


def test_it_is_on_trial_until_a_city_says_otherwise() -> None:
    row = 0
    assert JUDGE.rulebooks.mode(row, Rule.HARSH_BRAKING) == "shadow:default-1"
    live = documents.parse(documents.DEFAULT_PATH.read_text("utf-8") + '\n[mode]\nharsh_braking = "live"\n')
    assert Rulebooks([live]).mode(row, Rule.HARSH_BRAKING) == "live"
