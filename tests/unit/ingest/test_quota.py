"""A bucket a vehicle: a hundred observations at once, and two more a second."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fleet.units import MICROSECONDS
from ingest.pipeline.quota import CAPACITY, REFILL_HZ, Quota

START_S = 1_700_000_000


def taken(quota: Quota, at_s: float, *asked: tuple[int, int]) -> dict[int, int]:
    """How many of (vehicle, observations) are let through at a moment."""
    vehicle_id = np.concatenate([np.full(count, vehicle, np.int32) for vehicle, count in asked])
    beyond = quota.spend(vehicle_id, round((START_S + at_s) * MICROSECONDS))
    return {vehicle: int((vehicle_id[~beyond] == vehicle).sum()) for vehicle, _ in asked}


def test_a_bucket_empties_and_fills() -> None:
    quota = Quota(capacity=100, refill_hz=2)
    assert taken(quota, 0, (1, 60), (2, 1)) == {1: 60, 2: 1}
    assert taken(quota, 0, (1, 60)) == {1: 40}
    assert taken(quota, 0, (1, 1)) == {1: 0}
    assert taken(quota, 5, (1, 60)) == {1: 10}
    assert taken(quota, 1000, (1, 101)) == {1: 100}
    assert taken(quota, 1000, (2, 200), (3, 100)) == {2: 100, 3: 100}


def test_what_came_first_is_let_through() -> None:
    quota = Quota(capacity=3, refill_hz=1)
    beyond = quota.spend(np.array([1, 2, 1, 1, 2, 1], np.int32), START_S * MICROSECONDS)
    assert beyond.tolist() == [False, False, False, False, False, True]


def test_a_clock_that_goes_back_fills_nothing() -> None:
    quota = Quota(capacity=10, refill_hz=1)
    assert [taken(quota, at_s, (1, 10))[1] for at_s in (100, 0, 100, 101)] == [10, 0, 0, 1]


def test_a_unit_that_measures_ten_times_a_second_all_day_is_never_refused() -> None:
    """And one that was away for 35 days may send all it has kept, a fix a second."""
    quota = Quota()
    assert taken(quota, 0, (1, CAPACITY)) == {1: CAPACITY}
    assert all(taken(quota, minute * 60, (1, 600))[1] == 60 * REFILL_HZ for minute in range(1, 60))


@given(asked=st.lists(st.tuples(st.integers(0, 300), st.integers(1, 3), st.integers(0, 150)), max_size=20))
def test_nobody_is_ever_let_through_more_than_capacity_and_refill(asked: list[tuple[int, int, int]]) -> None:
    quota, through = Quota(capacity=100, refill_hz=2), dict[int, int]()
    for at_s, vehicle, count in sorted(asked):
        through[vehicle] = through.get(vehicle, 0) + taken(quota, at_s, (vehicle, count))[vehicle]
        assert through[vehicle] <= 100 + 2 * at_s
