from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from simulators import truck

CAPS = hnp.arrays(float, st.integers(12, 200), elements=st.floats(1.5, 30))
ACCELERATIONS = st.floats(0.3, 2.0)


@given(CAPS, ACCELERATIONS, ACCELERATIONS, st.floats(0.5, 5))
def test_speed_integrates_to_distance(
    cap_mps: np.ndarray, accelerate: float, brake: float, cell_m: float
) -> None:
    """Between any two moments the distance is the integral of the speed, and time never stands still."""
    end = np.array([len(cap_mps)])
    motion = truck.drive(cell_m, cap_mps, end, np.array([5.0]), accelerate=accelerate, brake=brake)
    time = np.linspace(0, motion.duration_s, 5_001)
    distance, speed, _ = motion.at(time)
    integral = np.concatenate([[0], np.cumsum((speed[1:] + speed[:-1]) / 2 * np.diff(time))])
    # The trapezium errs by a·dt²/8 where the acceleration changes within a step.
    slack = 2 * max(accelerate, brake) * (time[1] - time[0]) ** 2 * len(cap_mps) / 8
    assert np.abs(integral - distance).max() <= slack + 1e-6
    assert distance[-1] == pytest.approx(cell_m * len(cap_mps))
    assert (np.diff(motion.time_s) > 0).all()


@given(CAPS, ACCELERATIONS, ACCELERATIONS)
def test_stays_below_every_cap_and_within_its_strength(
    cap_mps: np.ndarray, accelerate: float, brake: float
) -> None:
    end = np.array([len(cap_mps)])
    motion = truck.drive(2.0, cap_mps, end, np.array([0.0]), accelerate=accelerate, brake=brake)
    moves = np.diff(motion.time_s)
    slope = np.diff(motion.speed_mps)[moves > 0] / moves[moves > 0]
    assert slope.max() <= accelerate * (1 + 1e-6)
    assert slope.min() >= -brake * (1 + 1e-6)
    time = np.linspace(0, motion.duration_s, 2_000)
    distance, speed, _ = motion.at(time)
    cell = np.clip(((distance - 1e-6) // 2.0).astype(int), 0, len(cap_mps) - 1)
    assert (speed <= cap_mps[cell] + 1e-6).all()


def test_stands_where_and_as_long_as_it_is_told() -> None:
    """104 m at 10 m/s with a stop of 20 s in the middle."""
    motion = truck.drive(
        2.0, np.full(52, 10.0), np.array([26, 52]), np.array([20.0, 60.0]), accelerate=1.0, brake=1.0
    )
    # Each half: 26 m of gathering speed to √52 m/s, 26 m of braking: 2·√52 s.
    half_s = 2 * np.sqrt(52)
    distance, speed, _ = motion.at(np.array([half_s + 1, half_s + 19, half_s + 21]))
    assert distance[:2] == pytest.approx([52, 52])
    assert speed == pytest.approx([0, 0, 1])
    assert motion.duration_s == pytest.approx(2 * half_s + 20 + 60)
    assert motion.when_at(60.0) == pytest.approx(half_s + 20 + np.sqrt(16))
