"""What the hot path promises of acknowledgements and of silence, without a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from alerts.engine import engine
from alerts.live.live_state import LiveState
from fleet.units import MICROSECONDS
from ingest.pipeline.hotpath import HotPath
from ingest.pipeline.parts import PART_FIXES, parts_of, whole
from ingest.pipeline.receipt import Receipt
from ingest.pipeline.work import Judged, Work
from tests.unit.alerts.tracks import context
from tests.unit.ingest.test_parts import batch, screened

if TYPE_CHECKING:
    from ingest.pipeline.log import Batch, Log
    from ingest.pipeline.parts import Part

NOW_US = 1_700_000_000 * MICROSECONDS
#: What a stand-in for the store does not look at.
NOTHING = cast("Any", None)
RECEIPT = Receipt("live", 1, 1, 1, 0, {}, 1, 0, 0, 0, 0, [], 0.0)


class Transport:
    """A log that notes what it is told to forget."""

    caught_up_since_us: int | None = None

    def __init__(self, noted: list[str]) -> None:
        self.noted = noted

    def release(self, _: Batch) -> None:
        self.noted.append("acknowledged")


class _NoTopics:
    """A directory nobody asks."""


def hot_path(noted: list[str], *, fails: bool = False) -> HotPath:
    log = Transport(noted)
    path = HotPath(
        NOTHING,
        cast("Log", log),
        LiveState(),
        directory=lambda: cast("Any", _NoTopics()),
        context=lambda: context(60),
        committed=lambda _: noted.append("counted"),
    )

    async def store(_: Work) -> Receipt:
        if fails:
            raise OSError("the database is gone")
        noted.append("committed")
        return RECEIPT

    path._store = store  # type: ignore[method-assign]
    return path


def work(part: Part) -> Work:
    judged = Judged(part.screened, np.zeros(len(part.screened.fixes), np.int8), engine.nothing())
    nobody = np.empty(0, np.int32)
    return Work(part, 1, NOW_US, judged, NOTHING, nobody, NOTHING, NOTHING, context(), {})


async def test_a_batch_is_acknowledged_after_its_commit() -> None:
    noted: list[str] = []
    await hot_path(noted)._commit(work(whole(batch(), screened(3), {})))
    assert noted == ["committed", "acknowledged", "counted"]


async def test_back_fill_is_acknowledged_with_its_last_part() -> None:
    """Until then the broker keeps all of it: a crash between two parts loses nothing."""
    noted: list[str] = []
    path = hot_path(noted)
    for part in parts_of(batch(), screened(2 * PART_FIXES + 1), {}):
        await path._commit(work(part))
    assert noted == ["committed", "counted"] * 2 + ["committed", "acknowledged", "counted"]


async def test_what_is_not_committed_is_not_acknowledged() -> None:
    noted: list[str] = []
    with pytest.raises(OSError, match="the database is gone"):
        await hot_path(noted, fails=True)._commit(work(whole(batch(), screened(3), {})))
    assert noted == []


@pytest.mark.parametrize(
    ("caught_up_s", "due"),
    [
        pytest.param(None, False, id="a queue that we still work off is not a silent fleet"),
        pytest.param(119, False, id="nor is the time in which we did not listen"),
        pytest.param(120, True, id="who was not heard for a gap, while we listened, is silent"),
    ],
)
def test_silence_is_judged_after_a_gap_of_listening(caught_up_s: int | None, due: bool) -> None:
    path = hot_path([])
    log = cast("Transport", path._log)
    log.caught_up_since_us = None if caught_up_s is None else NOW_US - caught_up_s * MICROSECONDS
    assert path._tick_is_due(NOW_US) is due
