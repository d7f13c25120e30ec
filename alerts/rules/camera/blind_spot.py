"""The blind-spot camera and the right turn: which detections belong to which turn, and who was watching.

A conflict is somebody whom the right-hand camera saw during a right turn. The join is by the time of what
happened, whichever side came first. A turn without a conflict is clear only if its camera was armed: known to
work. What a camera reports of other sides, and outside of turns, is no conflict.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alerts.words.turns import Kind, Seen, Turns
from fleet.columns import CameraEvents, CameraState, Columns, Phase, Side
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from fleet.columns import HealthReports

    Bools = NDArray[np.bool_]
    Times = NDArray[np.int64]
    Rows = NDArray[np.intp]
    #: A row of `PARAMETERS`, or one for each row judged: both broadcast.
    Parameters = NDArray[np.void]

#: Numbers of one rulebook version: what they mean, and the lowest and highest that make sense.
PARAMETERS = {
    "before_s": ("a detection belongs to a turn from this long before its entry", 0, 30),
    "after_s": ("to this long after its exit", 0, 30),
    "detection_s": ("reports of one id belong together if they are no farther apart", 1, 600),
    "armed_s": ("a camera is armed for this long after a sign that it works", 60, 604800),
    "clock_events": ("a camera's clock is compared with the fixes from so many detections on", 1, 100),
    "clock_place_m": ("a detection was where the vehicle passed within this distance", 3, 100),
    "clock_search_s": ("at most this far from the camera's time", 5, 3600),
    "clock_min_s": ("a clock that differs by less is right", 0, 30),
    "clock_max_s": ("one that differs by more is not believed at all", 1, 600),
    "quiet_share": ("a camera is too quiet with less than this share of what its peers would see", 0, 1),
    "quiet_expected": ("if those would have seen so many", 1, 1000),
}
NO_TURN = -1
_NEVER_US = np.iinfo(np.int64).max
#: Of an interval of accepted times, 36 days of microseconds, and of ranks of vehicles: both fit in 63 bits.
_TIME_BITS = 42
_LATEST = (1 << _TIME_BITS) - 1


class Outcome(IntEnum):
    """How a right turn and its camera stand to one another."""

    #: Somebody was seen; nobody was, by a camera that works; nobody knows.
    CONFLICT = 1
    CLEAR = 2
    NOT_ARMED = 3


@dataclass(frozen=True, slots=True)
class Detections(Columns):
    """Somebody seen by a right-hand camera: all reports of one id together."""

    vehicle_id: NDArray[np.int32]
    event_id: NDArray[np.object_]
    #: First and last report; the same where only one mark, or none, has come.
    first_us: Times
    last_us: Times
    target: NDArray[np.int16]
    evidence: NDArray[np.object_]

    @classmethod
    def dtypes(cls) -> Mapping[str, str]:
        """Name and NumPy type of each column, in order."""
        return _DETECTION_DTYPES


_DETECTION_DTYPES = {
    "vehicle_id": "i4",
    "event_id": "O",
    "first_us": "i8",
    "last_us": "i8",
    "target": "i2",
    "evidence": "O",
}


def of_right_side(events: CameraEvents) -> CameraEvents:
    """Return the events of right-hand cameras."""
    right = events.side == Side.RIGHT
    return events if right.all() else events.take(right)


def detections(events: CameraEvents, rules: Parameters) -> Detections:
    """Put the reports of right-hand cameras together, by vehicle, id and time; rules are one, or one each.

    A start and the end that follows it are one detection. A repeated start or instant of the same id within
    `detection_s` of the report before belongs to it, a repeated end changes nothing; after an end, the same
    id means somebody else. A start without an end, and an end without a start, are instants: unknown is not
    nobody.
    """
    if not len(events):
        return Detections.empty()
    _ids, id_rank = np.unique(events.event_id.astype(str), return_inverse=True)
    order = np.lexsort((events.time_us, id_rank, events.vehicle_id))
    events, id_rank = events.take(order), id_rank[order]
    apart_us = np.broadcast_to(rules["detection_s"], order.shape)[order] * MICROSECONDS
    is_end = events.phase == Phase.END
    same = (events.vehicle_id[1:] == events.vehicle_id[:-1]) & (id_rank[1:] == id_rank[:-1])
    same &= np.diff(events.time_us) <= apart_us[1:]
    same &= ~is_end[:-1] | is_end[1:]
    begins = np.flatnonzero(np.r_[True, ~same])
    end_us = np.minimum.reduceat(np.where(is_end, events.time_us, _NEVER_US), begins)
    newest_us = np.maximum.reduceat(events.time_us, begins)
    return Detections(
        vehicle_id=events.vehicle_id[begins],
        event_id=events.event_id[begins],
        first_us=events.time_us[begins],
        last_us=np.minimum(end_us, newest_us),
        target=np.maximum.reduceat(events.target, begins),
        evidence=_first_text(events.evidence, begins),
    )


def _first_text(texts: NDArray[np.object_], begins: Rows) -> NDArray[np.object_]:
    """Return the first text that is not empty of each group."""
    found = np.empty(len(begins), object)
    for group, part in enumerate(np.split(texts, begins[1:])):
        found[group] = next((text for text in part.tolist() if text), "")
    return found


def join(turns: Turns, seen: Detections, rules: Parameters) -> Rows:
    """Return the turn of each detection, `NO_TURN` where there is none; rules are one, or one a turn.

    A detection belongs to a turn that is no bend if it touches [entered - `before_s`, exited + `after_s`];
    of several turns, to the one whose [entered, exited] is nearest, then to the earlier.
    """
    found = np.full(len(seen), NO_TURN, np.intp)
    if not len(turns) or not len(seen):
        return found
    from_us = turns.entered_us - _us(rules["before_s"])
    until_us = turns.exited_us + _us(rules["after_s"])
    longest_us = int((until_us - from_us).max())
    keys = _Keys([turns.vehicle_id, seen.vehicle_id], from_us.min(), seen.first_us.min() - longest_us)
    by_time = np.argsort(ordered := keys.of(turns.vehicle_id, from_us), kind="stable")
    ordered = ordered[by_time]
    low = np.searchsorted(ordered, keys.of(seen.vehicle_id, seen.first_us - longest_us), side="left")
    high = np.searchsorted(ordered, keys.of(seen.vehicle_id, seen.last_us), side="right")
    many = np.maximum(high - low, 0)
    which = np.repeat(np.arange(len(seen)), many)
    turn = by_time[np.repeat(low - np.cumsum(many) + many, many) + np.arange(len(which))]
    first_us, last_us = seen.first_us[which], seen.last_us[which]
    touches = (first_us <= until_us[turn]) & (last_us >= from_us[turn]) & (turns.kind[turn] != Kind.BEND)
    apart_us = np.maximum(turns.entered_us[turn] - last_us, first_us - turns.exited_us[turn])
    which, turn, apart_us = which[touches], turn[touches], np.maximum(apart_us[touches], 0)
    nearest = np.lexsort((turns.entered_us[turn], apart_us, which))[::-1]
    found[which[nearest]] = turn[nearest]  # of several writes to one place, the last stays: the nearest
    return found


def watched(turns: Turns, armed: NDArray[np.integer[Any]], conflicts: NDArray[np.integer[Any]]) -> Turns:
    """Return turns with who watched them and how many were seen; nobody looks at bends."""
    is_bend = turns.kind == Kind.BEND
    return replace(
        turns,
        armed=np.where(is_bend, Seen.UNKNOWN, armed).astype(np.int16),
        conflicts=np.where(is_bend, Turns.unknown("conflicts"), conflicts).astype(np.int32),
    )


class Evidence(NamedTuple):
    """Signs that right-hand cameras work, or do not; equal lengths."""

    vehicle_id: NDArray[np.int32]
    time_us: Times
    works: Bools


def evidence(events: CameraEvents, health: HealthReports) -> Evidence:
    """Return what says that cameras work: whatever they detect, and reports without a fault.

    A report that does not know is no sign of anything.
    """
    told = health.camera != CameraState.UNKNOWN
    return Evidence(
        np.concatenate([events.vehicle_id, health.vehicle_id[told]]),
        np.concatenate([events.time_us, health.time_us[told]]),
        np.concatenate([np.ones(len(events), np.bool_), health.camera[told] == CameraState.OK]),
    )


def armed(turns: Turns, signs: Evidence, rules: Parameters) -> Bools:
    """Mark the turns whose camera is known to have worked; rules are one, or one a turn.

    The newest sign up to `after_s` after the exit says that it works, and is no older than `armed_s`; of two
    at one time, the fault counts.
    """
    if not len(turns) or not len(signs.time_us):
        return np.zeros(len(turns), np.bool_)
    until_us = turns.exited_us + _us(rules["after_s"])
    keys = _Keys([turns.vehicle_id, signs.vehicle_id], until_us.min(), signs.time_us.min())
    order = np.lexsort((~signs.works, signs.time_us, signs.vehicle_id))
    ordered = keys.of(signs.vehicle_id, signs.time_us)[order]
    newest = np.searchsorted(ordered, keys.of(turns.vehicle_id, until_us), side="right") - 1
    sign = order[np.maximum(newest, 0)]
    is_own = (newest >= 0) & (signs.vehicle_id[sign] == turns.vehicle_id)
    age_us = turns.entered_us - signs.time_us[sign]
    return np.asarray(is_own & signs.works[sign] & (age_us <= _us(rules["armed_s"])))


def outcome(is_armed: bool | None, conflicts: int) -> Outcome:
    """Return how a turn and its camera stand to one another; unknown is not armed."""
    if conflicts:
        return Outcome.CONFLICT
    return Outcome.CLEAR if is_armed else Outcome.NOT_ARMED


def shifted(events: CameraEvents, offset_us: ArrayLike) -> CameraEvents:
    """Return events by the clock of the fixes; the offset is how far the camera's is ahead."""
    return replace(events, time_us=events.time_us - np.asarray(offset_us, np.int64))


def _us(seconds: Any) -> NDArray[np.int64]:
    return np.asarray(np.rint(np.asarray(seconds) * MICROSECONDS), np.int64)


class _Keys:
    """Vehicle and time as one integer that sorts as both do."""

    def __init__(self, vehicles: list[NDArray[np.int32]], *earliest_us: int) -> None:
        self._vehicles = np.unique(np.concatenate(vehicles))
        self._earliest_us = min(int(time_us) for time_us in earliest_us)

    def of(self, vehicle_id: NDArray[np.int32], time_us: Times) -> Times:
        rank = np.searchsorted(self._vehicles, vehicle_id).astype(np.int64)
        return np.asarray((rank << _TIME_BITS) + np.clip(time_us - self._earliest_us, 0, _LATEST))
