"""What goes on says how long it has lasted so far."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from alerts.words.lasting import so_far
from fleet.units import to_us

#: Ten minutes after it began.
NOW_US = to_us(datetime(2026, 3, 2, 0, 10, tzinfo=UTC))


@pytest.mark.parametrize(
    ("rule", "ended_at", "peak", "limit", "shown"),
    [
        ("forbidden", None, 1.0, 0, 600.0),
        ("left_permitted", None, 1.0, 0, 600.0),
        ("dwell", None, 5400.0, 5400, 6000.0),
        ("offline", None, 610.0, 600, 610.0),  # never less than was told
        ("forbidden", "2026-03-02T00:00:20+00:00", 20.0, 0, 20.0),
        ("speeding", None, 91.0, 60, 91.0),
        ("fatigue", None, 14400.0, 14400, 14400.0),  # time at the wheel is another time
    ],
)
def test_peak_so_far(rule: str, ended_at: str | None, peak: float, limit: float, shown: float) -> None:
    alert: dict[str, Any] = {"rule": rule, "ended_at": ended_at, "peak": peak, "limit": limit}
    alert["started_at"] = "2026-03-02T00:00:00+00:00"
    assert so_far(alert, NOW_US) == alert | {"peak": shown}
