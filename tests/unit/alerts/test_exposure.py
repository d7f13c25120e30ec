"""Right turns by vehicle: what counts for the rate of conflicts, and what does not."""

from __future__ import annotations

import numpy as np

from alerts.rules.camera.watched import Watched, by_vehicle, together


def turns(*rows: tuple[int, bool, bool, int, int]) -> Watched:
    """Rows are vehicle, evaluable, armed, conflicts, and how often."""
    vehicle, evaluable, armed, conflicts, many = (np.array(column) for column in zip(*rows, strict=True))
    vehicle, evaluable, armed, conflicts = (
        np.repeat(column, many) for column in (vehicle, evaluable, armed, conflicts)
    )
    here = np.full(len(vehicle), 30_000_000, np.int32)
    return Watched(vehicle.astype(np.int32), here, here, evaluable, armed, conflicts)


def test_only_armed_turns_that_can_be_judged_count_for_the_rate() -> None:
    rows = turns(
        (1, True, True, 1, 2), (1, True, True, 0, 18), (1, False, True, 1, 5), (1, True, False, 0, 75)
    )
    (camera,) = by_vehicle(rows, share=0.2, expected=5)
    assert camera == (1, 100, 95, 25, 20, 2, False)
    assert camera.per_1000 == 100.0


def test_two_seen_in_one_turn_are_one_turn_with_a_conflict() -> None:
    (camera,) = by_vehicle(turns((1, True, True, 2, 3), (1, True, True, 0, 17)), share=0.2, expected=5)
    assert (camera.conflicts, camera.per_1000) == (3, 150.0)


def test_there_is_no_rate_on_a_small_base() -> None:
    for many, rate in ((9, None), (10, 1000.0)):
        (camera,) = by_vehicle(turns((1, True, True, 1, many)), share=0.2, expected=5)
        assert camera.per_1000 == rate


def test_a_camera_that_is_too_quiet_has_no_part_in_the_rate() -> None:
    rows = turns((1, True, True, 1, 10), (1, True, True, 0, 40), (2, True, True, 0, 50))
    cameras = by_vehicle(rows, share=0.2, expected=5)
    assert [camera.too_quiet for camera in cameras] == [False, True]
    whole = together(cameras)
    assert (whole.turns, whole.armed, whole.base, whole.conflicts) == (100, 100, 50, 10)
    assert (whole.per_1000, whole.too_quiet) == (200.0, True)
