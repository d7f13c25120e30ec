"""Horizon 120 s, ahead 60 s, clock at 1,000 s; and how much of one vehicle is judged at once."""

from __future__ import annotations

import numpy as np
import pytest

from alerts.live.timeliness import Timeliness, classify, crowded

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


def judged_at_once(*batch: tuple[int, list[float]]) -> dict[int, list[float]]:
    """Seconds of the fixes that are judged, of vehicles and the seconds of theirs."""
    vehicle = np.concatenate([np.full(len(times), number) for number, times in batch])
    time_us = np.array([round(at * S) for _, times in batch for at in times])
    shuffled = np.random.default_rng(1).permutation(len(vehicle))
    kept = shuffled[~crowded(vehicle[shuffled], time_us[shuffled])]
    return {
        number: sorted((time_us[kept[vehicle[kept] == number]] / S).tolist())
        for number in set(vehicle.tolist())
    }


def seconds(count: int, every_s: float = 1.0) -> list[float]:
    return [1000 + n * every_s for n in range(count)]


@pytest.mark.parametrize(
    ("sent", "judged"),
    [
        pytest.param(seconds(1), seconds(1), id="one"),
        pytest.param(seconds(95), seconds(95), id="what a unit kept for 95 s in a tunnel"),
        pytest.param(seconds(20, 0.001), seconds(20, 0.001), id="few, however close together"),
        pytest.param(seconds(2000), seconds(2000)[-128:], id="of very many the newest"),
        pytest.param(seconds(100, 0.05), seconds(100, 0.05), id="20 Hz"),
        pytest.param(seconds(100, 0.025), seconds(100, 0.025)[1::2], id="40 Hz: every second one"),
        pytest.param(seconds(20_000, 0.001), seconds(20_000, 0.001)[-1::-50][:128][::-1], id="1 kHz"),
    ],
)
def test_of_one_vehicle_no_more_is_judged_at_once_than_says_something(
    sent: list[float], judged: list[float]
) -> None:
    """Nobody else's fix is left out for it."""
    others = {2: seconds(3), 3: seconds(1)}
    assert judged_at_once((1, sent), *others.items()) == {1: judged} | others
