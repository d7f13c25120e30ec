"""How far the reported speed lags behind the positions, and its scale."""

from __future__ import annotations

import numpy as np
import pytest

from fleet.columns import Fixes
from fleet.speed_quality import estimate
from fleet.units import MICROSECONDS

UDEG_PER_M = 180e6 / (np.pi * 6_371_008.8)


def drive(
    lag_s: float = 0.0, scale: float = 1.0, *, noise_m: float = 0.0, every_s: float = 1.0, minutes: int = 10
) -> Fixes:
    """A truck in town, between 5 and 65 km/h, that drives north; its speed is shown late and scaled."""
    fine_s = np.arange(-10, minutes * 60, 0.1)
    kmh = 35 + 22 * np.sin(fine_s / 9) + 8 * np.sin(fine_s / 3.1)
    distance_m = np.cumsum(kmh) / 3.6 * 0.1
    at_s = np.arange(0, minutes * 60 - 1, every_s)
    north_m = np.interp(at_s, fine_s, distance_m)
    noise = np.random.default_rng(3).normal(0, noise_m, (2, len(at_s)))
    return Fixes.build(
        vehicle_id=7,
        time_us=(at_s * MICROSECONDS).astype(np.int64),
        lat_udeg=30_000_000 + np.rint((north_m + noise[0]) * UDEG_PER_M),
        lon_udeg=120_000_000 + np.rint(noise[1] * UDEG_PER_M),
        speed_dkmh=np.rint(np.interp(at_s - lag_s, fine_s, kmh) * scale * 10),
    )


@pytest.mark.parametrize("every_s", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("noise_m", [0.0, 1.0, 2.5])
@pytest.mark.parametrize(("lag_s", "scale"), [(0, 1), (1, 1), (3, 1.19), (4.5, 0.87)])
def test_lag_and_scale_are_found(lag_s: float, scale: float, noise_m: float, every_s: float) -> None:
    (found,) = estimate(drive(lag_s, scale, noise_m=noise_m, every_s=every_s))
    assert found.lag_s == pytest.approx(lag_s, abs=0.5)
    assert found.scale == pytest.approx(scale, abs=0.03)
    assert found.vehicle_id == 7


def test_a_sound_unit_is_not_told() -> None:
    (found,) = estimate(drive(0.3, 1.04, noise_m=0.5))
    assert not found.is_off


@pytest.mark.parametrize(
    "fixes",
    [
        pytest.param(drive(3, minutes=1).take(slice(0, 50)), id="a few fixes"),
        pytest.param(drive(3, every_s=5), id="too far apart"),
        pytest.param(Fixes.empty(), id="nothing"),
    ],
)
def test_what_says_too_little_says_nothing(fixes: Fixes) -> None:
    assert list(estimate(fixes)) == []


def test_at_constant_speed_no_lag_stands_out() -> None:
    """The scale is known all the same, where speed changes a little."""
    at_s = np.arange(600.0)
    fixes = Fixes.build(
        vehicle_id=1,
        time_us=(at_s * MICROSECONDS).astype(np.int64),
        lat_udeg=30_000_000 + np.rint(at_s * 15 * UDEG_PER_M),
        lon_udeg=120_000_000,
        speed_dkmh=540,
    )
    assert list(estimate(fixes)) == []
