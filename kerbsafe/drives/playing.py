"""Recorded drives as messages of the present: moved in time, long gaps shortened. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from fleet.errors import KerbsafeError
from fleet.language import Words
from fleet.trackfile import Track
from fleet.units import MICROSECONDS
from fleet.wire import topics, v1
from fleet.wire.v1 import quantising
from fleet.wire.v1.encoding import rfc3339_of
from fleet.wire.v1.payloads import Moment
from simulators.messages import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fleet.trackfile import Recording


class PlayError(KerbsafeError):
    """A drive cannot be played as asked."""


class Played(NamedTuple):
    """Messages in the order of sending, and what was done to their times."""

    messages: list[Message]
    #: Company and vehicle codes that send.
    senders: list[tuple[str, str]]
    #: File -> first shift of its times, seconds; later ones are smaller by the gaps shortened so far.
    shift_s: dict[str, float]
    #: Time taken out of gaps, seconds, all files together.
    gaps_shortened_s: float


def schedule(
    files: Sequence[Track | Recording],
    *,
    start_us: int,
    company: str,
    vehicle: str | None = None,
    max_gap_s: float = 60.0,
    as_history: bool = False,
) -> Played:
    """Return what the files publish if their first fixes fall on `start_us`, side by side.

    All times of one payload are shifted alike, so that what it says about itself stays true. A gap
    longer than `max_gap_s` between two messages of a file is shortened to it.
    """
    if vehicle is not None and len(files) > 1:
        raise PlayError(_ONE_VEHICLE)
    names = [file.name for file in files]
    if alike := {name for name in names if names.count(name) > 1}:
        raise PlayError(_ALIKE.fill(name=min(alike)))
    messages: list[Message] = []
    senders: dict[tuple[str, str], None] = {}
    shift_s: dict[str, float] = {}
    shortened_us = 0
    for file in files:
        if isinstance(file, Track):
            part = _of_track(file, start_us, company, vehicle or file.name, max_gap_s, as_history=as_history)
        else:
            part = _of_recording(file, start_us, max_gap_s)
        messages += part.messages
        senders |= dict.fromkeys(part.senders)
        shift_s |= part.shift_s
        shortened_us += round(part.gaps_shortened_s * MICROSECONDS)
    messages.sort(key=lambda message: message.at_us)  # stable: the order within a file stays
    return Played(messages, list(senders), shift_s, shortened_us / MICROSECONDS)


def _of_track(
    track: Track, start_us: int, company: str, vehicle: str, max_gap_s: float, *, as_history: bool
) -> Played:
    kind = topics.Kind.HISTORY if as_history else topics.Kind.FIX
    for code, remedy in ((company, "--company"), (vehicle, "--vehicle")):
        if not topics.is_code(code):
            raise PlayError(_NO_CODE.fill(code=code, remedy=remedy))
    topic = topics.format_topic(company, vehicle, kind)
    fixes = track.fixes.take(np.argsort(track.fixes.time_us, kind="stable"))
    at_us, shortened_us = _moved(fixes.time_us, start_us, max_gap_s)
    payloads = v1.encode_fixes(replace(fixes, time_us=at_us))
    return Played(
        [Message(at, topic, payload) for at, payload in zip(at_us.tolist(), payloads, strict=True)],
        [(company, vehicle)],
        {track.name: (int(at_us[0]) - int(fixes.time_us[0])) / MICROSECONDS},
        shortened_us / MICROSECONDS,
    )


def _of_recording(recording: Recording, start_us: int, max_gap_s: float) -> Played:
    received = sorted(recording.messages, key=lambda message: message.at_us)
    before_us = np.array([message.at_us for message in received], np.int64)
    at_us, shortened_us = _moved(before_us, start_us, max_gap_s)
    shifts_us = (at_us - before_us).tolist()
    messages = [
        Message(at, message.topic, shifted(message.payload, shift_us))
        for at, shift_us, message in zip(at_us.tolist(), shifts_us, received, strict=True)
    ]
    addresses = [topics.parse_topic(topic) for topic in dict.fromkeys(message.topic for message in received)]
    senders = [(a.company, a.vehicle) for a in addresses if isinstance(a, topics.Address)]
    return Played(
        messages,
        senders,
        {recording.name: shifts_us[0] / MICROSECONDS},
        shortened_us / MICROSECONDS,
    )


def _moved(time_us: NDArray[np.int64], start_us: int, max_gap_s: float) -> tuple[NDArray[np.int64], int]:
    """Return times moved to begin at `start_us`, gaps shortened, and the time that this took out."""
    gaps_us = np.diff(time_us)
    kept_us = np.minimum(gaps_us, round(max_gap_s * MICROSECONDS))
    return start_us + np.r_[0, np.cumsum(kept_us)].astype(np.int64), int((gaps_us - kept_us).sum())


def shifted(payload: bytes, shift_us: int) -> bytes:
    """Return a payload with the `time` of each of its elements shifted; what is not JSON stays as it is."""
    try:
        content = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return payload
    elements = content if isinstance(content, list) else [content]
    moved = [_moved_element(element, shift_us) for element in elements]
    return msgspec.json.encode(moved if isinstance(content, list) else moved[0])


def _moved_element(element: Any, shift_us: int) -> Any:
    if not isinstance(element, dict) or "time" not in element:
        return element
    moment = element["time"]
    try:
        moved_us = quantising.time_us(msgspec.convert(moment, Moment)) + shift_us
        return element | {"time": moved_us // 1000 if isinstance(moment, int) else rfc3339_of(moved_us)}
    except (msgspec.ValidationError, ValueError, OverflowError):
        return element  # the decoder will say what is wrong with it


_ONE_VEHICLE = Words(
    "--vehicle names one vehicle; give one file, or let the files' names be the vehicles",
    "--vehicle 只指定一辆车；请只给一个文件，或以文件名作为车辆代码",
)
_ALIKE = Words(
    "several files are called {name!r}, which names their vehicle: rename all but one",
    "多个文件都名为 {name!r}，而文件名就是车辆代码：请改名",
)
_NO_CODE = Words(
    "{code!r} cannot be a code; give one of A-Z a-z 0-9 _ - with {remedy}",
    "{code!r} 不能作为代码；请用 {remedy} 指定由 A-Z a-z 0-9 _ - 组成的代码",
)
