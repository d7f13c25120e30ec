"""What is marked fresh is never in the store, whatever came before, and what is newer is marked."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.pipeline.newest import Newest


def take(newest: Newest, *rows: tuple[int, int]) -> list[bool]:
    vehicles, times = (np.array(column) for column in zip(*rows, strict=True))
    return newest.take(vehicles.astype(np.int32), times.astype(np.int64)).tolist()


def learn(newest: Newest, vehicle: int, time_us: int) -> None:
    newest.learn(np.array([vehicle], np.int32), np.array([time_us], np.int64))


def test_of_an_unknown_vehicle_nothing_is_fresh() -> None:
    newest = Newest()
    assert take(newest, (3, 10), (3, 11)) == [False, False]
    assert take(newest, (3, 12)) == [False]
    assert newest.unknown(np.array([3, 5, 3], np.int32)).tolist() == [3, 5]


def test_what_is_newer_than_all_that_is_stored_is_fresh() -> None:
    newest = Newest()
    learn(newest, 3, 10)
    assert take(newest, (3, 10), (3, 11), (3, 12), (3, 5)) == [False, True, True, False]
    assert take(newest, (3, 11), (3, 12), (3, 13)) == [False, False, True]


def test_a_fix_far_ahead_makes_the_next_ones_be_searched_for() -> None:
    newest = Newest()
    learn(newest, 3, 10)
    assert take(newest, (3, 1000)) == [True]
    assert take(newest, (3, 11), (3, 1001)) == [False, True]


def test_what_came_while_it_was_being_found_out_counts() -> None:
    """Batch n asks the store; batch n + 1 was taken meanwhile, and may be stored after the answer."""
    newest = Newest()
    assert take(newest, (3, 50)) == [False]
    assert take(newest, (3, 70)) == [False]
    learn(newest, 3, 50)
    assert take(newest, (3, 60), (3, 70), (3, 71)) == [False, False, True]


batches = st.lists(
    st.sets(st.tuples(st.integers(1, 4), st.integers(0, 30)), min_size=1, max_size=8), max_size=12
)


@given(before=st.sets(st.tuples(st.integers(1, 4), st.integers(0, 30))), taken=batches, after=st.data())
def test_fresh_is_never_stored_already(
    before: set[tuple[int, int]], taken: list[set[tuple[int, int]]], after: st.DataObject
) -> None:
    """A store with rows of an earlier process; some vehicles are looked up after any batch."""
    newest, stored = Newest(), set(before)
    for batch in taken:
        rows = sorted(batch)
        fresh = take(newest, *rows)
        assert not {row for row, is_fresh in zip(rows, fresh, strict=True) if is_fresh} & stored
        stored |= batch
        for vehicle in after.draw(st.sets(st.integers(1, 4))):
            times = [time for of, time in stored if of == vehicle]
            if times:
                learn(newest, vehicle, max(times))
