"""From rows to be sent to bytes on topics, in the order in which they are sent."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from fleet.trackfile import Recorded
from fleet.wire.topics import Kind, format_topic
from fleet.wire.v1.encoding import encode_arrays, encode_camera, encode_fixes, encode_health
from simulators.faults import HISTORY, LIVE, NOT_UTF8, SOUND, TRUNCATED, Sends

if TYPE_CHECKING:
    from fleet.columns import CameraEvents, Fixes, HealthReports
    from simulators.crew import Truck


#: One publication: when, microseconds since 1970, where, what.
Message = Recorded


class Encoder:
    """Encodes the rows of all trucks; knows their topics."""

    def __init__(self, crew: list[Truck]) -> None:
        kinds = (Kind.FIX, Kind.HISTORY, Kind.CAMERA, Kind.HEALTH)
        self._topics = {kind: [format_topic(t.company, t.code, kind) for t in crew] for kind in kinds}

    def fixes(self, sends: Sends[Fixes], rng: np.random.Generator) -> list[Message]:
        """Return a message for each fix sent live, and arrays of those that were kept."""
        live = sends.take(sends.channel == LIVE)
        made = self._single(Kind.FIX, live, encode_fixes(live.rows), rng)
        return made + self._backfill(sends.take(sends.channel == HISTORY))

    def camera(self, sends: Sends[CameraEvents], rng: np.random.Generator) -> list[Message]:
        """Return a message for each camera event."""
        return self._single(Kind.CAMERA, sends, encode_camera(sends.rows), rng)

    def health(self, sends: Sends[HealthReports], rng: np.random.Generator) -> list[Message]:
        """Return a message for each health report."""
        return self._single(Kind.HEALTH, sends, encode_health(sends.rows), rng)

    def _single(
        self,
        kind: Kind,
        sends: Sends[Fixes] | Sends[CameraEvents] | Sends[HealthReports],
        payloads: list[bytes],
        rng: np.random.Generator,
    ) -> list[Message]:
        for row in np.flatnonzero(sends.corrupt != SOUND).tolist():
            payloads[row] = broken(payloads[row], int(sends.corrupt[row]), rng)
        topics = self._topics[kind]
        vehicles = sends.rows.vehicle_id.tolist()
        return [
            Message(at, topics[vehicle], payload)
            for at, vehicle, payload in zip(sends.at_us.tolist(), vehicles, payloads, strict=True)
        ]

    def _backfill(self, sends: Sends[Fixes]) -> list[Message]:
        """Return arrays: the rows of one truck with one time of sending are one message."""
        if len(sends) == 0:
            return []
        sends = sends.take(np.lexsort((sends.rows.time_us, sends.at_us, sends.rows.vehicle_id)))
        vehicle, at_us = sends.rows.vehicle_id, sends.at_us
        cuts = np.flatnonzero((np.diff(vehicle) != 0) | (np.diff(at_us) != 0)) + 1
        made = []
        for begin, end in pairwise([0, *cuts.tolist(), len(sends)]):
            topic = self._topics[Kind.HISTORY][int(vehicle[begin])]
            payloads = encode_arrays(sends.rows.take(slice(begin, end)))
            made += [Message(int(at_us[begin]), topic, payload) for payload in payloads]
        return made


def broken(payload: bytes, how: int, rng: np.random.Generator) -> bytes:
    """Return bytes that no decoder may accept."""
    cut = int(rng.integers(1, len(payload)))
    if how == TRUNCATED:
        return payload[:cut]
    if how == NOT_UTF8:
        return payload[:cut] + b"\xff" + payload[cut:]
    return payload.replace(b'"time":', b'"time":NaN,"was":', 1)
