"""Cameras that see far less than their peers on the same turns."""

from __future__ import annotations

import numpy as np
import pytest

from alerts.rules.camera.quiet import Cameras, cameras, places


def compared(*rows: tuple[int, int, int, int], share: float = 0.2, expected: float = 5) -> Cameras:
    """Rows are vehicle, place, turns, and in how many of them somebody was seen."""
    columns = [
        (vehicle, place, int(number < seen))
        for vehicle, place, turns, seen in rows
        for number in range(turns)
    ]
    vehicle, place, conflicts = (np.array(column) for column in zip(*columns, strict=True))
    return cameras(vehicle.astype(np.int32), place, conflicts, share=share, expected=expected)


@pytest.mark.parametrize(
    ("rows", "expected", "quiet"),
    [
        ([(1, 7, 50, 0), (2, 7, 50, 10)], [10, 0], [True, False]),
        ([(1, 7, 50, 1), (2, 7, 50, 10)], [10, 1], [True, False]),
        ([(1, 7, 50, 2), (2, 7, 50, 10)], [10, 2], [False, False]),  # a fifth is not less than a fifth
        ([(1, 7, 20, 0), (2, 7, 50, 10)], [4, 0], [False, False]),  # peers would have seen too few to say
        ([(1, 7, 50, 0), (2, 8, 50, 10)], [0, 0], [False, False]),  # no peer turns there
        ([(1, 7, 50, 0), (1, 8, 50, 0), (2, 7, 50, 5), (2, 8, 100, 10)], [10, 0], [True, False]),
        ([(1, 7, 50, 10)], [0], [False]),
    ],
)
def test_too_quiet(rows: list[tuple[int, int, int, int]], expected: list[float], quiet: list[bool]) -> None:
    found = compared(*rows)
    assert found.expected.tolist() == pytest.approx(expected)
    assert found.too_quiet.tolist() == quiet


def test_a_vehicle_is_no_peer_of_its_own() -> None:
    found = compared((1, 7, 50, 10), (2, 7, 10, 0))
    assert found.expected.tolist() == [0, 2]
    assert (found.turns.tolist(), found.seen.tolist()) == ([50, 10], [10, 0])


def test_nobody_is_compared_with_nobody() -> None:
    none = np.empty(0, np.int64)
    found = cameras(none.astype(np.int32), none, none, share=0.2, expected=5)
    assert len(found.vehicle_id) == 0


def test_places_are_squares_of_a_junction() -> None:
    lat, lon = (
        np.array([30_000_000, 30_000_100, 30_002_000]),
        np.array([120_000_000, 120_000_100, 120_000_000]),
    )
    first, near, far = places(lat.astype(np.int32), lon.astype(np.int32)).tolist()
    assert first == near != far
