"""A driver on duty without a valid qualification: from the first motion of a trip to the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from alerts.engine import engine
from alerts.engine.state import EngineState
from alerts.episodes.episodes import collect
from alerts.live.replay import fold, settled
from alerts.words.transitions import Judgement, Rule
from fleet.duty import Duty, Qualification, Unqualified
from fleet.units import MICROSECONDS
from tests.unit.alerts.test_fatigue import MINUTE_S, day
from tests.unit.alerts.tracks import START_US, context

if TYPE_CHECKING:
    from alerts.in_force.context import Context


def minute_us(minute: float) -> int:
    return START_US + round(minute * MINUTE_S * MICROSECONDS)


def asked(*duties: tuple[float, int | None]) -> Context:
    """From a minute on a driver is on duty: 7 is not qualified, 8 is not either, None is nobody."""
    unqualified = Unqualified(
        [Duty(1, minute_us(at), driver) for at, driver in duties],
        [Qualification(driver, f"D{driver}", 0, None) for driver in (7, 8)],
    )
    return context()._replace(unqualified=unqualified)


def found(judgement: Judgement, judge: Context) -> list[tuple[float, float | None, object]]:
    """(start, end, driver), minutes."""
    return [
        (
            (e.started_us - START_US) / MICROSECONDS / MINUTE_S,
            None if e.ended_us is None else (e.ended_us - START_US) / MICROSECONDS / MINUTE_S,
            e.measures["driver"],
        )
        for e in collect(judgement.transitions, judge.rulebooks)
        if e.rule == Rule.UNQUALIFIED
    ]


@pytest.mark.parametrize(
    ("drive", "duties", "expected"),
    [
        ("10 drive, 30 stand", [(0, 7)], [(0, 9.5, "D7")]),
        ("10 drive, 30 stand", [(0, None)], []),
        ("10 stand", [(0, 7)], []),  # who stands does not drive
        ("10 stand, 10 drive, 30 stand", [(0, 7)], [(10, 19.5, "D7")]),
        ("10 drive, 5 stand, 10 drive, 30 stand", [(0, 7)], [(0, 24.5, "D7")]),
        ("10 drive, 30 stand, 10 drive, 30 stand", [(0, 7)], [(0, 9.5, "D7"), (40, 49.5, "D7")]),
        ("20 drive, 30 stand", [(0, None), (10, 7)], [(10, 19.5, "D7")]),
        ("20 drive, 30 stand", [(0, 7), (10, None)], [(0, 9.5, "D7")]),
        ("20 drive, 30 stand", [(0, 7), (10, 8)], [(0, 9.5, "D7"), (10, 19.5, "D8")]),
        ("10 drive", [(0, 7)], [(0, 9.5, "D7")]),
    ],
)
def test_who_may_not_drive(
    drive: str, duties: list[tuple[float, int | None]], expected: list[tuple[float, float, str]]
) -> None:
    judge = asked(*duties)
    said = found(settled(day(drive), judge), judge)
    assert [row[2] for row in said] == [row[2] for row in expected]
    for row, wanted in zip(said, expected, strict=True):
        assert row[:2] == pytest.approx(wanted[:2], abs=0.6)


def test_any_cut_and_a_checkpoint_say_the_same() -> None:
    fixes, judge = day("10 drive, 30 stand, 10 drive, 30 stand"), asked((0, 7))
    _state, whole = fold(fixes, judge)
    state, told = EngineState(), []
    for row in range(0, len(fixes), 7):
        told.append(engine.advance(state, fixes.take(slice(row, row + 7)), judge))
        packed, state = [state.pack(0)], EngineState()
        state.unpack(np.array([1], np.int32), packed)
    assert found(Judgement.join(told), judge) == found(whole, judge)
    assert len(found(whole, judge)) == 2
