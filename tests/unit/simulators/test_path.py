from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators import path

STEP = st.floats(60, 500)
BEARING = st.floats(-100, 100)


@st.composite
def corners(draw: st.DrawFn) -> np.ndarray:
    """Corners of a way that turns by at most 100 degrees at each."""
    many = draw(st.integers(2, 8))
    heading = np.cumsum([draw(BEARING) for _ in range(many)])
    length = np.array([draw(STEP) for _ in range(many)])
    steps = length[:, None] * np.stack([np.sin(np.deg2rad(heading)), np.cos(np.deg2rad(heading))], axis=1)
    return np.vstack([[0.0, 0.0], np.cumsum(steps, axis=0)])


@given(corners())
def test_distance_along_is_distance_travelled(corner_m: np.ndarray) -> None:
    """A path's own distance is the length of the line that it draws, without a jump or a kink."""
    made = path.through(corner_m, np.full(len(corner_m), 15.0))
    along = np.linspace(0, made.length_m, 40_001)
    x, y, heading = made.at(along)
    moved = np.hypot(np.diff(x), np.diff(y))
    assert moved.sum() == pytest.approx(made.length_m, rel=1e-5)
    assert moved.max() <= np.diff(along).max() * (1 + 1e-6)
    drawn = np.arctan2(np.diff(x), np.diff(y))
    # The heading may jump by a full turn between pieces, which is no turn at all.
    assert np.cos(drawn - heading[:-1]).min() > 0.999


@given(corners())
def test_begins_and_ends_at_the_ends(corner_m: np.ndarray) -> None:
    made = path.through(corner_m, np.full(len(corner_m), 15.0))
    x, y, _ = made.at(np.array([0.0, made.length_m]))
    assert np.allclose(np.stack([x, y], axis=1), corner_m[[0, -1]], atol=1e-6)


def test_a_right_angle_to_the_right() -> None:
    """North for 100 m, then east for 100 m, on an arc of 20 m: 80 + 31.4 + 80 m."""
    made = path.through(np.array([[0.0, 0.0], [0.0, 100.0], [100.0, 100.0]]), np.full(3, 20.0))
    assert made.length_m == pytest.approx(80 + 20 * np.pi / 2 + 80)
    assert np.rad2deg(made.turned_rad()) == pytest.approx([0, 90, 0])
    x, y, heading = made.at(np.array([80 + 20 * np.pi / 4]))
    apex = 20 * (1 - np.sqrt(0.5))
    assert (x[0], y[0], np.rad2deg(heading[0])) == pytest.approx((apex, 100 - apex, 45))


def test_a_short_street_makes_a_narrow_turn() -> None:
    made = path.through(np.array([[0.0, 0.0], [0.0, 20.0], [20.0, 20.0]]), np.full(3, 50.0))
    assert 1 / made.curvature_per_m[1] == pytest.approx(0.45 * 20)
