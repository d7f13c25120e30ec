"""Odometers against positions: compared where both saw all; those that contradict themselves are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.exposure.odometer import Agreement, Compared, OdometerFault, agreement, compare

if TYPE_CHECKING:
    from collections.abc import Sequence


def told(
    readings_km: Sequence[float], distance_km: Sequence[float], silent: Sequence[int] = ()
) -> Compared | None:
    """A reading a minute, and the way between them as positions have it."""
    gaps = np.zeros(len(distance_km), np.bool_)
    gaps[list(silent)] = True
    return compare(
        np.array([round(km * 10) for km in readings_km]),
        np.arange(len(readings_km)) * 60_000_000,
        np.array([round(km * 1e6) for km in distance_km], np.int64),
        gaps,
    )


@pytest.mark.parametrize(
    ("readings_km", "distance_km", "silent", "wanted"),
    [
        ([100, 101, 102], [1.0, 0.98], [], (2.0, 1.98)),
        # -0.1 is none: what lies between two readings is compared.
        ([100, -0.1, 102], [1.0, 0.98], [], (2.0, 1.98)),
        # Over a gap positions saw nothing.
        ([100, 101, 103, 104], [1.0, 0.0, 1.0], [1], (2.0, 2.0)),
        ([100, 100.1, 100.0], [0.05, 0.05], [], OdometerFault.RUNS_BACKWARDS),
        ([100, 90, 91], [1.0, 1.0], [], OdometerFault.RUNS_BACKWARDS),
        ([99_999.0, 99_999.9, 0.5], [0.9, 0.6], [], OdometerFault.ROLLS_OVER),
        ([6552.9, 6553.5, 0.4], [0.6, 0.5], [], OdometerFault.ROLLS_OVER),
        ([100, 104, 105], [1.0, 1.0], [], OdometerFault.JUMPS),
        ([100, 100, 100], [1.0, 1.0], [], OdometerFault.STUCK),
    ],
)
def test_compared(
    readings_km: list[float],
    distance_km: list[float],
    silent: list[int],
    wanted: tuple[float, float] | OdometerFault,
) -> None:
    found = told(readings_km, distance_km, silent)
    assert found is not None
    if isinstance(wanted, OdometerFault):
        assert found == Compared(0, 0, wanted)
    else:
        assert (found.odometer_mm / 1e6, found.positions_mm / 1e6) == pytest.approx(wanted)


def test_one_reading_says_nothing() -> None:
    assert told([-0.1, 100], [1.0]) is None


def test_agreement_is_that_of_bland_and_altman() -> None:
    """Differences of 1, 2 and 3 per cent: mean 2, standard deviation 1."""
    days = [Compared(200_000_000 + d * 1_000_000, 200_000_000 - d * 1_000_000) for d in (1, 2, 3)]
    bad = Compared(0, 0, OdometerFault.STUCK)
    found = agreement([*days, bad, Compared(0, 0)])
    assert found is not None
    assert (found.days, found.mean_percent) == (3, pytest.approx(2.0))
    assert (found.lower_percent, found.upper_percent) == (pytest.approx(0.04), pytest.approx(3.96))
    assert isinstance(found, Agreement)


def test_two_days_show_no_agreement() -> None:
    assert agreement([Compared(1, 1)] * 2) is None
