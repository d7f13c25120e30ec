"""What of a batch can be stored, and why the rest cannot."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.columns import CameraEvents, Fixes
from fleet.wire.batch import Decoded, Published
from fleet.wire.reasons import Reason
from ingest.pipeline.screen import Screened, screen, screen_or_reject

NOW_US = 1_800_000_000_000_000
Row = tuple[int, int, int]  # vehicle, seconds from now, km/h


def screened(rows: list[Row]) -> Screened:
    """Each row is a message of its own."""
    vehicles, seconds, speeds = (np.array(column) for column in zip(*rows, strict=True))
    fixes = Fixes.build(
        vehicle_id=vehicles, time_us=NOW_US + seconds * 1_000_000, speed_dkmh=speeds * 10, lat_udeg=1
    )
    messages = [Published(f"topic-{i}", b"payload") for i in range(len(rows))]
    return screen(Decoded(fixes=fixes, fix_message=np.arange(len(rows))), messages, NOW_US)


def kept(result: Screened) -> list[Row]:
    fixes = result.fixes
    seconds = (fixes.time_us - NOW_US) // 1_000_000
    return list(
        zip(fixes.vehicle_id.tolist(), seconds.tolist(), (fixes.speed_dkmh // 10).tolist(), strict=True)
    )


DAY = 86_400


@pytest.mark.parametrize(
    ("rows", "expected", "duplicates", "reasons"),
    [
        ([(2, 0, 5), (1, 1, 5), (1, 0, 5)], [(1, 0, 5), (1, 1, 5), (2, 0, 5)], 0, []),
        ([(1, 0, 5), (1, 0, 5), (1, 0, 5)], [(1, 0, 5)], 2, []),
        ([(1, 0, 7), (1, 0, 5)], [(1, 0, 5)], 0, [Reason.CONFLICTING_DUPLICATE]),
        ([(1, -35 * DAY, 5), (1, DAY, 5)], [(1, -35 * DAY, 5), (1, DAY, 5)], 0, []),
        ([(1, -35 * DAY - 1, 5), (1, 0, 5)], [(1, 0, 5)], 0, [Reason.TOO_OLD]),
        ([(1, DAY + 1, 5), (1, 0, 5)], [(1, 0, 5)], 0, [Reason.FUTURE]),
        ([(1, DAY + 1, 5), (1, DAY + 1, 5)], [], 0, [Reason.FUTURE, Reason.FUTURE]),
    ],
)
def test_screen(rows: list[Row], expected: list[Row], duplicates: int, reasons: list[Reason]) -> None:
    result = screened(rows)
    assert kept(result) == expected
    assert result.duplicates == duplicates
    assert [reject.reason for reject in result.rejects] == reasons


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-36 * DAY, "Read: 2026-12-10T08:00:00+00:00."),
        (2 * DAY, "Read: 2027-01-17T08:00:00+00:00."),
        (
            -1024 * 7 * DAY - 1,
            "Read: 2007-06-01T07:59:59+00:00. That is 1,024 weeks back: the receiver counts",
        ),
    ],
)
def test_a_time_that_is_refused_is_told_as_it_was_read(seconds: int, said: str) -> None:
    (reject,) = screened([(1, seconds, 5)]).rejects
    assert said in reject.detail


rows_drawn = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from([-36 * DAY, -5, 0, 1, 2, 2 * DAY]), st.integers(0, 2)),
    min_size=1,
    max_size=30,
)


@given(rows=rows_drawn, seed=st.integers(0, 100))
def test_order_does_not_matter_and_everything_is_accounted_for(rows: list[Row], seed: int) -> None:
    shuffled = rows.copy()
    random.Random(seed).shuffle(shuffled)
    first, second = screened(rows), screened(shuffled)
    assert kept(first) == kept(second) == sorted(set(kept(first)))
    rejected = sum(reject.observations for reject in first.rejects)
    assert len(first.fixes) + first.duplicates + rejected == first.received == len(rows)


def test_rows_keep_their_messages() -> None:
    result = screened([(2, 0, 5), (1, 1, 5), (1, 0, 5)])
    assert result.fix_message.tolist() == [2, 1, 0]


def test_camera_events_of_one_moment_differ_by_their_id() -> None:
    events = CameraEvents.build(
        vehicle_id=[1, 1, 1], time_us=[NOW_US] * 3, event_id=np.array(["b", "a", "b"], object), speed_dkmh=5
    )
    messages = [Published("topic", b"payload")] * 3
    result = screen(Decoded(camera=events, camera_message=np.arange(3)), messages, NOW_US)
    assert result.camera.event_id.tolist() == ["a", "b"]
    assert (result.duplicates, result.received) == (1, 3)


def test_a_screen_that_fails_rejects_everything() -> None:
    """Nothing unscreened is stored: here the batch names messages that are not there."""
    fixes = Fixes.build(vehicle_id=[1, 2], time_us=[0, 0])
    decoded = Decoded(fixes=fixes, fix_message=np.array([0, 0]))
    result = screen_or_reject(decoded, [Published("topic", b"x" * 9000)], received_us="no time")  # type: ignore[arg-type]
    assert len(result.fixes) == 0
    assert [(reject.reason, reject.observations, len(reject.payload)) for reject in result.rejects] == [
        (Reason.SCREEN_FAILED, 2, 4096)
    ]
