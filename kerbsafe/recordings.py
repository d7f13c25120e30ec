"""Recorded drives from files, as the engine takes them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.replay import Arrival
from fleet import trackfile
from fleet.columns import Fixes
from fleet.trackfile import Track
from fleet.units import MICROSECONDS
from fleet.wire import v1

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from fleet.trackfile import Recording


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
    #: The same as it arrived; empty where no file says when that was.
    arrivals: list[Arrival]


#: Relative clocks begin here, so that no time is negative: 2000-01-01.
_BEGINNING_US = 946_684_800 * MICROSECONDS


def read(paths: Sequence[Path]) -> Drives:
    """Read files of recorded drives. Raises `TrackError` that names file, line and remedy."""
    drives: list[Drive] = []
    fixes: list[Fixes] = []
    arrivals: list[Arrival] = []
    for path in paths:
        file = trackfile.read(path)
        if isinstance(file, Track):
            fixes.append(_of_track(file, drives))
        else:
            arrived = _of_recording(file, drives)
            arrivals += arrived
            fixes += [arrival.fixes for arrival in arrived]
    return Drives(drives, Fixes.concat(fixes), sorted(arrivals, key=lambda arrival: arrival.received_us))


def _of_track(track: Track, drives: list[Drive]) -> Fixes:
    origin_us = _BEGINNING_US if track.clock == "relative" else 0
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
    received_us = np.array([message.at_us for message in recording.messages], np.int64)
    order = np.argsort(received_us, kind="stable")
    return [
        Arrival(int(received_us[index]), decoded.fixes.take(rows))
        for index in order.tolist()
        if len(rows := np.flatnonzero(decoded.fix_message == index))
    ]
