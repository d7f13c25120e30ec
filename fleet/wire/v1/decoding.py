"""Messages of wire v1 to columns: one call a batch.

A vehicle is told by the topic alone. Payloads are never joined into one text: that decodes no faster
(`benchmarks/bench_wire.py`), and the bytes of one device could then be read as another's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from fleet.wire.batch import KEPT_BYTES, Ack, Decoded, OfThen, Rejected
from fleet.wire.reasons import Reason
from fleet.wire.topics import MAX_TOPIC_LENGTH, Kind, as_sent, parse_topic
from fleet.wire.v1 import quantising
from fleet.wire.v1.belonging import of_their_time
from fleet.wire.v1.faults import printable
from fleet.wire.v1.reading import ACK, CAMERA, FIX, HEALTH, Rows, count_observations, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fleet.wire.batch import Directory, Message
    from fleet.wire.v1.reading import Format

    Route = tuple[str, str, Format]

_NOT_SEEN = -2
_FORMATS = {Kind.FIX: FIX, Kind.HISTORY: FIX, Kind.CAMERA: CAMERA, Kind.HEALTH: HEALTH, Kind.ACK: ACK}


def decode(messages: Sequence[Message], directory: Directory) -> Decoded:
    """Return the observations of `messages` as columns; see `Decoder.decode`."""
    return Decoder(directory).decode(messages)


class Decoder:
    """Decodes batches while one directory is in force; remembers whose topics send fixes."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        #: Topics of fixes and history, and their vehicles: only of those that are known, so it is bounded.
        self._vehicle_of_topic: dict[str, int] = {}

    def decode(self, messages: Sequence[Message]) -> Decoded:
        """Return the observations of `messages` as columns, and what was not taken, with reasons.

        Any topic and any payload is accepted: nothing is raised for what a stranger may send. Fields of a
        payload that claim another identity are ignored like every unknown field. `Decoded.received` counts
        every observation once.
        """
        rejects: list[Rejected] = []
        then: dict[int, OfThen] = {}
        groups, vehicle_of = self._identified(messages, rejects, then)
        rows = {form: read(form, messages, indices, rejects) for form, indices in groups.items()}
        if rejects:
            rejects = _with_vehicles(rejects, vehicle_of)
        decoded = _columns(rows, np.array(vehicle_of, np.int32), rejects)
        return of_their_time(decoded, messages, then) if then else decoded

    def _identified(
        self, messages: Sequence[Message], rejects: list[Rejected], then: dict[int, OfThen]
    ) -> tuple[dict[Format, Sequence[int]], list[int]]:
        """Return the messages of each format, and the vehicle of each message (-1 where there is none).

        Messages whose vehicle is of the company that they name at another time are put into `then`.
        """
        known = self._vehicle_of_topic.get
        vehicle_of = [known(message.topic, _NOT_SEEN) for message in messages]
        if _NOT_SEEN not in vehicle_of:  # the usual case
            return {FIX: range(len(messages)), CAMERA: (), HEALTH: (), ACK: ()}, vehicle_of
        others: dict[Format, list[int]] = {CAMERA: [], HEALTH: [], ACK: []}
        no_fix: set[int] = set()
        for i in [i for i, vehicle in enumerate(vehicle_of) if vehicle == _NOT_SEEN]:
            vehicle_of[i], form = self._look_up(i, messages[i], rejects, then)
            if form is not FIX:
                no_fix.add(i)
                if form is not None:
                    others[form].append(i)
        return {FIX: [i for i in range(len(messages)) if i not in no_fix], **others}, vehicle_of

    def _look_up(
        self, i: int, message: Message, rejects: list[Rejected], then: dict[int, OfThen]
    ) -> tuple[int, Format | None]:
        """Return the vehicle and the format of one message; -1 and None where it is rejected."""
        route = _route(message.topic)
        if isinstance(route, Reason):
            rejects.append(_unidentified(i, message, route))
            return -1, None
        company, vehicle, form = route
        found = self.directory.find(company, vehicle)
        if isinstance(found, Reason):
            rejects.append(_unidentified(i, message, found))
            return -1, None
        if isinstance(found, OfThen):
            then[i] = found
            return found.vehicle_id, form
        if form is FIX:
            self._vehicle_of_topic[message.topic] = found
        return found, form


def _route(topic: str) -> Route | Reason:
    # Only short topics are remembered: what strangers send must not fill the memory.
    return _remembered_route(topic) if len(topic) <= MAX_TOPIC_LENGTH else _parsed_route(topic)


def _parsed_route(topic: str) -> Route | Reason:
    address = parse_topic(topic)
    if isinstance(address, Reason):
        return address
    if address.kind not in _FORMATS:
        return Reason.UNKNOWN_TOPIC
    return address.company, address.vehicle, _FORMATS[address.kind]


_remembered_route = lru_cache(maxsize=1 << 17)(_parsed_route)


def _unidentified(i: int, message: Message, reason: Reason) -> Rejected:
    payload = message.payload
    return Rejected(
        i,
        None,
        reason,
        printable(as_sent(message.topic)),
        payload[:KEPT_BYTES],
        observations=count_observations(payload),
    )


def _with_vehicles(rejects: list[Rejected], vehicle_of: list[int]) -> list[Rejected]:
    """Return the rejects in the order of messages, each with its vehicle if that is known."""
    ordered = sorted(rejects, key=lambda reject: reject.message)
    known = ((reject, vehicle_of[reject.message]) for reject in ordered)
    return [reject._replace(vehicle_id=vehicle if vehicle >= 0 else None) for reject, vehicle in known]


def _columns(rows: dict[Format, Rows], vehicle_of: NDArray[np.int32], rejects: list[Rejected]) -> Decoded:
    fix, camera, health, ack = (rows[form] for form in (FIX, CAMERA, HEALTH, ACK))
    return Decoded(
        fixes=quantising.fixes(fix.structs, vehicle_of[fix.message], fix.time_us),
        fix_message=fix.message,
        camera=quantising.camera(camera.structs, vehicle_of[camera.message], camera.time_us),
        camera_message=camera.message,
        health=quantising.health(health.structs, vehicle_of[health.message], health.time_us),
        health_message=health.message,
        acks=[
            Ack(vehicle, time, struct.id, struct.result, struct.detail or "", struct.values, struct.by or "")
            for vehicle, time, struct in zip(
                vehicle_of[ack.message].tolist(), ack.time_us.tolist(), ack.structs, strict=True
            )
        ],
        ack_message=ack.message,
        rejects=rejects,
    )
