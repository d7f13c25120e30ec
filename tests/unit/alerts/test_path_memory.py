"""What is remembered of points is found again in the ring and at the place where it belongs."""

from __future__ import annotations

import numpy as np
import pytest

from alerts.rules.right_turn.path_memory import POINTS, RING, Walked, blank, blank_rings

VEHICLES = 7
#: Heads of three of them, in no order.
SLOT = np.array([5, 0, 3], np.int32)
ROW = np.array([0, 1, 1, 2, 2])
NUMBER = np.array([0, 31, 32, 1_000_003, 1_000_004])


@pytest.fixture
def walked() -> Walked:
    return Walked(blank(len(SLOT)), blank_rings(VEHICLES), SLOT)


@pytest.mark.parametrize("name", RING.names or ())
def test_a_column_is_written_where_its_ring_and_place_are(walked: Walked, name: str) -> None:
    values = np.array([11, 22, 33, 44, 55])
    walked.at(ROW, NUMBER).put(name, values)
    expected = blank_rings(VEHICLES)
    for row, number, value in zip(ROW, NUMBER, values, strict=True):
        expected[name][SLOT[row], number % POINTS] = value
    for other in RING.names or ():
        assert walked.rings[other].tolist() == expected[other].tolist()
    assert walked.get(name, ROW, NUMBER).tolist() == values.tolist()


@pytest.mark.parametrize("name", ["us", "north_mm", "signals"])
def test_rows_and_numbers_broadcast(walked: Walked, name: str) -> None:
    walked.rings[name] = np.arange(VEHICLES * POINTS).reshape(VEHICLES, POINTS)
    number = np.array([[62, 63, 64], [0, 1, 2]])
    found = walked.get(name, np.array([[2], [1]]), number)
    assert found.tolist() == [[3 * POINTS + 30, 3 * POINTS + 31, 3 * POINTS], [0, 1, 2]]


def test_one_value_for_all(walked: Walked) -> None:
    walked.at(ROW, NUMBER).put("interval_cs", 100)
    assert walked.rings["interval_cs"].sum() == 100 * len(ROW)
    assert walked.rings["interval_cs"][0, [0, 31]].tolist() == [100, 100]
