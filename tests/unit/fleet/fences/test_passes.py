"""Passes: leave for one vehicle, one fence, some hours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from fleet.entities import Pass
from fleet.fences.passes import NO_PASS, Passes, PassVersion
from fleet.schedule import parse_schedule
from fleet.units import to_us

TRUCK, OTHER_TRUCK, FENCE, OTHER_FENCE = 7, 8, 3, 4


def version(
    pass_id: int, *, since: str = "2026-01-01", schedule: str | None = None, **leave: Any
) -> PassVersion:
    return PassVersion(
        pass_id,
        moment(since),
        leave.get("vehicle_id", TRUCK),
        leave.get("fence_id", FENCE),
        Pass(
            code=f"P{pass_id}",
            vehicle="T",
            fence="F",
            starts_at=datetime.fromisoformat(leave.get("starts", "2026-06-01")).replace(tzinfo=UTC),
            ends_at=datetime.fromisoformat(leave.get("ends", "2026-07-01")).replace(tzinfo=UTC),
            schedule=None if schedule is None else parse_schedule(schedule),
        ),
    )


def moment(written: str) -> int:
    return to_us(datetime.fromisoformat(written).replace(tzinfo=UTC))


def found(passes: Passes, when: str, vehicle_id: int = TRUCK, fence_id: int = FENCE) -> str | None:
    (index,) = passes.find(
        np.array([vehicle_id], np.int32), np.array([fence_id], np.int32), np.array([moment(when)])
    )
    return None if index == NO_PASS else passes.codes[index]


@pytest.mark.parametrize(
    ("when", "covered"),
    [
        ("2026-05-31T23:59:59", None),
        ("2026-06-01T00:00:00", "P1"),
        ("2026-06-30T23:59:59", "P1"),
        ("2026-07-01T00:00:00", None),
    ],
)
def test_a_pass_covers_its_time(when: str, covered: str | None) -> None:
    assert found(Passes([version(1)]), when) == covered


def test_a_pass_covers_its_vehicle_and_its_fence() -> None:
    passes = Passes([version(1), version(2, vehicle_id=OTHER_TRUCK, fence_id=OTHER_FENCE)])
    assert found(passes, "2026-06-15") == "P1"
    assert found(passes, "2026-06-15", OTHER_TRUCK) is None
    assert found(passes, "2026-06-15", TRUCK, OTHER_FENCE) is None
    assert found(passes, "2026-06-15", OTHER_TRUCK, OTHER_FENCE) == "P2"


def test_a_pass_covers_its_hours() -> None:
    passes = Passes([version(1, schedule="daily 22:00-06:00")])  # 14:00 to 22:00 UTC
    assert found(passes, "2026-06-15T13:59") is None
    assert found(passes, "2026-06-15T14:00") == "P1"
    assert found(passes, "2026-06-15T22:00") is None


def test_any_of_several_passes_covers() -> None:
    passes = Passes(
        [
            version(1, ends="2026-06-10"),
            version(2, starts="2026-06-20"),
            version(3, schedule="sun 00:00-24:00"),
        ]
    )
    assert [found(passes, f"2026-06-{day:02d}T06:00") for day in (9, 11, 14, 21, 22)] == [
        "P1",
        None,
        "P3",
        "P2",
        "P2",
    ]


def test_a_later_version_replaces_the_one_before() -> None:
    """A pass that is taken back or moved counts so from the version's start, not before."""
    passes = Passes([version(1), version(1, since="2026-06-15", ends="2026-06-02")])
    assert found(passes, "2026-06-14") == "P1"
    assert found(passes, "2026-06-16") is None


def test_without_passes_nothing_is_covered() -> None:
    assert found(Passes(), "2026-06-15") is None
