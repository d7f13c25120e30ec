"""From true states to bytes on topics, in the order in which they are sent."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.wire.topics import Kind, format_topic
from fleet.wire.v1.encoding import encode_arrays, encode_fixes
from simulators import sampling
from simulators.faults import HISTORY, LIVE, NOT_UTF8, SOUND, TRUNCATED, Sends

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.crew import Truck
    from simulators.sampling import States
    from simulators.shift import Drive


class Message(NamedTuple):
    """One publication: when, microseconds since 1970, where, what."""

    at_us: int
    topic: str
    payload: bytes


class Track:
    """One truck's drives, sampled piece by piece; asks for the next drive only when it is needed."""

    def __init__(self, drives: Iterator[Drive]) -> None:
        self._drives = drives
        self._present = next(drives)

    def states(self, from_us: int, until_us: int, interval_us: int) -> list[States]:
        """Return the true states in [from, until) at multiples of the interval; windows must ascend."""
        times = np.arange(-(-from_us // interval_us) * interval_us, until_us, interval_us)
        parts = []
        while len(times):
            drive = self._present
            within = int(np.searchsorted(times, drive.ended_us))
            if within:
                parts.append(_sample(drive, times[:within]))
            times = times[within:]
            if len(times) == 0:
                break
            following = next(self._drives, None)
            if following is None:
                parts.append(_sample(drive, times))
                break
            self._present = following
        return parts


def _sample(drive: Drive, times: np.ndarray[tuple[int], np.dtype[np.int64]]) -> States:
    return sampling.sample(
        drive.truck.number,
        drive.course,
        drive.motion,
        times,
        started_us=drive.started_us,
        odometer_m=drive.odometer_m,
        loaded=drive.loaded,
    )


def encode(sends: Sends, crew: list[Truck], rng: np.random.Generator) -> list[Message]:
    """Return the rows as messages in the order of sending: one fix each, back-fill in arrays."""
    topics = [format_topic(t.company, t.code, Kind.FIX) for t in crew]
    live = sends.take(sends.channel == LIVE)
    payloads = encode_fixes(live.fixes)
    for row in np.flatnonzero(live.corrupt != SOUND).tolist():
        payloads[row] = _broken(payloads[row], int(live.corrupt[row]), rng)
    vehicles = live.fixes.vehicle_id.tolist()
    messages = [
        Message(at, topics[v], payload)
        for at, v, payload in zip(live.at_us.tolist(), vehicles, payloads, strict=True)
    ]
    messages += _backfill(sends.take(sends.channel == HISTORY), crew)
    messages.sort()
    return messages


def _backfill(sends: Sends, crew: list[Truck]) -> list[Message]:
    """Return arrays: the rows of one truck with one time of sending are one message."""
    if len(sends) == 0:
        return []
    order = np.lexsort((sends.fixes.time_us, sends.at_us, sends.fixes.vehicle_id))
    sends = sends.take(order)
    vehicle, at_us = sends.fixes.vehicle_id, sends.at_us
    cuts = np.flatnonzero((np.diff(vehicle) != 0) | (np.diff(at_us) != 0)) + 1
    bounds = [0, *cuts.tolist(), len(sends)]
    made = []
    for begin, end in pairwise(bounds):
        truck = crew[int(vehicle[begin])]
        topic = format_topic(truck.company, truck.code, Kind.HISTORY)
        rows = sends.fixes.take(slice(begin, end))
        made += [Message(int(at_us[begin]), topic, payload) for payload in encode_arrays(rows)]
    return made


def _broken(payload: bytes, how: int, rng: np.random.Generator) -> bytes:
    """Return bytes that no decoder may accept."""
    cut = int(rng.integers(1, len(payload)))
    if how == TRUNCATED:
        return payload[:cut]
    if how == NOT_UTF8:
        return payload[:cut] + b"\xff" + payload[cut:]
    return payload.replace(b'"lat":', b'"lat":NaN,"was":', 1)
