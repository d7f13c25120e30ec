"""Recorded drives from files, as the engine takes them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.live.replay import Arrival
from alerts.rules.camera.conflicts import Sights
from fleet import trackfile
from fleet.columns import CameraEvents, Fixes, HealthReports
from fleet.entities import BEGINNING_US
from fleet.language import Words
from fleet.trackfile import Track
from fleet.trackfile.account import OBSERVATIONS, Fault
from fleet.trackfile.drives import NOTHING_SAID
from fleet.units import MICROSECONDS
from fleet.wire import v1

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fleet.trackfile import Options, Recording
    from fleet.trackfile.account import Account
    from fleet.wire.batch import Rejected


class Drive(NamedTuple):
    """One vehicle's part of a file."""

    #: The file's stem.
    track: str
    #: Code of the vehicle; None where the file does not name one.
    vehicle: str | None
    #: Seconds of the file's own clock are event time minus this, microseconds.
    origin_us: int


class Drives(NamedTuple):
    """Several files side by side: each drive is a vehicle whose id is its index."""

    drives: list[Drive]
    fixes: Fixes
    #: What cameras and units report; None where no file is a recording of messages.
    sights: Sights | None
    #: All of it as it arrived; empty where no file says when that was.
    arrivals: list[Arrival]
    #: What was read of each file, and what was left out.
    accounts: list[Account]


def read(paths: Sequence[Path], options: Options = NOTHING_SAID) -> Drives:
    """Read files of recorded drives. Raises `TrackError` that names file, line and remedy."""
    return of(*(trackfile.read(path, options) for path in paths))


def of(*files: Track | Recording) -> Drives:
    """Return the drives of files that were read, side by side."""
    drives: list[Drive] = []
    fixes: list[Fixes] = []
    arrivals: list[Arrival] = []
    accounts: list[Account] = []
    for file in files:
        accounts.append(file.account)
        if isinstance(file, Track):
            fixes.append(_of_track(file, drives))
        else:
            arrived = _of_recording(file, drives)
            arrivals += arrived
            fixes += [arrival.fixes for arrival in arrived]
    sights = Sights(
        CameraEvents.concat([arrival.sights.camera for arrival in arrivals]),
        HealthReports.concat([arrival.sights.health for arrival in arrivals]),
    )
    in_order = sorted(arrivals, key=lambda arrival: arrival.received_us)
    return Drives(drives, Fixes.concat(fixes), sights if arrivals else None, in_order, accounts)


def duration_s(fixes: Fixes) -> float:
    """Return how long the longest drive is, seconds: they are taken as driven side by side."""
    if not len(fixes):
        return 0.0
    _, vehicle = np.unique(fixes.vehicle_id, return_inverse=True)
    first = np.full(vehicle.max() + 1, np.iinfo(np.int64).max)
    last = np.zeros(vehicle.max() + 1, np.int64)
    np.minimum.at(first, vehicle, fixes.time_us)
    np.maximum.at(last, vehicle, fixes.time_us)
    return float((last - first).max()) / MICROSECONDS


def _of_track(track: Track, drives: list[Drive]) -> Fixes:
    # Relative clocks begin where the registry does, so that no time is negative.
    origin_us = BEGINNING_US if track.clock == "relative" else 0
    drives.append(Drive(track.name, None, origin_us))
    vehicle_id = np.full(len(track.fixes), len(drives) - 1, np.int32)
    return replace(track.fixes, vehicle_id=vehicle_id, time_us=track.fixes.time_us + origin_us)


class _EverybodyIsKnown:
    """Gives each vehicle code of one file the id of a drive of its own."""

    def __init__(self, file: str, drives: list[Drive]) -> None:
        self._file = file
        self._drives = drives
        self._ids: dict[str, int] = {}

    def find(self, _company: str, vehicle: str, /) -> int:
        if vehicle not in self._ids:
            self._ids[vehicle] = len(self._drives)
            self._drives.append(Drive(self._file, vehicle, 0))
        return self._ids[vehicle]


def _of_recording(recording: Recording, drives: list[Drive]) -> Iterable[Arrival]:
    directory = _EverybodyIsKnown(recording.name, drives)
    decoded = v1.decode(recording.messages, directory)
    for reject in decoded.rejects:
        account_for(reject, recording.account)
    messages = (decoded.fix_message, decoded.camera_message, decoded.health_message)
    parts = [_by_message(message, len(recording.messages)) for message in messages]
    return [
        Arrival(message.at_us, fixes, Sights(camera, health))
        for index, message in enumerate(recording.messages)
        if len(fixes := decoded.fixes.take(parts[0][index]))
        | len(camera := decoded.camera.take(parts[1][index]))
        | len(health := decoded.health.take(parts[2][index]))
    ]


def account_for(reject: Rejected, account: Account) -> None:
    """Count what the wire refuses of a recording."""
    words = Words(f"refused as {reject.reason}", f"被拒（{reject.reason}）")
    fault = Fault(str(reject.reason), words, OBSERVATIONS)
    account.leave_out(fault, 0, Words(f": {reject.detail}", f"：{reject.detail}"), reject.observations)


def _by_message(message: NDArray[np.intp], messages: int) -> list[NDArray[np.intp]]:
    """Return the rows of each message."""
    order = np.argsort(message, kind="stable")
    return np.split(order, np.searchsorted(message[order], np.arange(1, messages)))
