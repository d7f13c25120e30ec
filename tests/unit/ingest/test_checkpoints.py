"""A reporting vehicle is saved once a minute, and no moment has to save them all."""

from __future__ import annotations

import numpy as np

from alerts.live.live_state import LiveState
from ingest.pipeline.checkpoints import Checkpoints

NOON_US = 1_763_784_000_000_000
SECOND_US = 1_000_000


def a_city(vehicles: int) -> tuple[LiveState, np.ndarray]:
    state, ids = LiveState(), np.arange(1, vehicles + 1, dtype=np.int32)
    state.slots(ids)
    return state, ids


def test_each_vehicle_is_saved_once_a_minute() -> None:
    state, ids = a_city(600)
    checkpoints = Checkpoints()
    assert len(checkpoints.due(state, ids, NOON_US)) == 600  # nothing is known of any
    saved = np.zeros(600, int)
    for second in range(1, 181):
        saved[checkpoints.due(state, ids, NOON_US + second * SECOND_US)] += 1
    assert saved.tolist() == [3] * 600


def test_no_second_saves_many_more_than_its_share() -> None:
    state, ids = a_city(6_000)
    checkpoints = Checkpoints()
    checkpoints.due(state, ids, NOON_US)
    saved = [len(checkpoints.due(state, ids, NOON_US + s * SECOND_US)) for s in range(1, 121)]
    assert max(saved) <= 102  # 6,000 in 60 s are 100


def test_a_vehicle_that_begins_a_segment_is_saved_at_once() -> None:
    state, ids = a_city(3)
    checkpoints = Checkpoints()
    checkpoints.due(state, ids, NOON_US)
    state["motion"]["segment_us"][state.slots(ids)[1]] = NOON_US
    assert checkpoints.due(state, ids, NOON_US).tolist() == state.slots(ids)[1:2].tolist()


def test_who_does_not_report_is_not_saved() -> None:
    state, ids = a_city(3)
    checkpoints = Checkpoints()
    assert len(checkpoints.due(state, ids[:1], NOON_US)) == 1
    assert len(checkpoints.due(state, ids[:0], NOON_US)) == 0
