"""Where segments begin, and what is believed of a fix."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alerts.engine import engine
from alerts.engine.state import EngineState
from alerts.live import replay
from fleet.columns import FixFlag
from tests.unit.alerts.tracks import context, seconds, track

DAY_S = 86_400


@pytest.mark.parametrize(
    ("drive", "starts"),
    [
        ("0..10:50 11..20:0 21..30:50", [0]),  # a traffic light
        # rest of 20 minutes, counted from the first fix at rest
        ("0:50 10:0 600:0 1209:0 1209.5:50", [0]),
        ("0:50 10:0 600:0 1209:0 1210:50", [0, 1210]),
        ("0:0 600:0 1199:0 1200:50", [0, 1200]),
        # creeping under 5 km/h is rest
        ("0:50 10:4.9 600:4.9 1211:50", [0, 1211]),
        # silence: an hour of it, then the first motion, not the first fix
        ("0:50 3599:50", [0]),
        ("0:50 3600:50", [0, 3600]),
        ("0:50 3600:0 3799:0 3800:50", [0, 3800]),
        # 30 silent minutes on the road are not rest
        ("0:50 1800:50", [0]),
        # an unknown speed is neither rest nor motion
        ("0:50 10:? 600:? 1500:50", [0]),
        # a parked vehicle is cut at a day
        (f"0:0 3000:0 {DAY_S - 1}:0 {DAY_S}:0 {DAY_S + 60}:0", [0, DAY_S]),
    ],
)
def test_segments(drive: str, starts: list[float]) -> None:
    _state, judgement = replay.fold(track(drive), context())
    assert [seconds(start) for start in judgement.segments.started_us.tolist()] == starts


def test_derived_noise_of_a_parked_truck_is_not_motion() -> None:
    """Three metres of jitter a second: up to 15 km/h over the chord, and under 10 m of it."""
    rng = np.random.default_rng(1)
    fixes = track(" ".join(f"{s}:0" for s in range(3000)), reports_speed=False)
    jitter = rng.integers(-27, 28, len(fixes))  # micro-degrees: 3 m
    fixes = replace(fixes, lat_udeg=fixes.lat_udeg + jitter.astype(np.int32))
    state, judgement = replay.fold(fixes, context())
    assert len(judgement.segments) == 1
    assert state["motion"]["motion_us"][0] == -1


def test_the_usual_interval_is_learned_and_stretches_the_gap() -> None:
    """A unit that reports every 60 s is lost after three intervals, not after two minutes."""
    state = EngineState()
    engine.advance(state, track(" ".join(f"{60 * n}:50" for n in range(30))), context())
    assert state["motion"]["usual_s"][0] == pytest.approx(60)


def test_a_fix_without_position_moves_only_the_watermark() -> None:
    fixes = track("0..3:50")
    fixes = replace(fixes, flags=np.array([0, 0, 0, FixFlag.NO_POSITION], np.int16))
    state = EngineState()
    engine.advance(state, fixes, context())
    memory = state["motion"][0]
    assert (seconds(memory["watermark_us"]), seconds(memory["position_us"])) == (3, 2)
