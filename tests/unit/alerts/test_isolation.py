"""A rule that throws is isolated, marked and counted; the others, and the positions, go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.engine import engine
from alerts.engine.rule_table import RULES
from alerts.engine.state import EngineState
from alerts.words.transitions import OF_ARRIVAL, Rule
from tests.unit.alerts.tracks import context, track

if TYPE_CHECKING:
    import pytest


def broken(*_: object) -> None:
    raise ZeroDivisionError("plate 浙F00001")  # what an error says may be personal data


def test_the_engine_goes_on_without_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "speeding", RULES["speeding"]._replace(advance=broken))
    state, drive = EngineState(), track("0..20:80")
    judgement = engine.advance(state, drive, context(60))
    assert len(judgement.transitions) == 0
    assert len(judgement.segments) == 1
    assert state.watermark_us(drive.vehicle_id[:1])[0] == drive.time_us[-1]
    assert state.faults.counts == {"speeding": 21}
    assert engine.unjudged(state) == {Rule.SPEEDING}
    assert "ZeroDivisionError" in state.faults.last["speeding"]
    assert "浙" not in state.faults.last["speeding"]


def test_a_tick_goes_on_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "speeding", RULES["speeding"]._replace(tick=broken))
    state = EngineState()
    engine.tick(state, 0, context(60))
    assert state.faults.rules == {"speeding"}


def test_every_rule_is_judged_by_one_part_of_the_engine() -> None:
    """So that what a failed part would have said is never taken for "nothing there"."""
    judged = [rule for rules in engine.JUDGED_BY.values() for rule in rules]
    assert sorted(judged) == sorted(Rule)
    besides = {"conflict", *(rule.name.lower() for rule in OF_ARRIVAL)}
    assert engine.JUDGED_BY.keys() == RULES.keys() | besides
