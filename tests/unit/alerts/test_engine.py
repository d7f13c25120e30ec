"""What the engine promises of any fold: order within a call is free, and vehicles do not touch each other."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.engine import engine
from alerts.engine.state import EngineState
from alerts.live import replay
from fleet.columns import Fixes
from tests.unit.alerts.tracks import context, judged, track
from tests.unit.alerts.turn_tracks import driven, figures, way

#: Speeding for 20 seconds; a rest of 25 minutes between two segments; a right turn.
SPEEDING = track("0..9:50 10..30:90 31..60:50", vehicle_id=1)
STANDING = " ".join(f"{at}:0" for at in range(31, 1600, 60))
RESTED = track(f"0..30:80 {STANDING} 1601..1640:80", vehicle_id=2)
TURNED = driven(way(120, 90, 120), reports=True, vehicle_id=3)
MIXED = Fixes.concat([SPEEDING, RESTED, TURNED])


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_order_within_a_call_is_free(seed: int) -> None:
    shuffled = MIXED.take(np.random.default_rng(seed).permutation(len(MIXED)))
    in_order, any_order = EngineState(), EngineState()
    expected = engine.advance(in_order, MIXED, context())
    found = engine.advance(any_order, shuffled, context())
    assert sorted(figures(found)) == sorted(figures(expected))
    assert len(expected.turns) == 1
    assert rows_of(found) == rows_of(expected)
    assert rows_of(expected)
    for vehicle in (1, 2, 3):
        packed = [s.pack(int(s.slots(np.array([vehicle], np.int32))[0])) for s in (in_order, any_order)]
        assert packed[0] == packed[1]


def rows_of(judgement: engine.Judgement) -> list[tuple[int, ...]]:
    changes = judgement.transitions
    columns = (changes.vehicle_id, changes.rule, changes.change, changes.started_us, changes.at_us)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def test_a_stored_record_may_be_read_in_any_order() -> None:
    backwards = SPEEDING.take(np.arange(len(SPEEDING))[::-1])
    assert judged(backwards, context()) == judged(SPEEDING, context())
    (episode,) = judged(SPEEDING, context())
    assert (episode.ended_us or 0) - episode.started_us == 21_000_000
    assert len(replay.settled(RESTED, context()).segments.started_us) == 2
