"""Horizon 120 s, ahead 60 s, clock at 1,000 s."""

from __future__ import annotations

import numpy as np
import pytest

from alerts.timeliness import Timeliness, classify

S = 1_000_000


@pytest.mark.parametrize(
    ("time_s", "watermark_s", "expected"),
    [
        (1000, 999, Timeliness.LIVE),
        (999, 999, Timeliness.LATE),
        (998, 999, Timeliness.LATE),
        (880, -1, Timeliness.LIVE),
        (879, -1, Timeliness.HISTORY),
        (879, 999, Timeliness.HISTORY),
        (1060, 999, Timeliness.LIVE),
        (1061, 999, Timeliness.AHEAD),
        (1061, 1100, Timeliness.AHEAD),
    ],
)
def test_timeliness(time_s: int, watermark_s: int, expected: Timeliness) -> None:
    times, marks = np.array([time_s * S]), np.array([watermark_s * S])
    assert classify(times, marks, 1000 * S, horizon_s=120, ahead_s=60).tolist() == [expected]
