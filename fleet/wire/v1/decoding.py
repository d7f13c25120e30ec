"""Messages of wire v1 to columns: one call a batch.

A vehicle is told by the topic alone. Payloads are never joined into one text: that decodes no faster
(`benchmarks/bench_wire.py`), and the bytes of one device could then be read as another's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from fleet.wire.batch import KEPT_BYTES, Ack, Decoded, Rejected
from fleet.wire.reasons import Reason
from fleet.wire.topics import MAX_TOPIC_LENGTH, Kind, parse_topic
from fleet.wire.v1 import quantising
from fleet.wire.v1.faults import printable
from fleet.wire.v1.reading import ACK, CAMERA, FIX, HEALTH, Rows, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fleet.wire.batch import Directory, Message
    from fleet.wire.v1.reading import Format

    Route = tuple[str, str, Format]

_FORMATS = {Kind.FIX: FIX, Kind.HISTORY: FIX, Kind.CAMERA: CAMERA, Kind.HEALTH: HEALTH, Kind.ACK: ACK}


def decode(messages: Sequence[Message], directory: Directory) -> Decoded:
    """Return the observations of `messages` as columns, and what was not taken, with reasons.

    Any topic and any payload is accepted: nothing is raised for what a stranger may send. Fields of a
    payload that claim another identity are ignored like every unknown field. `Decoded.received` counts
    every observation once.
    """
    rejects: list[Rejected] = []
    groups, vehicle_of = _identified(messages, directory, rejects)
    rows = {form: read(form, messages, indices, rejects) for form, indices in groups.items()}
    if rejects:
        rejects = _with_vehicles(rejects, vehicle_of)
    return _columns(rows, np.array(vehicle_of, np.int32), rejects)


def _identified(
    messages: Sequence[Message], directory: Directory, rejects: list[Rejected]
) -> tuple[dict[Format, list[int]], list[int]]:
    """Return the messages of each format, and the vehicle of each message (-1 where there is none)."""
    groups: dict[Format, list[int]] = {FIX: [], CAMERA: [], HEALTH: [], ACK: []}
    vehicle_of = [-1] * len(messages)
    for i, message in enumerate(messages):
        route = _route(message.topic)
        if isinstance(route, Reason):
            rejects.append(_unidentified(i, message, route))
            continue
        company, vehicle, form = route
        found = directory.find(company, vehicle)
        if isinstance(found, Reason):
            rejects.append(_unidentified(i, message, found))
            continue
        vehicle_of[i] = found
        groups[form].append(i)
    return groups, vehicle_of


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
    return Rejected(i, None, reason, printable(message.topic), message.payload[:KEPT_BYTES])


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
            Ack(vehicle, time, struct.id, struct.result)
            for vehicle, time, struct in zip(
                vehicle_of[ack.message].tolist(), ack.time_us.tolist(), ack.structs, strict=True
            )
        ],
        ack_message=ack.message,
        rejects=rejects,
    )
