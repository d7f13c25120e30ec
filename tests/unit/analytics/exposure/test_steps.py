"""Kilometres of small drives whose length is known, and of trucks that stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from analytics.exposure import plane
from fleet.columns import Fixes, FixFlag
from tests.unit.analytics.exposure.drives import along, block, circle, fixes, km, measured, straight

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.mark.parametrize(
    ("lat_deg", "north_m", "east_m"),
    # A degree of latitude and of longitude on WGS 84, as tables print them.
    [(0, 110_574, 111_320), (30, 110_852, 96_486), (45, 111_132, 78_847), (60, 111_412, 55_800)],
)
def test_a_degree_is_as_long_as_on_the_ellipsoid(lat_deg: int, north_m: float, east_m: float) -> None:
    middle = lat_deg * 1_000_000
    lat = np.array([middle - 500_000, middle + 500_000, middle, middle], np.int32)
    lon = np.array([0, 0, 179_500_000, -179_500_000], np.int32)
    east, north = plane.steps_m(lat, lon)
    assert north[0] == pytest.approx(north_m, abs=1)
    assert east[2] == pytest.approx(east_m, abs=1)


@pytest.mark.parametrize(
    ("drive", "wanted_km", "within"),
    [
        (straight(1000), 1.000, 0.001),
        (straight(1000, every_s=10), 1.000, 0.001),
        (straight(1000, speed_kmh=5), 1.000, 0.010),
        # Curves: 628 m round a circle of 100 m, whose chords of 10, 50 and 100 m lose up to 4 %.
        (along(circle(100), 628.3, 10), 0.628, 0.002),
        (along(circle(100), 628.3, 50), 0.628, 0.003),
        (along(circle(100), 628.3, 100), 0.628, 0.010),
        # Corners: twice round a block, fixes every 70 and 110 m; their chords lose 3 and 5 %.
        (along(block(400), 1600, 10), 1.600, 0.010),
        (along(block(400), 1600, 70), 1.600, 0.040),
        (along(block(400), 1600, 110), 1.600, 0.060),
        # Ten and a hundred fixes a second, and some a few microseconds apart.
        (straight(1000, every_s=0.1), 1.000, 0.002),
        (straight(1000, every_s=0.01), 1.000, 0.002),
        (fixes(np.sort(np.r_[0:101, 0.000_003:100]), np.repeat(np.arange(101), 2)[:-1] * 10.0), 1.0, 0.002),
        # Nobody drives on from one place.
        (fixes([0], [0]), 0.0, 0.0),
        (fixes([0, 3600], [0, 9000]), 0.0, 0.0),
        (Fixes.empty(), 0.0, 0.0),
    ],
)
def test_kilometres(drive: Fixes, wanted_km: float, within: float) -> None:
    assert km(drive) == pytest.approx(wanted_km, abs=within)


def test_a_gap_is_not_driven_but_told_apart() -> None:
    before = np.arange(101.0)
    after = 700.0 + before
    drive = fixes(np.r_[before, after], np.r_[before * 10, 4000 + before * 10])
    _, steps = measured(drive)
    assert steps.distance_mm.sum() / 1e6 == pytest.approx(2.0, abs=0.002)
    assert steps.unseen_mm.sum() / 1e6 == pytest.approx(3.0, abs=0.001)
    assert (steps.to_us - steps.from_us)[steps.silent].tolist() == [600_000_000]


def test_a_silence_at_one_place_is_no_way() -> None:
    _, steps = measured(fixes([0, 1, 2, 3600, 3601, 3602], [0, 0, 1, 20, 19, 20]))
    assert (steps.distance_mm.sum(), steps.unseen_mm.sum(), steps.silent.sum()) == (0, 0, 1)


@pytest.mark.parametrize("aside", [1, 2, 4])
def test_a_jump_of_the_receiver_is_no_way(aside: int) -> None:
    at_s = np.arange(101.0)
    north = np.zeros(101)
    north[50 : 50 + aside] = 3000
    assert km(fixes(at_s, at_s * 10, north, speed_kmh=36)) == pytest.approx(1.0, abs=0.002)


def test_after_a_tunnel_the_way_in_it_is_unseen() -> None:
    """The new place proves itself by five fixes over more than 50 m, of which nothing is seen either."""
    at_s = np.arange(101.0)
    _, steps = measured(fixes(at_s, at_s * 10 + np.where(at_s >= 50, 800, 0), speed_kmh=36))
    assert steps.distance_mm.sum() / 1e6 == pytest.approx(0.94, abs=0.011)
    assert steps.unseen_mm.sum() / 1e6 == pytest.approx(0.86, abs=0.011)


def test_without_a_position_there_is_no_way() -> None:
    at_s = np.arange(101.0)
    lost = np.where((at_s > 30) & (at_s < 40), FixFlag.NO_POSITION, 0)
    drive = fixes(at_s, np.where(lost, 0, at_s * 10), flags=lost)
    assert km(drive) == pytest.approx(1.0, abs=0.002)


def test_a_queue_that_creeps_is_way() -> None:
    """Ten metres every 40 s: never so fast that noise could not be it, but it leads away for good."""
    at_s = np.arange(0, 1601.0)
    assert km(fixes(at_s, at_s // 40 * 10)) == pytest.approx(0.400, abs=0.055)


def white(seed: int, size: int, sigma_m: float) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, sigma_m, (2, size))


def wandering(seed: int, size: int, sigma_m: float, every_s: float, over_s: float) -> NDArray[np.float64]:
    """Return noise that is `sigma_m` wide and forgets itself over so many seconds."""
    keeps = np.exp(-every_s / over_s)
    drawn = white(seed, size, sigma_m * np.sqrt(1 - keeps**2))
    drawn[:, 0] = white(seed + 1, 1, sigma_m)[:, 0]
    return np.asarray(lfilter([1.0], [1.0, -keeps], drawn, axis=1))


@pytest.mark.parametrize("every_s", [1, 10, 30, 300])
@pytest.mark.parametrize(
    "noise", ["white 3", "white 5", "white 10", "wander 300", "wander 1800", "both"], ids=str
)
def test_eight_hours_parked_add_less_than_fifty_metres(noise: str, every_s: int) -> None:
    at_s = np.arange(0.0, 8 * 3600, every_s)
    kind, _, number = noise.partition(" ")
    if kind == "white":
        east, north = white(1, len(at_s), float(number))
    else:
        east, north = wandering(1, len(at_s), 10.0, every_s, float(number or 600))
    if kind == "both":
        east, north = np.array([east, north]) + white(7, len(at_s), 3.0)
    _, steps = measured(fixes(at_s, east, north))
    assert steps.distance_mm.sum() + steps.unseen_mm.sum() < 50_000


def test_what_a_unit_calls_standing_may_wander_farther() -> None:
    """Twice within ten minutes it is 40 m off for half a minute."""
    at_s = np.arange(0.0, 600)
    off = np.where((at_s % 300 > 100) & (at_s % 300 < 130), 40.0, 0.0)
    assert km(fixes(at_s, off, speed_kmh=0)) == 0.0


@given(
    stand_s=st.integers(60, 1200),
    sigma_m=st.floats(0, 4),
    seed=st.integers(0, 2**32 - 1),
    every_s=st.sampled_from([1, 2, 5, 10]),
)
@settings(max_examples=40, deadline=None)
def test_noise_while_standing_adds_nothing(stand_s: int, sigma_m: float, seed: int, every_s: int) -> None:
    """A kilometre, a stand, a kilometre: as much as without the noise, but for the fixes beside the stand."""
    driving = np.arange(0.0, 101, every_s)
    stand = np.arange(driving[-1] + every_s, driving[-1] + stand_s, every_s)
    again = stand[-1] + every_s + driving
    at_s = np.r_[driving, stand, again]
    east = np.r_[driving * 10, np.full(len(stand), driving[-1] * 10.0), driving[-1] * 10 + driving * 10]
    noise = np.zeros((2, len(at_s)))
    noise[:, len(driving) : len(driving) + len(stand)] = white(seed, len(stand), sigma_m)
    clean, noisy = km(fixes(at_s, east)), km(fixes(at_s, east + noise[0], noise[1]))
    assert noisy == pytest.approx(clean, abs=0.020 + 0.012 * sigma_m)


@given(st.permutations(range(60)), st.integers(0, 59))
@settings(max_examples=30, deadline=None)
def test_order_does_not_matter(order: list[int], again: int) -> None:
    at_s = np.arange(60.0)
    noise = white(3, 60, 1.0)
    drive = fixes(at_s, at_s * 8 + noise[0], noise[1], vehicle_id=1 + (at_s >= 30))
    shuffled = drive.take(np.array([*order, again]))
    for one, other in zip(measured(drive)[1], measured(shuffled)[1], strict=True):
        assert one.tolist() == other.tolist()


def test_vehicles_side_by_side_are_measured_as_alone() -> None:
    drives = [
        straight(1000, vehicle_id=7),
        along(circle(100), 628.3, 20),
        straight(700, every_s=5, vehicle_id=9),
    ]
    together = measured(*drives)[1]
    for drive in drives:
        alone = measured(drive)[1]
        assert (
            together.distance_mm[together.vehicle_id == drive.vehicle_id[0]].tolist()
            == alone.distance_mm.tolist()
        )


def test_a_truck_that_goes_twice_round_a_place_and_on() -> None:
    """For less than a minute it comes to nowhere, and for farther than noise takes it."""
    round_m = [(0, 1)] * 4 + [(-1, 0)] * 4 + [(0, -1)] * 4 + [(1, 0)] * 4
    steps = 12.0 * np.array([(1, 0)] * 120 + round_m * 2 + [(1, 0)] * 120)
    at = np.vstack([[0, 0], np.cumsum(steps, axis=0)])
    assert km(fixes(np.arange(len(at)), at[:, 0], at[:, 1])) == pytest.approx(2.88 + 0.384, rel=0.15)
