"""Back-fill is committed in parts: together they are the batch, to the observation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.columns import CameraEvents, Fixes, HealthReports
from fleet.wire.batch import Published, Rejected
from fleet.wire.reasons import Reason
from ingest.pipeline.log import Batch, Refused
from ingest.pipeline.parts import PART_FIXES, parts_of, whole
from ingest.pipeline.screen import Screened

REJECT = Rejected(0, 3, Reason.OUT_OF_RANGE, "lat", b"{}", 1)


def batch(*refused: Refused) -> Batch:
    return Batch([Published("kerbsafe/v1/acme/T1/history", b"[]")], 0, "history", 2, None, refused)


def screened(fixes: int, seed: int | None = None) -> Screened:
    time_us = np.arange(1, fixes + 1)
    if seed is not None:
        time_us = np.random.default_rng(seed).permutation(time_us)
    camera = CameraEvents.build(vehicle_id=[1], time_us=[1], event_id=np.array(["a"], object), side=[1])
    return Screened(
        Fixes.build(vehicle_id=np.ones(fixes), time_us=time_us, lat_udeg=time_us),
        np.zeros(fixes, np.intp),
        camera,
        np.zeros(1, np.intp),
        HealthReports.empty(),
        np.zeros(0, np.intp),
        [],
        received=fixes + 1 + 2 + 1,
        duplicates=2,
        rejects=[REJECT],
    )


@given(fixes=st.integers(0, 5 * PART_FIXES), seed=st.integers(0, 9))
@settings(max_examples=30)
def test_parts_together_are_the_batch(fixes: int, seed: int) -> None:
    given_ = screened(fixes, seed)
    parts = parts_of(batch(), given_, {"decode": 1.0})
    sizes = [len(part.screened.fixes) for part in parts]
    assert max(sizes) <= PART_FIXES
    assert sorted(t for part in parts for t in part.screened.fixes.time_us.tolist()) == list(
        range(1, fixes + 1)
    )
    assert sum(part.screened.received for part in parts) == given_.received
    assert sum(part.screened.duplicates for part in parts) == 2
    assert [len(part.screened.camera) for part in parts] == [1] + [0] * (len(parts) - 1)
    assert [r for part in parts for r in part.screened.rejects] == [REJECT]
    assert [part.is_last for part in parts] == [False] * (len(parts) - 1) + [True]
    assert [part.messages for part in parts] == [0] * (len(parts) - 1) + [1]
    for part in parts:
        assert part.screened.fixes.lat_udeg.tolist() == part.screened.fixes.time_us.tolist()


def test_the_newest_come_first_and_each_part_keeps_its_order() -> None:
    parts = parts_of(batch(), screened(2 * PART_FIXES + 1), {})
    newest = [int(part.screened.fixes.time_us.max()) for part in parts]
    assert newest == [2 * PART_FIXES + 1, PART_FIXES + 1, 1]
    assert all((np.diff(part.screened.fixes.time_us) > 0).all() for part in parts)


@pytest.mark.parametrize("fixes", [0, 5, 2 * PART_FIXES])
def test_what_was_not_kept_is_counted_as_rejected_under_its_own_topic(fixes: int) -> None:
    given_ = batch(Refused("kerbsafe/v1/acme/T9/fix", b"[{", 700, 4, Reason.TOO_MUCH_WAITING))
    parts = parts_of(given_, screened(fixes), {})
    own, reject = parts[0].screened.rejects
    assert (reject.reason, reject.observations) == ("too_much_waiting", 700)
    assert [parts[0].topic(one) for one in (own, reject)] == [
        "kerbsafe/v1/acme/T1/history",
        "kerbsafe/v1/acme/T9/fix",
    ]
    assert sum(part.screened.received for part in parts) == screened(fixes).received + 700
    assert sum(part.messages for part in parts) == 2
    assert whole(given_, screened(0), {}).messages == 2
