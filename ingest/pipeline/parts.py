"""A batch that has been read, whole or in parts: what one transaction writes. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.columns import CameraEvents, HealthReports
from fleet.wire.batch import Rejected
from fleet.wire.topics import as_sent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingest.pipeline.log import Batch
    from ingest.pipeline.screen import Screened

#: Fixes of a part: a live fix waits for no more of what somebody has kept.
PART_FIXES = 1_000


class Part(NamedTuple):
    """What is committed together of a batch."""

    batch: Batch
    screened: Screened
    #: How many messages are counted with this part: all of them with the last.
    messages: int
    #: The batch is whole with it.
    is_last: bool
    #: Spent in reading, by stage; told with the first part.
    seconds: Mapping[str, float]

    def topic(self, reject: Rejected) -> str:
        """Return where the device published the message of a reject."""
        messages, refused = self.batch.messages, self.batch.refused
        if reject.message < len(messages):
            return as_sent(messages[reject.message].topic)
        return as_sent(refused[reject.message - len(messages)].topic)

    def payload(self, reject: Rejected) -> bytes:
        """Return all that the message of a reject brought; nothing where the log has not kept it."""
        messages = self.batch.messages
        return messages[reject.message].payload if reject.message < len(messages) else b""


def whole(batch: Batch, screened: Screened, seconds: Mapping[str, float]) -> Part:
    """Return a batch as the one part of itself."""
    messages = len(batch.messages) + len(batch.refused)
    return Part(batch, _with_refused(batch, screened), messages, is_last=True, seconds=seconds)


def parts_of(batch: Batch, screened: Screened, seconds: Mapping[str, float]) -> list[Part]:
    """Cut a batch into parts of at most `PART_FIXES` fixes.

    The newest come first: who sends what happened a minute ago in one large array with what happens now is
    judged by what happens now, and the rest is late. All that is not a fix comes with the first part.
    """
    count = len(screened.fixes)
    if count <= PART_FIXES:
        return [whole(batch, screened, seconds)]
    order = np.argsort(-screened.fixes.time_us, kind="stable")
    cuts = [np.sort(order[start : start + PART_FIXES]) for start in range(0, count, PART_FIXES)]
    later = sum(len(rows) for rows in cuts[1:])
    first = replace(
        screened,
        fixes=screened.fixes.take(cuts[0]),
        fix_message=screened.fix_message[cuts[0]],
        received=screened.received - later,
    )
    made = whole(batch, first, seconds)._replace(messages=0, is_last=False)
    parts = [
        made,
        *(Part(batch, _fixes_alone(screened, rows), 0, is_last=False, seconds={}) for rows in cuts[1:]),
    ]
    messages = len(batch.messages) + len(batch.refused)
    parts[-1] = parts[-1]._replace(messages=messages, is_last=True)
    return parts


def _fixes_alone(screened: Screened, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Screened:
    nothing = np.empty(0, np.intp)
    return replace(
        screened,
        fixes=screened.fixes.take(rows),
        fix_message=screened.fix_message[rows],
        camera=CameraEvents.empty(),
        camera_message=nothing,
        health=HealthReports.empty(),
        health_message=nothing,
        acks=[],
        received=len(rows),
        duplicates=0,
        rejects=[],
    )


def _with_refused(batch: Batch, screened: Screened) -> Screened:
    """Count among the rejects what the log did not keep."""
    if not batch.refused:
        return screened
    first = len(batch.messages)
    rejects = [
        Rejected(first + place, None, one.reason, one.reason.sentence, one.payload, None, one.observations)
        for place, one in enumerate(batch.refused)
    ]
    received = screened.received + sum(one.observations for one in batch.refused)
    return replace(screened, rejects=[*screened.rejects, *rejects], received=received)
