"""A unit that says 0 while its positions move: nobody escapes by it, and somebody is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from alerts.engine import engine
from alerts.engine.state import EngineState
from alerts.episodes.episodes import collect
from alerts.live.replay import fold, settled
from alerts.words.transitions import Judgement, Rule
from tests.unit.alerts.tracks import context, seconds, track

if TYPE_CHECKING:
    from fleet.columns import Fixes

JUDGE = context(limit_kmh=80)


def reporting(text: str, *told: tuple[int, int, float | None]) -> Fixes:
    """A drive with the true speeds of `text`, of which the unit tells others in [from, until) seconds.

    None: it tells no speed there.
    """
    fixes = track(text)
    at_s = (fixes.time_us - fixes.time_us[0]) / 1e6
    dkmh = fixes.speed_dkmh.copy()
    for begin, end, kmh in told:
        dkmh[(at_s >= begin) & (at_s < end)] = -1 if kmh is None else round(kmh * 10)
    return replace(fixes, speed_dkmh=dkmh)


def found(judgement: Judgement, rule: Rule = Rule.SPEED_DISAGREES) -> list[tuple[float | None, str | None]]:
    """(how long since the first wrong speed until the last, how it ended) of each."""
    episodes = collect(judgement.transitions, JUDGE.rulebooks)
    spans = [(seconds(e.started_us), seconds(e.ended_us), e.ended_as) for e in episodes if e.rule == rule]
    return [(None if end is None else round(end - (start or 0)), how) for start, end, how in spans]


@pytest.mark.parametrize(
    ("fixes", "expected"),
    [
        pytest.param(reporting("0..300:50"), [], id="both agree"),
        pytest.param(reporting("0..300:50", (20, 60, 0.0)), [], id="wrong for half a minute"),
        pytest.param(
            reporting("0..300:50", (20, 180, 0.0)), [(149, "closed")], id="for two and a half, then right"
        ),
        pytest.param(reporting("0..300:50", (20, 400, 0.0)), [(270, "lost")], id="to the end"),
        pytest.param(
            reporting("0..100:50 101..160:0 161..260:50", (20, 400, 0.0)),
            [(230, "lost")],
            id="a light, where both say 0, is no agreement",
        ),
        pytest.param(reporting("0..300:50", (0, 400, None)), [], id="who tells no speed says nothing false"),
        pytest.param(reporting("0..300:50", (20, 400, 58.0)), [], id="a speedometer that is 16 % off"),
    ],
)
def test_when_somebody_is_told(fixes: Fixes, expected: list[tuple[float, str]]) -> None:
    told = found(settled(fixes, JUDGE))
    assert [how for _, how in told] == [how for _, how in expected]
    for (lasted, _), (wanted, _) in zip(told, expected, strict=True):
        assert lasted == pytest.approx(wanted, abs=4)


def test_the_positions_rule_over_a_unit_that_says_it_stands() -> None:
    """110 km/h at a reported 0: speeding by the positions, and the unit is named beside it."""
    judgement = settled(reporting("0..30:50 31..200:110", (0, 400, 0.0)), JUDGE)
    assert len(found(judgement, Rule.SPEEDING)) == 1
    (wrong,) = [e for e in collect(judgement.transitions, JUDGE.rulebooks) if e.rule == Rule.SPEED_DISAGREES]
    assert wrong.peak == pytest.approx(110, abs=1)
    assert wrong.measures["reported_kmh"] == 0
    assert wrong.measures["positions_kmh"] == pytest.approx(110, abs=1)


@pytest.mark.parametrize("cut", range(10, 290, 40))
def test_any_cut_and_a_checkpoint_say_the_same(cut: int) -> None:
    fixes = reporting("0..300:50", (20, 180, 0.0))
    _, whole = fold(fixes, JUDGE)
    first, second = EngineState(), EngineState()
    told = engine.advance(first, fixes.take(slice(0, cut)), JUDGE)
    second.unpack(np.array([1], np.int32), [first.pack(0)])
    rest = engine.advance(second, fixes.take(slice(cut, None)), JUDGE)
    assert found(Judgement.join([told, rest])) == found(whole)
    assert len(found(whole)) == 1
