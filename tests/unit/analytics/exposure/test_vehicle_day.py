"""A vehicle's day, also of one that was never heard."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from alerts.words.turns import Turns
from analytics.exposure.cells import labels
from analytics.exposure.trips import trips
from analytics.exposure.vehicle_day import Measured, VehicleDay, bounds_us, close
from fleet.units import MICROSECONDS
from tests.unit.analytics.exposure.drives import START_US, fixes, measured, straight
from tests.unit.analytics.exposure.test_turn_counts import turns

if TYPE_CHECKING:
    from fleet.columns import Fixes

DAY = date(2026, 8, 22)
DAY_S = 86_400


def closed(
    drive: Fixes, vehicles: tuple[int, ...] = (1,), day: date = DAY, own: Turns | None = None
) -> list[VehicleDay]:
    record, steps = measured(drive)
    found = Turns.empty() if own is None else own
    of = Measured(record, steps, labels(record), trips(steps, record), found, np.zeros(len(found), np.bool_))
    return close(day, vehicles, of, fine_s=3.0)[0]


def test_a_day_is_a_civil_day() -> None:
    assert bounds_us(DAY) == (START_US - 10 * 3600 * MICROSECONDS, START_US + 14 * 3600 * MICROSECONDS)


def test_what_was_driven_and_how_well_it_was_seen() -> None:
    """A kilometre, 600 s of silence that lead 3 km on, a kilometre."""
    at_s = np.r_[0:101, 700:801].astype(float)
    (found,) = closed(
        fixes(
            at_s,
            at_s * 10 - np.where(at_s > 200, 3000, 0),
            odometer_hm=np.r_[at_s[:101], at_s[101:] - 300] // 10,
        )
    )
    assert (found.fixes, found.trips, found.online, found.driven) == (202, 1, True, True)
    assert found.distance_mm / 1e6 == pytest.approx(2.0, abs=0.01)
    assert found.unseen_mm / 1e6 == pytest.approx(3.0, abs=0.01)
    assert found.driven_us == 200 * MICROSECONDS
    assert found.coverage == 200 / 800
    assert found.evaluable_share == pytest.approx(0.4, abs=0.002)
    assert found.driven_us + found.stood_us + found.silent_us == DAY_S * MICROSECONDS
    assert found.odometer is not None
    assert found.odometer.odometer_mm == 2_000_000


def test_a_vehicle_that_was_never_heard_has_a_day_of_silence() -> None:
    heard, silent = closed(straight(1000), (1, 2))
    assert heard.online
    assert (silent.online, silent.driven, silent.silent_us) == (False, False, DAY_S * MICROSECONDS)
    assert (silent.coverage, silent.evaluable_share, silent.odometer) == (None, None, None)


def test_two_days_share_the_drive_over_midnight() -> None:
    """100 s round midnight, 40 of them before: each day has its part, and the trip is that of the first."""
    drive = straight(1000, from_s=14 * 3600 - 40)
    (first,), (second,) = closed(drive), closed(drive, day=date(2026, 8, 23))
    assert (first.driven_us, second.driven_us) == (40 * MICROSECONDS, 60 * MICROSECONDS)
    assert first.distance_mm / 1e6 == pytest.approx(0.4, abs=0.002)
    assert first.distance_mm + second.distance_mm == closed_way_mm(drive)
    assert (first.trips, second.trips) == (1, 0)


def closed_way_mm(drive: Fixes) -> int:
    return int(measured(drive)[1].distance_mm.sum())


def test_turns_are_those_entered_on_the_day() -> None:
    own = turns({}, {}, {"vehicle_id": 2})
    own.entered_us[:] = [START_US, START_US + DAY_S * MICROSECONDS, START_US]
    (found,) = closed(straight(1000), own=own)
    assert (found.turns.turns, found.turns.evaluable) == (1, 1)
