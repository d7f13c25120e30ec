"""A vehicle's day, also of one that was never heard."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.exposure.cells import labels
from analytics.exposure.trips import trips
from analytics.exposure.vehicle_day import Measured, VehicleDay, bounds_us, close
from fleet.kinds import FenceKind
from fleet.units import MICROSECONDS
from tests.unit.analytics.exposure.drives import START_US, fixes, measured, straight
from tests.unit.analytics.exposure.test_cells import index, strip
from tests.unit.fleet.fences.shapes import fence

if TYPE_CHECKING:
    from fleet.columns import Fixes

DAY = date(2026, 8, 22)
DAY_S = 86_400


def closed(drive: Fixes, vehicles: tuple[int, ...] = (1,), day: date = DAY) -> list[VehicleDay]:
    record, steps = measured(drive)
    of = Measured(record, steps, labels(record), trips(steps, record))
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
    assert (found.seen.fixes, found.way.trips, found.online, found.driven) == (202, 1, True, True)
    assert found.way.distance_mm / 1e6 == pytest.approx(2.0, abs=0.01)
    assert found.seen.unseen_mm / 1e6 == pytest.approx(3.0, abs=0.01)
    assert found.way.driven_us == 200 * MICROSECONDS
    assert found.coverage == 200 / 800
    assert found.evaluable_share == pytest.approx(0.4, abs=0.002)
    assert found.way.driven_us + found.way.stood_us + found.seen.silent_us == DAY_S * MICROSECONDS
    assert found.odometer is not None
    assert found.odometer.odometer_mm == 2_000_000


def test_a_vehicle_that_was_never_heard_has_a_day_of_silence() -> None:
    heard, silent = closed(straight(1000), (1, 2))
    assert heard.online
    assert (silent.online, silent.driven, silent.seen.silent_us) == (False, False, DAY_S * MICROSECONDS)
    assert (silent.coverage, silent.evaluable_share, silent.odometer) == (None, None, None)


def test_two_days_share_the_drive_over_midnight() -> None:
    """100 s round midnight, 40 of them before: each day has its part, and the trip is that of the first."""
    drive = straight(1000, from_s=14 * 3600 - 40)
    (first,), (second,) = closed(drive), closed(drive, day=date(2026, 8, 23))
    assert (first.way.driven_us, second.way.driven_us) == (40 * MICROSECONDS, 60 * MICROSECONDS)
    assert first.way.distance_mm / 1e6 == pytest.approx(0.4, abs=0.002)
    assert first.way.distance_mm + second.way.distance_mm == closed_way_mm(drive)
    assert (first.way.trips, second.way.trips) == (1, 0)


def closed_way_mm(drive: Fixes) -> int:
    return int(measured(drive)[1].distance_mm.sum())


def test_what_was_driven_is_told_by_county() -> None:
    """A kilometre east; the district begins in its middle."""
    drive = straight(1000)
    record, steps = measured(drive)
    districts = index(fence(11, strip(500, 2000), FenceKind.DISTRICT))
    of = Measured(record, steps, labels(record, districts), trips(steps, record))
    (found,) = close(DAY, [1], of, fine_s=3.0)[0]
    assert list(found.counties) == [11]
    assert found.counties[11].distance_mm / 1e6 == pytest.approx(0.5, abs=0.01)
    assert (found.way.trips, found.counties[11].trips) == (1, 0)


def test_a_receiver_that_jumped_is_told_from_one_that_is_frozen() -> None:
    at_s = np.arange(200.0)
    jumped = fixes(at_s, at_s * 10 + np.where(at_s == 100, 9000.0, 0), speed_kmh=36.0)
    frozen = fixes(at_s, np.minimum(at_s, 100) * 10, speed_kmh=36.0)
    (jumps,), (freezes,) = closed(jumped), closed(frozen)
    assert (jumps.seen.fixes_valid, jumps.seen.jumps) == (199, 1)
    assert (freezes.seen.jumps, freezes.seen.fixes_valid < 200) == (0, True)
