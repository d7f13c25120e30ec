"""Versions of fences: which is in force when, and at which hour."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from fleet.fences.versions import FENCE_KINDS, Fences
from fleet.kinds import FenceKind
from fleet.schedule import parse_schedule
from fleet.units import MICROSECONDS, to_us
from tests.unit.fleet.fences.shapes import fence, rectangle

SQUARE = rectangle(0, 0, 100, 100)
DAY_US = 86_400 * MICROSECONDS


@pytest.mark.parametrize(
    ("time_us", "in_force"),
    [
        (9, [False, False, False]),  # before its first version a fence is not there
        (10, [True, False, False]),
        (19, [True, False, False]),
        (20, [False, True, False]),
        (29, [False, True, False]),
        (30, [False, False, False]),  # retired
        (45, [False, False, True]),  # and there again
    ],
)
def test_a_version_holds_until_the_next(time_us: int, in_force: list[bool]) -> None:
    fences = Fences(
        [
            fence(1, SQUARE, since_us=20),
            fence(1, SQUARE, since_us=40),
            fence(1, SQUARE, since_us=10),
            fence(1, SQUARE, since_us=30, retired=True),
        ]
    )
    assert fences.valid_from_us.tolist() == [10, 20, 40]
    assert fences.in_force(np.arange(3, dtype=np.int32), np.full(3, time_us)).tolist() == in_force


def test_two_versions_that_begin_together_are_refused() -> None:
    with pytest.raises(ValueError, match="two versions of fence F1 begin at the same time"):
        Fences([fence(1, SQUARE), fence(1, SQUARE)])


def test_facts_are_columns() -> None:
    fences = Fences(
        [
            fence(7, SQUARE, FenceKind.SITE, max_dwell_s=5400),
            fence(3, SQUARE, FenceKind.SPEED_ZONE, limit_kmh=30),
        ]
    )
    assert fences.fence_id.tolist() == [3, 7]
    assert fences.codes == ["F3", "F7"]
    assert [FENCE_KINDS[kind] for kind in fences.kind.tolist()] == ["speed_zone", "site"]
    assert fences.limit_kmh.tolist() == [30, -1]
    assert fences.max_dwell_s.tolist() == [-1, 5400]
    assert fences.of_kinds([FenceKind.SITE]).tolist() == [1]


def test_versions_are_found_by_fence_and_start() -> None:
    fences = Fences(
        [fence(1, SQUARE, since_us=10), fence(2, SQUARE, since_us=5), fence(2, SQUARE, since_us=10)]
    )
    asked = np.array([2, 2, 1, 1, 9], np.int32)
    assert fences.find(asked, np.array([5, 10, 10, 5, 10])).tolist() == [1, 2, 0, -1, -1]
    assert Fences().find(asked, np.zeros(5, np.int64)).tolist() == [-1] * 5


def test_a_schedule_is_read_in_civil_time() -> None:
    fences = Fences(
        [
            fence(1, SQUARE, schedule=parse_schedule("daily 22:00-06:00")),
            fence(2, SQUARE),
            fence(3, SQUARE, schedule=parse_schedule("daily 06:00-22:00")),
        ]
    )
    night_us = to_us(datetime.fromisoformat("2026-06-01T23:00+08:00"))
    version = np.arange(3, dtype=np.int32)
    assert fences.in_force(version, np.full(3, night_us)).tolist() == [True, True, False]
    assert fences.in_force(version, np.full(3, night_us + DAY_US // 2)).tolist() == [False, True, True]


def test_a_signature_names_fence_and_version_for_ever() -> None:
    """It is kept in checkpoints, so it may not change."""
    fences = Fences([fence(1, SQUARE), fence(1, SQUARE, since_us=60), fence(2, SQUARE)])
    assert len(set(fences.signature.tolist())) == 3
    assert fences.signature.tolist()[0] == 6791897765849424158
