"""Trips: what ends one, and what does not."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.exposure.trips import Trips, trips
from fleet.columns import Fixes
from tests.unit.analytics.exposure.drives import EAST_M, LON_UDEG, START_US, fixes, measured


def of(*legs: str) -> Trips:
    """Follow a vehicle every second: `drive 60` and `stand 60` seconds, `silent 600 3000` s and m."""
    at_s, east = [0.0], [0.0]
    for leg in legs:
        what, *numbers = leg.split()
        seconds = float(numbers[0])
        if what == "silent":
            at_s.append(at_s[-1] + seconds)
            east.append(east[-1] + float(numbers[1]))
            continue
        steps = np.arange(1, seconds + 1)
        at_s += (at_s[-1] + steps).tolist()
        east += (east[-1] + steps * (10 if what == "drive" else 0)).tolist()
    record, steps_ = measured(fixes(at_s, east))
    return trips(steps_, record)


@pytest.mark.parametrize(
    ("legs", "kilometres"),
    [
        (["stand 600"], []),
        (["drive 100"], [1.0]),
        # A red light is part of a trip, five minutes are not.
        (["drive 100", "stand 120", "drive 50"], [1.5]),
        (["drive 100", "stand 299", "drive 50"], [1.5]),
        (["drive 100", "stand 301", "drive 50"], [1.0, 0.5]),
        # A silence at one place is a stand; one that leads on is not.
        (["drive 100", "silent 600 0", "drive 50"], [1.0, 0.5]),
        (["drive 100", "silent 600 3000", "drive 50"], [1.5]),
    ],
)
def test_what_ends_a_trip(legs: list[str], kilometres: list[float]) -> None:
    assert (of(*legs).distance_mm / 1e6).round(2).tolist() == kilometres


def test_a_trip_says_where_it_led_and_what_followed() -> None:
    found = of("stand 60", "drive 100", "stand 400", "drive 50", "stand 60")
    assert ((found.started_us - START_US) / 1e6).tolist() == pytest.approx([60, 560], abs=2)
    assert ((found.ended_us - START_US) / 1e6).tolist() == pytest.approx([160, 610], abs=2)
    to_m = (found.to_lon_udeg - LON_UDEG) * EAST_M
    assert to_m.tolist() == pytest.approx([1000, 1500], abs=5)
    assert (found.driven_us / 1e6).tolist() == pytest.approx([100, 50], abs=3)
    # The last one may go on: nobody has seen it stand for five minutes.
    assert found.stood_us[0] / 1e6 == pytest.approx(400, abs=3)
    assert found.stood_us[1] == -1


def test_a_trip_through_a_silence_is_not_known_whole() -> None:
    assert (of("drive 100", "silent 600 3000", "drive 50").unseen_mm / 1e6).round(2).tolist() == [3.0]


def test_nobody_drives_no_trip() -> None:
    record, steps = measured(Fixes.empty())
    assert len(trips(steps, record)) == 0
