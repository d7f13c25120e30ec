"""On the topic of a company that the vehicle had at another time: only what was measured then is taken."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.units import to_datetime
from fleet.wire.batch import KEPT_BYTES, Rejected
from fleet.wire.reasons import Reason
from fleet.wire.v1.faults import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fleet.wire.batch import Decoded, Message, OfThen


class _Spans(NamedTuple):
    """Spans of time by message, as many to each as the one with the most has."""

    asked: NDArray[np.bool_]
    begins_us: NDArray[np.int64]
    ends_us: NDArray[np.int64]

    def cover(self, message: NDArray[np.intp], time_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Mark the rows whose message is not asked, or whose time lies in one of its spans."""
        within = (self.begins_us[:, message] <= time_us) & (time_us < self.ends_us[:, message])
        return np.asarray(~self.asked[message] | within.any(axis=0))


def of_their_time(decoded: Decoded, messages: Sequence[Message], then: Mapping[int, OfThen]) -> Decoded:
    """Reject what was not measured while the vehicle was of the company that its message names.

    `then` has the messages whose vehicle was found by a company of another time, by index.
    """
    spans, rejects = _spans(len(messages), then), list(decoded.rejects)

    def of(message: NDArray[np.intp], time_us: NDArray[np.int64]) -> NDArray[np.intp]:
        covered = spans.cover(message, time_us)
        rejects.extend(_rejected(message[~covered], time_us[~covered], messages, then))
        return np.flatnonzero(covered)

    fix = of(decoded.fix_message, decoded.fixes.time_us)
    camera = of(decoded.camera_message, decoded.camera.time_us)
    health = of(decoded.health_message, decoded.health.time_us)
    ack = of(decoded.ack_message, np.array([one.time_us for one in decoded.acks], np.int64))
    return replace(
        decoded,
        fixes=decoded.fixes.take(fix),
        fix_message=decoded.fix_message[fix],
        camera=decoded.camera.take(camera),
        camera_message=decoded.camera_message[camera],
        health=decoded.health.take(health),
        health_message=decoded.health_message[health],
        acks=[decoded.acks[row] for row in ack.tolist()],
        ack_message=decoded.ack_message[ack],
        rejects=sorted(rejects, key=lambda reject: reject.message),
    )


def _spans(messages: int, then: Mapping[int, OfThen]) -> _Spans:
    most = max(len(found.spans_us) for found in then.values())
    asked = np.zeros(messages, np.bool_)
    # An empty span where a message has fewer.
    begins_us, ends_us = np.zeros((2, most, messages), np.int64)
    for i, found in then.items():
        asked[i] = True
        for place, (begin_us, end_us) in enumerate(found.spans_us):
            begins_us[place, i], ends_us[place, i] = begin_us, end_us
    return _Spans(asked, begins_us, ends_us)


def _rejected(
    message: NDArray[np.intp],
    time_us: NDArray[np.int64],
    messages: Sequence[Message],
    then: Mapping[int, OfThen],
) -> list[Rejected]:
    """Return an entry a message, which counts its observations."""
    found = []
    for i in np.unique(message).tolist():
        times = time_us[message == i]
        first, last = (to_datetime(int(us)).isoformat() for us in (times.min(), times.max()))
        detail = printable(f"{messages[i].topic}: measured {first}" + f" to {last}" * (first != last))
        payload = bytes(messages[i].payload[:KEPT_BYTES])
        found.append(Rejected(i, None, Reason.WRONG_COMPANY, detail, payload, then[i].vehicle_id, len(times)))
    return found
